"""The results of one command over many cases: told one by one, counted at the end."""

from __future__ import annotations

from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from workflow.cli.exits import INTERRUPTED, Exit, exit_of, worst
from workflow.cli.many import compact
from workflow.cli.output import close_output, hint, say, warn
from workflow.cli.refusals import error_data, next_step, on_call_data, show_error, who_can
from workflow.cli.text import visible
from workflow.errors import HoldfastError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from workflow.cli.files import Spool
    from workflow.cli.session import Session
    from workflow.services.casework import Done
    from workflow.services.glance import Glance
    from workflow.services.wave import Chosen, Item, Taken

WORDS: Mapping[Exit, str] = {
    Exit.DONE: "done",
    Exit.REFUSED: "refused",
    Exit.NOT_ALLOWED: "not allowed",
    Exit.NOT_FOUND: "not found",
    Exit.CONFLICT: "conflict",
    Exit.PENDING: "pending",
}
"""What a result is called; any other is an error."""
SKIPPED, NOT_REACHED = "skipped", "not reached"


def about(item: Item) -> dict[str, Any]:
    """Return which case one item of many is about, by the names that programs know it by."""
    case = item.case
    return {
        "id": case.id if case else None,
        "number": case.number if case else None,
        "entity": case.entity if case else None,
        "where": item.where,
        "step": item.step or None,
    }


@dataclass
class Tally:
    """What came of each case so far.

    Args:
        session: the run.
        shown: what was shown of the cases, by id.
        spool: where results wait for the printed JSON.
    """

    session: Session
    shown: Mapping[str, Glance]
    spool: Spool
    counts: Counter[str] = field(default_factory=Counter)
    codes: set[Exit] = field(default_factory=set)
    left: dict[int, None] = field(default_factory=dict)
    told: int = 0
    closed: bool = False
    reasons: dict[str, int] = field(default_factory=dict)

    def tell(self, taken: Taken) -> None:
        """Take one result down, and print it."""
        self.told += 1
        if taken.error is not None:
            self._add(taken.item, WORDS.get(exit_of(taken.error), "error"), taken.error)
        elif taken.done is not None:
            self._add(taken.item, WORDS[Exit.DONE], done=taken.done)
        else:
            self._add(taken.item, SKIPPED, why=taken.item.skipped)

    def rest(self, items: Sequence[Item]) -> None:
        """Take down what nobody came to."""
        for item in items[self.told :]:
            self._add(item, NOT_REACHED, why="The command ended before its turn; nothing was changed.")

    def _add(
        self, item: Item, word: str, error: HoldfastError | None = None, done: Done | None = None, why: str = ""
    ) -> None:
        self.counts[word] += 1
        if done is not None:
            self.session.recorded = f"{self.counts[word]} {word}"
        self.codes.add(Exit.DONE if error is None else exit_of(error))
        if item.case is not None and word in {NOT_REACHED, *WORDS.values(), "error"} - {WORDS[Exit.DONE]}:
            self.left[item.case.number] = None
        if self.session.as_json:
            self.spool.keep(self._data(item, word, error, done, why))
        else:
            with self._open():
                self._line(item, word, error, done, why)

    @contextmanager
    def _open(self) -> Iterator[None]:
        """Go on where nobody reads any more: all of it was agreed to, and the end is told on standard error."""
        try:
            yield
        except BrokenPipeError:
            close_output()
            self.closed = True

    def _data(self, item: Item, word: str, error: HoldfastError | None, done: Done | None, why: str) -> dict[str, Any]:
        case = item.case
        seen = self.shown.get(case.id) if case else None
        return {
            **about(item),
            "outcome": word.replace(" ", "_"),
            "exit": int(exit_of(error)) if error else 0,
            "code": error.code if error else "",
            "message": str(error) if error else why,
            "next_step": _step(error, case),
            "on_call": on_call_data(error, self.session) if error else [],
            "state": done.case.state.value if done else case.state if case else None,
            "version": done.case.version if done else None,
            "entries": [entry.type for entry in done.entries] if done else [],
            "shown": None
            if seen is None
            else {
                "version": seen.version,
                "digest": seen.digest,
                "exceptions": list(seen.exceptions),
                "attested_only": seen.attested,
                "changed_since_request": seen.changed,
            },
        }

    def close(
        self, stopped: HoldfastError | KeyboardInterrupt | None = None, *, interrupted: bool = False, **extra: Any
    ) -> int:
        """Print the end and return the exit code."""
        interrupted = interrupted or isinstance(stopped, KeyboardInterrupt)
        error = stopped if isinstance(stopped, HoldfastError) else None
        warnings = list(dict.fromkeys(self.session.app.warnings))
        counted = f"{', '.join(f'{count} {word}' for word, count in self.counts.items()) or 'Nothing was done'}."
        if self.session.as_json:
            ended = error_data(error, self.session) if error else {}
            counts = {word.replace(" ", "_"): count for word, count in self.counts.items()}
            rest = {"counts": counts, "interrupted": interrupted, "warnings": warnings}
            with self._open():
                self.spool.print({**rest, **extra, **ended}, "results")
        else:
            with self._open():
                say(counted, bold=True)
            if left := compact(self.left):
                hint(f"Not done: {left}")
            if error is not None:
                show_error(error, self.session)
            if interrupted:
                hint("Interrupted: what is told as done stands, the rest was not begun.")
        warn(map(self.session.localised, warnings))
        if self.closed:
            hint(f"The output was closed before the end: {counted}")
        if interrupted:
            return INTERRUPTED
        return worst([*self.codes, exit_of(error)] if error else self.codes)

    def _line(self, item: Item, word: str, error: HoldfastError | None, done: Done | None, why: str) -> None:
        case = item.case
        who = f"#{case.number} {visible(case.entity, 120)}" if case else visible(item.where, 120)
        who += f", {visible(item.step, 60)}" if item.step else ""
        if done is not None:
            before = next((entry.state_before for entry in done.entries if entry.state_before), done.case.state.value)
            after = done.case.state.value
            say(f"{who}: {f'{before} → {after}' if before != after else after}")
            return
        place = f" ({visible(item.where, 60)})" if case and item.where.startswith(("line ", "item ")) else ""
        said = visible(self.session.localised(str(error or why)), 400)
        first = self.reasons.setdefault(said, case.number) if error and case else 0
        if case and first not in {0, case.number}:
            # Three hundred cases are mostly refused for one reason: it is read once, and the others point to it.
            say(f"{who}{place}: {word}: as #{first}", colour="red")
            return
        say(f"{who}{place}: {word}: {said}", colour="red" if error else None)
        if step := _step(error, case):
            say(f"  next: {step}")
        if error and (able := who_can(error, self.session)):
            say(able)


def _step(error: HoldfastError | None, case: Chosen | None) -> str:
    """Return what to do next about an item that was refused."""
    if error is None:
        return ""
    return next_step(error, str(case.number)) if case else error.next_step
