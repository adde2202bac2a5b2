"""A playbook file becomes a playbook: alone, on top of another, from the package and from the checkout."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from workflow.domain.playbook import Nature, Team, digest, from_data
from workflow.domain.vocabulary import Kind, Phase
from workflow.errors import PlaybookError
from workflow.sources.playbook_file import check, load, shipped, shipped_bytes

PARENT = b"""\
format: 1
name: parent
version: "1.0"
title: Parent
summary: About the parent.
kinds: [mailbox]
watch_within: 2w
unblock_command: Remove-BlockedSenderAddress -SenderAddress {address}
prerequisites:
  - {id: one, title: One, required_by: contain}
  - {id: two, title: Two, required_by: verify, nature: reading}
  - {id: three, title: Three, required: false}
"""
CHILD = b"""\
format: 1
name: child
version: 1.10
title: Child
kinds: [user, mailbox]
extends: parent
approvals: 2
approval_team: other
prerequisites:
  - {id: early, title: Early, required_by: contain, before: one}
  - {id: two, title: Second thoughts, required_by: request}
  - {id: late, title: Late, required_by: close, after: [early, two]}
  - {id: last-but-one, title: Nearly, required_by: close, before: late}
"""


def _resolve(name: str) -> bytes | None:
    return {"parent": PARENT, "child": CHILD, "broken": b"a: [", "list": b"[a]"}.get(name)


def _told(data: bytes) -> list[tuple[str, int, str]]:
    return [(fault.path, fault.line, fault.message) for fault in check(data, "child.yaml", _resolve)]


def test_a_file_is_read_with_its_defaults() -> None:
    """A reading counts for a day, and a recommended step is due before close."""
    playbook = load(PARENT, "parent.yaml")
    one, two, three = playbook.prerequisites

    assert (None, timedelta(hours=24), None) == (one.fresh_within, two.fresh_within, three.fresh_within)
    assert (Phase.CLOSE, False) == (three.required_by, three.required)
    assert (timedelta(weeks=2), timedelta(days=30)) == (playbook.watch_within, playbook.reopen_within)
    assert digest(playbook) == playbook.digest


def test_a_version_is_the_text_that_was_written() -> None:
    """Version 1.10 is not version 1.1."""
    assert "1.10" == load(CHILD, "child.yaml", _resolve).version


def test_a_playbook_that_extends_another_adds_to_it() -> None:
    """New ones stand before the one they name or at the end, those of the same id take its place."""
    playbook = load(CHILD, "child.yaml", _resolve)

    assert ["early", "one", "two", "three", "last-but-one", "late"] == [it.id for it in playbook.prerequisites]
    assert ("Second thoughts", Phase.REQUEST, Nature.ACTION) == (
        playbook.prerequisites[2].title,
        playbook.prerequisites[2].required_by,
        playbook.prerequisites[2].nature,
    )
    assert (2, Team.OTHER, (Kind.USER, Kind.MAILBOX)) == (
        playbook.approvals,
        playbook.approval_team,
        playbook.kinds,
    )
    assert ("", timedelta(weeks=2)) == (playbook.summary, playbook.watch_within)


def test_what_is_stored_stands_on_its_own() -> None:
    """The resolved playbook holds everything, so a later change of the parent changes no case."""
    playbook = load(CHILD, "child.yaml", _resolve)

    assert playbook == from_data(playbook.to_data(), playbook.digest)
    assert "extends" not in playbook.to_data()


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        (b"parent", b"nobody", (6, "There is no playbook “nobody” to extend")),
        (b"parent", b"../parent", (6, "“../parent” is not an id")),
        (b"parent", b"child", (6, "child cannot be extended: it is faulty or extends another itself")),
        (b"parent", b"list", (6, "list cannot be extended: it is faulty or extends another itself")),
        (b"before: one", b"before: own", (10, "before names “own”, and no prerequisite has that id")),
        (
            b"required_by: request",
            b"required_by: request, before: one",
            (11, "“two” replaces an inherited one and keeps its place"),
        ),
        (b"title: Child\n", b"", (1, "The key title is missing in a playbook")),
    ],
)
def test_a_faulty_extension_is_told(old: bytes, new: bytes, told: tuple[int, str]) -> None:
    """A wrong parent or a wrong place is one fault, without a tail of others that follow from it."""
    assert [("child.yaml", *told)] == _told(CHILD.replace(old, new))


def test_a_list_is_no_name_of_a_parent() -> None:
    """What is not text names nothing."""
    data = CHILD.replace(b"extends: parent", b"extends: [parent]")

    assert [("child.yaml", 6, "Text is expected here")] == _told(data)


def test_spaces_around_the_name_of_a_parent_do_not_lose_it() -> None:
    """A quoted name is trimmed like every other text, before it is looked up."""
    data = CHILD.replace(b"extends: parent", b"extends: ' parent '")

    assert load(CHILD, "child.yaml", _resolve) == load(data, "child.yaml", _resolve)


def test_the_faults_of_a_parent_carry_its_name() -> None:
    """The author looks in the right file."""
    told = _told(CHILD.replace(b"extends: parent", b"extends: broken"))

    assert ["broken.yaml", "child.yaml"] == [path for path, _, _ in told]


def test_an_id_twice_in_an_extension_is_told() -> None:
    """The first replaces the inherited one, the second is one too many."""
    again = CHILD + b"  - {id: two, title: Again, required_by: verify}\n"

    assert [("child.yaml", 14, "The id “two” is taken by child.yaml line 11")] == _told(again)


def test_prerequisites_of_a_wrong_shape_are_told_in_an_extension() -> None:
    """Neither a word nor a bare list item passes for a prerequisite."""
    head = CHILD.split(b"prerequisites:")[0]

    assert [("child.yaml", 9, "prerequisites has to be a list of 1 to 200")] == [
        told for told in _told(head + b"prerequisites: x\n") if "contain" not in told[2]
    ]
    assert [("child.yaml", 10, "a prerequisite has to be a list of keys and values")] == _told(
        head + b"prerequisites:\n  - x\n"
    )


def test_faults_are_raised_all_at_once() -> None:
    """The error's message names the first and counts the rest; the faults hold them all."""
    data = PARENT.replace(b"kinds: [mailbox]", b"kinds: [mail]\nwhat: x")
    with pytest.raises(PlaybookError) as raised:
        load(data, "mine.yaml")

    assert [6, 7] == [fault.line for fault in raised.value.faults]
    assert str(raised.value).startswith("mine.yaml:6: “mail” is not known here")
    assert str(raised.value).endswith("(and 1 more)")
    assert [6, 7] == [fault["line"] for fault in raised.value.details()["faults"]]


def test_a_single_fault_counts_nothing() -> None:
    """No “and 0 more”."""
    with pytest.raises(PlaybookError, match=r"^playbook:1: The file is empty\. Write a playbook\.$"):
        load(b"")


def test_a_path_is_read_and_named(tmp_path: Path) -> None:
    """Messages call the file what the author called it."""
    path = tmp_path / "parent.yaml"
    path.write_bytes(PARENT)

    assert load(PARENT) == load(path)
    path.write_bytes(b"x")
    with pytest.raises(PlaybookError, match=r"parent\.yaml:1:"):
        load(path)


def test_a_file_that_cannot_be_read_is_a_fault(tmp_path: Path) -> None:
    """A slip in the name is told like one in the file."""
    with pytest.raises(PlaybookError, match="The file cannot be read: No such file"):
        load(tmp_path / "gone.yaml")


def test_a_file_of_any_size_is_refused_without_reading_it_all(tmp_path: Path) -> None:
    """A sparse file of a terabyte costs nothing."""
    path = tmp_path / "big.yaml"
    with path.open("wb") as stream:
        stream.truncate(1 << 40)

    with pytest.raises(PlaybookError, match="larger than 256 KiB"):
        load(path)


def test_shipped_playbooks_are_found_in_the_checkout(tmp_path: Path) -> None:
    """An editable install has no copy in the package; other files there are no playbooks."""
    (tmp_path / "workflow").mkdir()
    (tmp_path / "playbooks").mkdir()
    for name in ("b.yaml", "a.yaml", "Not One.yaml", "playbook.schema.json"):
        (tmp_path / "playbooks" / name).write_text("x")
    (tmp_path / "playbooks" / "folder.yaml").mkdir()

    assert ["a", "b"] == list(shipped(tmp_path / "workflow"))


def test_shipped_playbooks_are_found_in_the_package_first(tmp_path: Path) -> None:
    """An installed package is not led astray by a folder beside it."""
    (tmp_path / "workflow" / "_playbooks").mkdir(parents=True)
    (tmp_path / "playbooks").mkdir()
    (tmp_path / "workflow" / "_playbooks" / "inside.yaml").write_text("x")
    (tmp_path / "playbooks" / "beside.yaml").write_text("x")

    assert ["inside"] == list(shipped(tmp_path / "workflow"))


def test_no_playbooks_anywhere_is_an_empty_list(tmp_path: Path) -> None:
    """A broken install is found out by whoever asks for one by name."""
    assert {} == shipped(tmp_path)


def test_a_shipped_playbook_is_read_by_name() -> None:
    """This is how ``extends`` finds its parent; an unknown name is None."""
    assert shipped()["compromised-mailbox"].read_bytes() == shipped_bytes("compromised-mailbox")
    assert None is shipped_bytes("nobody")
