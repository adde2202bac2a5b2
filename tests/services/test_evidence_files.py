"""Evidence files come back as they were attached, or not at all."""

from __future__ import annotations

import hashlib
import stat
from typing import TYPE_CHECKING

import pytest

from tests.services.desk import ADA, BOB, Desk, plain
from workflow.domain.private import Private
from workflow.domain.vocabulary import Result
from workflow.errors import InputError, NotFoundError, VerificationError
from workflow.services import casework, evidence_files

if TYPE_CHECKING:
    from pathlib import Path

CONTENT = b"\x00\xffproof"
DIGEST = hashlib.sha256(CONTENT).hexdigest()


def attach(desk: Desk, case_id: str, content: bytes = CONTENT, name: str = "mail.eml", step: str = "") -> None:
    """Record a step with a file as its evidence."""
    digest = casework.attach(desk.app, content)
    user = "" if step else ADA
    desk.met(case_id, step or "password-reset", user, attachment=digest, file=Private(name))


def test_files_are_listed_with_who_and_whether_they_count(desk: Desk) -> None:
    """Each entry that names a file, the user it is about, and whether the answer still stands."""
    case_id = desk.restrict()
    assert [] == evidence_files.attached(desk.app, "1")
    attach(desk, case_id)
    attach(desk, case_id, b"two", "two.txt", "snapshot-taken")
    desk.do(case_id, desk.evidence("snapshot-taken", result=Result.NOT_MET), who=BOB)
    first, second = evidence_files.attached(desk.app, ADA)

    assert plain(first.to_data()) == first.to_data()
    assert ("password-reset", ADA, "mail.eml", DIGEST, 7, "ann", True) == (
        *(first.prerequisite, first.about, first.name, first.digest),
        *(first.size, first.by, first.stands),
    )
    assert ("snapshot-taken", "", "two.txt", False) == (second.prerequisite, second.about, second.name, second.stands)


@pytest.mark.parametrize("wanted", ["mail.eml", DIGEST, DIGEST[:8].upper()])
def test_a_file_comes_back_by_name_or_digest(sqlite_desk: Desk, wanted: str) -> None:
    """The very bytes."""
    attach(sqlite_desk, sqlite_desk.restrict())

    found, data = evidence_files.content(sqlite_desk.app, "1", wanted)

    assert (DIGEST, CONTENT) == (found.digest, data)


@pytest.mark.parametrize("wanted", ["", "other.eml", DIGEST[:7], "0" * 64])
def test_a_file_that_is_not_there(sqlite_desk: Desk, wanted: str) -> None:
    """No name, no digest, or too little of one."""
    attach(sqlite_desk, sqlite_desk.restrict())

    with pytest.raises(NotFoundError, match="has no file"):
        evidence_files.content(sqlite_desk.app, "1", wanted)


def test_two_files_of_one_name(sqlite_desk: Desk) -> None:
    """Which is meant is asked; the same file twice is one."""
    case_id = sqlite_desk.restrict()
    attach(sqlite_desk, case_id)
    attach(sqlite_desk, case_id, step="snapshot-taken")
    assert CONTENT == evidence_files.content(sqlite_desk.app, "1", "mail.eml")[1]
    attach(sqlite_desk, case_id, b"other", step="forwarding-reviewed")

    with pytest.raises(InputError, match=f"{DIGEST[:16]}, "):
        evidence_files.content(sqlite_desk.app, "1", "mail.eml")


def test_bytes_that_were_exchanged_are_not_given_back(sqlite_desk: Desk) -> None:
    """What is stored is held against what the entry says."""
    attach(sqlite_desk, sqlite_desk.restrict())
    with sqlite_desk.app.database.transaction() as tx:
        tx.run("DELETE FROM attachment")
        tx.run("INSERT INTO attachment (digest, size, content) VALUES (?, 1, ?)", (DIGEST, b"x"))

    with pytest.raises(VerificationError, match="entry 2"):
        evidence_files.content(sqlite_desk.app, "1", DIGEST)


def test_a_file_that_is_gone_is_listed_as_gone(sqlite_desk: Desk) -> None:
    """Its entry stays."""
    attach(sqlite_desk, sqlite_desk.restrict())
    with sqlite_desk.app.database.transaction() as tx:
        tx.run("DELETE FROM attachment")

    assert [None] == [item.size for item in evidence_files.attached(sqlite_desk.app, "1")]
    with pytest.raises(NotFoundError, match="erased"):
        evidence_files.content(sqlite_desk.app, "1", DIGEST)


def test_saving_writes_over_nothing(tmp_path: Path) -> None:
    """Not over a file, not through a link, not into a folder that is not there; for the owner alone."""
    path = tmp_path / "out"
    evidence_files.save(path, CONTENT)
    (tmp_path / "link").symlink_to(tmp_path / "elsewhere")

    assert (CONTENT, 0o600) == (path.read_bytes(), stat.S_IMODE(path.stat().st_mode))
    for place in (path, tmp_path / "link", tmp_path / "none" / "out"):
        with pytest.raises(InputError):
            evidence_files.save(place, b"x")
    assert not (tmp_path / "elsewhere").exists()
