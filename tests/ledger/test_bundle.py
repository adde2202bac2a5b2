"""The plain export: what is written can be read and verified, what is damaged is refused."""

import hashlib
import json
from typing import Any

import pytest

from tests.ledger.specimens import ORIGIN, SIGNER, STRANGER, Specimen, chain, ledger
from workflow.errors import InputError
from workflow.ledger import bundle
from workflow.ledger.malformed import Malformed


def export(specimen: Specimen) -> list[str]:
    """Return the lines of an export of this specimen."""
    size, note = specimen.checkpoints[-1]
    header = bundle.Header((ORIGIN,), str(SIGNER.verifier), size, str(note))
    return list(bundle.write(header, specimen.rows))


@pytest.fixture
def lines() -> list[str]:
    """An export of seven entries."""
    return export(ledger(chain("HF-1", 7)))


def test_an_export_verifies_offline(lines: list[str]) -> None:
    """Reading back gives header and rows, and the check needs the lines and a key alone."""
    read = bundle.read(lines)
    report = bundle.check(read, [SIGNER.verifier])
    assert (7, str(SIGNER.verifier)) == (read.header.size, read.header.vkey)
    assert ((), 7, 1) == (report.findings, report.size, report.checked_signatures)
    assert ledger(chain("HF-1", 7)).rows == list(bundle.read(lines).rows)


def test_a_leaf_can_be_checked_with_the_standard_library_alone(lines: list[str]) -> None:
    """The recipe of the format's description holds for every line."""
    for line in lines[1:]:
        row = json.loads(line)
        assert row["leaf"] == hashlib.sha256(b"\0" + row["body"].encode()).hexdigest()


def test_the_key_in_the_header_is_not_trusted(lines: list[str]) -> None:
    """An export that brings its own key still fails under the true one."""
    report = bundle.check(bundle.read(lines), [STRANGER.verifier])
    assert ["signature"] == [finding.kind for finding in report.findings]


def test_an_edited_export_is_found(lines: list[str]) -> None:
    """Changing an entry's text in the file changes its leaf."""
    lines[3] = lines[3].replace("met", "not")
    report = bundle.check(bundle.read(lines), [SIGNER.verifier])
    assert ["leaf", "root"] == [finding.kind for finding in report.findings]


def test_a_shortened_export_is_found(lines: list[str]) -> None:
    """Leaving out the last line leaves the checkpoint uncovered."""
    report = bundle.check(bundle.read(lines[:-1]), [SIGNER.verifier])
    assert ["truncated"] == [finding.kind for finding in report.findings]


@pytest.mark.parametrize(("body", "why"), [(None, "missing"), (b"\xff", "no text"), (b"\0", r"U\+0000")])
def test_what_no_export_can_carry_is_refused(body: bytes | None, why: str) -> None:
    """Bytes that are gone, or are no text, stop the export instead of leaving a hole."""
    specimen = ledger(chain("HF-1", 2))
    specimen.rows[1] = (1, body, bytes(32))
    with pytest.raises(InputError, match=why):
        export(specimen)


HEADER: dict[str, Any] = {
    "checkpoint": "",
    "format": bundle.FORMAT,
    "origins": [ORIGIN],
    "size": 0,
    "vkey": "",
}


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"format": "holdfast-ledger/2"}, "format is not"),
        ({"extra": 1}, "line 1 is not an object"),
        ({"size": "0"}, "wrong kind"),
        ({"origins": ORIGIN}, "wrong kind"),
        ({"origins": [1]}, "wrong kind"),
        ({"vkey": None}, "wrong kind"),
        ({"checkpoint": 1}, "wrong kind"),
    ],
)
def test_another_header_is_refused(changes: dict[str, Any], why: str) -> None:
    """A file of another format or with another header is not read at all."""
    with pytest.raises(Malformed, match=why):
        bundle.read([json.dumps(HEADER | changes)])


def test_an_empty_file_is_no_export() -> None:
    """Without a header there is nothing to read."""
    with pytest.raises(Malformed, match="line 1 is not JSON"):
        bundle.read([])


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("", "line 2 is not JSON"),
        ("[" * 9000, "line 2 is not JSON"),
        ("[]", "line 2 is not an object"),
        ('{"body":"","index":0}', "line 2 is not an object"),
        ('{"body":1,"index":0,"leaf":""}', "line 2 has fields"),
        ('{"body":"","index":true,"leaf":""}', "line 2 has fields"),
        ('{"body":"","index":0,"leaf":[]}', "line 2 has fields"),
        ('{"body":"","index":0,"leaf":"xy"}', "line 2 holds"),
        ('{"body":"\\ud800","index":0,"leaf":""}', "line 2 holds"),
        (" " * (bundle.MAX_LINE + 1), "line 2 is longer"),
    ],
)
def test_a_damaged_line_is_named(line: str, why: str) -> None:
    """The line's number leads to the damage."""
    with pytest.raises(Malformed, match=why):
        list(bundle.read([json.dumps(HEADER), line]).rows)


def test_texts_stand_behind_the_entries_and_are_held_against_their_digests(lines: list[str]) -> None:
    """What entries name by its digest is carried along; another text under that digest is refused."""
    (line,) = list(bundle.write(bundle.Header((ORIGIN,), "", 0, ""), [], ["{}é"]))[1:]
    found = bundle.read([*lines, line])
    assert {} == found.texts
    assert 7 == len(list(found.rows))
    assert {hashlib.sha256("{}é".encode()).hexdigest(): "{}é"} == found.texts
    for wrong in (line.replace("{}", "[]"), line.replace('"{}é"', "1"), line.replace("{}", "\\ud800")):
        with pytest.raises(Malformed, match="line 9"):
            list(bundle.read([*lines, wrong]).rows)
