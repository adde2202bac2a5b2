"""What is true of a whole tenant: recorded once, answered in every case, limited, taken back, and verified."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from tests.services.desk import ADA, ANN, BOB, CONNECTOR, DAN, DAY, EVE, HOUR, Desk, plain, report
from workflow.domain import actions as act
from workflow.domain import moves
from workflow.domain.playbook import Scope, canonical, from_data
from workflow.domain.private import Private
from workflow.domain.record import SYSTEM, Entry, time_to_text
from workflow.domain.vocabulary import EntryType, Kind, Method, Resolution, Result, State, TenantFact
from workflow.errors import (
    EvidenceRefusedError,
    InputError,
    NotFoundError,
    NotPermittedError,
    RuleRefusedError,
    SamePersonError,
)
from workflow.services import (
    agreement,
    casework,
    intake,
    logbook,
    people,
    tenants,
    tenantwide,
    verification,
    views,
    writing,
)
from workflow.services.people import Who
from workflow.services.tenants import Found
from workflow.services.verdict import Report
from workflow.services.wishes import Wish
from workflow.storage import cases, worklist

AUDIT = "audit-logging-on"


def record(desk: Desk, who: Who = ANN, tenant: str = "", **changes: Any) -> int:
    """Record that audit logging is on; returns in how many cases that answers."""
    desk.clock.move()
    fields: dict[str, Any] = {
        "fact": TenantFact.AUDIT_LOGGING,
        "result": Result.MET,
        "observed_at": desk.clock.now,
        "valid": 30 * DAY,
        "reference": "ticket 7",
        "value": "True",
    }
    return tenants.record(desk.app, who, Found(**(fields | changes)), tenant)[1]


def standing(desk: Desk, case_id: str, prerequisite: str = AUDIT) -> str:
    """Return how a prerequisite stands in a case, settled as of now."""
    found = views.case_view(desk.app, case_id)
    return next(item.standing for item in found.prerequisites if item.id == prerequisite)


def test_recorded_once_for_every_case(desk: Desk) -> None:
    """Open cases and those opened later are answered; a connector's recommended step is too; all of it verifies."""
    first = desk.restrict()
    connector = desk.restrict(CONNECTOR, kind=Kind.CONNECTOR)
    assert 2 == record(desk)
    later = desk.restrict(EVE)
    for case_id in (first, connector, later):
        assert "held" == standing(desk, case_id)
    entry = desk.entries(first)[-1]
    log = desk.entries()[-1]
    assert ("tenant:recorded", log.leaf, "evidence:recorded", "system", [log.actor["id"]]) == (
        log.type,
        entry.data["tenant_entry"],
        entry.type,
        entry.actor["id"],
        entry.data["attested_by"],
    )
    item = next(item for item in views.case_view(desk.app, later).prerequisites if item.id == AUDIT)
    assert ("ticket 7", "True", "attested") == (item.reference, item.after, item.method)
    assert item.note.startswith("Recorded for the whole tenant, log entry ")
    assert verification.verify(desk.app).ok


def test_before_the_restriction_it_counts_all_the_same(desk: Desk) -> None:
    """A record older than the restriction answers, because it is about the tenant; one made in the case does not."""
    record(desk, observed_at=desk.clock.now - 10 * DAY)
    case_id = desk.restrict()
    assert "held" == standing(desk, case_id)
    with pytest.raises(EvidenceRefusedError, match="before the restriction"):
        desk.met(case_id, AUDIT, observed_at=desk.clock.now - 10 * DAY)


def test_it_lapses_when_it_has_run_out(desk: Desk) -> None:
    """Past its validity it lapses as a reading does, and a case opened then is not answered."""
    record(desk, valid=2 * DAY)
    case_id = desk.restrict()
    desk.clock.move(DAY + HOUR)
    assert "held" == standing(desk, case_id)
    desk.clock.move(DAY)
    assert "lapsed" == standing(desk, case_id)
    assert "unanswered" == standing(desk, desk.restrict(EVE))
    desk.do(case_id, act.AddNote(note=Private("settles")))
    assert "evidence:lapsed" in desk.types(case_id)
    assert 2 == record(desk)
    assert "held" == standing(desk, case_id)
    assert verification.verify(desk.app).ok


def test_renewing_leaves_a_request_standing(desk: Desk) -> None:
    """The same answer again is a confirmation: nothing that was requested on it is void."""
    record(desk)
    case_id = desk.restrict()
    desk.do(case_id, *[item for item in desk.every(case_id) if item.prerequisite != AUDIT])
    desk.do(case_id, act.RequestUnblock(reason=Private("done")))
    assert 1 == record(desk, reference="ticket 8")
    assert ("evidence:confirmed", State.UNBLOCK_REQUESTED) == (desk.types(case_id)[-1], desk.case(case_id).state)
    assert 0 == record(desk, observed_at=desk.clock.now - HOUR)


def test_whoever_records_for_the_tenant_may_approve(desk: Desk) -> None:
    """Recording audit logging once is no hand in the work of every case of the month."""
    record(desk, who=BOB)
    case_id = desk.restrict()
    desk.do(case_id, *[item for item in desk.every(case_id) if item.prerequisite != AUDIT])
    desk.do(case_id, act.RequestUnblock(reason=Private("done")))
    assert 1 == len(desk.do(case_id, act.ApproveUnblock(), who=BOB).case.approvals)
    assert verification.verify(desk.app).ok


def test_whoever_records_it_in_the_case_may_not(desk: Desk) -> None:
    """Answered in the case it is work on the case, as ever."""
    case_id = desk.restrict()
    desk.do(case_id, *[item for item in desk.every(case_id) if item.prerequisite != AUDIT])
    desk.met(case_id, AUDIT, who=BOB)
    desk.do(case_id, act.RequestUnblock(reason=Private("done")))
    with pytest.raises(SamePersonError):
        desk.do(case_id, act.ApproveUnblock(), who=BOB)


@pytest.mark.parametrize("prerequisite", [AUDIT, "cause-decided", "password-reset"])
def test_nobody_hands_it_on_by_themselves(desk: Desk, prerequisite: str) -> None:
    """A person who claims that an answer is the tenant's is refused, whichever step it is."""
    record(desk, fact=TenantFact.ALERT_OPT_IN)
    case_id = desk.restrict()
    user = ADA if prerequisite == "password-reset" else ""
    claimed = desk.evidence(
        prerequisite, user, tenant_entry=desk.entries()[-1].leaf, expires_at=desk.clock.now + DAY, attested_by=("x",)
    )
    with pytest.raises(EvidenceRefusedError, match="recorded for the whole tenant"):
        desk.do(case_id, claimed)


def machine(desk: Desk, case_id: str, action: act.Action) -> None:
    """Take a step as the machine would."""
    with desk.app.database.transaction() as tx:
        case = desk.case(case_id)
        writing.take_step(desk.app, tx, case, desk.app.playbook(tx, case.playbook), action, SYSTEM)


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"prerequisite": "cause-decided"}, "asked of this case alone"),
        ({"tenant_entry": ""}, "does not say which record"),
        ({"expires_at": None}, "does not say which record"),
        ({"attested_by": ()}, "does not say which record"),
        ({"expires_at": 0}, "has run out"),
        ({"expires_at": 91}, "more than 90 days"),
        ({"result": Result.NOT_APPLICABLE}, "attested as met, not met"),
        ({"method": Method.CHECKED}, "attested as met, not met"),
        ({"attested_by": "the entity"}, "somebody this case is about"),
    ],
)
def test_what_the_machine_may_not_hand_on(desk: Desk, changes: dict[str, Any], why: str) -> None:
    """The machine, too, hands on nothing but what a record of the tenant can say."""
    case_id = desk.restrict()
    now = desk.clock.now
    if isinstance(changes.get("expires_at"), int):
        changes = {"expires_at": now + changes["expires_at"] * DAY}
    if changes.get("attested_by"):
        changes = {"attested_by": (desk.case(case_id).entity,)}
    fields: dict[str, Any] = {"tenant_entry": "0" * 64, "expires_at": now + DAY, "attested_by": ("sub_1",)}
    with pytest.raises(EvidenceRefusedError, match=why):
        machine(desk, case_id, desk.evidence(**({"prerequisite": AUDIT} | fields | changes)))


def test_a_case_about_whoever_recorded_it(desk: Desk) -> None:
    """No gate is satisfied through the restricted entity: in their own case the record answers nothing."""
    record(desk, who=Who(ADA))
    own, other = desk.restrict(who=BOB), desk.restrict(EVE)
    assert ("unanswered", "held") == (standing(desk, own), standing(desk, other))


def test_a_newer_answer_of_the_case_stays(desk: Desk) -> None:
    """What somebody looked at later, in the case itself, is not overruled by an older record."""
    case_id = desk.restrict()
    seen_at = desk.clock.now
    desk.clock.move(HOUR)
    desk.met(case_id, AUDIT, result=Result.NOT_MET)
    assert 0 == record(desk, observed_at=seen_at)
    assert "not-met" == standing(desk, case_id)


def test_what_a_clock_ahead_recorded_answers_when_its_time_has_come(desk: Desk) -> None:
    """Opening a case is not stopped by what another clock dated ahead of this one."""
    desk.clock.move(DAY)
    record(desk)
    desk.clock.move(-DAY)
    case_id = desk.restrict()
    assert "unanswered" == standing(desk, case_id)
    assert [] == verification.verify(desk.app).findings
    desk.clock.move(2 * DAY)
    assert 1 == record(desk)
    assert "held" == standing(desk, case_id)


def test_what_does_not_hold_answers_too(desk: Desk) -> None:
    """Audit logging that is off falls back on every case that stood on it."""
    record(desk)
    case_id = desk.restrict()
    desk.do(case_id, *[item for item in desk.every(case_id) if item.prerequisite != AUDIT])
    assert State.VERIFIED is desk.case(case_id).state
    record(desk, result=Result.NOT_MET, reference="")
    assert ("not-met", State.CONTAINED) == (standing(desk, case_id), desk.case(case_id).state)


def test_taken_back(desk: Desk) -> None:
    """A retraction reaches every open case that stands on it, the retractor's own too, and no other."""
    record(desk)
    case_id, own, by_hand = desk.restrict(), desk.restrict(EVE), desk.restrict("mia@contoso.example")
    desk.met(by_hand, AUDIT)
    desk.clock.move()
    assert 2 == tenants.retract(desk.app, Who(EVE), TenantFact.AUDIT_LOGGING, "it was off")
    assert ["unanswered", "unanswered", "held"] == [standing(desk, item) for item in (case_id, own, by_hand)]
    assert "unanswered" == standing(desk, desk.restrict("new@contoso.example"))
    assert "unrecorded" == tenants.view(desk.app, TenantFact.AUDIT_LOGGING).standing
    with pytest.raises(NotFoundError):
        tenants.retract(desk.app, ANN, TenantFact.AUDIT_LOGGING, "again")
    assert verification.verify(desk.app).ok


def test_a_retraction_cut_short_is_completed(desk: Desk) -> None:
    """The log says that it is taken back, and no case had heard of it: the same command again tells them."""
    record(desk)
    case_id = desk.restrict()
    desk.clock.move()
    standing_leaf = desk.entries()[-1].leaf
    data = {"tenant": "default", "fact": "audit-logging", "entry": standing_leaf}
    with desk.app.database.transaction() as tx:
        cases.lock_log(tx)
        logbook.write(desk.app, tx, people.actor(desk.app, tx, ANN), [(EntryType.TENANT_RETRACTED, data)])
    assert 1 == tenants.retract(desk.app, ANN, TenantFact.AUDIT_LOGGING, "it was off")
    assert ("unanswered", 1) == (standing(desk, case_id), desk.types().count("tenant:retracted"))
    with pytest.raises(NotFoundError):
        tenants.retract(desk.app, ANN, TenantFact.AUDIT_LOGGING, "again")
    with pytest.raises(NotFoundError):
        tenants.retract(desk.app, ANN, TenantFact.ALERT_POLICY, "never recorded")
    assert [] == verification.verify(desk.app).findings


class Meanwhile:
    """Lets somebody else act between the log's entry and the first case that hears of it."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, act_now: Callable[[], object]) -> None:
        """Act once, when the open cases are looked up."""
        real = worklist.every

        def every(*arguments: Any) -> Any:
            monkeypatch.setattr(worklist, "every", real)
            found = list(real(*arguments))
            act_now()
            return found

        monkeypatch.setattr(worklist, "every", every)


def test_taken_back_while_it_is_handed_on(sqlite_desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """No case is given a record that another process took back meanwhile."""
    case_id = sqlite_desk.restrict()
    other = sqlite_desk.again()
    Meanwhile(monkeypatch, lambda: tenants.retract(other.app, BOB, TenantFact.AUDIT_LOGGING, "no"))
    assert 0 == record(sqlite_desk)
    assert "unanswered" == standing(sqlite_desk, case_id)
    assert [] == verification.verify(sqlite_desk.app).findings


def test_recorded_anew_while_it_is_taken_back(sqlite_desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """What another process recorded meanwhile stays."""
    record(sqlite_desk)
    case_id = sqlite_desk.restrict()
    other = sqlite_desk.again()
    Meanwhile(monkeypatch, lambda: record(other, who=BOB))
    assert 0 == tenants.retract(sqlite_desk.app, ANN, TenantFact.AUDIT_LOGGING, "no")
    assert "held" == standing(sqlite_desk, case_id)
    assert [] == verification.verify(sqlite_desk.app).findings


def test_the_machine_retracts_nothing_else(desk: Desk) -> None:
    """What a person recorded in a case is taken back by people."""
    case_id = desk.restrict()
    desk.met(case_id, AUDIT)
    action = act.RetractEvidence(prerequisite=AUDIT, reason=Private("x"), tenant_entry="0" * 64)
    with pytest.raises(EvidenceRefusedError):
        machine(desk, case_id, action)
    with pytest.raises(EvidenceRefusedError):
        desk.do(case_id, action)


def test_a_recurrence_and_a_move_ask_anew(desk: Desk) -> None:
    """Restricted again, reopened, moved to another playbook: what stands recorded answers again."""
    record(desk)
    case_id = desk.released()
    desk.clock.move(HOUR)
    desk.take(report(restricted_at=desk.clock.now))
    assert (2, "held") == (desk.case(case_id).recurrence, standing(desk, case_id))
    other = desk.restrict(EVE)
    desk.do(other, act.RetractEvidence(prerequisite=AUDIT, reason=Private("look again")))
    with desk.app.database.transaction() as tx:
        digest = desk.app.playbook(tx, desk.case(other).playbook).digest
    many = list(
        casework.perform_many(desk.app, ANN, [(other, [act.MovePlaybook(playbook=digest, reason=Private("x"))])])
    )
    assert "held" == standing(desk, other), many
    assert verification.verify(desk.app).ok


def test_ended_cases_are_left_alone(desk: Desk) -> None:
    """A case that has ended asks for nothing; reopened it does."""
    case_id = desk.restrict()
    desk.do(case_id, desk.gone())
    desk.do(case_id, act.DismissCase(resolution=Resolution.FALSE_POSITIVE, reason=Private("none")))
    desk.do(case_id, act.ConfirmProposal(proposal="dismissal"), who=BOB)
    assert 0 == record(desk)
    desk.do(case_id, act.ReopenCase(reason=Private("it was one")))
    assert "held" == standing(desk, case_id)


def test_tenants_apart(desk: Desk) -> None:
    """A fact of one tenant answers in no other's cases."""
    case_id = desk.restrict()
    assert 0 == record(desk, tenant="elsewhere")
    assert "unanswered" == standing(desk, case_id)
    assert "held" == tenants.view(desk.app, TenantFact.AUDIT_LOGGING, "elsewhere").standing


@pytest.mark.parametrize(
    ("changes", "error", "why"),
    [
        ({"valid": 91 * DAY}, InputError, "at most 90 days"),
        ({"valid": timedelta(0)}, EvidenceRefusedError, "counts no longer"),
        ({"reference": " "}, InputError, "--ref"),
        ({"result": Result.NOT_APPLICABLE}, InputError, "one of: met"),
    ],
)
def test_what_cannot_be_recorded(sqlite_desk: Desk, changes: dict[str, Any], error: type[Exception], why: str) -> None:
    """Too long, run out, without evidence, not applicable: refused, and nothing is written."""
    before = sqlite_desk.count()
    with pytest.raises(error, match=why):
        record(sqlite_desk, **changes)
    with pytest.raises(EvidenceRefusedError, match="future"):
        record(sqlite_desk, observed_at=sqlite_desk.clock.now + HOUR)
    with pytest.raises(InputError, match="--reason"):
        tenants.retract(sqlite_desk.app, ANN, TenantFact.AUDIT_LOGGING, " ")
    assert before == sqlite_desk.count()


def test_who_may(team: Desk) -> None:
    """An auditor records nothing."""
    with pytest.raises(NotPermittedError):
        record(team, who=DAN)


def test_lists(desk: Desk) -> None:
    """Every fact is listed, recorded or not, as plain data, with who said so and until when."""
    record(desk, valid=DAY, note="as ever")
    found = {item.fact: item for item in tenants.list_(desk.app)}
    assert set(TenantFact) == set(found)
    known = found["audit-logging"]
    assert ("held", "ann", "ticket 7", "as ever", "True") == (
        known.standing,
        known.by,
        known.reference,
        known.note,
        known.value,
    )
    assert plain(known.to_data()) == known.to_data()
    desk.clock.move(2 * DAY)
    assert "lapsed" == tenants.view(desk.app, TenantFact.AUDIT_LOGGING).standing
    record(desk, fact=TenantFact.ALERT_POLICY, result=Result.UNABLE_TO_VERIFY)
    assert "unable-to-verify" == tenants.view(desk.app, TenantFact.ALERT_POLICY).standing


def test_a_refusal_in_one_case_stops_no_other(sqlite_desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Cases are answered each by itself."""
    sqlite_desk.restrict()
    sqlite_desk.restrict(EVE)
    real = tenantwide.hand_on

    def refuses(app: Any, tx: Any, case: Any, records: Any) -> Any:
        if case.number == 1:
            raise RuleRefusedError
        return real(app, tx, case, records)

    monkeypatch.setattr("workflow.services.tenants.tenantwide.hand_on", refuses)
    assert 1 == record(sqlite_desk)


class Told:
    """A case's evidence and what the log says, to be changed by a test."""

    def __init__(self, desk: Desk) -> None:
        record(desk)
        self.case_id = desk.restrict()
        tenants.retract(desk.app, ANN, TenantFact.AUDIT_LOGGING, "off")
        case = desk.case(self.case_id)
        with desk.app.database.reading() as tx:
            self.books = {case.playbook: desk.app.playbook(tx, case.playbook)}
        wanted = [item for item in desk.entries(self.case_id) if item.data.get("tenant_entry")]
        self.answer, self.retraction = wanted
        kinds = {"tenant:recorded", "tenant:retracted"}
        self.log = [item for item in desk.entries() if item.type in kinds]

    def why(
        self, entry: Entry, index: int = 50, log: list[tuple[Entry, int]] | None = None, *, ordered: bool = True
    ) -> str:
        """Return what is found wrong with an entry at a leaf; the log recorded at leaf 10 and took back at 100."""
        known = agreement.tenants(list(zip(self.log, (10, 100), strict=True)) if log is None else log)
        found = Report()
        agreement.check_tenant(found, self.case_id, [(entry, index)], known, self.books, ordered=ordered)
        return "; ".join(item.why for item in found.findings)


def test_verification_names_what_does_not_fit(sqlite_desk: Desk) -> None:
    """A record that does not exist, says otherwise, had run out or was taken back before: each is named."""
    told = Told(sqlite_desk)
    answer, log = told.answer, told.log
    assert "" == told.why(answer)
    assert "has no such entry" in told.why(answer, log=[])
    assert "has no such entry" in told.why(answer, 5)
    assert "taken back" in told.why(answer, 101)
    assert "" == told.why(answer, 101, ordered=False)
    assert "had run out" in told.why(answer._replace(recorded_at="2027-11-24T08:00:00.000000Z"))
    changes: list[dict[str, Any]] = [{"result": "not-met"}, {"observed_at": "x"}, {"attested_by": []}]
    for changed in (*changes, {"prerequisite": "cause-decided"}):
        assert "something else" in told.why(answer._replace(data={**answer.data, **changed}))
    assert "something else" in told.why(answer._replace(tenant="elsewhere"))
    assert "something else" in told.why(answer._replace(playbook="unknown"))
    assert "" == told.why(answer._replace(outcome="refused"), log=[])
    assert "" == told.why(told.retraction, 101)
    assert "no such entry before it" in told.why(told.retraction, 99)
    assert "no such entry before it" in told.why(told.retraction, 101, log=[(log[0], 10)])
    assert "about something else" in told.why(told.retraction._replace(tenant="elsewhere"), 101)


def test_a_move_to_what_the_tenant_answers_takes_two(desk: Desk) -> None:
    """A step that was asked of each case and is answered for all of them weakens; the other way round it does not."""
    case = desk.case(desk.restrict())
    with desk.app.database.reading() as tx:
        wide = desk.app.playbook(tx, case.playbook)
    steps = tuple(replace(item, scope=Scope.CASE, fact=None) for item in wide.prerequisites)
    own = replace(wide, prerequisites=steps)
    assert (AUDIT,) == moves.loosened(own, wide)
    assert () == moves.loosened(wide, own)
    assert '"fact":' not in canonical(own).decode()
    assert wide == from_data(json.loads(canonical(wide)), wide.digest)


def test_the_cases_own_answer_is_confirmed(desk: Desk) -> None:
    """Recording for the tenant what a case had found by itself voids no request that stands on it."""
    case_id = desk.requested()
    assert 1 == record(desk)
    assert ("evidence:confirmed", State.UNBLOCK_REQUESTED) == (desk.types(case_id)[-1], desk.case(case_id).state)
    desk.clock.move(3 * DAY)
    assert "held" == standing(desk, case_id)
    assert verification.verify(desk.app).ok


def test_views_name_who_recorded_it(desk: Desk) -> None:
    """Every view names the person and not the machine, and calls a claimed name claimed."""
    case_id = desk.restrict()
    record(desk, who=BOB)
    item = next(item for item in views.case_view(desk.app, case_id).prerequisites if item.id == AUDIT)
    assert ("bob", True) == (item.by, item.claimed)


def test_a_step_stands_when_nothing_can_be_handed_on(sqlite_desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was reopened is reopened; that the tenant's record did not answer is a warning."""

    def refuses(*_: Any) -> Any:
        message = "the log is busy"
        raise RuleRefusedError(message)

    case_id = sqlite_desk.restrict()
    with sqlite_desk.app.database.transaction() as tx:
        digest = sqlite_desk.app.playbook(tx, sqlite_desk.case(case_id).playbook).digest
    monkeypatch.setattr("workflow.services.casework.tenantwide.follow", refuses)
    done = sqlite_desk.do(case_id, act.MovePlaybook(playbook=digest, reason=Private("x")))
    assert "playbook:moved" == sqlite_desk.types(case_id)[-1]
    assert ["What is recorded of the tenant did not answer in this case: the log is busy"] == done.warnings


def test_a_playbook_that_asks_nothing_of_the_tenant(sqlite_desk: Desk) -> None:
    """A case whose playbook asks for none of it gets none of it."""
    wish = Wish(playbook="legitimate-bulk-sender", why="The newsletter")
    intake.open_by_hand(sqlite_desk.app, ANN, report(EVE), wish)
    case_id = casework.find(sqlite_desk.app, EVE)
    sqlite_desk.do(case_id, act.ConfirmProposal(proposal="playbook"), who=BOB)
    record(sqlite_desk)
    assert ["case:opened", "proposal:made", "playbook:moved"] == sqlite_desk.types(case_id)


def spoken(desk: Desk, who: Who = ANN, **changes: Any) -> list[str]:
    """Append an entry about a tenant past the service, and return what verification says of it."""
    now = desk.clock.now
    retracts = "entry" in changes
    data: dict[str, Any] = {"tenant": "default", "fact": "audit-logging"}
    if not retracts:
        data |= {"result": "met", "observed_at": time_to_text(now), "expires_at": time_to_text(now + DAY)}
        data |= {"reference": {"commitment": "0" * 64}}
    kind = EntryType.TENANT_RETRACTED if retracts else EntryType.TENANT_RECORDED
    with desk.app.database.transaction() as tx:
        cases.lock_log(tx)
        made = {name: value for name, value in (data | changes).items() if value is not None}
        logbook.write(desk.app, tx, people.actor(desk.app, tx, who), [(kind, made)])
    return [item.why for item in verification.verify(desk.app).findings if item.kind == "replay"]


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({}, ""),
        ({"result": "not-applicable"}, "cannot be recorded"),
        ({"reference": None}, "how it is known"),
        ({"reference": None, "note": {"commitment": "0" * 64}}, ""),
        ({"observed_at": "2027-11-24T00:00:00.000000Z"}, "of the future"),
        ({"expires_at": "2026-11-24T00:00:00.000000Z"}, "had run out"),
        ({"expires_at": "2027-11-24T00:00:00.000000Z"}, "longer than 90 days"),
        ({"entry": "0" * 64}, "did not stand recorded"),
        ({"who": DAN}, "without a role"),
    ],
)
def test_what_nobody_could_have_said_of_a_tenant(team: Desk, changes: dict[str, Any], why: str) -> None:
    """The log's own entries about tenants are judged again, whether or not a case stands on them yet."""
    team.restrict()
    found = spoken(team, **changes)
    assert [True] == [why in item for item in found] if why else [] == found
