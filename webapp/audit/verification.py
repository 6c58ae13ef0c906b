"""Finding out whether anybody changed the trail behind the product's back."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby
from typing import Any
from uuid import UUID

from django.utils.translation import gettext as _

from webapp.audit.actions import Action
from webapp.audit.anchors import Anchor, anchors, heads
from webapp.audit.chain import NOTHING_BEFORE, hash_of
from webapp.audit.models import Entry
from webapp.audit.selectors import in_order
from webapp.audit.services import record

FINDINGS = 20  # of a chain; more of them say the same again


@dataclass(frozen=True)
class Finding:
    """Something wrong with an entry of a chain, in words."""

    chain: UUID
    seq: int
    problem: str


@dataclass
class Verified:
    """How far a verification has come."""

    chains: int = 0
    entries: int = 0
    anchors: int = 0


def verify(chain: UUID | None, progress: Verified) -> Iterator[Finding]:
    """Check all chains, or one, against themselves and their anchors; counts in `progress` as it goes.

    Changed, missing, inserted and exchanged entries show in the hashes; a tail that was cut off, and a chain
    that was written anew, in the anchors. Reads entries once, in order, a few thousand at a time.

    Raises:
        StorageUnavailable: the store did not list the anchors.
    """
    kept = {owner: list(made) for owner, made in groupby(anchors(chain), lambda one: one.chain)}
    known = [chain] if chain else sorted({*heads(), *kept})
    for owner in known:
        findings = _verify_chain(owner, kept.get(owner, []), progress)
        for number, finding in enumerate(findings, start=1):
            yield finding
            if number == FINDINGS:
                yield Finding(owner, finding.seq, _("the rest of this chain was not looked at"))
                break
        progress.chains += 1


def verify_all(progress: Verified) -> Iterator[Finding]:
    """Check all chains, and record at the end what came of it."""
    findings = 0
    for finding in verify(None, progress):
        findings += 1
        yield finding
    result = {"entries": progress.entries, "chains": progress.chains, "anchors": progress.anchors}
    if findings:
        record(Action.AUDIT_BROKEN, lab=None, after={**result, "findings": findings})
    else:
        record(Action.AUDIT_VERIFIED, lab=None, after=result)


def _verify_chain(chain: UUID, kept: Iterable[Anchor], progress: Verified) -> Iterator[Finding]:
    expected = {one.seq: one for one in kept}
    seq, head = 0, NOTHING_BEFORE
    rows = in_order(Entry.objects.filter(chain=chain))
    for entry in rows:
        yield from _check_entry(entry, seq, head)
        seq, head = entry["seq"], bytes(entry["hash"])
        if one := expected.pop(seq, None):
            progress.anchors += 1
            if one.hash != head:
                yield Finding(
                    chain, seq, _("is not the one that was anchored on %(when)s") % {"when": _when(one)}
                )
        progress.entries += 1
    for lost in sorted(number for number in expected if number > seq)[-1:]:
        text = _("was anchored on %(when)s, but the chain ends at %(seq)s")
        yield Finding(chain, lost, text % {"when": _when(expected[lost]), "seq": seq})


def _when(anchor: Anchor) -> str:
    return f"{anchor.at:%d %b %Y, %H:%M} UTC"


def _check_entry(entry: dict[str, Any], seq: int, head: bytes) -> Iterator[Finding]:
    """The entry itself, and that it follows the one at `seq` whose hash is `head`."""
    chain, own = entry["chain"], entry["seq"]
    if own <= seq:
        yield Finding(chain, own, _("is there twice"))
    elif own > seq + 1:
        text = (
            _("follows a gap: entry %(first)s is missing")
            if own == seq + 2
            else _("follows a gap: entries %(first)s to %(last)s are missing")
        )
        yield Finding(chain, own, text % {"first": seq + 1, "last": own - 1})
    elif bytes(entry["previous"]) != head:
        what = (
            _("entry %(seq)s is not the one that it was written after") % {"seq": seq}
            if seq
            else _("is not the first entry")
        )
        yield Finding(chain, own, what)
    if hash_of(entry) != bytes(entry["hash"]):
        yield Finding(chain, own, _("was changed"))
