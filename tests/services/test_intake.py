"""Taking restrictions in: what becomes of each item, and that nothing is opened twice."""

import io
import json
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from tests.services.desk import (
    ADA,
    ANN,
    BOB,
    CONNECTOR,
    DAN,
    DAY,
    EVE,
    HOUR,
    LISTED,
    MINUTE,
    NOT_LISTED,
    START,
    TEMPORARY,
    UNKNOWN,
    Desk,
    plain,
    report,
)
from workflow.domain import actions as act
from workflow.domain.private import Private
from workflow.domain.record import time_to_text
from workflow.domain.restriction import Restriction, Skipped, Source
from workflow.domain.vocabulary import Kind, Phase, Resolution, State
from workflow.errors import InputError, NotFoundError, NotPermittedError, RuleRefusedError, SamePersonError
from workflow.services import casework, intake, verification
from workflow.services.people import Who
from workflow.services.wishes import Wish
from workflow.sources import ReadOptions, read


def outcomes(desk: Desk, *items: Restriction | Skipped, **given: Any) -> list[str]:
    """Take items in and return what became of them."""
    return [taken.outcome for taken in intake.take_in(desk.app, ANN, items, **given)]


def delisted(**changes: Any) -> Restriction:
    """Return a delisting as the audit log reports it."""
    return report(**({"status": NOT_LISTED, "source": Source.AUDIT_LOG, "restricted_at": None} | changes))


def test_a_new_restriction_opens_a_case(desk: Desk) -> None:
    """The case has a number, the kind's playbook, and the owner as the compromised user until others are named."""
    (taken,) = desk.take(report())
    assert ("opened", 1, "item 1", ADA, "mailbox", "") == (
        taken.outcome,
        taken.case_number,
        taken.where,
        taken.identifier,
        taken.kind,
        taken.why,
    )
    assert plain(taken.to_data()) == taken.to_data()
    case = desk.case(casework.find(desk.app, "1"))
    assert (State.DETECTED, 1, 1) == (case.state, case.recurrence, len(case.identities))


@pytest.mark.parametrize(
    ("kind", "identifier", "playbook"),
    [
        (Kind.MAILBOX, ADA, "compromised-mailbox"),
        (Kind.CONNECTOR, CONNECTOR, "blocked-connector"),
        (Kind.USER, ADA, "privileged-account"),
    ],
)
def test_each_kind_has_its_playbook(desk: Desk, kind: Kind, identifier: str, playbook: str) -> None:
    """Mailboxes, connectors and users are worked by different playbooks."""
    case = desk.case(desk.restrict(identifier, kind=kind))
    with desk.app.database.reading() as tx:
        assert playbook == desk.app.playbook(tx, case.playbook).name
    assert (kind is not Kind.CONNECTOR) == bool(case.identities)


def test_the_same_file_again_opens_nothing(desk: Desk) -> None:
    """A second import of the same items, and any later one, writes no entry at all."""
    items = [report(ADA), report(EVE), report(CONNECTOR, kind=Kind.CONNECTOR)]
    assert ["opened"] * 3 == outcomes(desk, *items)
    before = desk.count()
    assert ["known"] * 3 == outcomes(desk, *items)
    assert ["known"] * 3 == outcomes(desk.again(), *items)
    assert before == desk.count()


def test_a_file_read_twice_opens_nothing(desk: Desk) -> None:
    """From the bytes of a real-shaped file on, a second import changes nothing."""
    rows = [
        {
            "SenderAddress": f"user{number}@contoso.example",
            "Reason": "OutboundSpamLast24Hours=312;OutboundMailLast24Hours=1840",
            "CreatedDatetime": "2026-11-01T08:12:33Z",
            "ChangedDatetime": "2026-11-01T08:12:33Z",
            "TemporaryBlock": False,
        }
        for number in range(3)
    ]
    data = json.dumps(rows).encode()
    for expected in ("opened", "known"):
        items = read(io.BytesIO(data), name="x.json", options=ReadOptions())
        assert [expected] * 3 == outcomes(desk, *items)


def test_an_older_report_is_only_seen(desk: Desk) -> None:
    """An older file, or an undated alert, about a known occurrence reopens nothing."""
    case_id = desk.restrict()
    older = report(restricted_at=START - DAY, source=Source.ALERT, observed_at=START - DAY)
    assert ["seen", "seen"] == outcomes(desk, older, report(restricted_at=None, source=Source.BOUNCE, status=UNKNOWN))
    case = desk.case(case_id)
    assert (1, State.DETECTED) == (case.recurrence, case.state)
    assert ["case:opened", "restriction:seen", "restriction:seen"] == desk.types(case_id)


def test_a_new_occurrence_comes_back(desk: Desk) -> None:
    """Restricted again after it was seen gone: the next recurrence of the same open case."""
    case_id = desk.released()
    desk.clock.move(HOUR)
    assert ["came-back"] == outcomes(desk, report(restricted_at=desk.clock.now))
    case = desk.case(case_id)
    assert (2, State.DETECTED, {}) == (case.recurrence, case.state, case.evidence)
    assert ["known"] == outcomes(desk, report(restricted_at=desk.clock.now))


def closed(desk: Desk) -> str:
    """Return a case that was released and closed after its watch."""
    case_id = desk.released()
    desk.clock.move(8 * DAY)
    desk.do(case_id, *desk.every(case_id, Phase.CLOSE, *Phase))
    with desk.app.database.reading() as tx:
        recommended = desk.app.playbook(tx, desk.case(case_id).playbook).recommended
    case = desk.case(case_id)
    answers = [
        act.RecordEvidence(
            prerequisite=item.id, about=about, observed_at=desk.clock.now, reference=Private("https://example.org/2")
        )
        for item in recommended
        for about in (case.identities if item.about.value == "identity" else ("",))
    ]
    desk.do(case_id, *answers)
    assert State.CLOSED is desk.do(case_id, act.CloseCase(reason=Private("quiet"))).case.state
    return case_id


def test_a_closed_case_reopens_within_its_time(desk: Desk) -> None:
    """A new occurrence within 30 days of the end reopens the same case."""
    case_id = closed(desk)
    desk.clock.move(10 * DAY)
    assert ["reopened"] == outcomes(desk, report(restricted_at=desk.clock.now - HOUR))
    assert (2, State.DETECTED) == (desk.case(case_id).recurrence, desk.case(case_id).state)


def test_a_late_occurrence_is_a_case_of_its_own(desk: Desk) -> None:
    """Later than 30 days after the end a new case is opened that names the earlier one."""
    case_id = closed(desk)
    desk.clock.move(40 * DAY)
    (taken,) = desk.take(report(restricted_at=desk.clock.now - HOUR))
    assert ("opened", 2) == (taken.outcome, taken.case_number)
    assert "ended case" in taken.why
    opening = desk.entries(casework.find(desk.app, "2"))[0]
    assert case_id == opening.data["previous"]
    assert verification.verify(desk.app).ok


def test_a_delisting_is_observed(desk: Desk) -> None:
    """Gone without an approved unblock: somebody unblocked it outside, and the case stays open."""
    case_id = desk.restrict()
    desk.clock.move(HOUR)
    gone = delisted(observed_at=desk.clock.now - MINUTE)
    (taken,) = desk.take(gone)
    assert ("observed", "gone from the list") == (taken.outcome, taken.why)
    assert (Resolution.UNBLOCKED_OUTSIDE, State.DETECTED) == (desk.case(case_id).resolution, desk.case(case_id).state)
    assert ["known"] == outcomes(desk, gone)


def test_a_temporary_restriction_expires(desk: Desk) -> None:
    """What was temporary and is gone has expired."""
    case_id = desk.restrict(status=TEMPORARY)
    desk.clock.move(DAY)
    assert ["observed"] == outcomes(desk, delisting := delisted(lifted_at=desk.clock.now))
    assert Resolution.EXPIRED is desk.case(case_id).resolution
    assert ["known"] == outcomes(desk, delisting)


def test_a_delisting_after_the_intent_releases(desk: Desk) -> None:
    """The tenant's own record that the restriction went after the approved intent is a release."""
    case_id = desk.approved()
    desk.do(case_id, act.IntendUnblock())
    desk.clock.move(HOUR)
    (taken,) = desk.take(delisted(lifted_at=desk.clock.now - MINUTE))
    assert ("observed", "released") == (taken.outcome, taken.why)
    assert State.RELEASED is desk.case(case_id).state


def test_a_removal_that_somebody_ran_is_not_a_release(desk: Desk) -> None:
    """That the cmdlet ran after the approval says nothing about whether the restriction is gone."""
    case_id = desk.approved()
    desk.do(case_id, act.IntendUnblock())
    desk.clock.move(HOUR)
    (taken,) = desk.take(delisted(lifted_at=desk.clock.now - MINUTE, lifted_by="bob@contoso.example"))
    assert "known" == taken.outcome
    assert "believed" in taken.why
    assert State.UNBLOCK_REQUESTED is desk.case(case_id).state


def log_of(desk: Desk) -> list[Restriction]:
    """Return a log, oldest first: listed, removed by Bob, delisted; listed again, removed by Cat, delisted."""
    log: list[Restriction] = []
    for name, hours in (("bob", 9), ("cat", 5)):
        began = desk.clock.now - hours * HOUR
        lifted = {"lifted_at": began + HOUR, "observed_at": began + HOUR, "lifted_by": f"{name}@contoso.example"}
        gone = {"lifted_at": began + 2 * HOUR, "observed_at": began + 2 * HOUR}
        log += [
            report(source=Source.AUDIT_LOG, restricted_at=began, observed_at=began, where=f"{name} 1"),
            delisted(**lifted, where=f"{name} 2"),
            delisted(**gone, where=f"{name} 3"),
        ]
    return log


def story(desk: Desk) -> list[tuple[object, ...]]:
    """Return what a case's entries say, without what is theirs alone."""
    return [
        (entry.type, entry.recurrence, entry.data.get("observed_at"), "lifted_by" in entry.data, entry.basis)
        for entry in desk.entries(casework.find(desk.app, "1"))
        if entry.type.startswith(("case:", "restriction:"))
    ]


@pytest.mark.parametrize("backwards", [False, True])
def test_a_log_tells_the_same_in_either_order(desk: Desk, backwards: bool) -> None:  # noqa: FBT001
    """Whoever unblocked is named, and what came back came back."""
    desk.clock.move(DAY)
    log = log_of(desk)
    given = [Skipped("item 0", "of no interest"), *(reversed(log) if backwards else log)]

    assert ["skipped", "opened", "observed", "observed", "came-back", "observed", "observed"] == outcomes(desk, *given)
    assert [
        ("case:opened", 1, False),
        ("restriction:observed", 1, True),
        ("restriction:observed", 1, False),
        ("restriction:returned", 2, False),
        ("restriction:observed", 2, True),
        ("restriction:observed", 2, False),
    ] == [(kind, recurrence, named) for kind, recurrence, _, named, _ in story(desk)]
    before = desk.count()
    assert {"skipped", "known"} == set(outcomes(desk, *given))
    assert before == desk.count()


def test_an_unblock_outside_is_seen_in_either_order(desk: Desk) -> None:
    """A removal before the approval is somebody else's, though its delisting follows our intent."""
    case_id = desk.approved()
    removed = desk.clock.now - 2 * MINUTE
    desk.do(case_id, act.IntendUnblock())
    desk.clock.move(HOUR)
    removal = delisted(lifted_at=removed, observed_at=removed, lifted_by="bob@contoso.example")
    gone = delisted(lifted_at=desk.clock.now - MINUTE, observed_at=desk.clock.now - MINUTE)
    desk.take(gone, removal)
    assert Resolution.UNBLOCKED_OUTSIDE is desk.case(case_id).resolution


def test_records_of_one_second_keep_the_order_of_the_log(desk: Desk) -> None:
    """Newest first, the one further down came first."""
    desk.clock.move(DAY)
    first, removal, gone, *_ = log_of(desk)
    assert removal.lifted_at is not None
    gone = replace(gone, lifted_at=removal.lifted_at, observed_at=removal.observed_at)
    given: list[Restriction | Skipped] = [Skipped("item 0", "of no interest"), gone, removal, first]
    assert ["skipped", "opened", "observed", "known"] == outcomes(desk, *given)
    assert [False, True] == [named for *_, named, _ in story(desk)]


def test_who_unblocked_is_told_of_what_is_known_to_be_gone(desk: Desk) -> None:
    """Once, whoever saw first that it was gone; nobody is named who lifted an earlier one, or what we unblocked."""
    case_id = desk.restrict(status=TEMPORARY)
    began = desk.clock.now - MINUTE
    desk.clock.move(HOUR)
    desk.take(delisted(lifted_at=desk.clock.now))
    assert Resolution.EXPIRED is desk.case(case_id).resolution
    early, removal = (
        delisted(lifted_at=began + span, lifted_by="bob@contoso.example") for span in (-MINUTE, 20 * MINUTE)
    )
    assert ["known", "observed", "known"] == outcomes(desk, early, removal, removal)
    last = desk.entries(case_id)[-1]
    assert time_to_text(began + 20 * MINUTE) == last.data["lifted_at"]
    assert (Resolution.UNBLOCKED_OUTSIDE, desk.clock.now) == (
        desk.case(case_id).resolution,
        desk.case(case_id).absent_at,
    )
    desk.released(EVE)
    ours = delisted(identifier=EVE, lifted_at=desk.clock.now - MINUTE, lifted_by="bob@contoso.example")
    assert ["known"] == outcomes(desk, ours)
    assert verification.verify(desk.app).ok


def test_a_log_longer_than_what_is_put_in_order(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """What comes before the listing it ends is told to the case that the listing opens, who did it too."""
    monkeypatch.setattr(intake, "BATCH", 1)
    monkeypatch.setattr(intake, "IN_ORDER", 0)
    desk.clock.move(DAY)
    listing, removal, gone, *_ = log_of(desk)
    earlier = replace(gone, lifted_at=listing.restricted_at, observed_at=listing.restricted_at)

    given = (gone, removal, earlier, listing)
    assert ["skipped", "skipped", "skipped", "opened", "observed", "observed"] == outcomes(desk, *given)
    assert [False, True, False] == [named for *_, named, _ in story(desk)]
    assert ["known"] * 4 == outcomes(desk, *given)


def test_a_log_read_backwards_tells_the_same(desk: Desk) -> None:
    """What ended a restriction before it was told of is told to the case, the last of it."""
    desk.clock.move(HOUR)
    early, late = delisted(lifted_at=desk.clock.now - 2 * MINUTE), delisted(lifted_at=desk.clock.now - MINUTE)
    listing = report(source=Source.AUDIT_LOG, restricted_at=desk.clock.now - 3 * MINUTE)

    assert ["opened", "observed", "observed"] == outcomes(desk, late, early, listing)

    case = desk.case(casework.find(desk.app, "1"))
    assert (Resolution.UNBLOCKED_OUTSIDE, desk.clock.now - MINUTE) == (case.resolution, case.absent_at)
    assert ["known", "known", "known"] == outcomes(desk, late, early, listing)


@pytest.mark.parametrize("item", [delisted(observed_at=START), delisted()])
def test_a_delisting_of_nobody_known_is_skipped(desk: Desk, item: Restriction) -> None:
    """Where there is no case, or no time, a delisting opens nothing."""
    before = desk.count()
    assert ["skipped"] == outcomes(desk, item)
    assert before == desk.count()


def test_a_delisting_without_a_time_is_skipped(desk: Desk) -> None:
    """Nobody can tell what a delisting means that does not say when."""
    desk.restrict()
    assert ["skipped"] == outcomes(desk, delisted())


def test_a_delisting_of_an_ended_case_is_known(desk: Desk) -> None:
    """An ended case takes no more readings from files."""
    case_id = closed(desk)
    before = desk.count()
    assert ["known"] == outcomes(desk, delisted(observed_at=desk.clock.now))
    assert before == desk.count()
    assert State.CLOSED is desk.case(case_id).state


def test_what_cannot_be_read_never_loses_the_others(desk: Desk) -> None:
    """Broken and uninteresting rows keep their place, and the rows beside them are taken."""
    items = [
        Skipped("line 2", "no address", broken=True),
        report(ADA),
        Skipped("line 4", "an inbound bounce"),
        report("no address at all"),
        report(EVE, restricted_at=START + DAY),
        report(CONNECTOR, kind=Kind.CONNECTOR),
        report("x@contoso.example", reason="x" * 5000),
    ]
    taken = desk.take(*items)  # type: ignore[arg-type]  # a desk takes what a file holds
    expected = ["broken", "opened", "skipped", "broken", "broken", "opened", "broken"]
    assert expected == [item.outcome for item in taken]
    assert ["no address", "line 2"] == [taken[0].why, taken[0].where]
    assert [1, 2] == [item.case_number for item in taken if item.outcome == "opened"]
    assert verification.verify(desk.app).ok


def test_many_items_are_taken_in_batches(sqlite_desk: Desk) -> None:
    """More items than one transaction takes keep their order, and a mailbox named twice has one case."""
    items = [report(f"user{number % 250}@contoso.example") for number in range(300)]
    found = outcomes(sqlite_desk, *items)
    assert ["opened"] * 250 + ["known"] * 50 == found
    assert verification.verify(sqlite_desk.app).ok


def test_one_person_has_one_case_however_it_is_spelt(desk: Desk) -> None:
    """Letter case and the smtp: prefix do not make a second case."""
    assert ["opened", "known", "known"] == outcomes(
        desk, report("Ada@Contoso.example"), report("smtp:ADA@contoso.EXAMPLE"), report(ADA)
    )


def test_tenants_keep_apart(open_desk: Callable[..., Desk]) -> None:
    """The same address in two tenants is two cases; a report's id is translated as the settings say."""
    guid = "72f988bf-86f1-41af-91ab-2d7cd011db47"
    desk = open_desk(tenants={guid: "contoso"}, tenant="fabrikam")
    assert ["opened", "opened", "known", "seen"] == [
        *outcomes(desk, report(), report(tenant=guid)),
        *outcomes(desk, report(tenant="an-id-nobody-named")),
        *outcomes(desk, report(source=Source.ALERT), tenant="contoso"),
    ]
    tenants = {desk.case(casework.find(desk.app, number)).tenant for number in ("1", "2")}
    assert {"contoso", "fabrikam"} == tenants


def test_a_tenant_has_one_spelling(open_desk: Callable[..., Desk]) -> None:
    """Capitals and blanks make no second tenant: by hand, from a file, in the settings and in what they map."""
    guid = "72f988bf-86f1-41af-91ab-2d7cd011db47"
    desk = open_desk(tenant=" Fabrikam", tenants={guid.upper(): "CONTOSO "})
    intake.open_by_hand(desk.app, ANN, report(source=Source.PORTAL), tenant="FABRIKAM ")
    assert ["known", "opened", "known"] == [
        *outcomes(desk, report(source=Source.PORTAL)),
        *outcomes(desk, report(EVE, tenant=guid)),
        *outcomes(desk, report(EVE), tenant="Contoso"),
    ]
    assert ["fabrikam", "contoso"] == [desk.case(casework.find(desk.app, number)).tenant for number in ("1", "2")]


def left(desk: Desk, restriction: Restriction, **wished: Any) -> list[tuple[str, str]]:
    """Report a restriction by hand to the case it has; return what was not taken of the wish."""
    taken = intake.open_by_hand(desk.app, ANN, restriction, Wish(**wished))
    assert "opened" != taken.outcome
    assert all(plain(item.to_data()) == item.to_data() for item in taken.not_taken)
    return [(item.option, item.command) for item in taken.not_taken]


def test_what_an_open_case_does_not_take_is_told(desk: Desk) -> None:
    """Each option with the command that does it; what holds of the case already was taken long ago."""
    first = report(source=Source.PORTAL, name="Newsletter")
    intake.open_by_hand(desk.app, ANN, first, Wish(facts=(("hosted", True),)))
    assert [] == left(desk, first, identities=(ADA.upper(),), facts=(("hosted", True),), playbook="compromised-mailbox")
    assert [
        (f"--user {EVE}", f"holdfast case identity 1 {EVE}"),
        ("--fact no-hosted", f"holdfast case identity 1 {EVE} --fact no-hosted --ref WHERE"),
        ("--fact guest", f"holdfast case identity 1 {EVE} --fact guest"),
        (
            "--playbook legitimate-bulk-sender",
            "holdfast case playbook 1 legitimate-bulk-sender --reason 'The newsletter'",
        ),
    ] == left(
        desk,
        first,
        identities=(EVE,),
        facts=(("hosted", False), ("guest", True)),
        playbook="legitimate-bulk-sender",
        why="The newsletter",
    )
    assert [("--fact guest", f"holdfast case identity 1 {ADA} --fact guest")] == left(
        desk, first, facts=(("guest", True),)
    )
    later = report(
        source=Source.PORTAL, restricted_at=START - DAY, observed_at=desk.clock.now, name="Ada", status=TEMPORARY
    )
    options = [option for option, _ in left(desk, later)]
    assert ["--restricted-at 2026-11-23T08:00:00.000000Z", "--name Ada"] == options
    assert ["--playbook privileged-account"] == [
        option for option, _ in left(desk, first, playbook="privileged-account")
    ]


def test_what_was_wished_for_again_waits_for_the_second_person(desk: Desk) -> None:
    """The command is then theirs; of a connector nobody is named; what was reported before is no new reading."""
    wish = Wish("legitimate-bulk-sender", why="The newsletter")
    intake.open_by_hand(desk.app, ANN, report(source=Source.PORTAL), wish)
    assert ["holdfast case playbook 1 --confirm"] == [
        command for _, command in left(desk, report(source=Source.PORTAL), playbook="legitimate-bulk-sender")
    ]
    passing, lasting = (report(EVE, source=Source.PORTAL, status=status) for status in (TEMPORARY, LISTED))
    intake.open_by_hand(desk.app, ANN, passing)
    desk.clock.move()
    assert [] == left(desk, lasting)
    assert ["holdfast case observe 2 --restriction temporary --ref WHERE"] == [
        command for _, command in left(desk, passing)
    ]
    relay = report(CONNECTOR, kind=Kind.CONNECTOR, source=Source.PORTAL)
    intake.open_by_hand(desk.app, ANN, relay)
    assert ["holdfast case identity 3 USER --fact has-roles"] == [
        command for _, command in left(desk, relay, facts=(("has-roles", True),))
    ]


def test_by_hand_no_second_case_under_another_tenants_name(desk: Desk) -> None:
    """The first case's gate is not passed by; what a tool reports is taken in, and an ended case bars nothing."""
    desk.take(report(), report(EVE))
    with pytest.raises(RuleRefusedError, match="#1 of tenant 'default'"):
        intake.open_by_hand(desk.app, ANN, report(source=Source.PORTAL), tenant="defualt")
    assert 2 == len(desk.open_cases())
    assert ["opened"] == outcomes(desk, report(), tenant="defualt")
    case_id = casework.find(desk.app, "2")
    desk.do(
        case_id,
        act.DismissCase(
            resolution=Resolution.DUPLICATE, duplicate_of=casework.find(desk.app, "1"), reason=Private("x")
        ),
    )
    desk.do(case_id, act.ConfirmProposal(proposal="dismissal"), who=BOB)
    assert "opened" == intake.open_by_hand(desk.app, ANN, report(EVE), tenant="defualt").outcome


def test_by_hand_no_ended_case_is_opened_again_beside_another_tenants(desk: Desk) -> None:
    """Neither by reopening it, nor by a reading, nor by a report; two cases would pass by each other's gate."""
    ended = desk.restrict()
    desk.do(ended, desk.gone())
    desk.do(ended, act.DismissCase(resolution=Resolution.FALSE_POSITIVE, reason=Private("x")))
    desk.do(ended, act.ConfirmProposal(proposal="dismissal"), who=BOB)
    assert ["opened"] == outcomes(desk, report(restricted_at=desk.clock.now), tenant="defualt")
    before = desk.types(ended)
    listed = act.ObserveRestriction(status=LISTED, observed_at=desk.clock.move(HOUR))
    for action in (act.ReopenCase(reason=Private("x")), listed):
        with pytest.raises(RuleRefusedError, match="#2 of tenant 'defualt'"):
            desk.do(ended, action)
    ((_, found),) = casework.perform_many(desk.app, ANN, [(ended, [act.ReopenCase(reason=Private("x"))])])
    assert isinstance(found, RuleRefusedError)
    with pytest.raises(RuleRefusedError, match="#2 of tenant 'defualt'"):
        intake.open_by_hand(desk.app, ANN, report(source=Source.PORTAL, restricted_at=desk.clock.move(HOUR)))
    assert before == desk.types(ended)
    assert ["reopened"] == outcomes(desk, report(restricted_at=desk.clock.move(HOUR)))


def test_by_hand_a_case_is_opened_with_what_is_known(desk: Desk) -> None:
    """The opener names playbook, users and facts; the second report of it is only seen."""
    wish = Wish("privileged-account", ("bob@contoso.example", EVE), (("hosted", True),))
    restriction = report(source=Source.PORTAL, name="Newsletter")
    taken = intake.open_by_hand(desk.app, ANN, restriction, wish)
    case = desk.case(casework.find(desk.app, ADA))
    assert ("opened", 2, {"hosted": True}) == (taken.outcome, len(case.identities), case.facts)
    assert "privileged-account" == under(desk, ADA)
    again = intake.open_by_hand(desk.app, ANN, report(source=Source.PORTAL, observed_at=desk.clock.move()))
    assert "seen" == again.outcome


def under(desk: Desk, address: str) -> str:
    """Return the name of the playbook that the case about an address is under."""
    with desk.app.database.reading() as tx:
        return desk.app.playbook(tx, desk.case(casework.find(desk.app, address)).playbook).name


@pytest.mark.parametrize(
    ("kind", "usual", "wished"),
    [
        (Kind.MAILBOX, "compromised-mailbox", "legitimate-bulk-sender"),
        (Kind.USER, "privileged-account", "compromised-mailbox"),
    ],
)
def test_a_playbook_that_asks_less_waits_for_a_second_person(desk: Desk, kind: Kind, usual: str, wished: str) -> None:
    """It opens under its kind's own; neither who wished for the other nor who agreed to it approves."""
    wish = Wish(wished, why="The newsletter")
    taken = intake.open_by_hand(desk.app, ANN, report(kind=kind), wish)
    case_id = casework.find(desk.app, ADA)
    assert ("opened", wished, usual) == (taken.outcome, taken.waiting, under(desk, ADA))
    assert ["case:opened", "proposal:made"] == desk.types(case_id)
    (opener,) = desk.case(case_id).hands
    with pytest.raises(SamePersonError):
        desk.do(case_id, act.ConfirmProposal(proposal="playbook"))
    desk.do(case_id, act.ConfirmProposal(proposal="playbook"), who=BOB)
    assert wished == under(desk, ADA)
    assert 2 == len(desk.case(case_id).hands)
    assert opener in desk.case(case_id).hands
    assert [] == verification.verify(desk.app).findings


def test_a_playbook_that_asks_less_needs_a_reason(desk: Desk) -> None:
    """As a move does; without one nothing is opened."""
    with pytest.raises(InputError, match="asks less than 'compromised-mailbox'"):
        intake.open_by_hand(desk.app, ANN, report(), Wish("legitimate-bulk-sender", why=" "))
    assert [] == desk.open_cases()


def test_a_reason_that_was_not_needed_is_kept(desk: Desk) -> None:
    """Under a playbook that asks no less a case opens at once, and why it was chosen is a note."""
    taken = intake.open_by_hand(desk.app, ANN, report(), Wish("privileged-account", why="An administrator"))
    assert ("", "privileged-account") == (taken.waiting, under(desk, ADA))
    assert ["case:opened", "case:noted"] == desk.types(casework.find(desk.app, ADA))


def test_whoever_names_the_users_has_a_hand_in_the_case(desk: Desk) -> None:
    """Whom the work is asked of is named by one; another approves."""
    for address, named in ((ADA, (EVE,)), (EVE, ())):
        intake.open_by_hand(desk.app, ANN, report(address), Wish(identities=named))
        case_id = casework.find(desk.app, address)
        hands = {desk.entries(case_id)[0].actor["id"]} if named else set()
        assert hands == desk.case(case_id).hands


@pytest.mark.parametrize(
    ("restriction", "wish", "error"),
    [
        (report("nobody"), None, InputError),
        (report(), Wish("no-such-playbook"), NotFoundError),
        (report(), Wish("blocked-connector"), InputError),
        (report(), Wish(facts=(("no-such-fact", True),)), InputError),
        (report(restricted_at=START + DAY), None, InputError),
        (report("ann@contoso.example"), Wish(facts=(("hosted", True),)), SamePersonError),
        (report("ann@contoso.example"), None, SamePersonError),
        (report(), Wish(identities=("ann@contoso.example",)), SamePersonError),
    ],
)
def test_by_hand_what_is_wrong_is_raised(
    desk: Desk, restriction: Restriction, wish: Wish | None, error: type[Exception]
) -> None:
    """A wrong address, playbook, fact, time or opener is refused, and no case is made."""
    who = Who("ann@contoso.example")
    with pytest.raises(error):
        intake.open_by_hand(desk.app, who, restriction, wish)
    with pytest.raises(NotFoundError):
        casework.find(desk.app, "1")


def test_from_a_file_nobody_opens_a_case_about_themselves(open_desk: Callable[..., Desk]) -> None:
    """Their own row is told as broken, and the others are taken in; the machine polls whatever is listed."""
    desk = open_desk(people=[{"name": "ann", "roles": ["lead"], "identities": [EVE]}])
    own, other = intake.take_in(desk.app, Who("ann"), [report(EVE.upper()), report()])
    assert ("broken", True, "opened") == (own.outcome, "your own account" in own.why, other.outcome)
    assert ["opened"] == [taken.outcome for taken in intake.take_in(desk.app, Who(machine=True), [report(EVE)])]


def test_an_auditor_imports_nothing(team: Desk) -> None:
    """Who may not open cases is told so, from a file and by hand; what exists says so too."""
    case_id = team.restrict(ADA)
    with pytest.raises(NotPermittedError):
        team.take(report(ADA, source=Source.ALERT), report(EVE), who=DAN)
    with pytest.raises(NotPermittedError):
        intake.open_by_hand(team.app, DAN, report(EVE))
    assert ["case:opened", "action:denied"] == team.types(case_id)


def test_a_bounce_opens_a_case_with_the_restriction_unknown(desk: Desk) -> None:
    """A bounce says that something is restricted, and neither since when nor how."""
    case_id = desk.restrict(status=UNKNOWN, source=Source.BOUNCE, restricted_at=None, observed_at=START)
    case = desk.case(case_id)
    assert (UNKNOWN, START, None) == (case.reading.status, case.boundary, case.restricted_at)


def test_a_clock_that_is_behind_is_held_back(desk: Desk) -> None:
    """Recorded time never runs backwards within a case, and the entry says that the clock did."""
    case_id = desk.restrict()
    desk.clock.move(timedelta(hours=-2))
    desk.do(case_id, act.AddNote(note=Private("early")))
    opened, noted = desk.entries(case_id)
    assert ("ok", "clamped", opened.recorded_at) == (opened.clock, noted.clock, noted.recorded_at)
    assert verification.verify(desk.app).ok
