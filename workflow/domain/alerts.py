"""Alert policies: what is worth telling somebody at once, by what entry it is known, and what is told by default.

Modelled as Microsoft's alert policies are: each is on or off, its notifications are opted in to or not, go to
recipients, up to a daily limit, with a severity (Microsoft Learn, "Alert policies in the Microsoft Defender portal").
The log's own entries say how a policy stands; where they say nothing the defaults here do.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from workflow.domain import access
from workflow.domain.addressee import ALIAS
from workflow.domain.vocabulary import WEAKENING, Answer, EntryType, Kind, Method, Resolution, Result, State

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from workflow.domain.record import Entry


class Policy(StrEnum):
    """What may be told. ``digest`` is the daily summary."""

    RESTRICTED = "restricted"
    CONNECTOR = "connector"
    RETURNED = "returned"
    OUTSIDE = "outside"
    CHANGED = "changed"
    LATE = "late"
    OVERDUE = "overdue"
    SUPPORT = "support"
    REGRESSION = "regression"
    BREAK_GLASS = "break-glass"
    LEDGER = "ledger"
    TENANT = "tenant"
    DIGEST = "digest"


class Severity(StrEnum):
    """Microsoft's four, the gravest first."""

    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"
    INFORMATIONAL = "informational"


@dataclass(frozen=True, slots=True)
class Standard:
    """A policy's title, its severity by default, what its reader does, and the command to begin with.

    ``command`` has ``{case}`` where the number of the case goes.
    """

    title: str
    severity: Severity
    advice: str
    command: str = "holdfast case view {case}"


STANDARD: Mapping[Policy, Standard] = {
    Policy.RESTRICTED: Standard(
        "User restricted from sending email",
        Severity.HIGH,
        "Contain the account first: password, sessions, sign-in methods. Do not ask the restricted person by mail.",
    ),
    Policy.CONNECTOR: Standard(
        "Suspicious connector activity",
        Severity.HIGH,
        "Find out who changed the connector and take back what was not authorised.",
    ),
    Policy.RETURNED: Standard(
        "Restricted again",
        Severity.HIGH,
        "It was restricted again after it had been free: what was done before did not keep the attacker out.",
    ),
    Policy.OUTSIDE: Standard(
        "Unblocked outside Holdfast",
        Severity.HIGH,
        "Somebody lifted the restriction elsewhere. Ask who did; the remediation is still owed.",
        "holdfast case history {case}",
    ),
    Policy.CHANGED: Standard(
        "Account changed outside Holdfast",
        Severity.MEDIUM,
        "Somebody changed an account of the case elsewhere, in a way that may let an attacker in. Ask who did.",
        "holdfast case history {case}",
    ),
    Policy.LATE: Standard(
        "Unblock takes longer than an hour",
        Severity.MEDIUM,
        "Most unblocks take an hour, none should take more than 24. Nothing has to be repeated yet.",
    ),
    Policy.OVERDUE: Standard(
        "Unblock overdue",
        Severity.HIGH,
        "It has been pending for more than 24 hours: look in the portal, then ask Microsoft Support.",
    ),
    Policy.SUPPORT: Standard(
        "Unblock refused for good",
        Severity.HIGH,
        "Microsoft unblocks this account no more: only Microsoft Support helps. Do not try again.",
    ),
    Policy.REGRESSION: Standard(
        "Something came back after the release",
        Severity.HIGH,
        "A check that held when the account was released does not hold any more: look for the attacker's return.",
    ),
    Policy.BREAK_GLASS: Standard(
        "One person approved an unblock alone",
        Severity.HIGH,
        "The glass was broken: an approver or lead other than that person reviews it.",
        "holdfast case review {case}",
    ),
    Policy.LEDGER: Standard(
        "The ledger does not verify",
        Severity.HIGH,
        "Change nothing, keep the database and the checkpoint file as they are, and find the first fault.",
        "holdfast ledger verify",
    ),
    Policy.TENANT: Standard(
        "The tenant cannot be read",
        Severity.MEDIUM,
        "Restrictions are not seen and unblocks not confirmed while this lasts.",
        "holdfast tenant probe",
    ),
    Policy.DIGEST: Standard(
        "Daily digest",
        Severity.INFORMATIONAL,
        "Keep the checkpoint below where nobody who can write the database can change it.",
        "holdfast case list",
    ),
}
"""Every policy as it stands until somebody changes it."""

MICROSOFTS: Mapping[str, Severity] = {
    "User restricted from sending email": Severity.HIGH,
    "Suspicious connector activity": Severity.HIGH,
    "Email sending limit exceeded": Severity.MEDIUM,
    "Suspicious email sending patterns detected": Severity.MEDIUM,
    "Suspicious email forwarding activity": Severity.HIGH,
    "Suspicious tenant sending patterns observed": Severity.HIGH,
    "Tenant restricted from sending email": Severity.HIGH,
    "Tenant restricted from sending unprovisioned email": Severity.HIGH,
    "Creation of forwarding/redirect rule": Severity.INFORMATIONAL,
    "Elevation of Exchange admin privilege": Severity.LOW,
}
"""Microsoft's own default policies about outbound mail, with the severity that Microsoft gives them.

Nobody can edit a default policy with a cmdlet: what drifted is set right in the portal.
"""

MOST_RECIPIENTS = 20
"""Recipients of one policy, so that its entry stays small."""
LARGEST_LIMIT = 1_000_000


@dataclass(frozen=True, slots=True)
class Rule:
    """How a policy stands. ``daily_limit`` None is no limit; ``recipients`` are names of the settings.

    ``changed`` is the sequence of the log's entry that says so, 0 for Microsoft's and Holdfast's defaults.
    """

    policy: Policy
    on: bool = True
    opted_in: bool = True
    recipients: tuple[str, ...] = ()
    daily_limit: int | None = None
    severity: Severity = Severity.HIGH
    changed: int = field(default=0, compare=False)

    @property
    def told(self) -> tuple[str, ...]:
        """Who is notified: nobody while it is off or not opted in to."""
        return self.recipients if self.on and self.opted_in else ()

    def to_data(self) -> dict[str, Any]:
        """Return the data of its entry; without a limit it says none."""
        data: dict[str, Any] = {
            "policy": self.policy.value,
            "on": self.on,
            "opted_in": self.opted_in,
            "recipients": list(self.recipients),
            "severity": self.severity.value,
        }
        return data if self.daily_limit is None else data | {"daily_limit": self.daily_limit}


def standing(entries: Iterable[Entry]) -> dict[Policy, Rule]:
    """Return every policy as the log's entries leave it."""
    found = {policy: Rule(policy, severity=standard.severity) for policy, standard in STANDARD.items()}
    for entry in entries:
        if entry.type == EntryType.ALERTS_CHANGED:
            rule = _rule(entry)
            found[rule.policy] = rule
    return found


def _rule(entry: Entry) -> Rule:
    data = entry.data
    return Rule(
        policy=Policy(data["policy"]),
        on=data["on"],
        opted_in=data["opted_in"],
        recipients=tuple(data["recipients"]),
        daily_limit=data.get("daily_limit"),
        severity=Severity(data["severity"]),
        changed=entry.sequence,
    )


_MEMBERS = frozenset({"policy", "on", "opted_in", "recipients", "severity"})


def faults(entries: Iterable[Entry]) -> Iterator[tuple[int, str]]:
    """Judge the log's entries about policies again; yields the sequence of each that is no legal step, and why."""
    for entry in entries:
        data = entry.data
        if access.SECOND.isdisjoint(entry.actor["roles"]):
            yield entry.sequence, "somebody changed an alert policy without a role that lets them"
        if not _MEMBERS <= data.keys() <= _MEMBERS | {"daily_limit"} or data["policy"] not in set(Policy):
            yield entry.sequence, "it names no alert policy, or not all of one"
        elif not _sound(data):
            yield entry.sequence, "it sets an alert policy to what it cannot be"


def _sound(data: Mapping[str, Any]) -> bool:
    recipients, limit = data["recipients"], data.get("daily_limit", 1)
    return (
        isinstance(data["on"], bool)
        and isinstance(data["opted_in"], bool)
        and data["severity"] in set(Severity)
        and isinstance(recipients, list)
        and len(recipients) <= MOST_RECIPIENTS
        and all(isinstance(name, str) and ALIAS(name) for name in recipients)
        and len(recipients) == len(set(recipients))
        and isinstance(limit, int)
        and not isinstance(limit, bool)
        and 0 < limit <= LARGEST_LIMIT
    )


RAISING = frozenset(
    {
        EntryType.CASE_OPENED,
        EntryType.RESTRICTION_RETURNED,
        EntryType.RESTRICTION_OBSERVED,
        EntryType.UNBLOCK_ANSWERED,
        EntryType.UNBLOCK_APPROVED,
        EntryType.EVIDENCE_RECORDED,
        EntryType.CHANGE_SEEN,
    }
)
"""The types among which entries that raise an alert are found."""

_OPENED = {Kind.MAILBOX.value: Policy.RESTRICTED, Kind.CONNECTOR.value: Policy.CONNECTOR}


def _outside(entry: Entry) -> bool:
    """Say whether an observation tells of an unblock outside.

    Holdfast itself looks up who lifted a restriction only where no unblock of ours did, so that its finding counts also
    where it came too late to move the case.
    """
    found = entry.data.get("method") == Method.CHECKED and "lifted_at" in entry.data
    return found or entry.basis.get("resolution") == Resolution.UNBLOCKED_OUTSIDE


def raised_by(entry: Entry) -> Policy | None:
    """Return what an entry gives cause to tell, None where it does not; a case opened by hand about a user does not."""
    data = entry.data
    match entry.type:
        case EntryType.CASE_OPENED:
            return _OPENED.get(data["kind"])
        case EntryType.RESTRICTION_RETURNED:
            return Policy.RETURNED
        case EntryType.RESTRICTION_OBSERVED if _outside(entry):
            return Policy.OUTSIDE
        case EntryType.UNBLOCK_ANSWERED if data["answer"] == Answer.SUPPORT:
            return Policy.SUPPORT
        case EntryType.UNBLOCK_APPROVED if data.get("break_glass"):
            return Policy.BREAK_GLASS
        case EntryType.EVIDENCE_RECORDED if (
            entry.state_before == State.RELEASED and data.get("result") == Result.NOT_MET
        ):
            return Policy.REGRESSION
        case EntryType.CHANGE_SEEN if data.get("own") or data["alteration"] in WEAKENING:
            return Policy.CHANGED
        case _:
            return None
