"""Publishing and rolling back: files, registry and model server agree, whatever happens meanwhile."""

import errno
import getpass
import json
import os
import shutil
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from django.core.management import CommandError, call_command
from google.protobuf import text_format

from serving.contract import MODEL_FILE, MODEL_JSON, MODEL_NAME, SAVED_MODEL_FILE, ModelFolderError, ModelInfo
from serving.embedded.model import LoadedModel
from serving.manifest import MANIFEST, Publisher, Verifier, check, digests
from serving.wire.serving_pb2 import ModelServerConfig
from tests.support.embedded import embedded_server
from tests.support.model_client import model_client
from tests.support.published import STRANGER, sign
from tests.support.tiny_model import make_version
from webapp.registry import publishing, selectors
from webapp.registry.folder import ModelRoot
from webapp.registry.models import ModelVersion, Status

IMAGE = np.zeros((1, 224, 224, 3), np.uint8)


@pytest.fixture
def root(settings, tmp_path) -> ModelRoot:
    settings.MODELS = tmp_path / "served"
    return ModelRoot(settings.MODELS)


@pytest.fixture
def made(tmp_path) -> Callable[..., Path]:
    """Make a version folder that nobody serves."""
    return lambda version=1, **changes: make_version(tmp_path / "made", version, **changes)


@pytest.fixture
def ours(settings) -> Publisher:
    return Publisher(settings.MODEL_KEY)


def believed(publisher, root, version):
    """What a model server that believes the publisher takes the version for."""
    return Verifier(publisher.public).files(root.folder(MODEL_NAME, version), MODEL_NAME, version)


def publish(source, **options):
    return publishing.publish(source, by="alice", **options)


def roll_back(**options):
    return publishing.roll_back(by="bob", **options)


def status_of(name=MODEL_NAME):
    return {version.version: version.status for version in ModelVersion.objects.filter(name=name)}


def everything_in(root):
    return sorted(str(path.relative_to(root.path)) for path in root.path.rglob("*"))


def configured(root):
    config = text_format.Parse((root.path / "models.config").read_text(), ModelServerConfig())
    return {model.name: model.base_path for model in config.model_config_list.config}


@pytest.mark.django_db
class TestPublish:
    def test_a_version_is_registered_with_its_metrics_and_served(self, root, made):
        version = publish(made(3, metrics={"pbc_test": {"accuracy": 0.99}}))
        assert (version.name, version.version, version.status) == (MODEL_NAME, 3, Status.PUBLISHED)
        assert (version.published_by, version.info["metrics"]["pbc_test"]["accuracy"]) == ("alice", 0.99)
        assert ModelInfo.load(root.folder(MODEL_NAME, 3)).version == 3
        assert selectors.published(MODEL_NAME).get() == version
        assert configured(root) == {MODEL_NAME: f"/models/{MODEL_NAME}"}

    def test_the_registry_knows_it_before_any_server_can(self, root, made, monkeypatch):
        put_in = ModelRoot.put_in

        def watch(self, draft, name, version):
            assert ModelVersion.objects.get(name=name, version=version).status == Status.PUBLISHING
            assert not selectors.published(name).exists()
            put_in(self, draft, name, version)

        monkeypatch.setattr(ModelRoot, "put_in", watch)
        assert publish(made(1)).status == Status.PUBLISHED

    @pytest.mark.parametrize("number", [1, 2, 3])
    def test_a_number_that_is_not_new_is_rejected_with_the_one_to_use(self, root, made, number):
        sources = {number: made(number) for number in (1, 2, 3)}
        publish(sources[2])
        publish(sources[3])
        roll_back()
        with pytest.raises(publishing.NumberTakenError, match=r"must be 4 or more; --as-next gives it 4"):
            publish(sources[number])
        assert root.versions(MODEL_NAME) == {2}

    def test_as_next_gives_the_copy_the_next_number(self, root, made):
        publish(made(2))
        again = made(1)
        version = publish(again, as_next=True)
        assert version.version == 3
        assert ModelInfo.load(root.folder(MODEL_NAME, 3)).version == 3
        assert ModelInfo.load(again).version == 1  # the source is as it was
        assert version.info["version"] == 3

    @pytest.mark.parametrize(
        ("spoil", "says"),
        [
            (lambda folder: (folder / MODEL_JSON).unlink(), "no model.json"),
            (lambda folder: (folder / MODEL_FILE).unlink(), "no model.tflite"),
            (lambda folder: (folder / SAVED_MODEL_FILE).unlink(), "no saved_model.pb"),
            (lambda folder: (folder / MODEL_FILE).write_bytes(b"half"), "cannot be used"),
            (lambda folder: (folder / MODEL_JSON).write_text('{"format": 1}'), "format is 1"),
        ],
    )
    def test_an_incomplete_folder_is_rejected(self, root, made, spoil, says):
        folder = made(1)
        spoil(folder)
        with pytest.raises(ModelFolderError, match=says):
            publish(folder)
        assert everything_in(root) == []
        assert not ModelVersion.objects.exists()

    def test_answers_that_are_no_numbers_are_rejected(self, root, made, monkeypatch):
        run = LoadedModel.run

        def broken(self, thread, image):
            outputs = run(self, thread, image)
            return {**outputs, "distance": np.float32(np.nan)} if np.ptp(image) else outputs

        monkeypatch.setattr("serving.check_version.LoadedModel.run", broken)
        with pytest.raises(ModelFolderError, match="distance is not finite"):
            publish(made(1))
        assert everything_in(root) == []

    def test_a_full_disk_leaves_nothing(self, root, made, monkeypatch):
        def full(source, target):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

        publish(made(1))
        source, before = made(2), everything_in(root)
        monkeypatch.setattr(shutil, "copyfile", full)
        with pytest.raises(publishing.PublishingError, match=r": No space left on device\. Nothing"):
            publish(source)
        assert everything_in(root) == before
        assert status_of() == {1: Status.PUBLISHED}

    @pytest.mark.parametrize("method", ["draft", "put_in"])
    def test_an_interruption_leaves_nothing(self, root, made, monkeypatch, method):
        def interrupt(*arguments):
            raise KeyboardInterrupt

        publish(made(1))
        before = everything_in(root)
        with monkeypatch.context() as patched:
            patched.setattr(ModelRoot, method, interrupt)
            with pytest.raises(KeyboardInterrupt):
                publish(made(2))
        assert everything_in(root) == before
        assert status_of() == {1: Status.PUBLISHED}
        assert publish(made(3)).version == 3

    def test_what_a_killed_command_left_is_ended_by_the_next(self, root, made):
        """Killed with a copy half made; after registering; after the rename."""
        publish(made(1))
        (root.path / MODEL_NAME / ".draft-x" / "2").mkdir(parents=True)
        document = json.loads((made(2) / MODEL_JSON).read_text())
        put_in = make_version(root.path / MODEL_NAME, 3)
        for number in (2, 3):
            ModelVersion.objects.create(
                name=MODEL_NAME,
                version=number,
                labels=[],
                review_threshold=0.5,
                info=document,
                files=digests(put_in),
            )
        publish(made(4))
        assert status_of() == {1: Status.PUBLISHED, 3: Status.PUBLISHED, 4: Status.PUBLISHED}
        assert sorted(path.name for path in (root.path / MODEL_NAME).iterdir()) == ["1", "3", "4"]

    def test_a_version_that_was_published_here_before_becomes_known_again(self, root, made, ours):
        """As after an older database was restored. What nobody signed, or changed since, does not."""
        sign(make_version(root.path / MODEL_NAME, 1), by=ours)
        make_version(root.path / MODEL_NAME, 2)
        sign(make_version(root.path / MODEL_NAME, 3), by=STRANGER)
        changed = make_version(root.path / MODEL_NAME, 4)
        sign(changed, by=ours)
        (changed / MODEL_FILE).write_bytes(b"another")
        sign(make_version(root.path / "strangers", 1, name="strangers"), by=ours)
        assert publish(made(5)).version == 5
        assert status_of() == {1: Status.PUBLISHED, 5: Status.PUBLISHED}
        assert not ModelVersion.objects.exclude(name=MODEL_NAME).exists()
        with pytest.raises(ModelFolderError, match="was not published"):
            believed(ours, root, 2)

    def test_the_registry_holds_the_digests_that_the_manifest_says(self, root, made, ours):
        version = publish(made(1))
        assert version.files == digests(root.folder(MODEL_NAME, 1)) == believed(ours, root, 1)
        assert {MODEL_FILE, MODEL_JSON, SAVED_MODEL_FILE} == version.files.keys()

    def test_what_is_changed_while_it_is_copied_is_not_signed_for(self, root, made, ours, monkeypatch):
        """Who may write the servers' folder may write there at any moment."""
        put_in = ModelRoot.put_in

        def replace(self, draft, name, version):
            (draft.path / MODEL_FILE).write_bytes(b"another")
            put_in(self, draft, name, version)

        monkeypatch.setattr(ModelRoot, "put_in", replace)
        publish(made(1))
        with pytest.raises(ModelFolderError, match=MODEL_FILE):
            check(root.folder(MODEL_NAME, 1), believed(ours, root, 1))

    def test_a_manifest_that_was_spoilt_or_signed_with_another_key_is_made_anew(self, root, made, ours):
        for number in (1, 2):
            publish(made(number))
        sign(root.folder(MODEL_NAME, 1), by=STRANGER)
        (root.folder(MODEL_NAME, 2) / MODEL_FILE).write_bytes(b"another")
        (root.folder(MODEL_NAME, 2) / MANIFEST).unlink()
        publish(made(3))
        check(root.folder(MODEL_NAME, 1), believed(ours, root, 1))
        with pytest.raises(
            ModelFolderError, match=MODEL_FILE
        ):  # by what was registered, not by what is there
            check(root.folder(MODEL_NAME, 2), believed(ours, root, 2))

    def test_versions_of_earlier_releases_are_signed_as_they_are(self, root, made, ours):
        publish(made(1))
        (root.folder(MODEL_NAME, 1) / MANIFEST).unlink()
        ModelVersion.objects.update(files=None)
        publish(made(2))
        check(root.folder(MODEL_NAME, 1), believed(ours, root, 1))
        assert ModelVersion.objects.get(version=1).files == digests(root.folder(MODEL_NAME, 1))

    def test_without_the_key_nothing_is_published(self, root, made, settings):
        settings.MODEL_KEY = ""
        with pytest.raises(publishing.PublishingError, match="HEMATOVISION_MODEL_KEY"):
            publish(made(1))
        assert everything_in(root) == []
        assert not ModelVersion.objects.exists()

    def test_a_labs_model_is_served_beside_the_base_one(self, root, made, alice, charlie):
        publish(made(1))
        own = publish(made(7), lab=alice.lab, as_next=True)
        assert (own.name, own.version, own.lab) == (f"lab-{alice.lab.id}", 1, alice.lab)
        assert ModelInfo.load(root.folder(own.name, 1)).name == own.name
        assert selectors.model_name_for(alice.lab.id) == own.name
        assert selectors.model_name_for(charlie.lab.id) == MODEL_NAME
        assert configured(root) == {name: f"/models/{name}" for name in (MODEL_NAME, own.name)}

    def test_a_labs_model_is_nobody_elses(self, root, made, alice, charlie):
        source = made(1, name=selectors.lab_model_name(alice.lab.id))
        with pytest.raises(publishing.PublishingError, match="say whose: --lab"):
            publish(source)
        with pytest.raises(publishing.PublishingError, match="another lab's model"):
            publish(source, lab=charlie.lab)
        assert publish(source, lab=alice.lab).lab == alice.lab


@pytest.mark.django_db
class TestRollBack:
    def test_the_version_before_answers_again_and_the_newest_is_kept(self, root, made):
        for number in (1, 2):
            publish(made(number))
        done = roll_back()
        assert ([version.version for version in done.withdrawn], done.serving.version) == ([2], 1)
        assert status_of() == {1: Status.PUBLISHED, 2: Status.WITHDRAWN}
        assert ModelVersion.objects.get(version=2).withdrawn_by == "bob"
        assert (root.versions(MODEL_NAME), root.withdrawn(MODEL_NAME)) == ({1}, {2})
        assert selectors.published(MODEL_NAME).get().version == 1

    def test_back_to_a_version_withdraws_all_that_are_newer(self, root, made):
        for number in (1, 2, 3, 5):
            publish(made(number))
        assert [version.version for version in roll_back(to=2).withdrawn] == [5, 3]
        assert root.versions(MODEL_NAME) == {1, 2}

    @pytest.mark.parametrize(
        ("to", "says"),
        [(None, "only one"), (4, r"Version 4 .* is not published; 1 are"), (1, "answers already")],
    )
    def test_what_cannot_be_is_rejected(self, root, made, to, says):
        publish(made(1))
        with pytest.raises(publishing.PublishingError, match=says):
            roll_back(to=to)
        assert status_of() == {1: Status.PUBLISHED}
        assert root.versions(MODEL_NAME) == {1}

    def test_with_nothing_published_there_is_nothing_to_roll_back(self, root):
        with pytest.raises(publishing.PublishingError, match="nothing to roll back"):
            roll_back()

    def test_a_version_that_cannot_answer_is_not_gone_back_to(self, root, made):
        for number in (1, 2):
            publish(made(number))
        (root.folder(MODEL_NAME, 1) / MODEL_FILE).write_bytes(
            made(3).joinpath(MODEL_FILE).read_bytes() + b"x"
        )
        with pytest.raises(publishing.PublishingError, match=f"instead: .* not as it was .*{MODEL_FILE}"):
            roll_back()
        assert root.versions(MODEL_NAME) == {1, 2}

    def test_a_labs_last_version_leaves_it_to_the_base_model(self, root, made, alice):
        publish(made(1))
        own = publish(made(2), lab=alice.lab, as_next=True)
        assert roll_back(lab=alice.lab).serving is None
        assert selectors.model_name_for(alice.lab.id) == MODEL_NAME
        assert list(configured(root)) == [MODEL_NAME]
        assert publish(made(3), lab=alice.lab, as_next=True).version == 2
        assert status_of(own.name) == {1: Status.WITHDRAWN, 2: Status.PUBLISHED}

    def test_a_withdrawn_version_that_somebody_put_back_is_told(self, root, made):
        for number in (1, 2):
            publish(made(number))
        roll_back()
        make_version(root.path / MODEL_NAME, 2)
        with pytest.raises(publishing.PublishingError, match=r"into order: .*File exists"):
            publish(made(3))
        assert selectors.published(MODEL_NAME).get().version == 1

    def test_an_interruption_is_ended_by_the_next_command(self, root, made, monkeypatch):
        for number in (1, 2):
            publish(made(number))
        with monkeypatch.context() as patched:
            patched.setattr(ModelRoot, "put_aside", lambda *arguments: 1 / 0)
            with pytest.raises(ZeroDivisionError):
                roll_back()
        assert status_of()[2] == Status.WITHDRAWN
        publish(made(3))
        assert (root.versions(MODEL_NAME), root.withdrawn(MODEL_NAME)) == ({1, 3}, {2})


@pytest.mark.django_db
class TestCommands:
    def run(self, capsys, *arguments, **options):
        call_command(*map(str, arguments), **options)
        return capsys.readouterr().out

    def test_publish_list_and_roll_back(self, root, made, alice, capsys):
        assert "Published hematovision, version 1." in self.run(capsys, "publish_model", made(1))
        self.run(capsys, "publish_model", made(2), by="dr.x")
        self.run(capsys, "publish_model", made(5), lab="northern LAB")
        base, own = json.loads(self.run(capsys, "list_models"))
        assert (base["name"], base["lab"], base["answers"], base["next"]) == (MODEL_NAME, None, 2, 3)
        assert base["folder"] == str(root.folder(MODEL_NAME, 2))
        assert [row["published_by"] for row in base["versions"]] == ["dr.x", getpass.getuser()]
        assert (own["lab"], own["answers"], own["next"]) == ("Northern lab", 5, 6)
        assert "Version 1 answers again" in self.run(capsys, "roll_back_model")
        assert "go to hematovision again" in self.run(capsys, "roll_back_model", lab=str(alice.lab.id))

    def test_a_lab_without_a_model_can_be_asked_for(self, root, made, alice, capsys):
        self.run(capsys, "publish_model", made(1))
        _, own = json.loads(self.run(capsys, "list_models", lab="Northern lab"))
        assert (own["answers"], own["folder"], own["next"], own["versions"]) == (None, None, 1, [])

    def test_what_is_known_is_passed_over_where_that_is_asked(self, root, made, capsys):
        source = made(1)
        self.run(capsys, "publish_model", source)
        assert self.run(capsys, "publish_model", source, if_newer=True) == ""
        with pytest.raises(CommandError, match="must be 2 or more"):
            self.run(capsys, "publish_model", source)

    def test_an_unknown_lab_is_told_with_those_there_are(self, root, made, alice):
        with pytest.raises(CommandError, match=r"no lab 'Western lab'\. There are: Northern lab"):
            call_command("publish_model", str(made(1)), lab="Western lab")


def believing(root, publisher):
    """A model server that serves what the publisher signed."""
    file = root.path.with_name("publisher")
    file.write_text(publisher.public)
    return embedded_server(root.path, "--publisher", str(file))


@pytest.mark.enable_socket
@pytest.mark.django_db(transaction=True)
def test_a_running_server_changes_over_and_back_without_a_lost_request(root, made, ours):
    publish(made(1))
    seen: list[int] = []
    stop = threading.Event()

    def ask(target):
        client = model_client(target)
        while not stop.is_set():
            seen.append(client.predict(IMAGE).version)

    def wait_for(version, target):
        client, deadline = model_client(target), time.monotonic() + 20
        while client.predict(IMAGE).version != version:
            assert time.monotonic() < deadline
            time.sleep(0.05)

    with believing(root, ours) as server, ThreadPoolExecutor() as pool:
        server.wait_ready()
        asking = [pool.submit(ask, server.target) for _ in range(4)]
        try:
            publish(made(2))
            wait_for(2, server.target)
            roll_back()
            wait_for(1, server.target)
        finally:
            stop.set()
        for asked in asking:
            asked.result()
    turns = [version for place, version in enumerate(seen) if not place or seen[place - 1] != version]
    assert {1, 2} == set(seen)
    assert turns[0] == turns[-1] == 1
    assert status_of() == {1: Status.PUBLISHED, 2: Status.WITHDRAWN}


@pytest.mark.enable_socket
@pytest.mark.django_db(transaction=True)
def test_a_running_server_finds_a_labs_first_model_by_itself(root, made, ours, alice):
    publish(made(1))
    with believing(root, ours) as server:
        server.wait_ready()
        own = publish(made(2, labels=tuple(reversed(ModelInfo.load(made(3)).labels))), lab=alice.lab)
        server.wait_ready(own.name)
        clients = [model_client(server.target, model_name=name) for name in (MODEL_NAME, own.name)]
        answers = [client.predict(IMAGE) for client in clients]
    assert [(answer.model_name, answer.version) for answer in answers] == [(MODEL_NAME, 1), (own.name, 2)]
