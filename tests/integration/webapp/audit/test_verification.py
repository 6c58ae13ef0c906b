"""Somebody with all rights on the database changes the trail; `audit verify` names the row."""

import io
import uuid

import pytest
from botocore.exceptions import ClientError, ConnectTimeoutError
from django.conf import settings
from django.core.management import CommandError, call_command
from django.db import connection

from webapp.audit.actions import Action
from webapp.audit.anchors import anchor, anchors
from webapp.audit.chain import COLUMNS, hash_of
from webapp.audit.models import Entry
from webapp.audit.services import record
from webapp.audit.verification import Verified, verify
from webapp.storage import locked
from webapp.storage.objects import _client

ENTRIES = 9


@pytest.fixture
def chain(db) -> uuid.UUID:
    """A chain of ENTRIES entries."""
    lab = uuid.uuid4()
    for number in range(1, ENTRIES + 1):
        record(Action.MEMBER_ROLE_SET, lab=lab, subject=f"Person {number}", after={"role": "admin"})
    return lab


def tamper(*statements: str, **values) -> None:
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE audit_entry DISABLE TRIGGER append_only")
        for statement in statements:
            cursor.execute(statement, values)
            assert cursor.rowcount
        cursor.execute("ALTER TABLE audit_entry ENABLE ALWAYS TRIGGER append_only")


def rewrite_from(chain, seq) -> None:
    """Make the chain fit again from `seq` on, as somebody does who knows how it is made."""
    before = Entry.objects.filter(chain=chain, seq=seq - 1).first()
    previous = bytes(before.hash) if before else bytes(32)
    for entry in Entry.objects.filter(chain=chain, seq__gte=seq).order_by("seq"):
        entry.previous = previous
        previous = hash_of(vars(entry))
        values = {"chain": chain, "seq": entry.seq, "previous": bytes(entry.previous), "hash": previous}
        tamper(
            "UPDATE audit_entry SET previous = %(previous)s, hash = %(hash)s"
            " WHERE chain = %(chain)s AND seq = %(seq)s",
            **values,
        )


def found(chain) -> list[tuple[int, str]]:
    return [(finding.seq, finding.problem) for finding in verify(chain, Verified())]


def test_a_chain_that_nobody_touched_is_whole(chain):
    anchor()
    progress = Verified()
    assert list(verify(chain, progress)) == []
    assert progress == Verified(chains=1, entries=ENTRIES, anchors=1)


@pytest.mark.parametrize("column", [*COLUMNS, "hash"])
def test_a_changed_column_names_its_row(chain, column):
    new = {
        "chain": "'00000000-0000-0000-0000-00000000000f'",
        "seq": "seq + 1000",
        "previous": "'\\x00'",
        "hash": "'\\x00'",
        "at": "at + interval '1 microsecond'",
        "actor_id": "4711",
        "before": "'{}'",
        "after": """'{"role": "clinician"}'""",
    }.get(column, f"{column} || '.'")
    tamper(f"UPDATE audit_entry SET {column} = {new} WHERE chain = %(chain)s AND seq = 5", chain=chain)  # noqa: S608
    named = {seq for seq, _ in found(chain)}
    assert named & {5, 6, 1005}


def test_a_changed_row_that_was_hashed_anew_is_named_by_the_next(chain):
    tamper("UPDATE audit_entry SET subject = 'Mallory' WHERE chain = %(chain)s AND seq = 5", chain=chain)
    entry = Entry.objects.get(chain=chain, seq=5)
    tamper(
        "UPDATE audit_entry SET hash = %(hash)s WHERE chain = %(chain)s AND seq = 5",
        chain=chain,
        hash=hash_of(vars(entry)),
    )
    assert found(chain) == [(6, "entry 5 is not the one that it was written after")]


def test_deleted_rows_leave_a_gap(chain):
    tamper("DELETE FROM audit_entry WHERE chain = %(chain)s AND seq IN (4, 5)", chain=chain)
    assert found(chain) == [(6, "follows a gap: entries 4 to 5 are missing")]


def test_deleted_and_renumbered_rows_are_named(chain):
    tamper(
        "DELETE FROM audit_entry WHERE chain = %(chain)s AND seq = 8",
        "UPDATE audit_entry SET seq = 8 WHERE chain = %(chain)s AND seq = 9",
        chain=chain,
    )
    assert {seq for seq, _ in found(chain)} == {8}


def test_a_deleted_tail_misses_its_anchor(chain):
    anchor()
    tamper("DELETE FROM audit_entry WHERE chain = %(chain)s AND seq > 7", chain=chain)
    ((seq, problem),) = found(chain)
    assert seq == 9
    assert problem.endswith("but the chain ends at 7")


def test_a_deleted_chain_misses_its_anchor(chain):
    anchor()
    tamper("DELETE FROM audit_entry WHERE chain = %(chain)s", chain=chain)
    assert found(chain)[0][1].endswith("but the chain ends at 0")
    assert chain in {finding.chain for finding in verify(None, Verified())}


def test_an_inserted_row_is_named(chain):
    tamper(
        "UPDATE audit_entry SET seq = seq + 1000 WHERE chain = %(chain)s AND seq > 5",
        "UPDATE audit_entry SET seq = seq - 999 WHERE chain = %(chain)s AND seq > 1000",
        "INSERT INTO audit_entry SELECT (jsonb_populate_record(a, '{\"seq\": 6}')).* FROM audit_entry AS a"
        " WHERE chain = %(chain)s AND seq = 5",
        chain=chain,
    )
    assert (6, "was changed") in found(chain)


def test_exchanged_rows_are_named(chain):
    tamper(
        "UPDATE audit_entry SET seq = CASE seq WHEN 4 THEN 1006 ELSE 1004 END"
        " WHERE chain = %(chain)s AND seq IN (4, 6)",
        "UPDATE audit_entry SET seq = seq - 1000 WHERE chain = %(chain)s AND seq > 1000",
        chain=chain,
    )
    assert {(4, "was changed"), (6, "was changed")} <= set(found(chain))


@pytest.mark.parametrize("seq", [1, 5])
def test_a_chain_written_anew_misses_its_anchor(chain, seq):
    anchor()
    record(Action.TOKEN_MADE, lab=chain)
    tamper(
        "UPDATE audit_entry SET subject = 'Mallory' WHERE chain = %(chain)s AND seq = %(seq)s",
        chain=chain,
        seq=seq,
    )
    rewrite_from(chain, seq)
    ((place, problem),) = found(chain)
    assert place == ENTRIES
    assert problem.startswith("is not the one that was anchored on")


def test_much_that_is_wrong_is_said_in_few_words(chain):
    tamper("UPDATE audit_entry SET subject = 'x', previous = hash WHERE chain = %(chain)s", chain=chain)
    for number in range(20):
        record(Action.TOKEN_MADE, lab=chain, subject=str(number))
    tamper("UPDATE audit_entry SET subject = 'y' WHERE chain = %(chain)s", chain=chain)
    assert found(chain)[-1][1] == "the rest of this chain was not looked at"


def test_the_command_says_it_in_words_and_by_its_exit_code(alice):
    said = io.StringIO()
    call_command("verify_audit", lab=alice.lab.name, stdout=said)
    assert said.getvalue().startswith("The audit trail is whole: ")
    tamper(
        "UPDATE audit_entry SET subject = 'Mallory' WHERE chain = %(chain)s AND seq = 1", chain=alice.lab.id
    )
    said = io.StringIO()
    with pytest.raises(CommandError, match="tampered with") as failed:
        call_command("verify_audit", stdout=said)
    assert failed.value.returncode == 1
    assert "Northern lab: entry 1 was changed" in said.getvalue()


def test_anchoring_is_itself_on_record_and_in_the_log(chain, capsys):
    call_command("anchor_audit", stdout=io.StringIO())
    assert Entry.objects.filter(action=Action.AUDIT_ANCHORED).exists()
    (made,) = anchors(chain)
    assert (made.seq, made.hash) == (ENTRIES, bytes(Entry.objects.get(chain=chain, seq=ENTRIES).hash))


def test_what_the_store_did_not_take_is_not_said_to_be_anchored(chain, monkeypatch):
    def away(*_, **__):
        raise ConnectTimeoutError(endpoint_url="store")

    monkeypatch.setattr(locked, "put", away)
    with pytest.raises(CommandError, match="did not take the anchors"):
        call_command("anchor_audit")
    assert not Entry.objects.filter(action=Action.AUDIT_ANCHORED).exists()


def test_an_anchor_that_was_deleted_or_written_over_still_counts(chain):
    (made,) = [one for one in anchor() if one.chain == chain]
    where = {"Bucket": settings.S3_LOCKED_BUCKET, "Key": made.key}
    _client().put_object(**where, Body=b"")
    _client().delete_object(**where)
    assert set(anchors(chain)) == {made}


def test_the_store_locks_anchors(chain):
    (made,) = [one for one in anchor() if one.chain == chain]
    where = {"Bucket": settings.S3_LOCKED_BUCKET, "Key": made.key}
    version = _client().head_object(**where)["VersionId"]
    with pytest.raises(ClientError):
        _client().delete_object(**where, VersionId=version)
