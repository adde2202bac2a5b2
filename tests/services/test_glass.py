"""Breaking the glass through the service: the ledger's own word about the setting decides, and is verified."""

from collections.abc import Callable

import pytest

from tests.services.desk import ADA, ANN, BOB, HOUR, Desk, Place
from workflow.domain import actions as act
from workflow.domain.lifecycle import advance
from workflow.domain.picture import picture
from workflow.domain.private import Private
from workflow.domain.record import Entry
from workflow.domain.vocabulary import Verdict
from workflow.errors import ConflictError, RuleRefusedError
from workflow.services import casework, glass, history, setup, verification, views, worklist, writing
from workflow.services.report import report
from workflow.services.verdict import Report
from workflow.services.worklist import Filters
from workflow.storage import cases
from workflow.storage.journal import move

ALONE = act.ApproveUnblock(break_glass=True, reason=Private("2 a.m., nobody answers"))


@pytest.fixture
def open_alone(open_desk: Callable[..., Desk]) -> Desk:
    """A desk that may break the glass, on either database."""
    return open_desk(break_glass=True)


def broken(desk: Desk) -> str:
    """Return a case that Ann requested and approved alone."""
    case_id = desk.requested()
    desk.do(case_id, ALONE)
    return case_id


def test_the_setting_is_an_entry_and_off_says_nothing(open_desk: Callable[..., Desk]) -> None:
    """Turned on it is written before the next step; a ledger that never knew it gets no entry for its being off."""
    off = open_desk()
    off.restrict()
    told = [entry for entry in off.entries() if entry.type == "settings:changed"]
    assert [None] == [entry.data.get("break_glass") for entry in told]
    on = off.again(break_glass=True)
    case_id = broken(on)
    lines = [entry.text for entry in history.log(on.app, 99) if entry.type == "settings:changed"]
    assert ["settings changed, break-glass off", "settings changed, break-glass on"] == lines
    entry = on.entries(case_id)[-1]
    assert on.entries()[-1].data["break_glass"] is True
    assert on.entries()[-1].leaf == entry.basis["setting"]


def test_off_is_off(desk: Desk) -> None:
    """The refusal is on the ledger, and replays."""
    case_id = desk.requested()
    with pytest.raises(RuleRefusedError, match="turned off"):
        desk.do(case_id, ALONE)
    setup.seal_now(desk.app)
    assert [] == verification.verify(desk.app).findings


def test_turned_off_meanwhile_is_off(open_alone: Desk) -> None:
    """What another process put on the ledger since counts, not what this one was started with."""
    case_id = open_alone.requested()
    other = open_alone.again()
    other.do(case_id, act.AddNote(note=Private("back to two people")))
    with pytest.raises(ConflictError):
        open_alone.do(case_id, ALONE)


def test_everything_says_so(open_alone: Desk) -> None:
    """View, worklist and history, before and after the review; many at once are refused one by one."""
    case_id = broken(open_alone)
    found = views.case_view(open_alone.app, case_id)
    (told,) = found.break_glass_approvals
    assert ("ann", True, "2 a.m., nobody answers", "unreviewed") == (
        told["by"], told["claimed"], told["reason"], told["verdict"],
    )  # fmt: skip
    assert [True] == [approval["break_glass"] for approval in found.approvals]
    assert "unblock approved, BREAK-GLASS: without a second person: 2 a.m., nobody answers" == (
        history.history(open_alone.app, case_id)[-1].text
    )
    mark = "approved without a second person (break-glass, entry"
    assert any(line.startswith(mark) and "unreviewed" in line for line in report(open_alone.app, ["1"]).cases[0].marks)
    open_alone.do(case_id, act.ReviewApproval(verdict=Verdict.JUSTIFIED, reason=Private("it was")), who=BOB)
    (told,) = views.case_view(open_alone.app, case_id).break_glass_approvals
    assert ("justified", "bob", "it was") == (told["verdict"], told["reviewed_by"], told["finding"])
    assert "break-glass approval reviewed: justified, it was" == history.history(open_alone.app, case_id)[-1].text
    (row,) = worklist.worklist_page(open_alone.app, Filters()).rows
    assert ["justified"] == row.break_glass
    setup.seal_now(open_alone.app)
    assert [] == verification.verify(open_alone.app).findings


def test_in_a_batch_it_is_judged_as_alone(open_alone: Desk) -> None:
    """The lock on the setting is taken for a batch as for one case."""
    case_id = open_alone.requested()
    open_alone.clock.move()
    ((_, done),) = casework.perform_many(open_alone.app, ANN, [(case_id, [ALONE])])
    assert isinstance(done, casework.Done)
    assert 1 == len(done.case.unreviewed)


def test_settings_turned_off_never_come_before_an_approval(open_alone: Desk) -> None:
    """A clock that is behind the approver's does not make an honest approval look forbidden."""
    broken(open_alone)
    other = open_alone.again()
    approved = open_alone.clock.now
    other.app.now = lambda: approved - HOUR
    other.do(casework.find(other.app, ADA), act.AddNote(note=Private("x")))
    setup.seal_now(other.app)
    told = [entry for entry in other.entries() if entry.type == "settings:changed"]
    assert told[-1].recorded_at >= told[-2].recorded_at
    assert [] == verification.verify(other.app).findings


def judged(desk: Desk, case_id: str, told: list[tuple[Entry, int]], *, ordered: bool = True) -> list[str]:
    """Return what is found of a case's last entry, at leaf 100, under what the log is made to say of its settings."""
    report = Report()
    glass.check(report, case_id, [(desk.entries(case_id)[-1], 100)], told, ordered=ordered)
    return [item.why for item in report.findings if item.kind == "break-glass"]


def test_an_approval_against_the_ledgers_word_is_named(open_alone: Desk) -> None:
    """A setting that nobody turned on, that was off, turned on after it, or turned off before it."""
    case_id = broken(open_alone)
    on = next(entry for entry in open_alone.entries() if glass.allows(entry))
    off = on._replace(data={}, leaf="0f" * 32, recorded_at="2026-11-24T08:00:00.000000Z")
    later = off._replace(recorded_at="2026-11-25T08:00:00.000000Z")
    assert [] == judged(open_alone, case_id, [(on, 7), (on._replace(leaf="01" * 32), 8), (off, 101)])
    assert ["it broke the glass on a setting that no entry of the log turned on"] == judged(open_alone, case_id, [])
    assert judged(open_alone, case_id, [(off._replace(leaf=on.leaf), 7)])[0].endswith("turned on")
    assert ["it broke the glass before the setting was turned on"] == judged(open_alone, case_id, [(on, 101)])
    assert ["it broke the glass after the setting was turned off"] == judged(open_alone, case_id, [(on, 7), (off, 9)])
    # Where leaves are numbered later than committed, time tells what came before.
    assert judged(open_alone, case_id, [(on, 101), (off, 102)], ordered=False)[0].endswith("turned off")
    assert [] == judged(open_alone, case_id, [(on, 101), (later, 9)], ordered=False)


def test_a_forged_setting_is_found_by_the_verification(sqlite_place: Place) -> None:
    """An approval that cites what is no entry of the log fails the whole."""
    desk = Desk(sqlite_place)
    case_id = desk.requested()
    desk.clock.move()
    with desk.app.database.transaction() as tx:
        case = cases.load(tx, case_id)
        books = {case.playbook: desk.app.playbook(tx, case.playbook)}
        actor = casework.people.actor(desk.app, tx, ANN)  # type: ignore[attr-defined]
        sealed, opened = writing.seal(tx, case, [ALONE])
        step = advance(case, sealed[0], actor, books, desk.clock.now, None, "5e" * 32)
        stamp = writing.Stamp(desk.clock.now, "ok", "forged")
        after, _ = writing.write(desk.app, tx, case, step.records, stamp, opened)
        move(tx, picture(after, books[after.playbook]))
    found = verification.verify(desk.app)
    assert [("break-glass", case_id)] == [(item.kind, item.case) for item in found.findings]
    desk.close()
