"""Erasing what is personal about ended cases: who may, what goes, what stays, and that every proof stands."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from tests.services.desk import ADA, ANN, BOB, CAT, DAY, EVE, NOT_LISTED, Desk, report
from workflow.domain import actions as act
from workflow.domain.private import Private
from workflow.domain.restriction import Source
from workflow.domain.vocabulary import Kind, Resolution, State
from workflow.errors import (
    ErasurePendingError,
    InputError,
    NotFoundError,
    RuleRefusedError,
    SamePersonError,
    WrongStateError,
)
from workflow.services import audit, casework, erasure, evidence_files, verification, worklist
from workflow.services.history import history
from workflow.services.people import Who
from workflow.services.views import case_view
from workflow.storage import subjects

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from workflow.services.casework import Done

YEAR = timedelta(days=365)
WHY = Private("article 17")


def ended(desk: Desk, address: str = ADA, who: Who = ANN) -> str:
    """Return a case with traces of somebody everywhere, dismissed by two people."""
    case_id = desk.restrict(address, reason=f"spam by {address}", name=f"Name of {address}")
    digest = casework.attach(desk.app, f"mail of {address}".encode())
    user = casework.subject(desk.app, "default", Kind.USER, f"second-{address}")
    desk.do(case_id, act.AddIdentity(subject=user, reference=Private(address)), who=who)
    desk.met(
        case_id,
        "snapshot-taken",
        note=Private(f"{address} on the telephone"),
        before=Private(address.upper()),
        after=Private(address),
        attachment=digest,
        file=Private(f"{address}.eml"),
    )
    desk.do(case_id, desk.gone(reference=Private(f"portal, {address}")))
    dismissal = act.DismissCase(resolution=Resolution.FALSE_POSITIVE, reason=Private("a newsletter after all"))
    desk.do(case_id, dismissal, who=who)
    desk.do(case_id, act.ConfirmProposal(proposal="dismissal", reason=Private("agreed")), who=BOB)
    return case_id


def propose(desk: Desk, case_id: str, who: Who = ANN) -> Done:
    """Propose the erasure."""
    return desk.do(case_id, act.EraseCase(reason=WHY), who=who)


def confirm(desk: Desk, case_id: str, who: Who = BOB) -> Done:
    """Confirm it."""
    return desk.do(case_id, act.ConfirmProposal(proposal="erasure"), who=who)


def erased(desk: Desk, address: str = ADA) -> str:
    """Return a case that was erased a year after its end."""
    case_id = ended(desk, address)
    desk.clock.move(YEAR)
    propose(desk, case_id)
    confirm(desk, case_id)
    return case_id


def stored(desk: Desk) -> str:
    """Return every text and name that is stored, as one text."""
    with desk.app.database.reading() as tx:
        rows = tx.all("SELECT value FROM opening") + tx.all("SELECT identifier FROM subject")
        files = [bytes(content) for (content,) in tx.all("SELECT content FROM attachment")]
    return " ".join(text for (text,) in rows).casefold() + b" ".join(files).decode()


def test_names_texts_and_files_go_and_every_proof_stays(desk: Desk) -> None:
    """Nothing stored names them any more, and the whole ledger verifies, replay and pictures included."""
    case_id = erased(desk)
    kept = ended(desk, EVE)

    assert ADA not in stored(desk)
    assert f"mail of {EVE}" in stored(desk)
    found = verification.verify(desk.app)
    assert ([], 1) == (found.findings, found.counts["erased_cases"])
    assert 9 == found.counts["texts_without_opening"]
    assert "case:erased" == desk.types(case_id)[-1]
    assert desk.case(kept).erased_at is None
    assert 2 == audit.rebuild(desk.app, ANN)


def test_what_was_decided_stays(desk: Desk) -> None:
    """Who did what, when, and why it was dismissed and erased."""
    case_id = erased(desk)
    lines = {line.type: line for line in history(desk.app, case_id)}

    assert ("ann", "(erased)") == (lines["evidence:recorded"].by, lines["evidence:recorded"].details["note"])
    assert ("bob", "agreed") == (lines["case:dismissed"].by, lines["case:dismissed"].details["reason"])
    assert ("bob", "erasure") == (lines["case:erased"].by, lines["case:erased"].details["proposal"])
    assert {"a newsletter after all", "article 17"} <= {
        str(line.details.get("reason")) for line in history(desk.app, case_id)
    }


def test_every_view_says_so(desk: Desk) -> None:
    """The case, its list, its files: erased, with nothing left to do."""
    case_id = erased(desk)
    shown = case_view(desk.app, case_id)

    assert ("(erased)", [], False) == (shown.entity, shown.possible, shown.erased_at is None)
    assert {("", "", ())} == {(item.command, item.portal, tuple(item.next)) for item in shown.prerequisites}
    assert [("(erased)", None)] == [(item.name, item.size) for item in evidence_files.attached(desk.app, case_id)]
    every = worklist.Filters(states=(State.DISMISSED,))
    assert ["(erased)"] == [row.entity for row in worklist.worklist_page(desk.app, every).rows]
    with pytest.raises(NotFoundError):
        casework.find(desk.app, ADA)


def test_it_takes_two_people(team: Desk) -> None:
    """Not the one who proposed it, and not somebody whose roles do not include it."""
    case_id = ended(team)
    team.clock.move(YEAR)
    propose(team, case_id, who=CAT)
    with pytest.raises(SamePersonError):
        confirm(team, case_id, who=CAT)
    with pytest.raises(WrongStateError):
        propose(team, case_id, who=BOB)
    confirm(team, case_id, who=BOB)
    assert [] == verification.verify(team.app).findings


def test_it_can_be_turned_down(desk: Desk) -> None:
    """Then nothing is erased, and it can be proposed anew."""
    case_id = ended(desk)
    desk.clock.move(YEAR)
    propose(desk, case_id)
    desk.do(case_id, act.RefuseProposal(proposal="erasure", reason=Private("still in court")), who=BOB)
    with pytest.raises(NotFoundError):
        confirm(desk, case_id)
    assert ADA in stored(desk)
    propose(desk, case_id)
    assert [] == verification.verify(desk.app).findings


def test_an_open_case_is_not_erased(desk: Desk) -> None:
    """Neither proposed nor turned down: there is nothing to turn down."""
    case_id = desk.restrict()
    with pytest.raises(WrongStateError):
        propose(desk, case_id)
    with pytest.raises(WrongStateError):
        desk.do(case_id, act.RefuseProposal(proposal="erasure"))
    assert [] == verification.verify(desk.app).findings


def test_no_erasure_without_a_reason(desk: Desk) -> None:
    """As for everything that needs two people."""
    case_id = ended(desk)
    desk.clock.move(YEAR)
    with pytest.raises(InputError, match="reason"):
        desk.do(case_id, act.EraseCase())


def test_the_time_for_audits_comes_first(desk: Desk) -> None:
    """A year by default; the refusal is on the ledger and replays."""
    case_id = ended(desk)
    desk.clock.move(YEAR - DAY)
    with pytest.raises(RuleRefusedError, match="2027-11-24"):
        propose(desk, case_id)
    assert "action:refused" == desk.types(case_id)[-1]
    desk.clock.move(DAY)
    propose(desk, case_id)
    assert [] == verification.verify(desk.app).findings


def test_a_longer_retention_holds_what_was_proposed_before(open_desk: Callable[..., Desk]) -> None:
    """Both are judged under the settings of their own time, and what a face says about either counts for nothing."""
    desk = open_desk(retention="0d")
    case_id = ended(desk)
    desk.do(case_id, act.EraseCase(reason=WHY, retention=10**12, linked=("nonsense",)))
    longer = desk.again(retention="30d")
    with pytest.raises(RuleRefusedError, match="retention"):
        longer.do(case_id, act.ConfirmProposal(proposal="erasure", retention=0), who=BOB)
    longer.clock.move(30 * DAY)
    confirm(longer, case_id)
    assert [] == verification.verify(longer.app).findings


def test_a_shorter_retention_than_the_settings_said_is_found(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever lets a case be erased early has to change the setting, and that stands on the ledger."""
    case_id = ended(desk)
    monkeypatch.setattr(type(desk.app.settings), "retention_within", timedelta(days=7))
    desk.clock.move(7 * DAY)
    propose(desk, case_id)
    confirm(desk, case_id)
    (finding,) = verification.verify(desk.app).findings
    assert ("replay", True) == (finding.kind, "shorter retention" in finding.why)


def test_an_open_case_about_the_same_person_comes_first(desk: Desk) -> None:
    """About the mailbox again, or about the user behind it."""
    case_id = ended(desk)
    desk.clock.move(YEAR)
    propose(desk, case_id)
    desk.take(report(ADA, kind=Kind.USER, status=NOT_LISTED), who=ANN)
    (taken,) = desk.take(report(ADA, kind=Kind.USER, source=Source.BOUNCE, restricted_at=desk.clock.now))
    with pytest.raises(RuleRefusedError, match="still open"):
        confirm(desk, case_id)
    other = casework.find(desk.app, str(taken.case_number))
    desk.do(other, act.DismissCase(resolution=Resolution.DUPLICATE, duplicate_of=case_id, reason=WHY))
    desk.do(other, act.ConfirmProposal(proposal="dismissal"), who=BOB)
    confirm(desk, case_id)
    assert [] == verification.verify(desk.app).findings


def test_what_another_case_needs_stays(desk: Desk) -> None:
    """A user named in both and a file attached to both go with the second erasure."""
    first, second = ended(desk), desk.restrict(EVE)
    desk.do(second, act.AddIdentity(subject=casework.subject(desk.app, "default", Kind.USER, ADA)))
    desk.met(second, "snapshot-taken", attachment=casework.attach(desk.app, f"mail of {ADA}".encode()))
    desk.do(second, desk.gone())
    desk.do(second, act.DismissCase(resolution=Resolution.FALSE_POSITIVE, reason=WHY))
    desk.do(second, act.ConfirmProposal(proposal="dismissal"), who=BOB)
    desk.clock.move(YEAR)
    propose(desk, first)
    confirm(desk, first)

    with desk.app.database.reading() as tx:
        assert [("user",)] == tx.all("SELECT kind FROM subject WHERE identifier = ?", (ADA,))
    assert 1 == sum(item.size is not None for item in evidence_files.attached(desk.app, second))
    assert [] == verification.verify(desk.app).findings
    propose(desk, second)
    confirm(desk, second)
    assert ADA not in stored(desk)
    assert [] == verification.verify(desk.app).findings


@pytest.mark.parametrize("old", [False, True])
def test_what_was_only_refused_in_another_case_stays_with_it(desk: Desk, *, old: bool) -> None:
    """A user whom a refused step of another case names, and its file, go with the erasure of that case."""
    first, second = ended(desk), desk.restrict(EVE)
    digest = casework.attach(desk.app, f"mail of {ADA}".encode())
    desk.do(second, desk.gone())
    desk.do(second, act.DismissCase(resolution=Resolution.FALSE_POSITIVE, reason=WHY))
    desk.do(second, act.ConfirmProposal(proposal="dismissal"), who=BOB)
    with pytest.raises(WrongStateError):
        desk.met(second, "password-reset", ADA, attachment=digest)
    desk.clock.move(YEAR)
    propose(desk, first)
    confirm(desk, first)

    assert f"mail of {ADA}" in stored(desk)
    assert [] == verification.verify(desk.app).findings
    if old:
        # As an erasure did before it heeded refusals: the ledger tells of it.
        with desk.app.database.transaction() as tx:
            tx.run("DELETE FROM subject WHERE identifier = ?", (ADA,))
            tx.run("DELETE FROM attachment WHERE digest = ?", (digest,))
        assert [] == verification.verify(desk.app).findings
    propose(desk, second)
    confirm(desk, second)
    assert ADA not in stored(desk)
    assert [] == verification.verify(desk.app).findings


def test_a_step_about_nobody_known_is_recorded_nowhere(desk: Desk) -> None:
    """An entry that names somebody whom nothing ever stood for could not be told from one whose name was taken."""
    case_id = desk.restrict()
    before = desk.types(case_id)
    with pytest.raises(NotFoundError, match="not registered"):
        desk.do(case_id, replace(desk.evidence("password-reset"), about="sub_404"))
    with pytest.raises(NotFoundError, match="not registered"):
        desk.do(case_id, act.RemoveIdentity(subject="sub_404", reason=WHY))
    assert before == desk.types(case_id)


def test_nothing_can_be_done_to_an_erased_case(desk: Desk) -> None:
    """No step is recorded, because its texts would be kept again."""
    case_id = erased(desk)
    before = desk.count()
    for action in (
        act.AddNote(note=Private(ADA)),
        act.ReopenCase(reason=WHY),
        act.EraseCase(reason=WHY),
        desk.gone(),
        act.ConfirmProposal(proposal="erasure"),
    ):
        with pytest.raises(NotFoundError, match="was erased"):
            desk.do(case_id, action)
    assert before == desk.count()


def test_the_same_address_later_is_somebody_new(desk: Desk) -> None:
    """A case of its own, with no way back to the erased one."""
    case_id = erased(desk)
    entity = desk.case(case_id).entity
    again = desk.restrict(ADA)

    assert (entity, 2) != (desk.case(again).entity, desk.case(again).number)
    assert () == desk.case(again).links
    assert [] == verification.verify(desk.app).findings


def test_a_report_about_an_erased_case_whose_name_another_needs(desk: Desk) -> None:
    """An occurrence it knew is known; a new one is a case of its own."""
    case_id = ended(desk)
    other = desk.restrict(EVE)
    entity = desk.case(case_id).entity
    desk.do(other, act.AddIdentity(subject=entity))
    desk.clock.move(YEAR)
    propose(desk, case_id)
    confirm(desk, case_id)
    (known,) = desk.take(report(ADA, source=Source.BOUNCE, restricted_at=None, observed_at=None))
    (new,) = desk.take(report(ADA, restricted_at=desk.clock.now))

    assert ("known", "opened") == (known.outcome, new.outcome)
    assert entity == desk.case(casework.find(desk.app, str(new.case_number))).entity
    assert [] == verification.verify(desk.app).findings


def test_a_text_that_came_back_is_found(sqlite_desk: Desk) -> None:
    """What was erased stays erased, or verification says so."""
    case_id = erased(sqlite_desk)
    note = next(entry.data["note"]["commitment"] for entry in sqlite_desk.entries(case_id) if "note" in entry.data)
    with sqlite_desk.app.database.transaction() as tx:
        tx.run("INSERT INTO opening (commitment, salt, value, case_id) VALUES (?, ?, ?, ?)", (note, b"s", "x", case_id))
    (finding,) = verification.verify(sqlite_desk.app).findings
    assert "the case was erased, and its text is still here" == finding.why


def test_a_name_that_is_being_erased_is_waited_for(desk: Desk) -> None:
    """A subject is held by whoever names it; one that is gone is not there."""
    desk.restrict()
    with desk.app.database.transaction() as tx:
        (known,) = subjects.same_identifier(tx, [desk.case(casework.find(desk.app, "1")).entity]) & {
            desk.case(casework.find(desk.app, "1")).entity
        }
        assert (True, False) == (subjects.held(tx, known), subjects.held(tx, "sub_none"))


def test_a_server_says_what_is_left_to_its_administrator(desk: Desk) -> None:
    """On SQLite nothing is left."""
    erased(desk)
    assert (desk.app.database.path is None) == ("administrator" in erasure.scrub(desk.app))


def traces(folder: Path, words: list[str]) -> list[tuple[str, str]]:
    """Return which of these words stand in which file, in any case of letters, in UTF-8 or UTF-16."""
    files = [(file.name, file.read_bytes().lower()) for file in folder.rglob("*") if file.is_file()]
    codes = ("utf-8", "utf-16-le", "utf-16-be")
    return [
        (name, word)
        for name, content in files
        for word in words
        if any(word.casefold().encode(code) in content for code in codes)
    ]


def erase_many(desk: Desk, number: int, gone: int) -> list[str]:
    """Open and dismiss cases, erase the first ``gone`` of every two, and return the erased addresses."""
    addresses = [
        f"person-{'é' if index % 3 else 'e'}{index * 7919:x}-{index}@contoso.example" for index in range(number)
    ]
    desk.take(*(report(address, reason=f"spam by {address}", name=address.upper()) for address in addresses))
    ids = {address: casework.find(desk.app, address) for address in addresses}
    desk.clock.move()

    def every(who: Who, *actions: act.Action, among: list[str] = addresses) -> None:
        wanted = ((ids[address], [*actions]) for address in among)
        assert [] == [done for _, done in casework.perform_many(desk.app, who, wanted) if isinstance(done, Exception)]

    for address in addresses:
        note = act.AddNote(note=Private(f"{address} called, and {address.title()} again"))
        assert list(casework.perform_many(desk.app, ANN, [(ids[address], [note])]))
    every(ANN, desk.gone(observed_at=desk.clock.now), act.DismissCase(resolution=Resolution.FALSE_POSITIVE, reason=WHY))
    every(BOB, act.ConfirmProposal(proposal="dismissal"))
    desk.clock.move(YEAR)
    leaving = addresses[::2][:gone]
    every(ANN, act.EraseCase(reason=WHY), among=leaving)
    every(BOB, act.ConfirmProposal(proposal="erasure"), among=leaving)
    return leaving


@pytest.mark.parametrize(
    ("number", "gone"), [(120, 60), pytest.param(2000, 1000, marks=pytest.mark.long)], ids=["60", "1000"]
)
def test_no_byte_of_an_erased_address_stays_in_any_file(sqlite_desk: Desk, number: int, gone: int) -> None:
    """Neither in the database nor in its log, shared memory or index, nor in key and checkpoint folders."""
    leaving = erase_many(sqlite_desk, number, gone)
    assert gone == len(leaving)

    assert "" == erasure.scrub(sqlite_desk.app)

    assert [] == traces(sqlite_desk.place.home, leaving)
    found = verification.verify(sqlite_desk.app)
    assert ([], gone) == (found.findings, found.counts["erased_cases"])


def test_a_reader_delays_the_last_bytes(sqlite_desk: Desk) -> None:
    """The rows are gone at once, their bytes when nobody reads what was there before."""
    other = sqlite_desk.again()
    case_id = ended(sqlite_desk)
    sqlite_desk.clock.move(YEAR)
    propose(sqlite_desk, case_id)
    with other.app.database.reading() as tx:
        tx.all("SELECT 1 FROM subject")
        confirm(sqlite_desk, case_id)
        with pytest.raises(ErasurePendingError):
            erasure.scrub(sqlite_desk.app)
        assert [] != traces(sqlite_desk.place.home, [ADA])
    erasure.scrub(sqlite_desk.app)
    assert [] == traces(sqlite_desk.place.home, [ADA])
