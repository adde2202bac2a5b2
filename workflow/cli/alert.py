"""``holdfast alert``: what is told to whom, beside the tenant's own alert policies, and what came of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from workflow.cli.alert_page import policy_data, show_policies, show_policy, show_tenant, tenant_data
from workflow.cli.exits import Exit
from workflow.cli.lazy import InOrder
from workflow.cli.output import as_csv, as_json, hint, say, table
from workflow.cli.session import Session, Verb
from workflow.cli.text import visible
from workflow.domain.alerts import LARGEST_LIMIT, Policy, Severity

if TYPE_CHECKING:
    from workflow.services.alert_delivery import AlertView
    from workflow.services.alert_policies import TenantView

POLICY = click.argument("policy", type=click.Choice([item.value for item in Policy]), metavar="POLICY")
OFFLINE = click.option("--offline", is_flag=True, help="Do not read the tenant's own policies.")
STATES = ("due", "sending", "sent", "held", "suppressed", "failed", "nobody")
POLICY_COLUMNS = ("policy", "title", "on", "opted_in", "recipients", "notified", "daily_limit", "severity", "log_entry")
COLUMNS = (
    *("id", "policy", "severity", "recipient", "case", "case_number", "raised_at", "state"),
    *("attempts", "next_at", "settled_at", "message", "detail"),
)


class Policies(Verb):
    """A command whose help ends with the policies there are."""

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the policies."""
        del ctx
        from workflow.services.alert_policies import titles

        formatter.write_paragraph()
        formatter.write("POLICY is one of:\n\n")
        formatter.write_dl([(policy.value, title) for policy, title in titles().items()])


@click.group(cls=InOrder, order=("list", "show", "set", "recipients", "test", "send", "log", "retry"))
def alert() -> None:
    """Choose who is alerted to what, and see what was sent.

    Policies stand on the ledger; who a recipient is stands in the settings (alert_recipients).
    """


@alert.command("list", cls=Verb)
@OFFLINE
@click.option("--csv", "wants_csv", is_flag=True, help="Print CSV, without the tenant's own.")
@click.pass_obj
def list_(session: Session, offline: bool, wants_csv: bool) -> None:
    """List the policies, beside the tenant's own where one is connected."""
    from workflow.services.alert_policies import rules

    if wants_csv and session.as_json:
        raise click.UsageError("Choose --csv or --json.")
    found = rules(session.app)
    if wants_csv:
        as_csv(POLICY_COLUMNS, [policy_data(rule, None) for rule in found.values()])
        return
    theirs = _tenant(session, offline)
    if session.as_json:
        policies = [policy_data(rule, theirs) for rule in found.values()]
        as_json({"policies": policies, "tenant": tenant_data(theirs)})
        return
    show_policies(found)
    if not any(rule.told for rule in found.values()):
        hint(
            "Nobody is told anything yet: name recipients in the settings (alert_recipients), then: holdfast alert set"
        )
    if theirs is not None:
        show_tenant(theirs)


@alert.command(cls=Policies)
@POLICY
@OFFLINE
@click.pass_obj
def show(session: Session, policy: str, offline: bool) -> None:
    """Show one policy in full."""
    from workflow.services.alert_policies import rules

    rule = rules(session.app)[Policy(policy)]
    theirs = _tenant(session, offline)
    if session.as_json:
        as_json({"policy": policy_data(rule, theirs), "tenant": tenant_data(theirs)})
    else:
        show_policy(rule, theirs)


def _tenant(session: Session, offline: bool) -> TenantView | None:
    from workflow.services.alert_policies import tenant

    return None if offline else tenant(session.app)


def _limit(ctx: click.Context, param: click.Parameter, value: str | None) -> int | None:
    del ctx, param
    if value is None or value == "none":
        return None if value is None else 0
    if not (value.isascii() and value.isdigit() and 0 < int(value[:9]) <= LARGEST_LIMIT):
        raise click.BadParameter(f"it is a number from 1 to {LARGEST_LIMIT}, or none.")
    return int(value)


@alert.command("set", cls=Policies)
@POLICY
@click.option("--on/--off", "on", default=None, help="Raise this alert, or do not.")
@click.option("--opt-in/--opt-out", "opted_in", default=None, help="Send notifications of it, or do not.")
@click.option("--recipient", "recipients", metavar="NAME", multiple=True, help="Send them here; repeatable, replaces.")
@click.option("--no-recipients", is_flag=True, help="Send them to nobody.")
@click.option("--daily-limit", metavar="N|none", callback=_limit, help="At most so many a day (UTC) to each.")
@click.option("--severity", type=click.Choice([item.value for item in Severity]), help="How grave it is.")
@click.pass_obj
def set_(
    session: Session,
    policy: str,
    on: bool | None,
    opted_in: bool | None,
    recipients: tuple[str, ...],
    no_recipients: bool,
    daily_limit: int | None,
    severity: str | None,
) -> None:
    """Change a policy; who did and when is on the ledger.

    A recipient is a name of the settings, never an address: what stands on the ledger stays there.
    """
    from workflow.services.alert_policies import Change, change

    if recipients and no_recipients:
        raise click.UsageError("Choose --recipient or --no-recipients.")
    wanted = Change(
        on=on,
        opted_in=opted_in,
        recipients=recipients if recipients or no_recipients else None,
        daily_limit=daily_limit,
        severity=Severity(severity) if severity else None,
    )
    if wanted == Change():
        raise click.UsageError("Say what is to be different: --on, --recipient NAME, --daily-limit N…")
    rule, changed = change(session.app, session.who, Policy(policy), wanted)
    if session.as_json:
        as_json({"policy": policy_data(rule, None), "changed": changed})
        return
    say("Changed." if changed else "It stands so already; nothing was changed.")
    show_policy(rule, None)


@alert.command(cls=Verb)
@click.pass_obj
def recipients(session: Session) -> None:
    """List the recipients that the settings name; their addresses, which hold secrets, are not shown."""
    from dataclasses import asdict

    from workflow.services.alert_policies import recipients as read

    found = read(session.app)
    if session.as_json:
        as_json({"recipients": [asdict(item) for item in found]})
        return
    table(
        ("name", "channel", "where", "fault"),
        [(item.name, item.channel, item.shown, item.fault) for item in found],
        flexible=(3, 2),
    )
    if not found:
        hint('Name one in the settings file, under [alert_recipients]: soc = "mailtos://…"')


@alert.command(cls=Policies)
@click.argument("policy", type=click.Choice([item.value for item in Policy]), metavar="[POLICY]", default="restricted")
@click.option("--recipient", metavar="NAME", default="", help="Only to this one of the settings.")
@click.pass_context
def test(ctx: click.Context, policy: str, recipient: str) -> None:
    """Send a test message at once, to a policy's recipients or to one.

    It goes where the real ones go, whether or not the policy is on, and counts against no limit. Exits with 1 when
    somebody was not reached.
    """
    from workflow.services.alert_delivery import try_out

    session: Session = ctx.obj
    found = try_out(session.app, session.who, Policy(policy), recipient)
    if session.as_json:
        as_json({"alerts": [item.to_data() for item in found]})
    else:
        for item in found:
            say(f"{visible(item.recipient)}: {item.state}{f', {visible(item.detail)}' if item.detail else ''}")
    if any(item.state != "sent" for item in found):
        ctx.exit(Exit.ERROR)


@alert.command(cls=Verb)
@click.pass_context
def send(ctx: click.Context) -> None:
    """Find what is to be told and tell it, once; for cron, where no worker runs.

    Exits with 1 when a message was given up.
    """
    from workflow.services.alerts import collect, deliver, digest

    session: Session = ctx.obj
    now = session.app.now()
    raised = collect(session.app, now) + digest(session.app, now)
    came = deliver(session.app, now)
    if session.as_json:
        as_json({"raised": raised, **came.to_data()})
    else:
        parts = [f"{raised} raised", *(f"{count} {name}" for name, count in came.to_data().items() if count)]
        say(", ".join(parts))
        if came.waiting or came.failed:
            hint("What was not sent, and why: holdfast alert log")
    if came.failed:
        ctx.exit(Exit.ERROR)


@alert.command(cls=Verb)
@click.option("--state", "states", multiple=True, type=click.Choice(STATES), help="Only these.")
@click.option("--policy", type=click.Choice([item.value for item in Policy]), help="Only this one's.")
@click.option("--recipient", metavar="NAME", default="", help="Only to this one.")
@click.option("--case", "case", metavar="CASE", default="", help="Only about this case.")
@click.option("--since", metavar="TIME", help="Only those raised then or later.")
@click.option("--limit", type=click.IntRange(1, 500), default=50, show_default=True, help="The newest so many.")
@click.option("--csv", "wants_csv", is_flag=True, help="Print CSV, times in UTC.")
@click.pass_obj
def log(
    session: Session,
    states: tuple[str, ...],
    policy: str | None,
    recipient: str,
    case: str,
    since: str | None,
    limit: int,
    wants_csv: bool,
) -> None:
    """List the messages and what came of them, the newest first.

    due and sending: on its way; sent; held: by the daily limit; suppressed: not for this recipient, such as an account
    that the case is about; failed: given up; nobody: raised while there was no recipient.
    """
    from workflow.services.alert_delivery import log as read
    from workflow.services.casework import find

    if wants_csv and session.as_json:
        raise click.UsageError("Choose --csv or --json.")
    found = read(
        session.app,
        states=states,
        policy=policy or "",
        recipient=recipient,
        case_id=find(session.app, case) if case else "",
        since=session.time(since) if since else None,
        limit=limit,
    )
    if session.as_json:
        as_json({"alerts": [item.to_data() for item in found]})
    elif wants_csv:
        as_csv(COLUMNS, [item.to_data() | {"attempts": len(item.attempts)} for item in found])
    else:
        _show_log(session, found)


def _show_log(session: Session, found: list[AlertView]) -> None:
    if not found:
        say("No message fits: none was raised, or none is of this kind.")
        hint("The worker raises and sends them as cases give cause, once somebody is told: holdfast alert list")
        return
    table(
        ("raised", "policy", "case", "recipient", "state", "tried", "detail", "id"),
        [
            (
                session.local(item.raised_at),
                item.policy,
                "" if item.case_number is None else f"#{item.case_number}",
                item.recipient,
                item.state,
                len(item.attempts),
                f"next {session.local(item.next_at)}; {item.detail}" if item.attempts and item.next_at else item.detail,
                item.id,
            )
            for item in found
        ],
        flexible=(6,),
        spare=(5, 0, 3, 6),
    )
    if any(item.state == "failed" for item in found):
        hint("Try once more what was given up: holdfast alert retry")


@alert.command(cls=Verb)
@click.argument("ids", metavar="[ID]...", nargs=-1)
@click.pass_obj
def retry(session: Session, ids: tuple[str, ...]) -> None:
    """Try once more what was given up, or messages that 'alert log' names.

    A message that the daily limit held is named to be sent after all, within the limit of the day.
    """
    from workflow.services.alert_delivery import retry as again

    count = again(session.app, session.who, ids)
    if session.as_json:
        as_json({"due": count})
    else:
        say(f"{count} {'message is' if count == 1 else 'messages are'} due again.")
        hint("The worker sends them; without one: holdfast alert send")
