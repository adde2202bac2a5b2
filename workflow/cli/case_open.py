"""Opening a case by hand, and what it is about: users, links, playbook."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

import click

from workflow.cli.exits import Exit
from workflow.cli.many import Cases, Many
from workflow.cli.output import as_json, say
from workflow.cli.places import folded
from workflow.cli.session import Session, Verb
from workflow.cli.steps import look, take, user_id
from workflow.cli.text import visible
from workflow.cli.wave import Plan, act_on, each
from workflow.domain import actions as act
from workflow.domain.playbook import Condition
from workflow.domain.private import private
from workflow.domain.restriction import Restriction, Source
from workflow.domain.subject import normalise
from workflow.domain.vocabulary import ENTITY_KINDS, Kind, RestrictionStatus
from workflow.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from workflow.services.intake import Taken

FACT_HELP = "What is known, such as synced or no-synced; may be repeated. One of: " + ", ".join(Condition) + "."


def facts(given: Iterable[str]) -> dict[str, bool]:
    """Return facts from ``synced`` and ``no-synced``.

    Raises:
        InputError: not one of the closed list.
    """
    found = {}
    for text in given:
        name = text.removeprefix("no-")
        if name not in set(Condition):
            raise InputError(f"{text!r} is no fact that playbooks know. Known: {', '.join(Condition)}.")
        found[name] = not text.startswith("no-")
    return found


def kind_of(identifier: str) -> Kind:
    """Return what an identifier looks like: a GUID is a connector, anything else a mailbox."""
    try:
        UUID(identifier.strip())
    except ValueError:
        return Kind.MAILBOX
    return Kind.CONNECTOR


@click.command("open", cls=Verb)
@click.argument("address")
@click.option(
    "--kind", type=click.Choice([kind.value for kind in ENTITY_KINDS]), help="A GUID is a connector, else mailbox."
)
@click.option("--tenant", metavar="NAME", default="", callback=folded, help="Which tenant, unless the settings' own.")
@click.option("--restricted-at", metavar="TIME", help="When the restriction began, as the portal shows it.")
@click.option("--temporary", is_flag=True, help="The portal says that the block ends by itself.")
@click.option("--reason", default="", help="The portal's own text.")
@click.option("--name", default="", help="A connector's or user's display name.")
@click.option("--playbook", metavar="NAME", default="", help="Another playbook than the kind's own.")
@click.option("--playbook-reason", "why", metavar="TEXT", default="", help="Why that playbook, where it asks less.")
@click.option(
    "--user", "users", metavar="ADDRESS", multiple=True, help="A compromised user behind it; may be repeated."
)
@click.option("--fact", "given", metavar="FACT", multiple=True, help=FACT_HELP)
@click.pass_obj
def open_(
    session: Session,
    /,
    *,
    address: str,
    kind: str | None,
    tenant: str,
    restricted_at: str | None,
    temporary: bool,
    reason: str,
    name: str,
    playbook: str,
    why: str,
    users: tuple[str, ...],
    given: tuple[str, ...],
) -> None:
    """Open a case by hand, from the portal or the telephone.

    An address that has an open case is reported to that case instead, and what else was asked for is not done: the
    command of each is named, and the exit code is 3. '--kind user' opens a case about a compromised
    account that is not itself restricted, such as the administrator behind a connector.

    A playbook that asks less than the kind's own takes two people: the case opens under its own, and the move waits for
    somebody else.
    """
    from workflow.services.intake import open_by_hand
    from workflow.services.wishes import Wish

    if why and not playbook:
        raise click.UsageError("--playbook-reason goes with --playbook.")
    chosen = Kind(kind) if kind else kind_of(address)
    restriction = Restriction(
        kind=chosen,
        identifier=normalise(chosen, address),
        status=_status(chosen, temporary),
        source=Source.PORTAL,
        restricted_at=session.time(restricted_at) if restricted_at else None,
        reason=reason,
        name=name,
        where="by hand",
    )
    wish = Wish(playbook=playbook, identities=users, facts=tuple(facts(given).items()), why=why)
    taken = open_by_hand(session.app, session.who, restriction, wish, tenant)
    if session.as_json:
        left = [item.to_data() for item in taken.not_taken]
        as_json(taken.to_data() | {"waiting": taken.waiting, "not_taken": left})
    else:
        _tell(session, taken)
    if taken.not_taken:
        click.get_current_context().exit(Exit.REFUSED)


def _tell(session: Session, taken: Taken) -> None:
    why = f" ({visible(session.localised(taken.why))})" if taken.why else ""
    say(f"#{taken.case_number} {visible(taken.identifier, 120)}: {taken.outcome}{why}", bold=True)
    if taken.waiting:
        say(f"  The move to playbook {visible(taken.waiting, 60)}, which asks less, waits for a second person:")
        say(f"    holdfast case playbook {taken.case_number} --confirm --as NAME")
    for item in taken.not_taken:
        say(f"  not taken: {visible(item.option, 200)}, because the case is open already; instead:", colour="red")
        say(f"    {visible(item.command, 500)}")
    say(f"  next: holdfast case view {taken.case_number}")


def _status(kind: Kind, temporary: bool) -> RestrictionStatus:
    if kind is Kind.USER:
        return RestrictionStatus.UNKNOWN
    return RestrictionStatus.TEMPORARY if temporary else RestrictionStatus.LISTED


@click.command(cls=Verb)
@click.argument("case")
@click.argument("address")
@click.option("--fact", "given", metavar="FACT", multiple=True, help=FACT_HELP)
@click.option("--ref", metavar="TEXT", default="", help="Where it can be checked.")
@click.option("--remove", is_flag=True, help="Propose that this user was not compromised; needs --reason.")
@click.option("--reason", metavar="TEXT", default="", help="Why the user is removed.")
@click.option("--confirm", is_flag=True, help="Agree to the removal, as a second person.")
@click.option("--refuse", is_flag=True, help="Turn the removal down.")
@click.pass_obj
def identity(
    session: Session,
    /,
    *,
    case: str,
    address: str,
    given: tuple[str, ...],
    ref: str,
    remove: bool,
    reason: str,
    confirm: bool,
    refuse: bool,
) -> None:
    """Name a compromised user, say more about one, or remove one.

    Prerequisites about a person are answered for each user, and none of them may approve. Removing one needs two
    people: one proposes (--remove), another agrees (--confirm).
    """
    from workflow.services.casework import subject

    one_of(remove=remove, confirm=confirm, refuse=refuse)
    found = look(session, case)
    if not (remove or confirm or refuse):
        subject_id = subject(session.app, found.tenant, Kind.USER, address)
        take(session, found, act.AddIdentity(subject=subject_id, facts=facts(given), reference=private(ref)))
        return
    subject_id = user_id(session, found, address)
    if remove:
        take(session, found, act.RemoveIdentity(subject=subject_id, reason=private(reason)))
    else:
        take(session, found, second(f"identity:{subject_id}", confirm, reason))


@click.command(cls=Many)
@click.argument("other")
@click.option("--relation", default="related", show_default=True, help="How they belong together.")
@click.pass_obj
def link(session: Session, cases: Cases, other: str, relation: str) -> None:
    """Link another case.

    A connector's case is linked to that of the administrator who changed it.
    """
    from workflow.services.casework import find

    action = act.LinkCase(case=find(session.app, other), relation=relation)
    act_on(session, cases, Plan(title="Linking", verb=f"Link {visible(other, 60)} to", make=each(action)))


@click.command(cls=Many)
@click.argument("name", required=False)
@click.option("--reason", metavar="TEXT", default="", help="Why.")
@click.option("--confirm", is_flag=True, help="Agree to the move, as a second person.")
@click.option("--refuse", is_flag=True, help="Turn the move down.")
@click.pass_obj
def playbook(session: Session, cases: Cases, name: str | None, reason: str, confirm: bool, refuse: bool) -> None:
    """Move the case to another playbook.

    NAME is a playbook's name or the beginning of its digest. Where requirements fall away a second person agrees with
    --confirm.
    """
    from workflow.services.playbooks import adopted_digest

    one_of(confirm=confirm, refuse=refuse)
    if bool(name) == (confirm or refuse):
        raise click.UsageError("Name a playbook, or give --confirm or --refuse for the move that was proposed.")
    action = second("playbook", confirm, reason)
    verb = "Confirm the move of" if confirm else "Refuse the move of"
    if name:
        action = act.MovePlaybook(playbook=adopted_digest(session.app, session.who, name), reason=private(reason))
        verb = f"Use playbook {visible(name, 60)} in"
    act_on(session, cases, Plan(title="Moving", verb=verb, make=each(action), decides=True))


def second(proposal: str, confirm: bool, reason: str) -> act.Action:
    """Return what the second person does about a proposal."""
    if confirm:
        return act.ConfirmProposal(proposal=proposal, reason=private(reason))
    return act.RefuseProposal(proposal=proposal, reason=private(reason))


def one_of(**flags: bool) -> None:
    """Refuse flags that contradict each other.

    Raises:
        click.UsageError: more than one was given.
    """
    given = [f"--{name}" for name, value in flags.items() if value]
    if len(given) > 1:
        raise click.UsageError(f"{' and '.join(given)} contradict each other: choose one.")
