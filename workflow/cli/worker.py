"""``holdfast worker``: the clock at work, in the foreground, until it is told to stop."""

from __future__ import annotations

import threading
from contextlib import nullcontext
from typing import TYPE_CHECKING

import click

from workflow.cli.exits import Exit
from workflow.cli.output import as_json, fields, hint, say
from workflow.cli.session import Session, Verb
from workflow.cli.stopping import stopped_by_signals
from workflow.cli.text import visible

if TYPE_CHECKING:
    from workflow.app import App


@click.command(cls=Verb)
@click.option("--once", is_flag=True, help="Do one pass and end: everything that is due now, for cron and for tests.")
@click.option("--health", is_flag=True, help="Say whether this host's worker is alive; exit code 1 when it is not.")
@click.pass_context
def worker(ctx: click.Context, once: bool, health: bool) -> None:
    """Do what is due by itself, until it is stopped.

    Polls the tenant for restricted entities, reads what playbooks ask and reads it again before it lapses, unblocks
    what was approved and watches until the tenant shows it gone, watches released accounts for what comes back, and
    sends alerts. It contains accounts where the setting worker_contains lets it, and never approves anything. Without
    a connected tenant it sends alerts only.

    Runs in the foreground until SIGTERM or Ctrl-C, then finishes the steps in hand. It says what it does on standard
    error, with --json as one JSON object a line. On SQLite one worker is enough; on PostgreSQL any number, on any
    hosts.

    The exit code of --once is 1 where a chore or a step failed, such as a poll that the tenant did not answer.
    """
    session: Session = ctx.obj
    if health:
        ctx.exit(_health(session))
    ctx.exit(Exit.DONE if _work(session, once=once) else Exit.ERROR)


def _health(session: Session) -> Exit:
    from workflow.worker import pulse as pulses

    path = pulses.place(session.settings)
    found = pulses.read(path)
    faults = ["No worker has run here."] if found is None else found.faults(session.now())
    if session.as_json:
        as_json(pulses.to_data(found or pulses.Pulse(), faults))
    elif faults:
        for fault in faults:
            say(visible(session.localised(fault)))
        hint("Start it with: holdfast worker")
    else:
        assert found is not None  # noqa: S101 - without one there is a fault
        say("The worker is alive.", bold=True)
        times = [("since", session.local(found.started_at)), ("last seen", session.local(found.seen_at))]
        fields([*times, ("steps", str(found.steps))], "  ")
    return Exit.ERROR if faults else Exit.DONE


def _work(session: Session, *, once: bool) -> bool:
    from workflow.app import App
    from workflow.services import automation
    from workflow.worker import loop, pulse
    from workflow.worker.log import Log

    settings, app = session.settings, session.app
    log = Log(app.now, as_json=session.as_json)
    # Its budgets are the tenant's, so that all threads share one connection; the ledger is opened by each.
    provider = app.provider

    def make_app() -> App:
        return App(settings, session.clock or app.now, provider)

    stop = threading.Event()
    shared = app.database.dialect != "sqlite" and not once
    # One ledger in a file has one worker; those of a server share the work.
    turn = nullcontext() if shared else pulse.alone(settings)
    with stopped_by_signals(stop), turn:
        beating = pulse.Beating(pulse.place(settings), pulse.Pulse(once=once), app.now())
        kind = "connected tenant" if automation.able(app) else "no connected tenant: alerts only"
        log(f"Worker started: {kind}.")
        if shared:
            from workflow.worker import fleet

            finished = fleet.run(
                make_app, work=automation, concurrency=settings.worker_steps, stop=stop, log=log, beating=beating
            )
        else:
            room = settings.worker_steps
            finished = loop.run(make_app, automation, room=room, stop=stop, log=log, beating=beating, once=once)
        log("Worker stopped." if finished else "Worker stopped; steps in hand were left to the next one.")
        return finished and not (once and beating.failed)
