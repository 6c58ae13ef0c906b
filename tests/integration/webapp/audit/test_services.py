"""The audit trail on a real database."""

import threading
from itertools import pairwise

import pytest
from django.db import DatabaseError, connection, transaction
from structlog.contextvars import bound_contextvars

from webapp.audit.actions import Action
from webapp.audit.chain import NOTHING_BEFORE, hash_of
from webapp.audit.context import Actor, Origin, acting
from webapp.audit.models import Entry
from webapp.audit.services import record

ANN = Actor(7, "Ann Example", "hv_abcdefgh")


def note(lab, subject="Bob", role="pathologist", **more):
    record(Action.MEMBER_ROLE_SET, lab=lab.id, subject=subject, after={"role": role}, **more)


def assert_whole(entries, at_least):
    entries = list(entries.order_by("seq"))
    assert len(entries) >= at_least
    assert [entry.seq for entry in entries] == list(range(1, len(entries) + 1))
    assert bytes(entries[0].previous) == NOTHING_BEFORE
    for before, entry in pairwise(entries):
        assert bytes(entry.previous) == bytes(before.hash)
        assert bytes(entry.hash) == hash_of(vars(entry))


def test_an_entry_says_who_did_what_from_where(lab):
    with acting(ANN, origin=Origin("192.0.2.1", "Browser")), bound_contextvars(request="request-1"):
        note(lab, subject_id="user 8", before={"role": "technician"})
    entry = Entry.objects.get()
    assert entry.sentence == "Ann Example made Bob a pathologist"
    assert (entry.actor_id, entry.token, entry.address) == (7, "hv_abcdefgh", "192.0.2.1")
    assert (entry.user_agent, entry.request_id, entry.subject_id) == ("Browser", "request-1", "user 8")
    assert (entry.before, entry.after) == ({"role": "technician"}, {"role": "pathologist"})


def test_each_chain_goes_on_from_its_head(lab, charlie):
    for place in range(3):
        note(lab, subject=str(place))
        note(charlie.lab, subject=str(place))
    for chain in (lab.id, charlie.lab.id):
        assert_whole(Entry.objects.filter(chain=chain), at_least=3)


@pytest.mark.parametrize(
    "statement",
    ["UPDATE audit_entry SET subject = ''", "DELETE FROM audit_entry", "TRUNCATE audit_entry"],
    ids=lambda statement: statement.split()[0],
)
def test_the_database_rejects_to_change_it(lab, statement):
    note(lab)
    with (
        pytest.raises(DatabaseError, match="append-only"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(statement)
    assert Entry.objects.filter(subject="Bob").exists()


@pytest.mark.django_db(transaction=True)
def test_concurrent_writers_do_not_fork_it(lab):
    writers, each = 8, 25
    ready = threading.Barrier(writers)

    def write():
        try:
            ready.wait()
            for place in range(each):
                with transaction.atomic():
                    note(lab, subject=str(place))
        finally:
            connection.close()

    threads = [threading.Thread(target=write) for _ in range(writers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert_whole(Entry.objects.filter(chain=lab.id), at_least=writers * each)


def test_an_entry_goes_with_the_deed_that_failed(lab):
    with transaction.atomic():
        note(lab)
        transaction.set_rollback(True)
    assert not Entry.objects.filter(subject="Bob").exists()


def test_what_cannot_be_kept_as_it_is_is_kept_as_text(lab):
    record(
        Action.MEMBER_ROLE_SET,
        lab=lab.id,
        subject="a\0b\ud800" + 300 * "x",
        after={"share": 0.1 + 0.2, "lab": lab.id, "n": 10**20, "list": (1, None, True)},
    )
    entry = Entry.objects.latest("seq")
    assert entry.subject.startswith("ab?xx")
    assert entry.after == {
        "share": "0.30000000000000004",
        "lab": str(lab.id),
        "n": 10**20,
        "list": [1, None, True],
    }
    assert bytes(entry.hash) == hash_of(vars(entry))
