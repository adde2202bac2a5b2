"""A day at the desk, and its decisions bent one by one: re-signed with every hash made anew, none of them passes."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta

import pytest

from tests.tamper.attacker import Attacker, Body, Pen
from tests.tamper.conftest import Bench, look
from tests.tamper.histories import ANN, BOB, CEM, Clock, Desk, Place
from workflow.domain import actions as act
from workflow.domain.private import Private
from workflow.domain.vocabulary import EntryType, Resolution, RestrictionStatus, Result, TenantFact, Verdict
from workflow.services import adoption, setup, tenants
from workflow.services.tenants import Found
from workflow.services.verification import Options
from workflow.settings import Settings
from workflow.sources.playbook_file import shipped


@dataclass(frozen=True)
class Day(Place):
    """A ledger whose settings let one person approve alone, and erase at once."""

    @property
    def settings(self) -> Settings:
        """The settings of the place, and these two."""
        return super().settings.model_copy(update={"break_glass": True, "retention": "0d"})


@pytest.fixture(scope="module")
def day(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    """A ledger on which every kind of entry stands that the day's work writes."""
    root = tmp_path_factory.mktemp("day")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HOLDFAST_HOME", str(root))
        place = Day(root / "real")
        clock = Clock()
        place.root.mkdir()
        setup.init(place.settings, ANN, clock)
        with place.app(clock) as app:
            _beside(Desk(app, clock))
            _own_playbook(Desk(app, clock), place)
        yield Bench(place, place, root)


def _beside(desk: Desk) -> None:
    """What is recorded for the whole tenant, approved together or alone, reviewed, labelled and erased."""
    kim, lea, max_, zoe = (f"{name}@contoso.example" for name in ("kim", "lea", "max", "zoe"))
    found = Found(
        fact=TenantFact.AUDIT_LOGGING,
        result=Result.MET,
        observed_at=desk.clock.now,
        valid=timedelta(days=20),
        reference="ticket 7",
        value="True",
    )
    tenants.record(desk.app, CEM, found)
    desk.take_in(kim, lea, max_, zoe)
    for sender in (kim, lea, max_):
        desk.do(sender, ANN, act.LabelCase(add=("wave-1", "urgent")), act.LabelCase(remove=("urgent",)))
        desk.work(sender)
        desk.do(sender, ANN, act.RequestUnblock())
    for sender in (kim, lea):
        desk.do(sender, BOB, act.ApproveUnblock(bulk=2))
    alone = act.ApproveUnblock(break_glass=True, reason=Private("nobody else is there at night"))
    desk.do(max_, ANN, alone)
    desk.do(max_, BOB, act.ReviewApproval(verdict=Verdict.JUSTIFIED, reason=Private("called him")))
    desk.do(max_, ANN, act.IntendUnblock())
    tenants.retract(desk.app, CEM, TenantFact.AUDIT_LOGGING, "it was off")
    desk.observe(zoe, RestrictionStatus.NOT_LISTED)
    desk.do(zoe, ANN, act.DismissCase(resolution=Resolution.FALSE_POSITIVE, reason=Private("nothing was sent")))
    desk.do(zoe, BOB, act.ConfirmProposal(proposal="dismissal"))
    desk.do(zoe, ANN, act.EraseCase(reason=Private("asked for by the person")))
    desk.do(zoe, BOB, act.ConfirmProposal(proposal="erasure"))


def _own_playbook(desk: Desk, place: Place) -> None:
    """A tighter version, by one person, and back to the one that came with the product, by two."""
    text = shipped()["compromised-mailbox"].read_text(encoding="utf-8")
    path = place.root / "tighter.yaml"
    path.write_text(text.replace("approvals: 1", "approvals: 2", 1), encoding="utf-8")
    adoption.install(desk.app, ANN, str(path), "two pairs of eyes")
    adoption.install(desk.app, ANN, "compromised-mailbox", "too slow")
    adoption.install(desk.app, BOB, "compromised-mailbox", "", confirm=True)
    desk.take_in("una@contoso.example")


BENT: Sequence[tuple[str, Callable[[Body], object]]] = (
    ("case:labelled", lambda body: body["data"].update(add=["ada@contoso.example"])),
    ("case:labelled", lambda body: body.update(state_after="released")),
    ("unblock:approved", lambda body: body["data"].update(bulk=-1)),
    ("unblock:approved/break_glass", lambda body: body["data"].pop("break_glass")),
    ("unblock:approved/break_glass", lambda body: body["basis"].update(setting="0" * 64)),
    ("unblock:approved/break_glass", lambda body: body["data"].pop("reason")),
    ("approval:reviewed", lambda body: body["basis"].update(approvals=[1])),
    ("approval:reviewed", lambda body: body["data"].update(verdict="fine")),
    ("case:erased", lambda body: body["basis"].update(retention=1)),
    ("evidence:recorded/tenant_entry", lambda body: body["data"].update(tenant_entry="0" * 64)),
    ("evidence:recorded/tenant_entry", lambda body: body["data"].update(result="not-met")),
    ("evidence:recorded/tenant_entry", lambda body: body["data"].update(attested_by=[])),
    ("evidence:recorded/tenant_entry", lambda body: body["data"].pop("expires_at")),
    ("evidence:retracted/tenant_entry", lambda body: body["data"].update(tenant_entry="0" * 64)),
    ("tenant:recorded", lambda body: body["data"].update(result="not-applicable")),
    ("tenant:recorded", lambda body: body["data"].update(expires_at="2099-01-01T00:00:00.000000Z")),
    ("tenant:retracted", lambda body: body["data"].update(entry="0" * 64)),
    ("tenant:retracted", lambda body: body["data"].update(tenant="elsewhere")),
    ("playbook:proposed", lambda body: body["data"].update(falls_away=[])),
    ("playbook:proposed", lambda body: body.update(type="playbook:adopted")),
    ("playbook:adopted/proposal", lambda body: body["data"].pop("proposal")),
    ("playbook:adopted/proposal", lambda body: body["data"].update(replaces=[])),
    ("settings:changed", lambda body: body["data"].pop("break_glass")),
    ("settings:changed", lambda body: body["data"].update(retention="1d")),
)
"""What each kind of entry could be bent into, by type and a member of its data that it has to have."""


def test_an_ordinary_day_verifies(day: Bench) -> None:
    """What is bent below stands on the ledger, and untouched it is sound."""
    report = look(day.place)
    with Attacker(day.copy().database) as attacker:
        types = {body["type"] for body in attacker.bodies()}
    assert ([], True) == (report.findings, types.issuperset(wanted.partition("/")[0] for wanted, _ in BENT))
    assert EntryType.CASE_ERASED in types


@pytest.mark.parametrize("number", range(len(BENT)))
def test_a_decision_bent_into_what_no_rule_explains(day: Bench, number: int) -> None:
    """Somebody who holds the key bends one entry; citations follow the hashes they meant."""
    wanted, bend = BENT[number]
    kind, _, member = wanted.partition("/")
    place = day.copy()
    with Attacker(place.database) as attacker:
        bodies = attacker.bodies()
        bend(next(body for body in bodies if body["type"] == kind and (not member or member in body["data"])))
        attacker.reseal(bodies, Pen(day.signer))
        attacker.redraw()
    report = look(place, Options(key=day.signer.verifier.text))
    assert ("failed", True) == (report.integrity, bool(report.findings))
