"""Installing playbooks: one person where nothing falls away, two where something does, and never for open cases."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from tests.services.desk import ADA, ANN, BOB, CAT, DAN, DAY, EVE, START, Desk
from workflow.domain import actions as act
from workflow.domain.playbook import ExceptionRule, canonical, digest
from workflow.domain.private import Private
from workflow.domain.record import SYSTEM
from workflow.domain.vocabulary import EntryType, Kind, Role, State
from workflow.errors import (
    InputError,
    NotFoundError,
    NotPermittedError,
    PlaybookError,
    RuleRefusedError,
    SamePersonError,
)
from workflow.services import adoption, audit, casework, logbook, people, playbooks, verification
from workflow.services.history import log
from workflow.services.views import case_view
from workflow.services.worklist import Filters, worklist_page
from workflow.sources.playbook_file import load, shipped
from workflow.storage import cases
from workflow.storage import playbooks as stored

if TYPE_CHECKING:
    from pathlib import Path

    from workflow.domain.playbook import Playbook

NAME = "compromised-mailbox"


def version(text: str) -> tuple[str, str]:
    """Return the swap that gives the playbook another version."""
    return 'version: "1.0"', f'version: "{text}"'


def changed(desk: Desk, *swaps: tuple[str, str]) -> str:
    """Write a changed copy of a shipped playbook, and return its path."""
    text = shipped()[NAME].read_text(encoding="utf-8")
    for old, new in swaps:
        assert old in text, old
        text = text.replace(old, new, 1)
    path = desk.place.home / f"changed-{len(swaps)}.yaml"
    path.write_text(text, encoding="utf-8")
    return str(path)


def tighter(desk: Desk) -> str:
    """Return the path of a version that wants two approvals."""
    return changed(desk, version("9.1"), ("approvals: 1", "approvals: 2"))


def test_one_person_installs_what_asks_no_less(desk: Desk) -> None:
    """New cases get it, open ones keep theirs, and every view says that it did not come with the product."""
    before = desk.restrict(ADA)
    done = adoption.install(desk.app, ANN, tighter(desk), "two pairs of eyes")
    after = desk.restrict(EVE)

    assert (True, ()) == (done.in_force, done.falls_away)
    assert [done.playbook.digest, True] == [
        desk.case(after).playbook,
        desk.case(before).playbook != done.playbook.digest,
    ]
    assert [True, False] == [case_view(desk.app, case_id).playbook_shipped for case_id in (before, after)]
    rows = {row.id: row for row in worklist_page(desk.app, Filters()).rows}
    assert (NAME, "9.1", done.playbook.digest, False) == (
        *(rows[after].playbook, rows[after].playbook_version),
        *(rows[after].playbook_digest, rows[after].playbook_shipped),
    )
    entry = desk.entries()[-1]
    assert ("playbook:adopted", True) == (entry.type, entry.data["installed"])
    (told,) = [line for line in log(desk.app) if line.sequence == entry.sequence and line.case == "log"]
    assert "two pairs of eyes" == told.details["reason"]
    assert [] == verification.verify(desk.app).findings


def looser(desk: Desk) -> str:
    """Return the path of a version under which requirements fall away: back to the shipped one from a tighter."""
    adoption.install(desk.app, ANN, tighter(desk), "two pairs of eyes")
    return NAME


def test_two_people_install_what_asks_less(team: Desk) -> None:
    """One proposes, which changes nothing; not the same person, no analyst, no auditor confirms."""
    path = looser(team)
    done = adoption.install(team.app, CAT, path, "back to the shipped one")
    assert (False, ("approvals",)) == (done.in_force, done.falls_away)
    assert "9.1" == playbooks.show(team.app, NAME).version
    assert [done.playbook.digest] * 2 == [item.waiting for item in playbooks.list_(team.app) if item.name == NAME]
    with pytest.raises(SamePersonError):
        adoption.install(team.app, CAT, path, "", confirm=True)
    for who in (ANN, DAN):
        with pytest.raises(NotPermittedError, match="approver, lead"):
            adoption.install(team.app, who, path, "", confirm=True)
    with pytest.raises(NotPermittedError):
        adoption.install(team.app, DAN, path, "mine")
    assert "9.1" == playbooks.show(team.app, NAME).version

    assert adoption.install(team.app, BOB, path, "", confirm=True).in_force
    assert done.playbook == playbooks.show(team.app, NAME)
    assert ["playbook:proposed", "playbook:adopted"] == team.types()[-2:]
    assert [] == verification.verify(team.app).findings


@pytest.mark.parametrize(
    ("swap", "name"),
    [
        (("unblock_command: Remove-", "unblock_command: Disable-Audit; Remove-"), "unblock-command"),
        (("read_command: Get-", "read_command: Set-"), "read-command"),
        (("unblock_portal: https://security", "unblock_portal: https://security-portal"), "unblock-portal"),
        (("command: Revoke-MgUser", "command: Grant-MgUser"), "sessions-revoked: command"),
    ],
)
def test_two_people_install_other_commands(team: Desk, swap: tuple[str, str], name: str) -> None:
    """What everybody will paste into an administrator's shell is not changed by one person alone."""
    path = changed(team, version("9.1"), swap)
    done = adoption.install(team.app, CAT, path, "a new cmdlet")

    assert (False, (), (name,)) == (done.in_force, done.falls_away, done.redirected)
    assert done.to_data()["redirected"] == list(adoption.compare(team.app, NAME, path).redirected)
    with pytest.raises(SamePersonError):
        adoption.install(team.app, CAT, path, "", confirm=True)
    assert "1.0" == playbooks.show(team.app, NAME).version
    assert adoption.install(team.app, BOB, path, "", confirm=True).in_force
    assert [] == verification.verify(team.app).findings


def test_what_is_confirmed_is_what_was_proposed(desk: Desk) -> None:
    """Not another file under the same name, and not the same one twice."""
    looser(desk)
    adoption.install(desk.app, ANN, NAME, "back")
    for path in (changed(desk, version("8.0")), tighter(desk)):
        with pytest.raises((NotFoundError, InputError)):
            adoption.install(desk.app, BOB, path, "", confirm=True)
    adoption.install(desk.app, BOB, NAME, "", confirm=True)
    with pytest.raises(InputError, match="in force already"):
        adoption.install(desk.app, BOB, NAME, "", confirm=True)
    with pytest.raises(InputError, match="in force already"):
        adoption.install(desk.app, BOB, NAME, "again")


def test_a_new_name_is_held_against_what_its_kinds_get_now(desk: Desk) -> None:
    """A playbook of one's own that asks less cannot come in by one person under another name."""
    path = desk.place.home / "mine.yaml"
    path.write_text(
        "format: 1\nname: mine\nversion: '1'\ntitle: Mine\nsummary: Little.\nkinds: [mailbox, user]\n"
        "prerequisites:\n  - id: asked\n    title: Ask\n    required_by: contain\n    nature: finding\n"
        "    evidence: What was said.\n",
        encoding="utf-8",
    )
    done = adoption.install(desk.app, ANN, str(path), "ours")

    assert (False, True) == (done.in_force, "password-reset" in done.falls_away)
    assert [] == verification.verify(desk.app).findings
    adoption.install(desk.app, BOB, str(path), "", confirm=True)
    assert [] == verification.verify(desk.app).findings


def mine(desk: Desk, kinds: str, *items: str) -> str:
    """Write a playbook of one's own for these kinds that asks these findings, and return its path."""
    path = desk.place.home / "mine.yaml"
    steps = "".join(
        f"  - id: {item}\n    title: Ask\n    required_by: contain\n    nature: finding\n    evidence: What was said.\n"
        for item in items
    )
    text = f"format: 1\nname: mine\nversion: '{len(kinds)}'\ntitle: Mine\nsummary: Little.\nkinds: [{kinds}]\n"
    path.write_text(f"{text}prerequisites:\n{steps}", encoding="utf-8")
    return str(path)


def test_kinds_that_are_new_to_a_playbook(desk: Desk) -> None:
    """Where two agreed that it asks enough of one kind, one person does not let it ask as little of another."""
    path = mine(desk, "user", "asked")
    adoption.install(desk.app, ANN, path, "ours")
    adoption.install(desk.app, BOB, path, "", confirm=True)
    wider = adoption.install(desk.app, ANN, mine(desk, "user, mailbox", "asked", "asked-again"), "for all")

    assert (False, True) == (wider.in_force, "password-reset" in wider.falls_away)
    own = [playbooks.show(desk.app, name).digest for name in (NAME, "mine")]
    assert own == desk.entries()[-1].data["replaces"]
    adoption.install(desk.app, BOB, str(desk.place.home / "mine.yaml"), "", confirm=True)
    assert [] == verification.verify(desk.app).findings


def test_new_cases_keep_a_playbook(sqlite_desk: Desk) -> None:
    """What every new case about a mailbox gets stays a playbook for mailboxes."""
    path = changed(sqlite_desk, version("9.1"), ("kinds: [mailbox, user]", "kinds: [user]"))
    with pytest.raises(InputError, match="New cases about a mailbox"):
        adoption.install(sqlite_desk.app, ANN, path, "no mailboxes")


def test_a_new_name_that_was_held_against_nothing(sqlite_desk: Desk) -> None:
    """An adoption by one person that leaves out what its kinds get does not replay."""
    adoption.install(sqlite_desk.app, ANN, mine(sqlite_desk, "mailbox", "asked"), "ours")
    book = load(sqlite_desk.place.home / "mine.yaml")
    data = dict(sqlite_desk.entries()[-1].data) | {"replaces": [], "falls_away": []}
    data.pop("reason")
    with sqlite_desk.app.database.transaction() as tx:
        cases.lock_log(tx)
        stored.adopt(tx, book.name, book.version, book.digest, canonical(book).decode())
        by = people.actor(sqlite_desk.app, tx, ANN)
        logbook.write(sqlite_desk.app, tx, by, [(EntryType.PLAYBOOK_ADOPTED, data)])
    (finding,) = verification.verify(sqlite_desk.app).findings
    assert "it was not held against the version that was in force" == finding.why


def test_an_installed_version_is_not_replaced_by_a_shipped_one(desk: Desk) -> None:
    """Not by opening a case, and not by asking for the name; only by installing that."""
    path = tighter(desk)
    adoption.install(desk.app, ANN, path, "ours")
    other = desk.again()
    with other.app.database.transaction() as tx:
        cases.lock_log(tx)
        assert "9.1" == logbook.current(other.app, tx, people.actor(other.app, tx, ANN), NAME).version
    assert "9.1" == playbooks.show(other.app, NAME).version


@pytest.mark.parametrize(
    ("source", "reason", "error"),
    [
        (NAME, "", "reason"),
        ("no-such-file.yaml", "x", "neither a playbook file"),
        ("/dev/null", "x", "neither a playbook file"),
        ("{folder}", "x", "neither a playbook file"),
    ],
)
def test_what_cannot_be_installed(sqlite_desk: Desk, source: str, reason: str, error: str) -> None:
    """No reason, no file, no playbook."""
    before = sqlite_desk.count()
    with pytest.raises(InputError, match=error):
        adoption.install(sqlite_desk.app, ANN, source.format(folder=sqlite_desk.place.home), reason)
    assert before == sqlite_desk.count()


def test_a_faulty_file_is_refused_with_every_fault(sqlite_desk: Desk) -> None:
    """A step that is never excepted stays so: the file says otherwise, and is turned away."""
    path = sqlite_desk.place.home / "bad.yaml"
    exception = "exception: {granted_by: lead, at_most: 7d}"
    text = shipped()[NAME].read_text(encoding="utf-8")
    path.write_text(text.replace("- id: password-reset", f"- id: password-reset\n    {exception}", 1), encoding="utf-8")
    with pytest.raises(PlaybookError, match="never excepted"):
        adoption.install(sqlite_desk.app, ANN, str(path), "x")


def adopt_anyway(desk: Desk, playbook: Playbook) -> Playbook:
    """Put a playbook in force past its reader, as somebody who can write the database might."""
    found = replace(playbook, version="6.6", digest="")
    found = replace(found, digest=digest(found))
    with desk.app.database.transaction() as tx:
        cases.lock_log(tx)
        logbook.adopt(desk.app, tx, people.actor(desk.app, tx, ANN), found)
    desk.app.adopted.clear()
    return found


def test_a_playbook_cannot_loosen_what_the_rules_themselves_say(desk: Desk) -> None:
    """Even one that came in past every check: no exception from the three, no approval by a hand in the work."""
    own = playbooks.show(desk.app, NAME)
    rule = ExceptionRule(Role.LEAD, 7 * DAY)
    items = tuple(replace(item, exception=rule) if item.id == "password-reset" else item for item in own.prerequisites)
    adopt_anyway(desk, replace(own, prerequisites=items))
    case_id = desk.restrict()
    user = casework.subject(desk.app, "default", Kind.USER, ADA)
    ask = act.AskException(
        prerequisite="password-reset", about=user, expires_at=desk.clock.now + DAY, reason=Private("no")
    )
    with pytest.raises(RuleRefusedError):
        desk.do(case_id, ask)
    desk.fulfil(case_id)
    desk.do(case_id, act.RequestUnblock(), who=BOB)
    for who in (ANN, BOB):
        with pytest.raises(SamePersonError):
            desk.do(case_id, act.ApproveUnblock(), who=who)
    assert State.UNBLOCK_REQUESTED is desk.case(case_id).state
    (finding,) = verification.verify(desk.app).findings
    assert ("replay", "log") == (finding.kind, finding.case)
    assert "nobody installed it" in finding.why


def forged(desk: Desk, **changes: Any) -> list[str]:
    """Append an adoption that no step of the product makes, and return what verification says of it."""
    path = looser(desk)
    proposed = adoption.install(desk.app, ANN, path, "back")
    data = dict(desk.entries()[-1].data) | {"proposal": desk.entries()[-1].sequence} | changes
    data.pop("reason")
    with desk.app.database.transaction() as tx:
        cases.lock_log(tx)
        by = people.actor(desk.app, tx, ANN if changes else BOB)
        logbook.write(desk.app, tx, by, [(EntryType.PLAYBOOK_ADOPTED, data)])
    assert proposed.playbook.digest == data["digest"]
    return [finding.why for finding in verification.verify(desk.app).findings]


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({}, ""),
        ({"version": "7"}, "no such step was possible: You proposed"),
        ({"proposal": 1}, "no such step was possible: You proposed"),
        ({"replaces": []}, "it was not held against the version that was in force"),
        ({"replaces": ["0" * 64]}, "it was not held against the version that was in force"),
    ],
)
def test_a_forged_adoption_does_not_replay(sqlite_desk: Desk, changes: dict[str, Any], why: str) -> None:
    """By the person who proposed it, or against another version than was in force."""
    found = forged(sqlite_desk, **changes)

    assert ([] == found) if not why else found[0].startswith(why)


def test_an_adoption_that_says_what_is_not_so(sqlite_desk: Desk) -> None:
    """Requirements that fall away are named, or the entry is not what the rules lead to."""
    looser(sqlite_desk)
    data = dict(sqlite_desk.entries()[-1].data) | {"falls_away": ["approvals"], "version": "9.2"}
    book = playbooks.show(sqlite_desk.app, NAME)
    data |= {"replaces": [book.digest], "digest": next(iter(logbook_shipped(sqlite_desk)))}
    data.pop("reason")
    with sqlite_desk.app.database.transaction() as tx:
        cases.lock_log(tx)
        by = people.actor(sqlite_desk.app, tx, ANN)
        logbook.write(sqlite_desk.app, tx, by, [(EntryType.PLAYBOOK_ADOPTED, data)])
    assert ["the rules lead to playbook:"] == [
        finding.why[:27] for finding in verification.verify(sqlite_desk.app).findings
    ]


def logbook_shipped(desk: Desk) -> set[str]:
    """Return the digests that came with the product under the name that is changed here."""
    with desk.app.database.reading() as tx:
        shelf = logbook.shelf(tx)
    return {item for item in shelf.shipped if shelf.versions[item][0] == NAME}


def test_the_machine_installs_nothing() -> None:
    """Automation is nobody who may put a playbook in force."""
    from workflow.domain.adoption import Shelf, install  # noqa: PLC0415 - only here

    with pytest.raises(NotPermittedError):
        install(Shelf(), load(shipped()[NAME]), [], SYSTEM, shipped=True, confirm=False)


def test_versions_are_compared(desk: Desk) -> None:
    """The shipped one with what is in force, that with a file, and any two."""
    path = tighter(desk)
    assert () == adoption.compare(desk.app, NAME).changes
    with_file = adoption.compare(desk.app, NAME, path)
    assert {"approvals", "version"} <= {change.member for change in with_file.changes}
    adoption.install(desk.app, ANN, path, "ours")
    own = adoption.compare(desk.app, NAME)
    back = adoption.compare(desk.app, NAME, path, "shipped")

    assert (with_file.changes, ()) == (own.changes, own.falls_away)
    assert ("approvals",) == back.falls_away
    assert json.loads(json.dumps(back.to_data())) == back.to_data()
    assert own.new.digest == adoption.compare(desk.app, NAME, own.new.digest[:12]).new.digest
    with pytest.raises(NotFoundError):
        adoption.compare(desk.app, NAME, "no-such")


def test_only_shipped_names_have_a_shipped_version(desk: Desk) -> None:
    """Of one's own there is only what was adopted."""
    from tests.services.test_views import own  # noqa: PLC0415 - only here

    own(desk)
    with pytest.raises(InputError, match="came with the product"):
        adoption.compare(desk.app, "own")


def test_an_export_carries_every_playbook(sqlite_desk: Desk, tmp_path: Path) -> None:
    """One's own too; one that is missing or exchanged is found without any database."""
    adoption.install(sqlite_desk.app, ANN, tighter(sqlite_desk), "ours")
    sqlite_desk.restrict()
    path = tmp_path / "export.jsonl"
    count = audit.export(sqlite_desk.app, path)
    key = audit.public_key(sqlite_desk.app)
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    report = audit.verify_export(path, key, START)
    assert ([], count) == (report.findings, report.counts["entries"])

    own = playbooks.show(sqlite_desk.app, NAME)
    assert canonical(own).decode() in {json.loads(line).get("text") for line in lines}
    path.write_text("".join(line for line in lines if own.digest not in line[:100]), encoding="utf-8")
    (finding,) = audit.verify_export(path, key, START).findings
    assert ("playbook", True) == (finding.kind, "is not in the export" in finding.why)


def test_a_case_under_a_playbook_that_nobody_adopted(sqlite_desk: Desk, tmp_path: Path) -> None:
    """Its digest is held against the log's adoptions, in the export as in the database."""
    own = playbooks.show(sqlite_desk.app, NAME)
    book = replace(own, version="6.6", digest="")
    book = replace(book, digest=digest(book))
    with sqlite_desk.app.database.transaction() as tx:
        tx.run(
            "INSERT INTO playbook (digest, name, version, body) VALUES (?, ?, ?, ?)",
            (book.digest, book.name, book.version, canonical(book).decode()),
        )
    sqlite_desk.app.adopted[NAME] = book.digest
    case_id = sqlite_desk.restrict()
    found = {finding.kind: finding for finding in verification.verify(sqlite_desk.app).findings}
    assert {"playbook", "replay"} == set(found)
    assert case_id == found["replay"].case
    path = tmp_path / "export.jsonl"
    audit.export(sqlite_desk.app, path)
    stored, used = audit.verify_export(path, audit.public_key(sqlite_desk.app), START).findings
    assert "is in the export and never adopted" in stored.why
    assert (case_id, True) == (used.case, "never adopted here" in used.why)
