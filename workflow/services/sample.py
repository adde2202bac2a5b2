"""A sample of a period's cases, with what it takes to draw it again: population, digest, seed and checkpoint."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from workflow.domain import sampling
from workflow.domain.history import fold
from workflow.domain.record import optional_time_to_text
from workflow.domain.vocabulary import EntryType
from workflow.ledger.checkpoint import parse
from workflow.services.names import Names
from workflow.storage import cases, tree
from workflow.storage import entries as stored

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from workflow.app import App
    from workflow.domain.case import Case
    from workflow.domain.period import Period
    from workflow.ledger.checkpoint import Checkpoint
    from workflow.storage.transaction import Tx

EVENTS: Mapping[str, frozenset[EntryType]] = {
    "released": frozenset({EntryType.CASE_RELEASED}),
    "closed": frozenset({EntryType.CASE_CLOSED, EntryType.CASE_DISMISSED}),
    "opened": frozenset({EntryType.CASE_OPENED}),
}
"""What may have happened to a case in the period for it to belong to the population."""
TOLD_EVERY = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What to draw from, and how.

    ``states``, ``resolution``, ``kind`` and ``tenant`` narrow the population, as each case stood at the end of the
    period. So a population does not change when its cases go on afterwards.
    """

    period: Period
    event: str = "released"
    number: int = 25
    seed: int = 0
    states: frozenset[str] = frozenset()
    resolution: str = ""
    kind: str = ""
    tenant: str = ""

    @property
    def narrowed(self) -> bool:
        """Whether anything of the case itself is asked for."""
        return bool(self.states or self.resolution or self.kind or self.tenant)

    def fits(self, case: Case) -> bool:
        """Say whether a case, as it stood at the end of the period, belongs to the population."""
        return (
            (not self.states or case.state in self.states)
            and self.resolution in {"", case.resolution}
            and self.kind in {"", case.kind}
            and self.tenant in {"", case.tenant}
        )


@dataclass(frozen=True, slots=True)
class Sample:
    """A sample and where it comes from; ``cases`` in the order drawn, as they stood at the end of the period."""

    wanted: Wanted
    population: Sequence[str]
    checkpoint: Checkpoint | None
    unsealed: int
    cases: Sequence[Mapping[str, Any]] = field(default=())

    @property
    def digest(self) -> str:
        """The SHA-256 of the population's list, in hex."""
        return sampling.digest(self.population)

    @property
    def listing(self) -> str:
        """The population's list, one id to a line."""
        return sampling.listing(self.population)

    def to_data(self) -> dict[str, Any]:
        """Return plain JSON values."""
        wanted, point = self.wanted, self.checkpoint
        lines = point.text().splitlines() if point is not None else ["", "0", ""]
        return {
            "period": wanted.period.to_data(),
            "event": wanted.event,
            "filters": {
                "states": sorted(wanted.states),
                "resolution": wanted.resolution,
                "kind": wanted.kind,
                "tenant": wanted.tenant,
            },
            "population": {"size": len(self.population), "sha256": self.digest},
            "seed": wanted.seed,
            "n": wanted.number,
            "checkpoint": {"origin": lines[0], "size": int(lines[1]), "root": lines[2]},
            "not_sealed": self.unsealed,
            "cases": list(self.cases),
        }


def sample(app: App, wanted: Wanted, progress: Callable[[int, int], None] | None = None) -> Sample:
    """Draw a sample; nothing is written.

    The population are the cases to which ``wanted.event`` happened in the period, by their sealed entries, so that it
    is the same whenever it is asked for, on this ledger or on a copy.
    """
    begins, ends = wanted.period.texts()
    with app.database.reading() as tx:
        note = tree.newest(tx)
        population = stored.cases_with(tx, EVENTS[wanted.event], begins, ends)
        if wanted.narrowed:
            found = []
            for number, case_id in enumerate(population, start=1):
                if progress is not None and number % TOLD_EVERY == 1:
                    progress(number, len(population))
                if wanted.fits(_as_it_stood(tx, case_id, ends)):
                    found.append(case_id)
            population = found
        drawn = sampling.draw(population, wanted.seed, wanted.number)
        return Sample(
            wanted,
            population,
            parse(note) if note else None,
            0 if tx.sqlite else len(tree.unsealed(tx)),
            _rows(tx, wanted, drawn, ends),
        )


def _as_it_stood(tx: Tx, case_id: str, ends: str) -> Case:
    return fold(entry for entry in cases.entries(tx, case_id) if entry.recorded_at < ends)


def _rows(tx: Tx, wanted: Wanted, drawn: Sequence[str], ends: str) -> list[dict[str, Any]]:
    folded = [_as_it_stood(tx, case_id, ends) for case_id in drawn]
    names = Names(tx, {case.entity for case in folded})
    return [
        {
            "place": place,
            "id": case.id,
            "rank": sampling.rank(wanted.seed, case.id),
            "number": case.number,
            "tenant": case.tenant,
            "kind": case.kind.value,
            "entity": names.subject(case.entity),
            "state": case.state.value,
            "resolution": case.resolution.value if case.resolution else "",
            "recurrence": case.recurrence,
            "opened_at": optional_time_to_text(case.opened_at),
            "released_at": optional_time_to_text(case.released_at),
            "ended_at": optional_time_to_text(case.ended_at),
        }
        for place, case in enumerate(folded, start=1)
    ]
