"""Every fault of a playbook file is told with its line and a cure."""

from __future__ import annotations

import pytest

from workflow.sources.playbook_faults import Fault, nearest, shown
from workflow.sources.playbook_file import check

HEAD = """\
format: 1
name: mine
version: 1.10
title: Mine
kinds: [mailbox]
prerequisites:
"""
ONE = """\
  - id: first
    title: First
    required_by: contain
"""


def _told(text: str) -> list[tuple[int, str]]:
    return [(fault.line, fault.message) for fault in check(text.encode(), "p.yaml", lambda _name: None)]


def test_a_sound_playbook_has_no_fault() -> None:
    """The rows below change one thing each in this one."""
    assert [] == _told(HEAD + ONE)


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("frmat: 1", "The key “frmat” is not known in a playbook"),
        ("approvals: 0", "A whole number from 1 to 9 is expected here"),
        ("approvals: -1", "A whole number from 1 to 9 is expected here"),
        ('approvals: "2"', "A whole number from 1 to 9 is expected here"),
        ("approvals: two", "A whole number from 1 to 9 is expected here"),
        ("approvals: [2]", "A whole number from 1 to 9 is expected here"),
        ("approval_team: mine", "“mine” is not known here"),
        ("approval_team: [any]", "This is not known here"),
        ("break_glass: yes", "“yes” is not known here"),
        ("approval_within: 24", "A duration is expected here"),
        ("approval_within: 0h", "A duration is expected here"),
        ("approval_within: 1 day", "A duration is expected here"),
        ("approval_within: [1d]", "A duration is expected here"),
        ("summary:", "The value is empty"),
        ("summary: [x]", "Text is expected here"),
        ("summary: " + "x" * 801, "The text is longer than 800 characters"),
        ("summary: |\n  x\n  y", "The text has line breaks"),
        ('summary: "a\\tb"', "The text holds invisible characters"),
        ('summary: "a\\u202eb"', "The text holds invisible characters"),
        ('summary: "a\\0b"', "The text holds invisible characters"),
        ("unblock_portal: http://x.y", "A portal address begins with https:// and a host name"),
        ("unblock_command: Remove-It {who}", "{who} is not a known placeholder"),
        ("read_command: []", "Text is expected here"),
        ("unblock_portal: []", "Text is expected here"),
    ],
)
def test_a_faulty_line_at_the_top_is_told(line: str, told: str) -> None:
    """Wrong key, wrong type, wrong word, wrong duration: one fault, in its line."""
    assert [(1, told)] == _told(f"{line}\n{HEAD}{ONE}")


@pytest.mark.parametrize(
    ("key", "value", "told"),
    [
        ("format", "2", "A whole number (1 and no other) is expected here"),
        ("name", "My Playbook", "“My Playbook” is not an id"),
        ("name", "no_", "“no_” is not an id"),
        ("version", "1 0", "“1 0” is not a version"),
        ("version", "[1]", "Text is expected here"),
        ("title", "x" * 121, "The text is longer than 120 characters"),
        ("kinds", "mailbox", "A list is expected here"),
        ("kinds", "[]", "The list is empty"),
        ("kinds", "[mailbx]", "“mailbx” is not known here"),
        ("kinds", "[person]", "“person” is not known here"),
        ("kinds", "[mailbox, mailbox]", "“mailbox” stands in this list twice"),
    ],
)
def test_a_faulty_required_key_is_told(key: str, value: str, told: str) -> None:
    """A key that has to be there is judged like the others."""
    lines = [f"{key}: {value}" if row.startswith(f"{key}:") else row for row in HEAD.splitlines()]

    assert told in [message for _, message in _told("\n".join(lines) + "\n" + ONE)]


def test_a_connector_is_never_unblocked_by_one_person() -> None:
    """A playbook that is for connectors too cannot allow it; saying never is fine."""
    head = "\n".join("kinds: [mailbox, connector]" if row.startswith("kinds:") else row for row in HEAD.splitlines())

    told = [message for _, message in _told(f"break_glass: allowed\n{head}\n{ONE}")]
    assert ["A connector is never unblocked on one person's word, and this playbook is for connectors too"] == told
    assert [] == _told(f"break_glass: never\n{head}\n{ONE}")


@pytest.mark.parametrize("key", ["format", "name", "version", "title", "kinds"])
def test_a_key_left_out_is_told(key: str) -> None:
    """The cure says what to add."""
    lines = [row for row in HEAD.splitlines() if not row.startswith(f"{key}:")]
    faults = check(("\n".join(lines) + "\n" + ONE).encode(), "p.yaml")

    assert [Fault("p.yaml", 1, f"The key {key} is missing in a playbook", f"Add “{key}: …”")] == faults


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("requird: true", "The key “requird” is not known in a prerequisite"),
        ("required: yes", "True or false is expected here"),
        ('required: "true"', "True or false is expected here"),
        ("about: user", "“user” is not known here"),
        ("nature: reeding", "“reeding” is not known here"),
        ("applies_if: [hostd]", "“hostd” is not known here"),
        ("check: linked-case", "“linked-case” is not known here"),
        ("check: ''", "“” is not known here"),
        ("fresh_within: 24h", "Only a reading goes stale, and this is of nature action"),
        ("any_of: [frist]", "any_of names “frist”, and no prerequisite has that id"),
        ("after: [frist]", "after names “frist”, and no prerequisite has that id"),
        ("after: [Not An Id]", "“Not An Id” is not an id"),
        ("after: [second]", "after goes round in a circle: second → second"),
        ("any_of: [second]", "any_of goes round in a circle: second → second"),
        ("before: first", "before only has a meaning in a playbook that extends another"),
        ("exception: yes", "an exception has to be a list of keys and values"),
        ("exception: {granted_by: lead}", "The key at_most is missing in an exception"),
        ("exception: {granted_by: analyst, at_most: 1d}", "“analyst” is not known here"),
        ("exception: {granted_by: system, at_most: 1d}", "“system” is not known here"),
        ("exception: {granted_by: lead, at_most: ever}", "A duration is expected here"),
        ("exception: {granted_by: lead, at_most: 1d, x: y}", "The key “x” is not known in an exception"),
        ('command: Get-It "{address}"', "{address} stands inside quotation marks"),
        ("command: Set-It -Password 'x'", "A secret is written in the command"),
        ("portal: https://x.y/{nobody}", "{nobody} is not a known placeholder"),
    ],
)
def test_a_faulty_prerequisite_is_told(line: str, told: str) -> None:
    """Wrong keys, unknown names, circles and unsafe commands, each in its line."""
    text = f"{HEAD}{ONE}  - id: second\n    title: Second\n    required_by: contain\n    {line}\n"

    assert [(13, told)] == _told(text)


@pytest.mark.parametrize("name", ["password-reset", "mfa-enabled", "sessions-revoked"])
@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("exception: {granted_by: lead, at_most: 1d}", "{} is never excepted, so it has no exception"),
        ("applies_if: [guest]", "{} is never excepted, so it has no applies_if"),
        ("any_of: [first]", "{} is never excepted, so it has no any_of"),
        ("required: false", "{} is always required"),
    ],
)
def test_the_three_that_are_never_excepted_have_no_way_round(name: str, line: str, told: str) -> None:
    """Neither an exception nor not-applicable, an alternative or a recommendation lets them pass."""
    required = "" if line.startswith("required") else "    required_by: contain\n"
    text = f"{HEAD}{ONE}  - id: {name}\n    title: Second\n{required}    {line}\n"

    assert [told.format(name)] == [message for _, message in _told(text)]


def test_an_id_taken_twice_is_told_with_the_first_place() -> None:
    """The second one is the fault, and it says where the first one stands."""
    assert [(10, "The id “first” is taken by p.yaml line 7")] == _told(HEAD + ONE + ONE)


def test_a_longer_circle_is_told_once() -> None:
    """The way round is written out, from its first id."""
    steps = [("a", "c"), ("b", "a"), ("c", "b"), ("d", "a")]
    items = "".join(
        f"  - id: {name}\n    title: T\n    required_by: contain\n    after: [{after}, zero]\n" for name, after in steps
    )
    text = f"{HEAD}{items}  - id: zero\n    title: T\n    required_by: contain\n"

    assert [(10, "after goes round in a circle: a → c → b → a")] == _told(text)


def test_waiting_for_a_later_phase_is_told() -> None:
    """Containment that waits for verification would never be reached."""
    text = (
        f"{HEAD}{ONE}    after: [late, later]\n"
        "  - id: late\n    title: T\n    required_by: verify\n"
        "  - id: later\n    title: T\n    required: false\n    after: [late]\n"
    )

    assert [
        (10, "first is required by contain but comes after late, required by verify"),
        (10, "first is required by contain but comes after later, required by close"),
    ] == _told(text)


def test_a_playbook_that_contains_nothing_is_told() -> None:
    """Something has to stop the sending."""
    text = HEAD + "  - id: a\n    title: T\n    required_by: verify\n  - id: b\n    title: T\n    required: false\n"

    assert [(6, "No prerequisite is required by contain")] == _told(text)


@pytest.mark.parametrize("value", ["", " x", " []", " {a: b}"])
def test_prerequisites_have_to_be_a_list(value: str) -> None:
    """An empty list would release everybody."""
    text = HEAD.replace("prerequisites:", f"prerequisites:{value}")

    assert (6, "prerequisites has to be a list of 1 to 200") in _told(text)


def test_more_than_two_hundred_prerequisites_are_refused() -> None:
    """The rules compare each with each, so their number is bounded."""
    assert (7, "prerequisites has to be a list of 1 to 200") in _told(HEAD + ONE * 201)


@pytest.mark.parametrize("text", ["word", "[a, b]"])
def test_a_file_that_is_no_mapping_is_told(text: str) -> None:
    """A list or a word at the top is no playbook."""
    assert (1, "a playbook has to be a list of keys and values") in _told(text)


def test_a_prerequisite_that_is_no_mapping_is_told() -> None:
    """A bare word in the list is not taken for an id."""
    assert [(10, "a prerequisite has to be a list of keys and values")] == _told(HEAD + ONE + "  - second\n")


def test_a_recommended_step_of_an_earlier_phase_is_told() -> None:
    """It would look as if it blocked something."""
    text = HEAD + ONE + ONE.replace("first", "second") + "    required: false\n"

    assert [(12, "A recommended step is due before close and blocks nothing earlier")] == _told(text)


def test_required_by_left_out_is_told() -> None:
    """A required step has to say when."""
    assert [(10, "The key required_by is missing in a prerequisite that is required")] == _told(
        HEAD + ONE + "  - id: second\n    title: Second\n"
    )


def test_one_run_tells_every_fault() -> None:
    """Author and reader go once through the file, not once per fault."""
    text = HEAD.replace("1.10", "[]") + ONE.replace("contain", "contian") + "    abuot: entity\n    trap:\n"

    assert [3, 6, 9, 10, 11] == [line for line, _ in _told(text)]


def test_the_nearest_word_is_the_cure() -> None:
    """A slip of the finger gets the word that was meant, anything else the whole list."""
    assert "Write hosted if that was meant" == nearest("hostd", ["hosted", "synced"], "Known are")
    assert "Known are: hosted, synced" == nearest("xyz", ["synced", "hosted"], "Known are")
    assert "Known are: hosted" == nearest("h" * 61, ["hosted"], "Known are")
    assert "Known are: none" == nearest("x", [], "Known are")


def test_text_from_the_file_is_shown_harmlessly() -> None:
    """Escape sequences do not reach the terminal, and a long text does not fill it."""
    assert "“a\ufffd[2J\ufffdb”" == shown("a\x1b[2J\u202eb")
    assert "“" + "x" * 60 + "…”" == shown("x" * 61)


def test_a_fault_reads_as_a_line_and_as_data() -> None:
    """For people and for programs."""
    fault = Fault("p.yaml", 3, "It is wrong", "Put it right")

    assert "p.yaml:3: It is wrong. Put it right." == str(fault)
    assert {"path": "p.yaml", "line": 3, "message": "It is wrong", "cure": "Put it right"} == fault.to_data()


WIDE = """\
  - id: logging
    title: Look whether it is logged
    required_by: verify
    nature: reading
    scope: tenant
    fact: audit-logging
"""


def test_a_reading_of_the_whole_tenant_has_no_fault() -> None:
    """The rows below change one thing each in this one; saying that a step is the case's own says nothing new."""
    assert [] == _told(HEAD + ONE + WIDE)
    assert [] == _told(HEAD + ONE + "    scope: case\n")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (WIDE.replace("    fact: audit-logging\n", ""), "scope: tenant and fact go together"),
        (WIDE.replace("    scope: tenant\n", ""), "fact is for what has “scope: tenant”"),
        (WIDE.replace("audit-logging", "weather"), "“weather” is not known here"),
        (WIDE.replace("tenant", "world"), "“world” is not known here"),
        (WIDE.replace("nature: reading", "nature: finding"), "What is true of the whole tenant is a reading"),
        (WIDE + "    about: identity\n", "What is true of the whole tenant is a reading"),
        (WIDE + "    applies_if: [hosted]\n", "What is true of the whole tenant has no applies_if"),
        (WIDE + "    after: [first]\n", "What is true of the whole tenant has no after"),
        (WIDE + "    any_of: [first]\n", "What is true of the whole tenant has no any_of"),
        (WIDE + "    check: linked-case-contained\n", "What is true of the whole tenant has no check"),
        (WIDE.replace("id: logging", "id: password-reset"), "password-reset is asked of each case"),
        (
            WIDE + "  - id: other\n    title: Other\n    required_by: verify\n    any_of: [logging]\n",
            "no alternative to",
        ),
    ],
)
def test_what_one_record_may_not_answer_is_told(text: str, told: str) -> None:
    """Nothing that is asked of each case, or rests on other steps, can be answered once for all."""
    found = _told(HEAD + ONE + text)
    assert [True] == [told in message for _, message in found][:1], found
