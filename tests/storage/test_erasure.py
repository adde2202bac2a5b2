"""Erasing what is personal, keeping files, and drawing the case table again."""

import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from tests.storage.ledgers import ORIGIN, TENANT, Ledger, moved, noted, pictured
from workflow.domain.picture import Picture
from workflow.domain.vocabulary import Kind
from workflow.errors import InputError, NotFoundError, PendingError, RuleRefusedError, StorageError
from workflow.ledger import verify
from workflow.ledger.commitment import commit
from workflow.storage import attachments, cases, openings, rebuild, subjects, tree
from workflow.storage.erasure import Erased, erase, scrub
from workflow.storage.openings import Opening

SECRET = "adalovelace@contoso.com"


def closed_with_traces(ledger: Ledger) -> tuple[str, str]:
    """A closed case about somebody, with what was said about them; returns subject and file digest."""
    picture = ledger.open("case_1", SECRET)
    texts = [f"call with {SECRET}", "mail of hers"]
    pairs = []
    for text, subject in zip(texts, (None, picture.entity), strict=True):
        salt = os.urandom(32)
        pairs.append((commit(text, salt), Opening(salt, text, subject)))
    with ledger.database.transaction() as tx:
        ledger.append(tx, "case_1", [noted()], dict(pairs[:1]))
        ledger.append(tx, "case_2", [noted()], dict(pairs[1:]))
        digest = attachments.keep(tx, SECRET.encode() * 50)
    ledger.step(picture, moved("closed"))
    ledger.seal()
    return picture.entity, digest


def test_erasure_leaves_every_proof_standing(ledger: Ledger) -> None:
    """Names, openings and files go; entries, tree and case row stay as they were."""
    subject, digest = closed_with_traces(ledger)

    with ledger.database.transaction() as tx:
        assert Erased(openings=2, attachments=1) == erase(tx, subject, ["case_1"], [digest, "0" * 64])

    with ledger.database.reading() as tx:
        report = verify.check_tree(
            tree.leaves(tx), tree.checkpoints(tx), origins=[ORIGIN], verifiers=[ledger.signer.verifier]
        )
        assert () == report.findings
        assert {} == subjects.names(tx, [subject])
        assert {} == openings.of_case(tx, "case_1")
        assert cases.row(tx, "case_1") is not None
        with pytest.raises(NotFoundError):
            attachments.get(tx, digest)


def test_the_same_address_is_a_new_subject_afterwards(ledger: Ledger) -> None:
    """An erased id is never given out again."""
    subject, _ = closed_with_traces(ledger)
    with ledger.database.transaction() as tx:
        assert Erased(1, 0) == erase(tx, subject, [])
        assert subject != subjects.register(tx, TENANT, Kind.MAILBOX, SECRET)


def test_no_byte_of_an_erased_value_stays_in_the_file(sqlite_ledger: Ledger, sqlite_path: Path) -> None:
    """After scrubbing neither database nor log holds the address, or the runs of three the search keeps."""
    subject, digest = closed_with_traces(sqlite_ledger)
    with sqlite_ledger.database.transaction() as tx:
        erase(tx, subject, ["case_1"], [digest])
    scrub(sqlite_ledger.database)

    for file in sqlite_path.parent.iterdir():
        content = file.read_bytes()
        for trace in (SECRET.encode(), b"adalove", b"lov", b"mail of hers"):
            assert trace not in content, (file.name, trace)


def test_a_reader_holds_the_last_bytes(sqlite_ledger: Ledger) -> None:
    """While somebody reads an older state, scrubbing says that it is pending."""
    sqlite_ledger.open()
    with sqlite_ledger.database.reading() as tx:
        tx.all("SELECT * FROM subject")
        with pytest.raises(PendingError):
            scrub(sqlite_ledger.database)

    scrub(sqlite_ledger.database)


def test_scrubbing_without_a_search_index(sqlite_ledger: Ledger) -> None:
    """Where there is no full-text index there is nothing to optimise."""
    for statement in (
        "DROP TRIGGER subject_search_add",
        "DROP TRIGGER subject_search_drop",
        "DROP TABLE subject_search",
    ):
        sqlite_ledger.statement(statement)

    scrub(sqlite_ledger.database)


def test_a_server_scrubs_itself(postgres_ledger: Ledger) -> None:
    """On PostgreSQL there is nothing to do here."""
    scrub(postgres_ledger.database)


def test_an_open_case_protects_its_subject(ledger: Ledger) -> None:
    """Erasure waits until the case is closed."""
    picture = ledger.open()

    with ledger.database.transaction() as tx, pytest.raises(RuleRefusedError, match="Case 1"):
        erase(tx, picture.entity, [picture.id])


def test_a_file_is_kept_once(ledger: Ledger) -> None:
    """The same bytes have one digest and one row; too many bytes are refused."""
    with ledger.database.transaction() as tx:
        digest = attachments.keep(tx, b"\x00\xff")
        assert digest == attachments.keep(tx, b"\x00\xff")
        assert b"\x00\xff" == attachments.get(tx, digest)
        with pytest.raises(InputError, match="10 MiB"):
            attachments.keep(tx, b"x" * (attachments.MAX_BYTES + 1))


def test_the_case_table_is_drawn_again(ledger: Ledger) -> None:
    """A rebuilt table equals the pictures, whatever somebody had made of the rows."""
    pictures = [ledger.open(f"case_{number}", f"ada{number}@contoso.com") for number in range(3)]
    ledger.statement("UPDATE \"case\" SET assignee = 'eve', number = number + 10")

    with ledger.database.transaction() as tx:
        assert 3 == rebuild.rebuild(tx, pictures)

    with ledger.database.reading() as tx:
        assert pictures == [cases.row(tx, picture.id) for picture in pictures]


def test_rebuilding_cannot_leave_a_case_out_or_move_it(ledger: Ledger) -> None:
    """The database holds a rebuild to the entries."""
    pictures = [ledger.open(f"case_{number}", f"ada{number}@contoso.com") for number in range(2)]

    moved_by_hand = [pictures[0], replace(pictures[1], state="released")]
    for wrong in (pictures[:1], moved_by_hand, [*pictures, pictured("x", 9, "e")]):
        with pytest.raises(StorageError):
            draw(ledger, wrong)


def draw(ledger: Ledger, pictures: Sequence[Picture]) -> None:
    """Rebuild the case table from these pictures."""
    with ledger.database.transaction() as tx:
        rebuild.rebuild(tx, pictures)


def test_files_are_held_against_their_digest(ledger: Ledger) -> None:
    """A stored file whose bytes are not its digest's is named."""
    with ledger.database.transaction() as tx:
        digest = attachments.keep(tx, b"evidence")
        tx.write("INSERT INTO attachment (digest, size, content) VALUES (?, ?, ?)", ("0" * 64, 1, b"x"))

        assert attachments.known(tx, digest)
        assert not attachments.known(tx, "1" * 64)
        assert ["0" * 64] == attachments.faults(tx)
