"""Finding, among all entries of a period, those that an auditor looks at first."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import timedelta
from typing import Final, NamedTuple

from workflow.domain.period import Period
from workflow.domain.vocabulary import EntryType
from workflow.storage.courses import TOUCHED, member
from workflow.storage.transaction import Tx

_OBSERVED: Final = (
    EntryType.EVIDENCE_RECORDED,
    EntryType.EVIDENCE_CONFIRMED,
    EntryType.RESTRICTION_OBSERVED,
)


# Cases first: CROSS keeps SQLite from reading every entry to find those of a few cases.
_OF_PERIOD: Final = (
    f'FROM "case" AS c CROSS JOIN entry AS e WHERE e.case_id = c.id AND {TOUCHED} '
    "AND e.recorded_at >= ? AND e.recorded_at < ?"
)


class Found(NamedTuple):
    """The number and id of an entry's case, its sequence, and the kinds it is of."""

    number: int
    case: str
    sequence: int
    kinds: tuple[str, ...]


class Acted(NamedTuple):
    """As whom one operating system's user acted on a case (opaque ids), where and when first, and how sure that is."""

    number: int
    case: str
    os_user: str
    person: str
    sequence: int
    at: str
    assurance: str


def conditions(tx: Tx, late: timedelta) -> Mapping[str, str]:
    """Return, by kind, the SQL that says of an entry (``e``) whether it is one.

    ``late`` is the time between observing and recording from which on it counts as recorded late.
    """
    approved = f"e.type = '{EntryType.UNBLOCK_APPROVED}'"
    observed = member(tx, "data.observed_at")
    kinds = ", ".join(f"'{kind}'" for kind in _OBSERVED)
    if tx.sqlite:
        length = f"(julianday(e.recorded_at) - julianday({observed})) * 86400"
    else:
        length = f"extract(epoch FROM e.recorded_at::timestamptz - ({observed})::timestamptz)"
    # What is handed on from the tenant was recorded there, once, before.
    own = f"e.type IN ({kinds}) AND {member(tx, 'data.tenant_entry')} IS NULL"
    return {
        "exception": f"e.type = '{EntryType.EXCEPTION_GRANTED}'",
        "break-glass": f"{approved} AND {member(tx, 'data.break_glass')} IS NOT NULL",
        "dismissal": f"e.type = '{EntryType.CASE_DISMISSED}'",
        "playbook": f"e.type = '{EntryType.PLAYBOOK_MOVED}'",
        "outside": f"{member(tx, 'basis.resolution')} = 'unblocked_outside' "
        f"AND e.type = '{EntryType.RESTRICTION_OBSERVED}'",
        "changed-outside": f"e.type = '{EntryType.CHANGE_SEEN}'",
        # CASE keeps PostgreSQL from reading the times of entries that have none.
        "recorded-late": f"CASE WHEN {own} THEN {length} > {late.total_seconds():.0f} END",
        "bulk": f"{approved} AND {member(tx, 'data.bulk')} IS NOT NULL",
        "erased": f"e.type = '{EntryType.CASE_ERASED}'",
        "retracted": f"e.type = '{EntryType.EVIDENCE_RETRACTED}'",
    }


def entries(tx: Tx, period: Period, kinds: Iterable[str], late: timedelta) -> Iterator[Found]:
    """Yield the entries of a period that are of any of these kinds, in the order in which they were recorded."""
    known = conditions(tx, late)
    wanted = [kind for kind in kinds if kind in known]
    if not wanted:
        return
    start, end = period.texts()
    flags = ", ".join(f"({known[kind]})" for kind in wanted)
    for number, case_id, sequence, *found in tx.run(
        f"SELECT c.number, e.case_id, e.sequence, {flags} {_OF_PERIOD} "
        f"AND ({' OR '.join(f'({known[kind]})' for kind in wanted)}) ORDER BY e.recorded_at, e.position",
        (end, start, start, end),
    ):
        yield Found(number, case_id, sequence, tuple(kind for kind, is_ in zip(wanted, found, strict=True) if is_))


def actors(tx: Tx, period: Period) -> list[Acted]:
    """Return who acted on which case in a period under which name, by case, operating system's user and first entry."""
    start, end = period.texts()
    user, person = member(tx, "actor.os"), member(tx, "actor.id")
    rows = tx.all(
        f"SELECT c.number, e.case_id, {user}, {person}, min(e.sequence), min(e.recorded_at), "
        f"min({member(tx, 'actor.assurance')}) {_OF_PERIOD} "
        f"AND {user} <> 'system' GROUP BY 1, 2, 3, 4 ORDER BY 1, 3, 5",
        (end, start, start, end),
    )
    return [Acted(*row) for row in rows]
