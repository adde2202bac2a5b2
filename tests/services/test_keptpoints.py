"""Checkpoints that somebody kept, in any of the forms they are kept in."""

import base64
from pathlib import Path

import pytest

from tests.services.desk import Desk
from workflow.errors import InputError
from workflow.ledger.note import Signer, Verifier
from workflow.services import audit, keptpoints

ROOT = base64.b64encode(bytes(32)).decode()


def verifiers(desk: Desk) -> list[Verifier]:
    """Return the ledger's own key."""
    return [Verifier(audit.public_key(desk.app))]


@pytest.mark.parametrize("ending", ["", "\n", "\n\n", "\r\n"])
def test_three_lines_are_believed(tmp_path: Path, ending: str) -> None:
    """A ticket's three lines carry no signature: whoever kept them is the one who asks."""
    path = tmp_path / "ticket.txt"
    path.write_bytes(f"  holdfast-1/1\r\n7 \n{ROOT}{ending}".encode())
    (found,) = keptpoints.read(path, [])
    assert ("holdfast-1/1", 7, bytes(32)) == (found.origin, found.size, found.root)


def test_a_signed_note_is_read(sqlite_desk: Desk, tmp_path: Path) -> None:
    """With Windows line ends, too; one that no known key signed is none to compare with, and no misprint either."""
    note = audit.checkpoint(sqlite_desk.app)
    path = tmp_path / "note.txt"
    for text in (note, note.replace("\n", "\r\n"), f"\n{note}\n"):
        path.write_bytes(text.encode())
        assert [sqlite_desk.count()] == [point.size for point in keptpoints.read(path, verifiers(sqlite_desk))]
    stranger = Signer.generate("somebody/1").verifier
    assert [] == keptpoints.read(path, [stranger])
    assert [] == keptpoints.read(sqlite_desk.place.home / "checkpoints", [stranger])


def test_of_a_file_of_many_the_largest_counts(sqlite_desk: Desk) -> None:
    """The installation's own file is a file of checkpoints."""
    sqlite_desk.restrict()
    path = sqlite_desk.place.home / "checkpoints"
    assert [sqlite_desk.count()] == [point.size for point in keptpoints.read(path, verifiers(sqlite_desk))]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "one line",
        "two\nlines",
        '{"checkpoint": "no note"}\n',
        f"origin\nseven\n{ROOT}",
        f"origin\n-7\n{ROOT}",
        f"origin\n²\n{ROOT}",
        "origin\n7\nAAAA",
        "origin\n7\nnot base64!",
        "a\nb\nc\nd",
        "\ufffd\x00\n7\n\xff",
    ],
)
def test_what_is_no_checkpoint_is_refused(tmp_path: Path, text: str) -> None:
    """The message says how to make one."""
    path = tmp_path / "ticket.txt"
    path.write_text(text)
    with pytest.raises(InputError, match="holdfast ledger checkpoint"):
        keptpoints.read(path, [])


def test_a_file_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    """A missing file, and a folder."""
    for path in (tmp_path / "none", tmp_path):
        with pytest.raises(InputError, match="cannot be read"):
            keptpoints.read(path, [])


def test_a_size_of_many_digits_is_no_accident(tmp_path: Path) -> None:
    """A number that Python refuses to read is no checkpoint."""
    path = tmp_path / "ticket.txt"
    path.write_text(f"origin\n{'9' * 5000}\n{ROOT}")
    with pytest.raises(InputError):
        keptpoints.read(path, [])
