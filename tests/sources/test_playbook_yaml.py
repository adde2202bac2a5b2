"""The strict YAML reader: text stays as written, and YAML's traps are refused with their line."""

from __future__ import annotations

import pytest
import yaml

from workflow.sources import strict_yaml
from workflow.sources.playbook_faults import Fault, Faults
from workflow.sources.strict_yaml import Mapping, Node, Scalar, Sequence

_LOADERS = [yaml.SafeLoader, strict_yaml._Loader]


@pytest.fixture(params=_LOADERS, ids=["python", "native"], autouse=True)
def _loader(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Read with PyYAML's own parser and with libyaml's, where it is there."""
    monkeypatch.setattr(strict_yaml, "_Loader", request.param)


def _read(text: str | bytes) -> tuple[Node | None, list[Fault]]:
    faults = Faults()
    node = strict_yaml.read(text if isinstance(text, bytes) else text.encode(), "p.yaml", faults)
    return node, faults.sorted()


def _told(text: str | bytes) -> list[tuple[int, str]]:
    return [(fault.line, fault.message) for fault in _read(text)[1]]


def test_nodes_know_their_lines_and_whether_they_were_quoted() -> None:
    """What a fault needs to point at is there for every node."""
    node, faults = _read("a: 1\nb:\n  - x\n  - 'y'\n")

    items: list[Node] = [Scalar("p.yaml", 3, "x", plain=True), Scalar("p.yaml", 4, "y", plain=False)]
    expected: dict[str, Node] = {"a": Scalar("p.yaml", 1, "1", plain=True), "b": Sequence("p.yaml", 3, items)}
    assert Mapping("p.yaml", 1, expected, {"a": 1, "b": 2}) == node
    assert [] == faults


@pytest.mark.parametrize(
    "word",
    ["no", "yes", "on", "1.10", "0o17", "2026-08-01", "1e3", "~", "null", "0x1F", "12:30:45", ".inf", "="],
)
def test_words_stay_text(word: str) -> None:
    """Norway, version 1.10 and a date are what was written, as value and as key."""
    node, faults = _read(f"{word}: {word}\n")

    assert isinstance(node, Mapping)
    assert {word: Scalar("p.yaml", 1, word, plain=True)} == node.items
    assert [] == faults


def test_a_byte_order_mark_is_no_part_of_the_first_key() -> None:
    """Editors on Windows write one."""
    node, faults = _read(b"\xef\xbb\xbfa: 1\n")

    assert isinstance(node, Mapping)
    assert (["a"], []) == (list(node.items), faults)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("a: &x 1\n", [(1, "Anchors (&x) are not allowed")]),
        ("a: 1\nb: *x\n", [(2, "Aliases (*name) are not allowed")]),
        ("*x : 1\nb: 2\n", [(1, "Aliases (*name) are not allowed")]),
        ("a: !!python/object:os.system 1\n", [(1, "Tags (!name) are not allowed")]),
        ("a: ! 1\n", [(1, "Tags (!name) are not allowed")]),
        ("a: 1\nb: 2\na: 3\n", [(3, "The key “a” stands here a second time, first in line 1")]),
        ("a: 1\n<<: {b: 2}\n", [(2, "Merge keys (<<) are not allowed")]),
        ("? [a]\n: 1\n", [(1, "A key has to be a word")]),
        ("%YAML 1.1\n---\na: 1\n", [(1, "Directives (%YAML, %TAG) are not allowed")]),
        ("a: 1\n---\nb: 1\n", [(2, "A second document begins here")]),
        ("", [(1, "The file is empty")]),
        ("# nothing\n", [(1, "The file is empty")]),
        (b"a: 1\nb: \xff\n", [(2, "The file is not UTF-8")]),
        ("[" * 100, [(1, "The file is nested deeper than 12 levels")]),
        (b"a" * (256 * 1024 + 1), [(1, "The file is larger than 256 KiB")]),
    ],
)
def test_the_traps_of_yaml_are_refused(text: str | bytes, told: list[tuple[int, str]]) -> None:
    """Each is named, with the line where it stands."""
    assert told == _told(text)


@pytest.mark.parametrize("text", ["a: 1\nb: [\n", "a: 1\n b: 2\n", "a: 'open\n", "\tb: 1\n", "a: 1\nb: \x01\n"])
def test_what_is_no_yaml_is_told_once_with_a_line(text: str) -> None:
    """A parser's complaint becomes a fault like any other."""
    (fault,) = _read(text)[1]

    assert fault.message.startswith("This is not YAML")
    assert 1 <= fault.line <= 3


def test_a_control_character_is_told_by_its_line() -> None:
    """The parser gives a position; the author needs a line."""
    (fault,) = _read("a: 1\nb: 2\nc: \x07\n")[1]

    assert "Remove the character" == fault.cure
    assert fault.line in {1, 3}


@pytest.mark.parametrize("escape", [r"\ud800", r"\U7fffffff", r"\UffffffFF"])
def test_an_impossible_escape_is_a_fault_or_text(escape: str) -> None:
    """The two parsers differ on code points that no text can hold; neither may crash."""
    node, faults = _read(f'a: "{escape}"\n')

    assert (node is None) == bool(faults)


def test_ten_levels_of_aliases_cost_nothing() -> None:
    """A billion laughs is refused at each alias and never expanded."""
    lines = ["a0: &a0 [lol]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 10)]

    told = _told("\n".join(lines))

    assert {"Aliases (*name) are not allowed"} == {message for _, message in told if "Anchors" not in message}


def test_a_circle_of_aliases_is_refused() -> None:
    """A node that holds itself would never end."""
    assert ["Aliases (*name) are not allowed", "Anchors (&a) are not allowed"] == [
        message for _, message in _told("a: &a [*a]\n")
    ]


def test_every_trap_in_a_file_is_told() -> None:
    """One run shows them all."""
    assert [1, 2, 3] == [line for line, _ in _told("a: &x 1\nb: !t 2\na: 3\n")]


def test_twelve_levels_are_enough_and_allowed() -> None:
    """The limit itself is still within the limit."""
    assert [] == _told("[" * 12 + "]" * 12)
    assert [(1, "The file is nested deeper than 12 levels")] == _told("[" * 13 + "]" * 13)


def test_more_than_a_thousand_faults_end_in_one() -> None:
    """Nobody reads further, and the list stays bounded."""
    faults = _read("a: 1\n" * 3000)[1]

    assert 1001 == len(faults)
    assert "There are more than 1000 faults" in {fault.message for fault in faults}
