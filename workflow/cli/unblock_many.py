"""Unblocks of many cases: approving them together, the script that carries them out, and its results."""

from __future__ import annotations

import secrets
import shlex
from typing import TYPE_CHECKING, Any

from workflow.cli.answers import located_rows
from workflow.cli.files import called, opened
from workflow.cli.many import compact
from workflow.cli.output import say
from workflow.cli.text import visible
from workflow.cli.wave import Plan, carry_out, chosen, each, over_many
from workflow.domain import actions as act
from workflow.domain.private import private
from workflow.domain.vocabulary import Answer
from workflow.errors import InputError, PendingError, StorageError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from workflow.cli.many import Cases
    from workflow.cli.session import Session
    from workflow.domain.script import Unblock
    from workflow.services.glance import Glance
    from workflow.services.wave import Item, Taken
    from workflow.sources.results import Row


def approve_many(session: Session, cases: Cases, reason: str) -> None:
    """Approve the requests of many cases; each approval says among how many it was given."""
    items = chosen(session, cases)
    together = sum(item.case is not None and not item.skipped for item in items)
    action = act.ApproveUnblock(reason=private(reason), bulk=together if together > 1 else 0)
    verb = "Approve the unblock of"
    plan = Plan(title="Approving", verb=verb, make=each(action), decides=True, unblocks=action.name)
    over_many(session, cases, plan, items)


def write_script(session: Session, cases: Cases, path: Path, reason: str, *, force: bool) -> None:
    """Record the intent to unblock each case, then write the commands into one script.

    A case whose unblock is under way already is written down again, because a script may have been lost: it looks
    before it unblocks.

    Raises:
        InputError: the file exists, or its folder does not.
        StorageError: it cannot be written; no intent has been recorded then.
    """
    from workflow.services.outcomes import commands, unblock_of

    free(path, force=force)
    shown: dict[str, Glance] = {}
    steps: list[Unblock] = []

    def started(_: Item, seen: Glance) -> list[act.Action]:
        shown[seen.id] = seen
        commands(seen)
        return [act.IntendUnblock(reason=private(reason))]

    def collected(taken: Taken) -> None:
        case = taken.item.case
        if case is None or case.id not in shown:
            return
        seen = shown[case.id]
        attempt = taken.done.case.attempt if taken.done else seen.attempt
        if attempt is not None and (taken.done is not None or isinstance(taken.error, PendingError)):
            steps.append(unblock_of(seen, attempt.leaf))

    def finished() -> Mapping[str, Any]:
        return _written(session, path, steps)

    plan = Plan(title="Starting", verb="Start the unblock of", make=started, decides=True, unblocks="unblock")
    over_many(session, cases, plan, also=collected, finish=finished)


def free(path: Path, *, force: bool) -> None:
    """Refuse a file that could not be written, before anything is recorded.

    Raises:
        InputError: it exists, or its folder does not.
        StorageError: nothing can be written there.
    """
    from workflow.domain.command import literal
    from workflow.storage.files import write_new

    literal(_results(path))
    if not path.parent.is_dir():
        raise InputError(f"There is no folder {path.parent}.")
    if path.is_dir() or (path.exists() and not force):
        raise InputError(f"{path} exists already: name another file, or give --force to write over it.")
    trial = _beside(path)
    write_new(trial)
    trial.unlink()


def _written(session: Session, path: Path, steps: list[Unblock]) -> Mapping[str, Any]:
    from workflow.domain.script import script
    from workflow.storage.files import write_new

    if not steps:
        return {"script": None, "results_file": None}
    whole = _beside(path)
    try:
        write_new(whole, script(steps, _results(path)))
        whole.replace(path)
    except (OSError, StorageError) as error:
        numbers = compact(step.number for step in steps)
        message = f"{error} The unblocks are started; write their script with: holdfast case unblock {numbers} --script"
        raise StorageError(message) from None
    results = path.with_name(_results(path))
    if not session.as_json:
        numbers = compact(step.number for step in steps)
        say(
            f"Wrote {visible(path)} for {len(steps)} of them. Read it, connect (Connect-ExchangeOnline), run it.",
            bold=True,
        )
        say(f"  then:     holdfast case unblock --outcomes {visible(shlex.quote(str(results)))}")
        say(f"  and:      holdfast case observe {numbers} --restriction not-listed --ref WHERE")
    return {"script": str(path), "results_file": str(results)}


def _results(path: Path) -> str:
    return f"{path.stem}.results.csv"


def _beside(path: Path) -> Path:
    return path.with_name(f".{path.name}.{secrets.token_hex(4)}")


def record_outcomes(session: Session, name: str, ref: str) -> None:
    """Record what a script says became of its unblocks, each row by itself; what was recorded before is left alone."""
    from workflow.services.outcomes import Outcomes
    from workflow.sources.results import OUTCOMES, result_rows

    rows: dict[str, Row] = {}
    failed: list[int] = []
    outcomes = Outcomes(session.app)

    def answered(item: Item, seen: Glance) -> list[act.Action] | str:
        return outcomes.answer(seen, rows.pop(item.where).cells, ref)

    def ended(taken: Taken) -> None:
        attempt = taken.done.case.attempt if taken.done else None
        if taken.done is not None and attempt is not None and attempt.answer is Answer.FAILED:
            failed.append(taken.done.case.number)

    def finished() -> Mapping[str, Any]:
        if failed and not session.as_json:
            say(f"Failed: {compact(failed)}. The attempt has ended; another takes a new request and approval:")
            say(f"  next: holdfast case request-unblock {compact(failed)}")
        return {"failed": failed}

    with opened(name) as (stream, _):
        items = located_rows(session, result_rows(stream, called(name), OUTCOMES, ("case", "outcome")), rows)
        plan = Plan(title="Recording", verb="Record the outcomes of", make=answered, check=outcomes.check)
        carry_out(session, items, plan, also=ended, finish=finished)
