"""Giving model servers a version, and taking one from them.

The registry has a version before any server does, so no answer comes from one that workers cannot read. It
keeps every version. Files follow by one rename each. If a command is interrupted, the next one finishes it.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import structlog
from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from serving.check_version import check_version
from serving.contract import MODEL_JSON, MODEL_NAME, ModelFolderError, ModelInfo
from serving.manifest import Files, Publisher, Verifier, check, digests
from webapp.audit.actions import Action
from webapp.audit.context import PRODUCT, Actor
from webapp.audit.services import record
from webapp.audit.words import MODEL_VERSION, OWN_MODEL_VERSION
from webapp.labs.models import Lab
from webapp.registry.folder import ModelRoot
from webapp.registry.models import ModelVersion
from webapp.registry.selectors import lab_model_name, newest_number, published

log = structlog.get_logger(__name__)

_LOCK = 0x6D6F64656C  # PostgreSQL's advisory locks have numbers for names; this one spells "model"


class PublishingError(Exception):
    """What was asked cannot be done; nothing was changed. The message says what to do instead."""


class NumberTakenError(PublishingError):
    """The version's number is not above those that are known."""


@dataclass(frozen=True)
class RolledBack:
    """`serving` answers instead of the `withdrawn`; None where a lab has no model of its own any more."""

    withdrawn: list[ModelVersion]
    serving: ModelVersion | None


def publish(source: Path, *, by: str, lab: Lab | None = None, as_next: bool = False) -> ModelVersion:
    """Serve a copy of the version folder `source`: to all labs, or to `lab` as its own model.

    The copy appears to the servers whole or not at all. `as_next` gives it the next free number instead of
    its own.

    Raises:
        ModelFolderError: the folder is no version that could be served.
        NumberTakenError: its number is not above those known; `as_next` was not asked for.
        PublishingError: it is another model's, or cannot be copied.
    """
    info = ModelInfo.load(source)
    name = lab_model_name(lab.id) if lab else MODEL_NAME
    if info.name not in (MODEL_NAME, name):
        text = (
            _("%(folder)s is a version of %(model)s. That is another lab's model.")
            if lab
            else _("%(folder)s is a version of %(model)s. If that is a lab's own model, say whose: --lab.")
        )
        raise PublishingError(text % {"folder": source, "model": info.name})
    with _exclusive() as root:
        newest = newest_number(root, name)
        number = newest + 1 if as_next else info.version
        if number <= newest:
            text = _(
                "%(folder)s is version %(number)s, but version %(newest)s of %(model)s is known here "
                "already. Its number must be %(next)s or more; --as-next gives it %(next)s."
            )
            values = {"number": number, "newest": newest, "next": newest + 1}
            raise NumberTakenError(text % {"folder": source, "model": _called(lab), **values})
        check_version(source)
        try:
            with root.draft(source, name, number) as draft:
                version = _register(draft.info, draft.files, lab, by=by)
                draft.write_manifest(_manifest(version))
                root.put_in(draft, name, number)
        except OSError as error:
            text = _("%(folder)s could not be copied to %(to)s: %(error)s. Nothing was published.")
            where = {"folder": source, "to": root.path}
            raise PublishingError(text % {**where, "error": error.strerror or error}) from error
    version.refresh_from_db()
    return version


def roll_back(*, by: str, lab: Lab | None = None, to: int | None = None) -> RolledBack:
    """Take the newest version from the servers, or all that are newer than `to`; the one before answers.

    A lab's last one leaves the lab to the base model; of the base model one must remain.

    Raises:
        PublishingError: there is no version to withdraw, or none that could answer instead.
    """
    name = lab_model_name(lab.id) if lab else MODEL_NAME
    with _exclusive() as root:
        live = list(published(name))
        if not live:
            text = _("No version of %(model)s is published: there is nothing to roll back.")
            raise PublishingError(text % {"model": _called(lab)})
        if to is None:
            withdrawn, kept = live[:1], live[1:]
        else:
            withdrawn = [version for version in live if version.version > to]
            kept = live[len(withdrawn) :]
            if not kept or kept[0].version != to:
                numbers = ", ".join(str(version.version) for version in live)
                text = _("Version %(number)s of %(model)s is not published; %(published)s are.")
                values = {"number": to, "model": _called(lab), "published": numbers}
                raise PublishingError(text % values)
            if not withdrawn:
                text = _("Version %(number)s of %(model)s is the one that answers already.")
                raise PublishingError(text % {"number": to, "model": _called(lab)})
        if kept:
            _check_answers(root.folder(name, kept[0].version), kept[0].files or {})
        elif lab is None:
            text = _(
                "Version %(number)s is the only one of %(model)s: nothing would be left to "
                "answer. Publish another one first."
            )
            raise PublishingError(text % {"number": live[0].version, "model": MODEL_NAME})
        with transaction.atomic():
            ModelVersion.objects.filter(id__in=[version.id for version in withdrawn]).update(
                withdrawn_at=timezone.now(), withdrawn_by=by
            )
            for version in withdrawn:
                _record(Action.MODEL_ROLLED_BACK, version, by=by)
    return RolledBack(withdrawn, kept[0] if kept else None)


def _called(lab: Lab | None) -> str:
    return _("%(lab)s’s own model") % {"lab": lab.name} if lab else MODEL_NAME


@contextmanager
def _exclusive() -> Iterator[ModelRoot]:
    """One command at a time, from whatever machine; before and after it files and registry agree."""
    root = ModelRoot(settings.MODELS)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(%s)", [_LOCK])
        try:
            _repair(root)
            try:
                yield root
            finally:
                _repair(root)
        finally:
            cursor.execute("SELECT pg_advisory_unlock(%s)", [_LOCK])


def _repair(root: ModelRoot) -> None:
    """Make files and registry agree: finish what a command began, this one or one that was interrupted."""
    try:
        _repair_files(root)
    except OSError as error:
        text = _("The models in %(folder)s could not be brought into order: %(error)s. Mend that first.")
        raise PublishingError(text % {"folder": root.path, "error": error}) from error


def _repair_files(root: ModelRoot) -> None:
    root.clear_drafts()
    _register_signed(root)
    for version in ModelVersion.objects.filter(published_at=None):
        if version.version in root.versions(version.name):
            with transaction.atomic():
                version.published_at = timezone.now()
                version.save(update_fields=["published_at"])
                _record(Action.MODEL_PUBLISHED, version, by=version.published_by)
        else:
            version.delete()
    # Upwards, so that servers do not turn to one that is about to go.
    for version in ModelVersion.objects.exclude(withdrawn_at=None).order_by("version"):
        if version.version in root.versions(version.name):
            root.put_aside(version.name, version.version)
    for version in ModelVersion.objects.filter(withdrawn_at=None).exclude(published_at=None):
        if version.version in root.versions(version.name):
            _sign_manifest(root, version)
    if root.names():
        root.write_config(settings.MODELS_MOUNT)


def _sign_manifest(root: ModelRoot, version: ModelVersion) -> None:
    """Sign a manifest of the files that the registry has, with the current key: servers accept no other."""
    if version.files is None:
        # Registered by a release that kept no digests: what is there today counts from now on.
        version.files = digests(root.folder(version.name, version.version))
        version.save(update_fields=["files"])
        log.warning("files of a version taken as they are", model=str(version))
    root.write_manifest(version.name, version.version, _manifest(version))


def _manifest(version: ModelVersion) -> str:
    return _publisher().manifest(version.name, version.version, version.files or {})


def _publisher() -> Publisher:
    if not settings.MODEL_KEY:
        raise PublishingError(
            _("HEMATOVISION_MODEL_KEY is not set: model servers believe only what was signed with it.")
        )
    return Publisher(settings.MODEL_KEY)


def _register_signed(root: ModelRoot) -> None:
    """Register what was published here and is not in the registry, as after an older database was restored.

    What nobody signed stays what it is: nothing that a server would answer with.
    """
    believes = Verifier(_publisher().public)
    labs = {lab_model_name(lab.id): lab for lab in Lab.objects.all()}
    for name in {MODEL_NAME, *labs}.intersection(root.names()):
        registered = ModelVersion.objects.filter(name=name).values_list("version", flat=True)
        for number in root.versions(name).difference(registered):
            folder = root.folder(name, number)
            try:
                files = believes.files(folder, name, number)
                check(folder, files)
                ModelInfo.load(folder)
            except ModelFolderError as error:
                log.warning("version not registered", reason=str(error))
            else:
                document = json.loads((folder / MODEL_JSON).read_text(encoding="utf-8"))
                _register(document, files, labs.get(name), by="")


def _register(document: dict[str, Any], files: Files, lab: Lab | None, *, by: str) -> ModelVersion:
    info = ModelInfo.from_document(document)
    return ModelVersion.objects.create(
        name=info.name,
        version=info.version,
        lab=lab,
        labels=list(info.labels),
        review_threshold=info.review_threshold,
        info=document,
        files=files,
        published_by=by,
    )


def _record(action: Action, version: ModelVersion, *, by: str) -> None:
    record(
        action,
        lab=version.lab_id,
        subject=(
            OWN_MODEL_VERSION % {"lab": version.lab.name, "number": version.version}
            if version.lab
            else MODEL_VERSION % {"model": version.name, "number": version.version}
        ),
        subject_id=f"model {version}",
        actor=Actor(None, by) if by else PRODUCT,
    )


def _check_answers(folder: Path, files: Files) -> None:
    try:
        check(folder, files)
        check_version(folder)
    except ModelFolderError as error:
        text = _(
            "The version before cannot answer instead: %(error)s. "
            "Name an older one with --to, or publish another."
        )
        raise PublishingError(text % {"error": error}) from error
