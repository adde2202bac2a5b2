"""The report of a case: what it says of steps, people, times and grounds, on both databases."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.services.desk import ADA, BOB, CAT, DAY, EVE, HOUR, LISTED, Desk, Place, plain
from tests.services.test_verification import forced
from workflow.domain import actions as act
from workflow.domain.adoption import Shelf
from workflow.domain.private import Private
from workflow.domain.vocabulary import Kind, Resolution, Result, TenantFact, Verdict
from workflow.errors import NotFoundError
from workflow.services import casework, tenants
from workflow.services.report import ROW, OccurrenceReport, Report, report, rows
from workflow.services.tenants import Found


def of(desk: Desk, *references: str) -> Report:
    """Return a report, by default of case 1."""
    return report(desk.app, references or ("1",))


def only(desk: Desk) -> OccurrenceReport:
    """Return the one occurrence of case 1."""
    (case,) = of(desk).cases
    (occurrence,) = case.occurrences
    return occurrence


def step(part: OccurrenceReport, name: str) -> dict[str, Any]:
    """Return one prerequisite."""
    (found,) = (item for item in part.prerequisites if item["id"] == name)
    return found


def kinds(part: OccurrenceReport) -> list[str]:
    """Return the types of the decisions."""
    return [item["type"] for item in part.decisions]


def test_a_release(desk: Desk) -> None:
    """Times in their order, decisions with what they stood on, and the answer that nobody but a person saw it gone."""
    desk.released()
    part = only(desk)
    decisions = {item["type"]: item for item in part.decisions}
    asked, agreed = decisions["unblock:requested"], decisions["unblock:approved"]
    times = [part.times[name] for name in ("began_at", "contained_at", "requested_at", "approved_at", "intended_at")]

    assert sorted(map(str, times)) == times
    assert ("attested-only", "released") == (part.unblocked, part.resolution)
    assert ("ann", "bob") == (asked["by"], agreed["by"])
    assert (True, asked["shown"]["digest"]) == (agreed["shown"]["repeats"], agreed["shown"]["digest"])
    assert {"met", "not-applicable"} >= {row["standing"] for row in agreed["shown"]["evidence"]}
    assert [] == agreed["shown"]["exceptions"]
    assert part.states[0]["to"] == part.states[1]["from"]
    assert ("released", None) == (part.states[-1]["state"], part.states[-1]["to"])


def test_what_was_shown_is_what_was_sent(desk: Desk) -> None:
    """The version and digest that an approver saw stand beside the ones the approval is bound to."""
    case_id = desk.requested()
    digest = desk.case(case_id).request.digest  # type: ignore[union-attr]
    version = desk.case(case_id).version
    desk.do(case_id, act.ApproveUnblock(seen_version=version, seen_digest=digest, bulk=3), who=BOB)
    (case,) = of(desk).cases
    approval = case.occurrences[0].decisions[-1]

    assert (version, digest, digest) == tuple(approval["shown"][key] for key in ("version", "seen_digest", "digest"))
    assert 3 == approval["bulk"]
    assert "approved in bulk, as one of 3 cases" in case.marks


def test_how_a_step_is_known(desk: Desk) -> None:
    """Who, when observed and recorded, how known, before and after, and on what reference."""
    case_id = desk.restrict()
    observed = desk.clock.now
    desk.clock.move(HOUR)
    changes: dict[str, Any] = {"before": Private("forward to x"), "after": Private("none"), "note": Private("n")}
    desk.met(case_id, "forwarding-reviewed", observed_at=observed, **changes)
    found = step(only(desk), "forwarding-reviewed")

    assert ("held", "met", "attested", "ann", True) == tuple(
        found[key] for key in ("standing", "result", "method", "by", "claimed")
    )
    assert found["observed_at"] < found["recorded_at"]
    assert ("https://example.org/4711", "n", "forward to x", "none") == tuple(
        found[key] for key in ("reference", "note", "before", "after")
    )


def test_an_open_case_is_drawn_as_it_stands_now(desk: Desk) -> None:
    """What went stale since the last entry is said to have gone stale; nothing is written."""
    case_id = desk.restrict()
    desk.fulfil(case_id)
    desk.clock.move(40 * DAY)
    count = desk.count()
    part = only(desk)

    assert "lapsed" in {item["standing"] for item in part.prerequisites}
    assert "not-yet" == part.unblocked
    assert count == desk.count()


def test_a_release_is_drawn_as_it_counted(desk: Desk) -> None:
    """A year later the report still shows what the release stood on, not what went stale since."""
    desk.released()
    desk.clock.move(365 * DAY)

    assert {"held"} == {
        item["standing"] for item in only(desk).prerequisites if item["phase"] != "close" and item["required"]
    }


def test_a_case_that_came_back(desk: Desk) -> None:
    """Each occurrence has its own steps: what was done for the first does not count for the second."""
    case_id = desk.released()
    desk.clock.move(DAY)
    desk.do(case_id, act.ObserveRestriction(status=LISTED, observed_at=desk.clock.now))
    (case,) = of(desk).cases
    first, second = case.occurrences

    assert (1, "attested-only", "held") == (
        first.recurrence,
        first.unblocked,
        step(first, "snapshot-taken")["standing"],
    )
    assert (2, "not-yet", "unanswered") == (
        second.recurrence,
        second.unblocked,
        step(second, "snapshot-taken")["standing"],
    )


def excepted(desk: Desk) -> str:
    """Return a case with an exception from the review of app consents, asked for by Ann and granted by Cat."""
    case_id = desk.restrict()
    user = casework.subject(desk.app, "default", Kind.USER, ADA)
    expires = desk.clock.now + 5 * DAY
    ask = act.AskException(
        prerequisite="app-consents-reviewed", about=user, expires_at=expires, reason=Private("tool is down")
    )
    desk.do(case_id, ask)
    desk.do(case_id, act.ConfirmProposal(proposal=f"exception:app-consents-reviewed/{user}"), who=CAT)
    return case_id


def test_an_exception(desk: Desk) -> None:
    """Who asked, who granted, until when and why; and the decisions that stood on it say so."""
    case_id = excepted(desk)
    steps = [item for item in desk.every(case_id) if item.prerequisite != "app-consents-reviewed"]
    desk.do(case_id, *steps)
    desk.do(case_id, act.RequestUnblock(reason=Private("done")))
    (case,) = of(desk).cases
    (one,) = case.occurrences[0].exceptions
    (ground,) = case.occurrences[0].decisions[-1]["shown"]["exceptions"]

    assert ("app-consents-reviewed", ADA, "ann", "cat", "tool is down", "") == tuple(
        one[key] for key in ("prerequisite", "about", "asked_by", "granted_by", "reason", "ended")
    )
    assert one["asked_at"] < one["granted_at"] < one["until"]
    assert (one["sequence"], "cat", one["until"]) == (ground["entry"], ground["by"], ground["until"])
    assert "released or worked with exceptions" in case.marks


def test_how_an_exception_ended(desk: Desk) -> None:
    """One that is retracted is said to be; what else is retracted leaves it alone, and so does a second end."""
    case_id = excepted(desk)
    user = casework.subject(desk.app, "default", Kind.USER, ADA)
    desk.met(case_id, "snapshot-taken")
    desk.do(case_id, act.RetractEvidence(prerequisite="snapshot-taken", reason=Private("wrong case")))
    before = only(desk).exceptions[0]["ended"]
    desk.do(case_id, act.RetractEvidence(prerequisite="app-consents-reviewed", about=user, reason=Private("no")))
    desk.met(case_id, "app-consents-reviewed", ADA)
    desk.do(case_id, act.RetractEvidence(prerequisite="app-consents-reviewed", about=user, reason=Private("again")))

    assert ("", "retracted") == (before, only(desk).exceptions[0]["ended"])


def test_an_exception_that_ran_out(desk: Desk) -> None:
    """Its end is in the report once it is on the ledger."""
    case_id = excepted(desk)
    desk.clock.move(6 * DAY)
    desk.do(case_id, act.AddNote(note=Private("still here")))

    assert "expired" == only(desk).exceptions[0]["ended"]


def test_a_dismissal(desk: Desk) -> None:
    """Proposal and confirmation are decisions of two people, and the case ended without an unblock of ours."""
    case_id = desk.restrict()
    desk.do(case_id, desk.gone())
    desk.do(case_id, act.DismissCase(resolution=Resolution.FALSE_POSITIVE, reason=Private("a test")))
    desk.do(case_id, act.ConfirmProposal(proposal="dismissal"), who=BOB)
    part = only(desk)

    assert ("no", "false_positive") == (part.unblocked, part.resolution)
    assert ["restriction:observed", "proposal:made", "case:dismissed"] == kinds(part)
    assert ["ann", "ann", "bob"] == [item["by"] for item in part.decisions]


def test_an_erasure_and_a_review_are_decisions(open_desk: Callable[..., Desk]) -> None:
    """What took a requirement's place is among the decisions, with what was said of it afterwards."""
    desk = open_desk(retention="0d", break_glass=True)
    case_id = desk.requested()
    desk.do(case_id, act.ApproveUnblock(break_glass=True, reason=Private("2 a.m.")))
    desk.do(case_id, act.ReviewApproval(verdict=Verdict.JUSTIFIED, reason=Private("it was")), who=BOB)
    other = desk.restrict(EVE)
    desk.do(other, desk.gone())
    desk.do(other, act.DismissCase(resolution=Resolution.FALSE_POSITIVE, reason=Private("a test")))
    desk.do(other, act.ConfirmProposal(proposal="dismissal"), who=BOB)
    desk.do(other, act.EraseCase(reason=Private("article 17")))
    desk.do(other, act.ConfirmProposal(proposal="erasure"), who=BOB)
    first, second = of(desk, "1", "2").cases

    assert ["unblock:requested", "unblock:approved", "approval:reviewed"] == kinds(first.occurrences[0])
    assert "case:erased" == kinds(second.occurrences[0])[-1]
    assert "names or texts of this case were erased" in second.marks


def test_the_person_behind_an_answer_for_the_whole_tenant(desk: Desk) -> None:
    """What a decision stood on names who recorded it for the tenant, not the machine that handed it on."""
    said: dict[str, Any] = {"result": Result.MET, "reference": "ticket 7", "value": "True"}
    tenants.record(
        desk.app, CAT, Found(fact=TenantFact.AUDIT_LOGGING, observed_at=desk.clock.now, valid=30 * DAY, **said), ""
    )
    case_id = desk.restrict()
    steps = [item for item in desk.every(case_id) if item.prerequisite != "audit-logging-on"]
    desk.do(case_id, *steps)
    desk.do(case_id, act.RequestUnblock(reason=Private("done")))
    part = only(desk)
    (ground,) = (row for row in part.decisions[-1]["shown"]["evidence"] if row["prerequisite"] == "audit-logging-on")

    assert ("cat", True) == (ground["by"], ground["claimed"])
    assert ("cat", True) == tuple(step(part, "audit-logging-on")[key] for key in ("by", "claimed"))


def test_the_checkpoint_it_rests_on(desk: Desk) -> None:
    """Origin, size, root and signature lines of the newest checkpoint; every entry says its leaf or is not sealed."""
    desk.restrict()
    found = of(desk)
    (case,) = found.cases
    sealed = [item.leaf_index for item in case.entries if item.leaf_index is not None]

    assert found.checkpoint is not None
    assert found.checkpoint["note"].startswith(f"{found.checkpoint['origin']}\n{found.checkpoint['size']}\n")
    assert 1 == len(found.checkpoint["signatures"])
    assert len(case.entries) == len(sealed) + case.unsealed
    assert bool(case.unsealed) == any("not sealed" in mark for mark in case.marks)


def test_grounds_that_do_not_repeat(sqlite_place: Place) -> None:
    """Where an entry was changed behind the ledger's back, the report does not pass over it."""
    desk = Desk(sqlite_place)
    case_id = desk.requested()
    desk.close()
    with forced(sqlite_place) as connection:
        connection.execute(
            'UPDATE entry SET body = replace(body, \'"clock":"ok"\', \'"clock":"clamped"\') '
            "WHERE case_id = ? AND type = 'evidence:recorded'",
            (case_id,),
        )
    desk = Desk(sqlite_place)
    (case,) = of(desk).cases
    desk.close()

    assert ["what a decision stood on cannot be drawn again from the entries: verify the ledger"] == case.marks


def test_several_cases_each_once(desk: Desk) -> None:
    """Cases come in the order asked for; one that is named twice is reported once."""
    desk.restrict()
    desk.restrict(EVE)
    told: list[tuple[int, int]] = []
    found = report(desk.app, ("2", ADA, "#1"), lambda done, total: told.append((done, total)))

    assert [2, 1] == [item.case["number"] for item in found.cases]
    assert [(1, 2), (2, 2)] == told


def test_a_case_that_is_not_there(desk: Desk) -> None:
    """Nothing is reported when one of the cases does not exist."""
    desk.restrict()
    with pytest.raises(NotFoundError):
        of(desk, "1", "2")


def test_own_playbooks_and_erased_names_are_marked(sqlite_desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """A playbook that is not the shipped version, a digest that does not repeat, and erased names stand in front."""
    desk = sqlite_desk
    desk.requested()
    monkeypatch.setattr("workflow.services.logbook.shelf", lambda _: Shelf())
    with desk.app.database.transaction() as tx:
        tx.run("DELETE FROM subject WHERE identifier = ?", (ADA,))
    (case,) = of(desk).cases

    assert [
        "the playbook is not the version that came with the product",
        "names or texts of this case were erased",
    ] == case.marks
    assert "(erased)" == case.case["entity"]


def test_a_report_is_plain_json(desk: Desk) -> None:
    """What programs get is JSON and nothing else."""
    desk.released()
    data = of(desk).to_data()

    assert plain(data) == data
    assert ["generated_at", "checkpoint", "cases"] == list(data)


def test_a_table_of_steps(desk: Desk) -> None:
    """One row per case, occurrence and prerequisite, each with the same columns."""
    case_id = excepted(desk)
    desk.do(case_id, desk.evidence("snapshot-taken", result=Result.NOT_MET))
    desk.released(EVE)
    found = of(desk, "1", "2")
    table = list(rows(found))

    assert {tuple(sorted(ROW))} == {tuple(sorted(row)) for row in table}
    assert sum(len(case.occurrences[0].prerequisites) for case in found.cases) == len(table)
    assert {("", ""), ("ann (claimed)", "bob (claimed)")} == {
        (row["requested_by"], row["approved_by"]) for row in table
    }
    assert ["cat"] == [row["exception_granted_by"] for row in table if row["exception_granted_by"]]
