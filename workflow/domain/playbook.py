"""Playbooks: which prerequisites stand between a restricted entity and its release.

A playbook is plain data. Its canonical JSON bytes are stored and hashed; the digest pins it to a case (R8),
so editing the file changes nothing for open cases.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from workflow.domain.vocabulary import Kind, Phase, Role, TenantFact

if TYPE_CHECKING:
    from collections.abc import Mapping


class About(StrEnum):
    """Whom a prerequisite is answered for: the restricted entity once, or each compromised user."""

    ENTITY = "entity"
    IDENTITY = "identity"


class Scope(StrEnum):
    """Of what it is true: of this case, or of the tenant and so of all its cases."""

    CASE = "case"
    TENANT = "tenant"


class Nature(StrEnum):
    """What kind of fact answers it. Only readings go stale."""

    ACTION = "action"
    READING = "reading"
    FINDING = "finding"


class Condition(StrEnum):
    """The closed registry of facts that ``applies_if`` may name. A playbook never feeds code."""

    HOSTED = "hosted"
    SYNCED = "synced"
    FEDERATED = "federated"
    CLOUD_ONLY = "cloud-only"
    HAS_ROLES = "has-roles"
    SHARED_MAILBOX = "shared-mailbox"
    APP_PASSWORDS = "app-passwords"
    ON_PREMISES_RELAY = "on-premises-relay"
    SIGN_IN_DISABLED = "sign-in-disabled"
    GUEST = "guest"
    METHODS_REMOVED = "methods-removed"
    CONNECTOR_CHANGED = "connector-changed"
    APP_COMPROMISED = "app-compromised"


class Check(StrEnum):
    """The closed registry of predicates the product itself can evaluate.

    ``linked-case-contained`` is judged from the ledger, whenever the prerequisite is. The others are readings of a
    tenant: they answer when they are asked, and a person may answer instead.
    """

    NONE = ""
    LINKED_CASE_CONTAINED = "linked-case-contained"
    SNAPSHOT_SAVED = "snapshot-saved"
    SIGN_IN_BLOCKED = "sign-in-blocked"
    PASSWORD_RESET = "password-reset"  # noqa: S105 - the name of a check
    MFA_REQUIRED = "mfa-required"
    SESSIONS_REVOKED = "sessions-revoked"
    METHODS_KNOWN = "methods-known"
    CONSENTS_KNOWN = "consents-known"
    NO_ROLES = "no-roles"
    NO_FORWARDING = "no-forwarding"
    RULES_HARMLESS = "rules-harmless"
    NO_DELEGATES = "no-delegates"
    OWN_MAILBOX_CLEAN = "own-mailbox-clean"


_JUDGED = frozenset({Check.NONE, Check.LINKED_CASE_CONTAINED})


class Team(StrEnum):
    """From which team the approvers must come."""

    ANY = "any"
    OTHER = "other"


class BreakGlass(StrEnum):
    """Whether one person may approve where no second one can be had, and be reviewed afterwards."""

    NEVER = "never"
    ALLOWED = "allowed"


@dataclass(frozen=True, slots=True)
class ExceptionRule:
    """Who may accept the risk of not meeting a prerequisite, and for how long at the most."""

    granted_by: Role
    at_most: timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class Prerequisite:
    """One thing that must be known before the case may move on.

    Args:
        id: published kebab-case id, stable across versions.
        title: imperative sentence an analyst reads.
        required_by: the phase that needs it; a recommended one is due before close.
        required: False for a recommended step, which never blocks an unblock.
        about: the entity once, or every compromised user.
        nature: action, reading or finding.
        fresh_within: how long a reading counts; None for what does not go stale.
        applies_if: conditions; *not applicable* is refused without one (R7).
        any_of: ids of which one being met also satisfies this one.
        after: ids whose work must have been done before this one is observed.
        evidence: what counts as evidence, in a sentence.
        exception: who may except it, or None for nobody.
        scope: whether a record of the whole tenant answers it.
        fact: which one does, where ``scope`` is the tenant.
        check: a predicate the product evaluates itself.
        role: the Microsoft role the step needs.
        portal: the portal page.
        command: PowerShell or Graph command with ``{placeholders}`` of the closed list.
        trap: the one sentence worth knowing.
        source: the article the rule comes from (title or address).
    """

    id: str
    title: str
    required_by: Phase
    required: bool = True
    about: About = About.ENTITY
    nature: Nature = Nature.ACTION
    fresh_within: timedelta | None = None
    applies_if: tuple[Condition, ...] = ()
    any_of: tuple[str, ...] = ()
    after: tuple[str, ...] = ()
    evidence: str = ""
    exception: ExceptionRule | None = None
    scope: Scope = Scope.CASE
    fact: TenantFact | None = None
    check: Check = Check.NONE
    role: str = ""
    portal: str = ""
    command: str = ""
    trap: str = ""
    source: str = ""

    @property
    def readable(self) -> bool:
        """Whether a reading of the tenant can answer it."""
        return self.fact is not None or self.check not in _JUDGED


@dataclass(frozen=True, slots=True, kw_only=True)
class Playbook:
    """A named, versioned list of prerequisites and the rules of its approval.

    ``digest`` is the SHA-256 (hex) of the canonical JSON of :meth:`to_data`; loader or storage fills it in.
    """

    name: str
    version: str
    title: str
    kinds: tuple[Kind, ...]
    prerequisites: tuple[Prerequisite, ...]
    summary: str = ""
    approvals: int = 1
    approval_team: Team = Team.ANY
    break_glass: BreakGlass = BreakGlass.NEVER
    approval_within: timedelta = timedelta(hours=24)
    watch_within: timedelta = timedelta(days=7)
    reopen_within: timedelta = timedelta(days=30)
    unblock_role: str = ""
    unblock_portal: str = ""
    unblock_command: str = ""
    read_command: str = ""
    digest: str = ""
    required: tuple[Prerequisite, ...] = field(init=False, compare=False, repr=False)
    recommended: tuple[Prerequisite, ...] = field(init=False, compare=False, repr=False)
    readable: tuple[Prerequisite, ...] = field(init=False, compare=False, repr=False)
    by_phase: dict[Phase, tuple[Prerequisite, ...]] = field(init=False, compare=False, repr=False)
    counting: frozenset[str] = field(init=False, compare=False, repr=False)
    lapsing: dict[str, Prerequisite] = field(init=False, compare=False, repr=False)
    _by_id: dict[str, Prerequisite] = field(init=False, default_factory=dict, compare=False, repr=False)

    def __post_init__(self) -> None:
        """Index the prerequisites once: by id, by whether and when they are required, which count and which lapse.

        What counts is each required step and its alternatives; what lapses is each reading among them.
        """
        self._by_id.update((item.id, item) for item in self.prerequisites)
        object.__setattr__(self, "required", tuple(item for item in self.prerequisites if item.required))
        object.__setattr__(self, "recommended", tuple(item for item in self.prerequisites if not item.required))
        object.__setattr__(self, "readable", tuple(item for item in self.prerequisites if item.readable))
        by_phase = {phase: tuple(item for item in self.required if item.required_by is phase) for phase in Phase}
        object.__setattr__(self, "by_phase", by_phase)
        counting = frozenset(name for item in self.required for name in (item.id, *item.any_of))
        object.__setattr__(self, "counting", counting)
        fresh = {item.id: item for item in self.prerequisites if item.fresh_within and item.id in counting}
        object.__setattr__(self, "lapsing", fresh)

    def get(self, prerequisite: str) -> Prerequisite | None:
        """Return the prerequisite of that id, or None."""
        return self._by_id.get(prerequisite)

    def to_data(self) -> dict[str, Any]:
        """Return plain JSON values, durations in seconds, without the digest: :func:`from_data` inverted."""
        return {
            "format": 1,
            "name": self.name,
            "version": self.version,
            "title": self.title,
            "summary": self.summary,
            "kinds": [kind.value for kind in self.kinds],
            "approvals": self.approvals,
            "approval_team": self.approval_team.value,
            "approval_within": int(self.approval_within.total_seconds()),
            "watch_within": int(self.watch_within.total_seconds()),
            "reopen_within": int(self.reopen_within.total_seconds()),
            "unblock_role": self.unblock_role,
            "unblock_portal": self.unblock_portal,
            "unblock_command": self.unblock_command,
            "read_command": self.read_command,
            "prerequisites": [_prerequisite_to_data(item) for item in self.prerequisites],
            # Left out where it says nothing, so that playbooks older than this member keep their digests.
            **({"break_glass": self.break_glass.value} if self.break_glass is not BreakGlass.NEVER else {}),
        }


def from_data(data: Mapping[str, Any], digest: str = "") -> Playbook:
    """Rebuild a playbook from :meth:`Playbook.to_data`; the data was validated when it was adopted."""
    return Playbook(
        name=data["name"],
        version=data["version"],
        title=data["title"],
        summary=data["summary"],
        kinds=tuple(Kind(kind) for kind in data["kinds"]),
        approvals=data["approvals"],
        approval_team=Team(data["approval_team"]),
        break_glass=BreakGlass(data.get("break_glass", BreakGlass.NEVER)),
        approval_within=timedelta(seconds=data["approval_within"]),
        watch_within=timedelta(seconds=data["watch_within"]),
        reopen_within=timedelta(seconds=data["reopen_within"]),
        unblock_role=data["unblock_role"],
        unblock_portal=data["unblock_portal"],
        unblock_command=data["unblock_command"],
        read_command=data["read_command"],
        prerequisites=tuple(_prerequisite_from_data(item) for item in data["prerequisites"]),
        digest=digest,
    )


def canonical(playbook: Playbook) -> bytes:
    """Return the playbook's canonical JSON (RFC 8785 for such data) in UTF-8: what is stored and hashed."""
    text = json.dumps(playbook.to_data(), sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return text.encode()


def digest(playbook: Playbook) -> str:
    """Return the SHA-256 of :func:`canonical` in hex: what pins a playbook to a case (R8)."""
    return hashlib.sha256(canonical(playbook)).hexdigest()


def _prerequisite_to_data(item: Prerequisite) -> dict[str, Any]:
    # Left out where it is the case's own, so that playbooks of before keep their digest.
    scope = {"scope": item.scope.value, "fact": item.fact.value} if item.fact is not None else {}
    return scope | {
        "id": item.id,
        "title": item.title,
        "required_by": item.required_by.value,
        "required": item.required,
        "about": item.about.value,
        "nature": item.nature.value,
        "fresh_within": None if item.fresh_within is None else int(item.fresh_within.total_seconds()),
        "applies_if": [condition.value for condition in item.applies_if],
        "any_of": list(item.any_of),
        "after": list(item.after),
        "evidence": item.evidence,
        "exception": None
        if item.exception is None
        else {
            "granted_by": item.exception.granted_by.value,
            "at_most": int(item.exception.at_most.total_seconds()),
        },
        "check": item.check.value,
        "role": item.role,
        "portal": item.portal,
        "command": item.command,
        "trap": item.trap,
        "source": item.source,
    }


def _prerequisite_from_data(data: Mapping[str, Any]) -> Prerequisite:
    rule = data["exception"]
    return Prerequisite(
        id=data["id"],
        title=data["title"],
        required_by=Phase(data["required_by"]),
        required=data["required"],
        about=About(data["about"]),
        nature=Nature(data["nature"]),
        fresh_within=None if data["fresh_within"] is None else timedelta(seconds=data["fresh_within"]),
        applies_if=tuple(Condition(condition) for condition in data["applies_if"]),
        any_of=tuple(data["any_of"]),
        after=tuple(data["after"]),
        evidence=data["evidence"],
        exception=rule
        and ExceptionRule(granted_by=Role(rule["granted_by"]), at_most=timedelta(seconds=rule["at_most"])),
        scope=Scope(data.get("scope", Scope.CASE)),
        fact=TenantFact(data["fact"]) if "fact" in data else None,
        check=Check(data["check"]),
        role=data["role"],
        portal=data["portal"],
        command=data["command"],
        trap=data["trap"],
        source=data["source"],
    )
