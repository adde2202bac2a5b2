"""Records and entries: what the domain says happened, before and after the journal stamps it.

``lifecycle.advance`` returns records; ``storage/journal`` gives each an id, a sequence, a time and a hash, which
makes it an entry. ``history.fold`` reads entries only.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

from workflow.domain.vocabulary import Assurance, EntryType, Outcome, Role

if TYPE_CHECKING:
    from collections.abc import Mapping


_ROLES = {role.value: role for role in Role}
_ASSURANCES = {assurance.value: assurance for assurance in Assurance}


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts, by opaque subject ids only.

    Args:
        id: the person, compared by separation of duties (the claimed name where one is given).
        os: the operating system's user behind it.
        roles: what the settings allow this person.
        team: the person's team, or "".
        channel: the face: ``cli``, ``web``, ``worker``, ``api``.
        assurance: how sure we are of ``id``.
        identities: ids of the users in a tenant that are this same person.
    """

    id: str
    os: str
    roles: tuple[Role, ...]
    team: str = ""
    channel: str = "cli"
    assurance: Assurance = Assurance.CLAIMED
    identities: tuple[str, ...] = ()

    def to_data(self) -> dict[str, Any]:
        """Return the ``actor`` object of an entry."""
        return {
            "id": self.id,
            "os": self.os,
            "roles": [str(role) for role in self.roles],
            "team": self.team,
            "channel": self.channel,
            "assurance": str(self.assurance),
            "identities": list(self.identities),
        }


def actor_from_data(data: Mapping[str, Any]) -> Actor:
    """Rebuild the actor of an entry."""
    return Actor(
        id=data["id"],
        os=data["os"],
        roles=tuple([_ROLES[role] for role in data["roles"]]),
        team=data["team"],
        channel=data["channel"],
        assurance=_ASSURANCES[data["assurance"]],
        identities=tuple(data["identities"]),
    )


SYSTEM = Actor(id="system", os="system", roles=(Role.SYSTEM,), channel="system", assurance=Assurance.SYSTEM)
"""The machine, drawing conclusions and letting evidence lapse. It never approves."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """Something that happened to a case, not yet stamped.

    Args:
        type: the entry type.
        actor: who did it; ``SYSTEM`` for what the machine drew.
        state_before: the case's state before, "" before it was opened.
        state_after: the state after, or "" for a record that does not bear state (a note, a refusal).
        recurrence: the recurrence in which it happened.
        action: name of the action that caused it, "" for what the machine drew.
        data: the action's own inputs, so that replay can judge the action again.
        basis: what the decision stood on, derived by the domain.
        cites: leaf hashes (hex) of earlier entries that the decision stands on.
        outcome: done, refused or denied.
        playbook: digest of the playbook in force.
    """

    type: EntryType
    actor: Actor
    state_before: str
    state_after: str
    recurrence: int
    action: str = ""
    data: Mapping[str, Any] = field(default_factory=dict)
    basis: Mapping[str, Any] = field(default_factory=dict)
    cites: tuple[str, ...] = ()
    outcome: Outcome = Outcome.DONE
    playbook: str = ""


class Entry(NamedTuple):
    """A stamped record: the body of one ledger entry, decoded, and its leaf hash.

    A tuple because folding a case builds dozens of them on the hot path. Enumerations stay plain strings here, and
    ``recorded_at`` is text of fixed width, which sorts as time does.
    """

    id: str
    type: str
    tenant: str
    case: str
    sequence: int
    prev: str
    recorded_at: str
    clock: str
    actor: Mapping[str, Any]
    action: str
    state_before: str
    state_after: str
    recurrence: int
    outcome: str
    playbook: str
    data: Mapping[str, Any]
    basis: Mapping[str, Any]
    cites: tuple[str, ...]
    request: str
    leaf: str


def entry_from_body(body: Mapping[str, Any], leaf: str) -> Entry:
    """Take a decoded body (format 1) and its leaf hash in hex."""
    return Entry(
        body["id"],
        body["type"],
        body["tenant"],
        body["case"],
        body["sequence"],
        body["prev"],
        body["recorded_at"],
        body["clock"],
        body["actor"],
        body["action"],
        body["state_before"],
        body["state_after"],
        body["recurrence"],
        body["outcome"],
        body["playbook"],
        body["data"],
        body["basis"],
        tuple(body["cites"]),
        body["request"],
        leaf,
    )


@lru_cache(maxsize=4096)
def time_to_text(moment: datetime) -> str:
    """Write an aware time as ``2026-11-24T08:00:00.000000Z``: fixed width, UTC, sorts as text (R10)."""
    if moment.tzinfo is None:
        message = "Times are aware; this one has no zone."
        raise ValueError(message)
    if moment.tzinfo is not UTC:
        moment = moment.astimezone(UTC)
    return moment.isoformat(timespec="microseconds")[:26] + "Z"


@lru_cache(maxsize=4096)
def optional_time_to_text(moment: datetime | None) -> str | None:
    """Write a time that may not be known."""
    return None if moment is None else time_to_text(moment)


def time_for_people(moment: datetime) -> str:
    """Write an aware time to the minute for a message, with its zone: ``2026-11-24 08:00 UTC``."""
    return moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M UTC")


def time_from_text(text: str) -> datetime:
    """Read what :func:`time_to_text` wrote."""
    return datetime.fromisoformat(text)


FIRST_YEAR, LAST_YEAR = 2000, 2199
"""Between which a time lies, whoever wrote it: others are another calendar's, or cannot be shown in every zone."""


def possible_time(moment: datetime) -> bool:
    """Say whether a time lies in the years in which times do."""
    return FIRST_YEAR <= moment.year <= LAST_YEAR


def clamp(now: datetime, previous: datetime | None) -> tuple[datetime, str]:
    """Return the time to record and the clock's state: recorded time never runs backwards within a case (R10)."""
    return (previous, "clamped") if previous is not None and previous > now else (now, "ok")
