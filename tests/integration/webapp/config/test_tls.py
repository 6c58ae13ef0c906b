"""TLS to database, broker and object store, as the web and the workers connect: who is rejected, and why.

The services are the real ones, PostgreSQL and Valkey from wheels built without TLS. So a front ends it before
them, and before the store alike; what it shows is checked by the libraries that the product connects with.
"""

import gc
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager

import psycopg
import pytest
import redis
from celery import Celery
from django.conf import settings as django_settings
from django.core.cache.backends.redis import RedisCache
from django.test import Client
from kombu.transport.redis import Channel
from psycopg.conninfo import make_conninfo

from tests.support.plugin import SETTINGS
from tests.support.tls import Authority, Pem, tls_front
from webapp.config.tls import TlsFiles
from webapp.operations.handshake import tls_failure
from webapp.storage import objects

HOST = "127.0.0.1"
# Libraries leave it to the garbage collector to close what failed in the handshake.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")

Ask = Callable[[int, TlsFiles], object]


def database(port: int, files: TlsFiles) -> None:
    known = django_settings.DATABASES["default"]
    who = {"user": known["USER"], "password": known["PASSWORD"], "dbname": "hematovision"}
    given = make_conninfo(host=HOST, port=port, connect_timeout=5, **who, **files.postgres())
    with psycopg.connect(given) as connection:
        connection.execute("SELECT 1")


def _broker_url(port: int) -> str:
    url: str = django_settings.BROKER_URL.replace("redis://", "rediss://")
    return url.replace(str(SETTINGS.port("valkey")), str(port))


def broker(port: int, files: TlsFiles) -> None:
    url = _broker_url(port)
    with redis.Redis.from_url(url, socket_timeout=5, **files.redis(url)) as client:
        client.ping()


def queue(port: int, files: TlsFiles) -> None:
    url = _broker_url(port)
    app = Celery(broker=url, set_as_current=False)
    app.conf.broker_use_ssl = files.redis(url)
    app.conf.broker_transport_options = {"max_retries": 0}  # to be told at once
    with app.connection_for_write() as connection:
        channel = connection.default_channel
        assert isinstance(channel, Channel)
        channel.client.ping()


def cache(port: int, files: TlsFiles) -> None:
    url = _broker_url(port)
    RedisCache(url, {"OPTIONS": files.redis(url)}).get("something")


def store(port: int, files: TlsFiles) -> None:
    _use_store(port, files)
    objects.check()


def fetching(port: int, files: TlsFiles) -> None:
    _use_store(port, files)
    with pytest.raises(objects.ObjectMissing):
        objects.get("nothing")


def _use_store(port: int, files: TlsFiles) -> None:
    django_settings.S3_ENDPOINT, django_settings.S3_TLS = f"https://{HOST}:{port}", files
    for made in (objects._client, objects._probe_client, objects._connections):
        made.cache_clear()


# Each connection of the product, and the service at its other end.
CONNECTIONS: dict[Ask, str] = {
    database: "postgres",
    broker: "valkey",
    queue: "valkey",
    cache: "valkey",
    store: "s3",
    fetching: "s3",
}
every_connection = pytest.mark.parametrize("ask", CONNECTIONS, ids=lambda ask: ask.__name__)


@pytest.fixture(scope="module")
def ours(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("ours"))


@pytest.fixture(scope="module")
def others(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("others"))


@pytest.fixture(autouse=True)
def _the_store_as_it_was(settings, django_db_modify_db_settings) -> Iterator[None]:
    settings.S3_ENDPOINT = settings.S3_ENDPOINT
    settings.S3_TLS = settings.S3_TLS
    yield
    for made in (objects._client, objects._probe_client, objects._connections):
        made.cache_clear()
    gc.collect()


def front(ask: Ask, pem: Pem, **more) -> AbstractContextManager[int]:
    service = CONNECTIONS[ask]
    return tls_front(SETTINGS.port(service), pem, postgres=service == "postgres", **more)


def refusal(ask: Ask, port: int, files: TlsFiles) -> str:
    """What is said of the certificate that kept the question from being answered."""
    with pytest.raises(Exception) as rejected:  # noqa: PT011 - each library has its own
        ask(port, files)
    return tls_failure(rejected.value) or repr(rejected.value)


@every_connection
def test_who_is_not_whom_we_look_for_is_rejected(ask: Ask, ours: Authority, others: Authority) -> None:
    files = TlsFiles("S3", ca=ours.file)
    with front(ask, ours.issue(HOST)) as port:
        ask(port, files)
        assert "not signed by the CA we trust" in refusal(ask, port, TlsFiles("S3", ca=others.file))
    with front(ask, ours.issue(HOST, expired=True)) as port:
        assert "its certificate has expired" in refusal(ask, port, files)
    with front(ask, ours.issue("elsewhere.example")) as port:
        assert refusal(ask, port, files) == "its certificate is for another name"
    if CONNECTIONS[ask] != "valkey":  # which waits for the rest of what it takes for a command
        assert refusal(ask, SETTINGS.port(CONNECTIONS[ask]), files) == "it does not speak TLS"


@every_connection
def test_a_service_may_ask_who_we_are(ask: Ask, ours: Authority, others: Authority) -> None:
    worker, stranger = ours.issue("worker"), others.issue("worker")
    with front(ask, ours.issue(HOST), client_ca=ours.file) as port:
        ask(port, TlsFiles("S3", ours.file, worker.certificate, worker.key))
        assert refusal(ask, port, TlsFiles("S3", ours.file)) == "it wants a certificate of ours"
        unknown = refusal(ask, port, TlsFiles("S3", ours.file, stranger.certificate, stranger.key))
        assert unknown == "it does not know who signed our certificate"


@pytest.mark.django_db
def test_readiness_says_what_is_wrong_with_a_certificate(settings, ours: Authority) -> None:
    with tls_front(SETTINGS.port("s3"), ours.issue(HOST, expired=True)) as port:
        _use_store(port, TlsFiles("S3", ca=ours.file))
        answer = Client().get("/readyz")
    assert answer.status_code == 503
    assert answer.json()["storage"] == "failed: its certificate has expired"
