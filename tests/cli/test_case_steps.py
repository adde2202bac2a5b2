"""Recording facts and ending cases: each command, its refusals and its exit codes."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.cli.shell import CONTAIN, Shell


def test_open(shell: Shell) -> None:
    """A case by hand, with what the portal shows."""
    ran = shell.ok("case open Ada@Contoso.com --restricted-at 2025-06-11T10:00 --temporary --reason spam --fact hosted")
    view = shell.view()

    assert "#1 ada@contoso.com: opened" in ran.out
    assert "2025-06-11T10:00 is 2025-06-11 10:00 CEST (2025-06-11 08:00 UTC)" in ran.err
    assert ("temporary", "2025-06-11T08:00:00.000000Z", "spam") == tuple(
        view["restriction_reading"][key] for key in ("status", "restricted_at", "reason")
    )
    assert {"hosted": True} == view["facts"]


def test_open_again(case: Shell) -> None:
    """An address that has an open case is reported to it."""
    assert "seen" == case.ok("case open ada@contoso.com --json").data["outcome"]
    assert "(this very report was taken in before)" in case.ok("case open ada@contoso.com").out


def test_open_again_with_more(case: Shell) -> None:
    """What an open case does not take is told with its command, and the exit code says so."""
    words = "case open ada@contoso.com --user bob@contoso.com"
    ran = case(words)
    assert (3, True) == (ran.code, "not taken: --user bob@contoso.com" in ran.out)
    assert "holdfast case identity 1 bob@contoso.com\n" in ran.out
    told = case(f"{words} --json")
    command = {"option": "--user bob@contoso.com", "command": "holdfast case identity 1 bob@contoso.com"}
    assert (3, [command]) == (told.code, told.data["not_taken"])


@pytest.mark.parametrize(
    ("words", "kind", "playbook"),
    [
        ("0f6d2b8a-77c1-4e0f-8d35-1b9c4a6e2d90", "connector", "blocked-connector"),
        ("ada@contoso.com --kind user", "user", "privileged-account"),
        ("ada@contoso.com --playbook privileged-account", "mailbox", "privileged-account"),
    ],
)
def test_kinds(shell: Shell, words: str, kind: str, playbook: str) -> None:
    """A GUID is a connector; each kind has a playbook of its own."""
    shell.ok(f"case open {words}")
    view = shell.view()

    assert (kind, playbook) == (view["kind"], view["playbook"])


def test_a_playbook_that_asks_less(shell: Shell) -> None:
    """The case opens under its own, and what is next names the second person's command."""
    words = "case open ada@contoso.com --playbook legitimate-bulk-sender --playbook-reason 'The newsletter'"
    said = shell.ok(f"{words} --as ana").out
    assert "waits for a second person" in said
    assert "holdfast case playbook 1 --confirm" in said
    assert "compromised-mailbox" == shell.view()["playbook"]
    shell.ok("case playbook 1 --confirm --as ben")
    assert "legitimate-bulk-sender" == shell.view()["playbook"]
    assert "" == shell.ok("case open bob@contoso.com --json").data["waiting"]


def test_another_tenants_name(verified: Shell, home: Path) -> None:
    """A mistyped tenant opens no second case, and a decision shows the second that a report opened."""
    refused = verified("case open ada@contoso.com --tenant defualt")
    assert (3, True) == (refused.code, "#1 of tenant 'default'" in refused.err)
    assert "seen" == verified.ok("case open ada@contoso.com --tenant DEFAULT --json").data["outcome"]
    rows = "SenderAddress,Reason,CreatedDatetime\nada@contoso.com,spam,2025-06-11T08:00:00Z\n"
    (home / "list.csv").write_text(rows, encoding="utf-8")
    verified.ok(f"import {home / 'list.csv'} --tenant defualt")
    shown = verified.ok("case request-unblock 1 --yes --as ben").out
    assert "#2 of tenant defualt, detected" in shown
    told = verified.ok("case approve 1 --yes --json --as cem").data["overview"]["elsewhere"]
    assert [{"case_number": 2, "tenant": "defualt", "state": "detected"}] == told


@pytest.mark.parametrize(
    ("words", "code"),
    [
        ("nonsense", 2),
        ("ada@contoso.com --playbook legitimate-bulk-sender", 2),
        ("ada@contoso.com --playbook-reason x", 2),
        ("ada@contoso.com --fact nonsense", 2),
        ("ada@contoso.com --restricted-at nonsense", 2),
        ("ada@contoso.com --restricted-at +2h", 2),
        ("ada@contoso.com --restricted-at 0001-01-01T00:00Z", 2),
        ("ada@contoso.com --playbook nonsense", 5),
        ("ada@contoso.com --playbook blocked-connector", 2),
        ("ada@contoso.com --kind nonsense", 2),
    ],
)
def test_not_opened(shell: Shell, words: str, code: int) -> None:
    """What cannot be understood opens nothing."""
    assert code == shell(f"case open {words}").code
    assert [] == shell.ok("case list --json").data["cases"]


def test_record(case: Shell, home: Path) -> None:
    """Several answers at once, with values and a file, lead to a conclusion that nobody set."""
    (home / "proof.txt").write_text("seen", encoding="utf-8")
    case.ok("case identity 1 ada@contoso.com --fact no-app-passwords --as ana")

    ran = case.ok(f"case record 1 {CONTAIN} --attach proof.txt --at -1m --before a --after b --as ana")
    step = next(item for item in case.view()["prerequisites"] if item["id"] == "password-reset")

    assert "#1 ada@contoso.com: detected → contained" in ran.out
    assert "evidence recorded: password-reset" in ran.out
    assert ("met", "a", "b", 64) == (step["result"], step["before"], step["after"], len(step["attachment"]))


def test_record_as_json(case: Shell) -> None:
    """The result carries the case, the entries and their leaves."""
    data = case.ok("case record 1 snapshot-taken --ref T-1 --json").data

    assert ["evidence:recorded"] == [entry["type"] for entry in data["entries"]]
    assert ("detected", 1, False) == (data["case"]["state"], data["case"]["number"], data["repeated"])


@pytest.mark.parametrize(
    ("words", "code"),
    [
        ("snapshot-taken", 3),
        ("nonsense --ref T", 5),
        ("snapshot-taken --result not-applicable --ref T", 3),
        ("snapshot-taken --at +1h --ref T", 3),
        ("snapshot-taken --at -3h --ref T", 3),
        ("snapshot-taken --at nonsense --ref T", 2),
        ("snapshot-taken --attach missing.txt", 2),
        ("snapshot-taken --linked 9 --ref T", 5),
        ("password-reset --for bob@contoso.com --ref T", 5),
        ("snapshot-taken --result maybe", 2),
    ],
)
def test_not_recorded(case: Shell, words: str, code: int) -> None:
    """What cannot count is refused, and the case stands as it stood."""
    assert code == case(f"case record 1 {words}").code
    assert not any(step["result"] for step in case.view()["prerequisites"])


def test_per_user(case: Shell) -> None:
    """With two users named, an answer about a person says about whom."""
    case.ok("case identity 1 bob@contoso.com --as ana")

    refused = case("case record 1 password-reset --ref T")

    assert 2 == refused.code
    assert "--for (ada@contoso.com, bob@contoso.com)" in refused.err
    case.ok("case record 1 password-reset --for BOB@contoso.com --ref T")
    answered = [item["about"] for item in case.view()["prerequisites"] if item["result"]]
    assert ["bob@contoso.com"] == answered


def test_linked_case(shell: Shell) -> None:
    """A step met by another case names it, once that one is contained."""
    shell.ok("case open 0f6d2b8a-77c1-4e0f-8d35-1b9c4a6e2d90 --fact connector-changed")
    shell.ok("case open ada@contoso.com")
    shell.ok("case link 1 2 --relation admin")
    shell.ok("case identity 1 ada@contoso.com --fact connector-changed")
    too_early = shell("case record 1 admin-case-contained --linked 2 --ref T")
    shell.verify(2)

    assert 3 == too_early.code
    shell.ok("case record 1 admin-case-contained --linked 2 --ref T")


def test_a_linked_case_that_fell_back(shell: Shell) -> None:
    """The refusal names the step and the command that shows what the linked case lacks."""
    shell.ok("case open 0f6d2b8a-77c1-4e0f-8d35-1b9c4a6e2d90 --fact connector-changed --fact no-on-premises-relay")
    shell.ok("case open ada@contoso.com")
    shell.ok("case link 1 2 --relation admin")
    shell.ok("case identity 1 ada@contoso.com --fact connector-changed")
    shell.verify(2)
    shell.ok("case record 1 admin-case-contained --linked 2 --ref T")
    shell.ok("case retract 2 password-reset --reason wrong")
    refused = shell("case request-unblock 1 --yes")

    assert 3 == refused.code
    assert "admin-case-contained: linked-case-open." in refused.err
    assert "next: holdfast case prerequisites 2 --missing" in refused.err
    assert "password-reset" in shell.ok("case prerequisites 2 --missing").out


def test_blanks_are_no_evidence(case: Shell) -> None:
    """A reference or reason of blanks is none."""
    assert 3 == case("case record 1 snapshot-taken", "--ref", " \t").code
    case.ok("case record 1 snapshot-taken --ref T")
    assert 2 == case("case retract 1 snapshot-taken", "--reason", "  ").code


def test_a_file_that_is_too_large(case: Shell, home: Path) -> None:
    """No more of it is read than may be kept."""
    sparse(home / "large")
    ran = case("case record 1 snapshot-taken --attach large")

    assert 2 == ran.code
    assert "is larger than 10 MiB" in ran.err


def sparse(path: Path) -> None:
    """Make a file of three gigabytes that takes no room."""
    with path.open("wb") as file:
        file.truncate(3 << 30)


@pytest.mark.parametrize("words", ["case record 1 snapshot-taken --attach", "playbook check", "ledger verify --key"])
@pytest.mark.parametrize("name", ["pipe", "/dev/zero", "."])
def test_what_is_no_file(case: Shell, home: Path, words: str, name: str) -> None:
    """A pipe would be waited for, and a device has no end."""
    os.mkfifo(home / "pipe")
    ran = case(f"{words} {name}")

    assert 2 == ran.code
    assert f"{name} cannot be read: it is a folder, a pipe or a device. Name a file." in ran.err


def test_files_that_are_far_too_large(case: Shell, home: Path) -> None:
    """Only so much of them is read as shows that."""
    sparse(home / "large")

    assert "larger than 256 KiB" in case("playbook check large").out
    assert "larger than 4096 bytes" in case("ledger verify --key large").err
    key = case.ok("ledger log --limit 99 --json").data["entries"][0]["details"]["vkey"]
    (home / "key").write_text(key, encoding="utf-8")
    assert "a line is longer than 16,777,216" in case("ledger verify --export large --key key").err


def test_a_note_without_end(case: Shell) -> None:
    """What is typed is read up to a bound."""
    ran = case("case note 1 - --as ana", typed=b"a" * (3 << 20))

    assert 2 == ran.code
    assert "The note has 1048576 characters" in ran.err


def test_retract(verified: Shell) -> None:
    """An answer is taken back, with a reason, and the conclusion with it."""
    assert 2 == verified("case retract 1 password-reset").code
    assert "verified → detected" in verified.ok("case retract 1 password-reset --reason wrong").out
    assert 5 == verified("case retract 1 password-reset --reason wrong").code


def test_exceptions(case: Shell) -> None:
    """One asks, another grants; the three that count most are never excepted."""
    assert 2 == case("case except 1 audit-logging-on --reason x").code
    assert 3 == case("case except 1 password-reset --reason x --until +1d").code
    assert 5 == case("case except 1 audit-logging-on --grant").code
    asked = case.ok("case except 1 audit-logging-on --reason x --until +1d --as ana")
    assert "holdfast case except 1 audit-logging-on --grant --as NAME" in asked.out
    assert 4 == case("case except 1 audit-logging-on --grant --as ana").code
    assert 2 == case("case except 1 audit-logging-on --grant --refuse").code
    case.ok("case except 1 audit-logging-on --grant --as cleo")
    assert "audit-logging-on" not in case.view()["missing"]


def test_exceptions_about_people(case: Shell) -> None:
    """With several waiting, it is said whose is meant."""
    case.ok("case identity 1 bob@contoso.com --as ana")
    asked = [
        case.ok(f"case except 1 admin-roles-reviewed --for {user}@contoso.com --reason x --until +1d --as ana")
        for user in ("ada", "bob")
    ]
    assert "--for bob@contoso.com --grant" in asked[-1].out
    assert 2 == case("case except 1 admin-roles-reviewed --grant --as cleo").code
    case.ok("case except 1 admin-roles-reviewed --for ada@contoso.com --grant --as cleo")
    case.ok("case except 1 admin-roles-reviewed --refuse --as cleo")
    assert [] == case.view()["proposals"]


def test_assign(case: Shell) -> None:
    """A case is given to somebody, and back."""
    assert 2 == case("case assign 1").code
    assert 2 == case("case assign 1 ana --none").code
    case.ok("case assign 1 ana")
    assert "ana" == case.view()["assignee"]
    case.ok("case assign 1 --none")
    assert "" == case.view()["assignee"]


def test_labels(case: Shell) -> None:
    """Added, removed, listed and filtered by; what is no token is refused and goes nowhere."""
    case.ok("case open eve@contoso.com")
    case.ok("case label 1 --add wave-1 --add vip --as ana")
    assert "labels changed" in case.ok("case label 1 --remove vip --as ana").out
    assert ["wave-1"] == case.view()["labels"]
    assert "wave-1" in case.ok("case view 1").out
    heads, *lines = case.ok("case list").out.splitlines()
    assert heads.endswith("labels")
    assert [("1", True), ("2", False)] == sorted((line.split()[0], line.endswith("wave-1")) for line in lines)
    assert [["wave-1"]] == [row["labels"] for row in case.ok("case list --label wave-1 --json").data["cases"]]
    assert "wave-1" in case.ok("case list --label wave-1 --csv").out
    assert [] == case.ok("case list --label wave-1 --label vip --json").data["cases"]
    assert "labels changed: +wave-1, +vip" in case.ok("case history 1").out
    entries = len(case.ok("case history 1 --json").data["entries"])
    for words in ("case label 1", "case label 1 --add ada@contoso.com", "case list --label 'a b'"):
        ran = case(words)
        assert 2 == ran.code, ran
    assert entries == len(case.ok("case history 1 --json").data["entries"])


def test_notes(case: Shell) -> None:
    """A note from the command line or from standard input; an empty one is refused."""
    case.ok("case note 1 hello")
    case.ok("case note 1 -", typed=b"from a pipe\nsecond line\n")

    assert 2 == case("case note 1 ''").code
    assert "The note is empty" in case("case note 1 -", typed=b" \n").err
    assert 2 == case("case note 1", "x" * 5000).code
    texts = [entry["text"] for entry in case.ok("case history 1 --json").data["entries"]]
    assert ["note: hello", "note: from a pipe\nsecond line"] == texts[1:3]


def test_identities(case: Shell) -> None:
    """A user is named, said more about, and removed by two people."""
    case.ok("case identity 1 bob@contoso.com --fact synced --fact no-federated --ref T --as ana")
    assert {"synced": True, "federated": False} == case.view()["identities"][1]["facts"]
    assert 2 == case("case identity 1 bob@contoso.com --fact nonsense").code
    assert 2 == case("case identity 1 bob@contoso.com --remove --confirm").code
    assert 5 == case("case identity 1 eve@contoso.com --remove --reason x").code
    case.ok("case identity 1 bob@contoso.com --remove --reason typo --as ana")
    case.ok("case identity 1 bob@contoso.com --refuse --as cleo")
    case.ok("case identity 1 bob@contoso.com --remove --reason typo --as ana")
    case.ok("case identity 1 bob@contoso.com --confirm --as cleo")
    assert ["ada@contoso.com"] == [item["user"] for item in case.view()["identities"]]


def test_links(case: Shell) -> None:
    """Cases are linked by number or address, never to themselves."""
    case.ok("case open bob@contoso.com")
    assert 2 == case("case link 1 1").code
    assert 5 == case("case link 1 9").code
    case.ok("case link ada@contoso.com bob@contoso.com")
    assert [2] == [link["number"] for link in case.view()["links"]]


def test_playbooks(case: Shell) -> None:
    """A move under which requirements fall away takes two people."""
    assert 2 == case("case playbook 1").code
    assert 2 == case("case playbook 1 legitimate-bulk-sender --confirm").code
    assert 5 == case("case playbook 1 nonsense --reason x").code
    assert 2 == case("case playbook 1 legitimate-bulk-sender").code
    asked = case.ok("case playbook 1 legitimate-bulk-sender --reason newsletter --as ana")
    assert "holdfast case playbook 1 --confirm --as NAME" in asked.out
    case.ok("case playbook 1 --refuse --as cleo")
    case.ok("case playbook 1 legitimate-bulk-sender --reason newsletter --as ana")
    case.ok("case playbook 1 --confirm --as cleo")
    assert "legitimate-bulk-sender" == case.view()["playbook"]


def test_observe(case: Shell) -> None:
    """A reading is recorded; an absence nobody asked for is no release."""
    assert 2 == case("case observe 1 --restriction gone --ref T").code
    assert 2 == case("case observe 1 --restriction listed").code
    ran = case.ok("case observe 1 --restriction not-listed --ref T --lifted-by gus --lifted-at -1m --at now")
    assert "resolution: unblocked_outside" in ran.out
    assert "detected" == case.view()["state"]


def test_dismiss(case: Shell) -> None:
    """A duplicate is dismissed by two people, and can be reopened."""
    case.ok("case open bob@contoso.com")
    assert 2 == case("case dismiss 1").code
    assert 3 == case("case dismiss 1 --resolution false_positive --reason x").code
    asked = case.ok("case dismiss 1 --resolution duplicate --of 2 --reason twice --as ana")
    assert "holdfast case dismiss 1 --confirm --as NAME" in asked.out
    assert 4 == case("case dismiss 1 --confirm --as ana").code
    case.ok("case dismiss 1 --confirm --as cleo")
    assert ("dismissed", "duplicate") == (case.view()["state"], case.view()["resolution"])
    assert "duplicate" in case.ok("case list --resolution duplicate").out
    assert 2 == case("case reopen 1").code
    assert "dismissed → detected" in case.ok("case reopen 1 --reason mistake").out


def test_close(verified: Shell) -> None:
    """A case closes without a release only as such, with a reason, and with every step answered."""
    assert 3 == verified("case close 1").code
    refused = verified("case close 1 --resolution not_unblocked --reason left --json")
    assert 3 == refused.code
    steps = [item["id"] for item in refused.data["error"]["missing"]]
    assert "account-disabled" in steps
    names = " ".join(dict.fromkeys(steps))
    verified.ok(f"case record 1 {names} --ref T")
    assert "verified → closed" in verified.ok("case close 1 --resolution not_unblocked --reason left").out
    assert "not_unblocked" in verified.ok("case list --all").out


def test_a_case_that_cannot_close_says_what_is_missing(case: Shell) -> None:
    """Each open prerequisite with the command that answers it, in text and in JSON."""
    plain, data = case("case close 1 --as ana"), case("case close 1 --as ana --json").data["error"]

    assert 3 == plain.code
    assert "    next: holdfast case record 1 mfa-enabled --ref WHERE" in plain.err
    assert "wrong_state" == data["code"]
    assert "password-reset" in [item["id"] for item in data["missing"]]
    case.ok("ledger verify")


def test_a_refusal_tells_people_local_times(shell: Shell) -> None:
    """Each with its zone, as everything else does; programs get what the rule said, in UTC."""
    shell.ok("case open ada@contoso.com --restricted-at 2025-06-11T10:00")
    words = "case record 1 password-reset --ref x --at 2025-06-10T08:00Z"
    said = "observed at {}, before the restriction of {}"

    assert said.format("2025-06-10 10:00 CEST", "2025-06-11 10:00 CEST") in shell(words).err
    message = shell(f"{words} --json").data["error"]["message"]
    assert said.format("2025-06-10 08:00 UTC", "2025-06-11 08:00 UTC") in message
    several = shell("case record 1,1 password-reset --ref x --at 2025-06-10T08:00Z --yes")
    assert said.format("2025-06-10 10:00 CEST", "2025-06-11 10:00 CEST") in several.out


def test_a_refusal_is_told_where_the_settings_are_wrong(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody knows the zone then; the message stands all the same."""
    monkeypatch.setenv("HOLDFAST_TIMEZONE", "Nowhere/Land")

    ran = shell("case view 1")
    assert (True, False) == ("Nowhere/Land" in ran.err, "Traceback" in ran.err)


@pytest.mark.parametrize("option", ["--ref", "--note", "--before", "--after"])
def test_what_looks_like_a_secret_is_warned_of(case: Shell, option: str) -> None:
    """It is recorded, and said on standard error with what can be done; once, however many steps it answers."""
    words = ("--ref", "T-1") if option != "--ref" else ()
    steps = "case record 1 password-reset sessions-revoked --as ana"
    ran = case.ok(steps, *words, option, "password: Winter2026!")
    name = "reference" if option == "--ref" else option.removeprefix("--")
    assert 1 == ran.err.count(f"Warning: The {name} looks as if it held a password or a token.")
    assert "holdfast case retract" in ran.err
    assert "holdfast case erase" in ran.err
    assert "Winter2026" not in ran.err
    assert "Warning" not in case.ok("case note 1 'password reset by telephone' --as ana").err


def test_a_secret_elsewhere_is_warned_of_too(case: Shell) -> None:
    """In what is said of the tenant, of many cases, and at a shift's end."""
    secret = "client_secret=8Q~abcdef"
    assert "holdfast tenant retract audit-logging" in case.ok("tenant record audit-logging --ref", secret).err
    assert "The note looks" in case.ok("case note 1-1", secret, "--as", "ana").err
    case.ok("case assign 1 ana --as ana")
    assert "The note looks" in case.ok("case handover --to ben --as ana --note", secret).err
