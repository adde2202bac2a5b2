"""A wave: one verb over many cases, each judged by itself, with what came of each."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, replace
from itertools import islice
from typing import TYPE_CHECKING

from workflow.domain import actions as act
from workflow.errors import HoldfastError
from workflow.services.casework import AT_ONCE, Done, meant, perform_many
from workflow.services.glance import glances
from workflow.services.names import Names
from workflow.services.worklist import MOST, checked_filters, redrawn
from workflow.storage import worklist

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from workflow.app import App
    from workflow.domain.case import Case
    from workflow.domain.picture import Picture
    from workflow.services.glance import Glance
    from workflow.services.people import Who
    from workflow.services.worklist import Filters
    from workflow.storage.transaction import Tx

    Maker = Callable[["Item", Glance], Sequence[act.Action] | str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """A case that a wave is about, as the worklist has it."""

    id: str
    number: int
    entity: str
    state: str


@dataclass(frozen=True, slots=True)
class Item:
    """One thing to do: to a case, or to none.

    ``where`` says how it was asked for (what was typed, or a line of a file). ``refused`` is why there is no case;
    ``skipped`` is why nothing is done to it. ``step`` is the prerequisite that a row of a file answers.
    """

    case: Chosen | None = None
    where: str = ""
    refused: HoldfastError | None = None
    skipped: str = ""
    step: str = ""


@dataclass(frozen=True, slots=True)
class Taken:
    """What came of one item: the step, the error that refused it, or neither for one that was skipped."""

    item: Item
    done: Done | None = None
    error: HoldfastError | None = None


def fitting(app: App, filters: Filters) -> list[Item]:
    """Return every case that fits the filters, by number, settled as of now; all of one snapshot."""
    filters = checked_filters(app, filters)
    found: list[Picture] = []
    after: worklist.Key | None = None
    with app.database.reading() as tx:
        anew, _ = redrawn(app, tx, app.now())
        while True:
            page = worklist.page(tx, filters, "number", limit=MOST, after=after, redrawn=anew)
            found += page.cases
            after = page.after
            if after is None:
                return [Item(case) for case in _named(tx, found)]


def referred(app: App, references: Iterable[tuple[str, str]]) -> list[Item]:
    """Return the cases that were named, in that order.

    Args:
        app: the app.
        references: pairs of where it stands and what was written: a number, an address, the end of an id.

    A reference that fits no case, or several, is an item that is refused; a case that is named again one that is
    skipped.
    """
    with app.database.reading() as tx:
        return _referred(tx, references)


def located(app: App, rows: Iterable[tuple[str, str]]) -> list[Item]:
    """Return the case of each row of a file; several rows may be about one case."""
    with app.database.reading() as tx:
        return _referred(tx, rows, once=False)


def _referred(tx: Tx, references: Iterable[tuple[str, str]], *, once: bool = True) -> list[Item]:
    asked: list[tuple[str, Picture | HoldfastError]] = []
    known: dict[str, Picture | HoldfastError] = {}
    for where, text in references:
        if text not in known:
            try:
                known[text] = meant(tx, text)
            except HoldfastError as error:
                known[text] = error
        asked.append((where, known[text]))
    pictures = {item.id: item for item in known.values() if not isinstance(item, HoldfastError)}
    chosen = {case.id: case for case in _named(tx, pictures.values())}
    items, seen = [], set[str]()
    for where, found in asked:
        if isinstance(found, HoldfastError):
            items.append(Item(where=where, refused=found))
            continue
        again = once and found.id in seen
        seen.add(found.id)
        items.append(Item(chosen[found.id], where, skipped="It was named before." if again else ""))
    return items


def _named(tx: Tx, found: Iterable[Picture]) -> list[Chosen]:
    pictures = list(found)
    names = Names(tx, {item.entity for item in pictures})
    return [
        Chosen(id=item.id, number=item.number, entity=names.subject(item.entity), state=item.state) for item in pictures
    ]


def looked_at(app: App, items: Iterable[Item]) -> dict[str, Glance]:
    """Return a glance at each case that something is to be done to, by id."""
    return glances(app, (item.case.id for item in items if item.case is not None and not item.skipped))


def carry_out(
    app: App,
    who: Who,
    items: Iterable[Item],
    make: Maker,
    *,
    shown: dict[str, Glance] | None = None,
    check: Callable[[Case], None] | None = None,
) -> Iterator[Taken]:
    """Do something to each case and yield what came of it, in order and once it is committed.

    Args:
        app: the app.
        who: who acts.
        items: what to do it to. They are drawn as they are needed, so whoever ends them early stops the wave after
            the transaction that is under way.
        make: says what is done to a case that was looked at, or in words why nothing is; the error it raises refuses
            that case alone. Every decision is sent with the version and the evidence digest of the glance.
        shown: the glances that a person was shown; without them each case is looked at just before its turn.
        check: as for :func:`workflow.services.casework.perform_many`.

    Raises:
        HoldfastError: the database refused a whole transaction; nothing of that one was kept.
    """
    waiting: deque[Taken] = deque()

    def wanted() -> Iterator[tuple[str, Sequence[act.Action]]]:
        source = iter(items)
        while batch := list(islice(source, AT_ONCE)):
            seen = looked_at(app, batch) if shown is None else shown
            for item in batch:
                actions = _actions(item, seen, make, waiting)
                if item.case is not None and actions is not None:
                    yield item.case.id, actions

    for _, result in perform_many(app, who, wanted(), check):
        while waiting[0].error is not None or waiting[0].item.skipped:
            yield waiting.popleft()
        item = waiting.popleft().item
        yield Taken(item, error=result) if isinstance(result, HoldfastError) else Taken(item, result)
    yield from waiting


def one_by_one(items: Iterable[Item], step: Callable[[Chosen], Done]) -> Iterator[Taken]:
    """Do something to each case by itself, as what asks the tenant does, and yield what came of it.

    The error that a step raises refuses that case alone.
    """
    for item in items:
        if item.case is None or item.skipped:
            yield Taken(item, error=item.refused)
            continue
        try:
            yield Taken(item, step(item.case))
        except HoldfastError as error:
            yield Taken(item, error=error)


def _actions(
    item: Item,
    seen: dict[str, Glance],
    make: Maker,
    waiting: deque[Taken],
) -> Sequence[act.Action] | None:
    """Return what is to be done to an item, None for nothing, and let it wait for its turn to be told of."""
    if item.case is None or item.skipped:
        waiting.append(Taken(item, error=item.refused))
        return None
    glance = seen[item.case.id]
    try:
        made = make(item, glance)
    except HoldfastError as error:
        waiting.append(Taken(item, error=error))
        return None
    if isinstance(made, str):
        waiting.append(Taken(replace(item, skipped=made)))
        return None
    waiting.append(Taken(item))
    return [_as_seen(action, glance) for action in made]


def _as_seen(action: act.Action, seen: Glance) -> act.Action:
    if isinstance(action, act.Decision):
        return replace(action, seen_version=seen.version, seen_digest=seen.digest)
    return action
