from typing import Any, ClassVar

from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from webapp.audit.actions import Action
from webapp.audit.chain import INSTALLATION
from webapp.audit.words import count_of_cases, word, words
from webapp.language.sentences import as_written

_GONE = gettext_lazy("did {action} to {subject}")  # of an action that is no more


class Entry(models.Model):
    """Something that somebody did. Entries are made by `services.record`, and never change or go.

    A trigger of the database rejects UPDATE, DELETE and TRUNCATE, and each entry carries the hash of the one
    before it in its lab's chain. Ids and names are plain values: what they point to may go, the entry stays.
    """

    pk = models.CompositePrimaryKey("chain", "seq")
    chain = models.UUIDField(help_text="The lab's id; zero: the installation.")
    seq = models.PositiveBigIntegerField(help_text="Its place in the chain, from 1 on, without gaps.")
    previous = models.BinaryField(max_length=32, help_text="The hash of the entry before.")
    hash = models.BinaryField(max_length=32, help_text="SHA-256 of the other columns: webapp.audit.chain.")
    at = models.DateTimeField(help_text="By the database's clock.")
    action = models.CharField(max_length=40)
    actor_id = models.BigIntegerField(null=True)
    actor_name = models.CharField(max_length=254, help_text="As it was then.")
    token = models.CharField(max_length=16, blank=True, help_text="Prefix of the API token that was used.")
    address = models.CharField(max_length=45, blank=True)
    user_agent = models.CharField(max_length=120, blank=True)
    request_id = models.CharField(max_length=64, blank=True)
    subject = models.CharField(max_length=254, blank=True, help_text="What was acted on, as people call it.")
    subject_id = models.CharField(max_length=80, blank=True, help_text="Which one exactly: “case 0b5e…”.")
    before = models.JSONField(null=True)
    after = models.JSONField(null=True)

    class Meta:
        verbose_name_plural = "entries"
        ordering: ClassVar[list[str]] = ["chain", "-seq"]
        indexes = [
            models.Index(fields=["chain", "action", "seq"], name="audit_by_action"),
            models.Index(fields=["chain", "actor_id", "seq"], name="audit_by_actor"),
            models.Index(fields=["chain", "subject", "seq"], name="audit_by_subject"),
            models.Index(fields=["chain", "subject_id", "seq"], name="audit_by_subject_id"),
            models.Index(fields=["chain", "at"], name="audit_by_time"),
            GinIndex(
                fields=["after"],
                opclasses=["jsonb_path_ops"],
                condition=models.Q(action=Action.IDENTIFIERS_SHOWN),
                name="audit_by_case_shown",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.chain_name} {self.seq}: {self.sentence}"

    @property
    def chain_name(self) -> str:
        return "installation" if self.chain == INSTALLATION else str(self.chain)

    @property
    def seal(self) -> str:
        """Its hash, for people to compare."""
        return bytes(self.hash).hex()

    @property
    def sentence(self) -> str:
        """What happened, as a person says it in the language of who reads it; entries of actions that are no
        more say it plainly."""
        actor = word(self.actor_name) if self.actor_id is None else self.actor_name
        return _("%(actor)s %(did)s") % {"actor": actor, "did": self._did()}

    def _did(self) -> str:
        try:
            label: str | Promise = Action(self.action).label
        except ValueError:
            label = _GONE
        values = {
            "action": self.action,
            "subject": _Word(self.subject),
            "before": _Values(self.before or {}),
            "after": _Values(self.after or {}),
        }
        try:
            return str(label).format_map(values)
        except (KeyError, ValueError, AttributeError):  # a translation with other places
            return as_written(label).format_map(values)


class _Values(dict[str, Any]):
    def __getitem__(self, key: str) -> "_Word":
        return _Word(self.get(key, "–"))


class _Word(str):
    __slots__ = ()

    def __format__(self, spec: str) -> str:
        if spec == "of case":
            return count_of_cases(int(self)) if self.isdecimal() else str(self)
        if spec == "words":
            return words(self)
        said = word(self) if spec in ("word", "a") else str(self)
        if spec != "a":
            return said
        return f"{'an' if said[:1].lower() in 'aeiou' else 'a'} {said.lower()}"  # of English alone
