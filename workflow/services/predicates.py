"""What a reading of the tenant means for a prerequisite: one named predicate per automatic check.

A predicate says *met* only of what it saw. What a person has to judge, such as a forwarding that the owner may have
wanted, is *not met* until somebody confirms exactly that; what the tenant cannot tell is *unable to verify* (R7).
Sources: "Respond to a compromised email account in Microsoft 365", and the operations' own pages.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar, cast

from workflow.domain.playbook import Check
from workflow.domain.record import time_for_people
from workflow.domain.vocabulary import Result, TenantFact
from workflow.errors import NotReadableError, ProviderError
from workflow.providers import alterations

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from datetime import datetime

    from workflow.app import App
    from workflow.providers.port import Provider
    from workflow.providers.shapes import (
        AlertPolicy,
        Answer,
        AuditEvent,
        Consent,
        Forwarding,
        InboxRule,
        MfaRequirement,
        Read,
        RoleAssignment,
        SignInMethod,
        User,
    )

    Known = dict[tuple[object, ...], Answer[Any] | ProviderError]
    Predicate = Callable[["Look", str, "Ground"], "Finding"]

P = ParamSpec("P")
T = TypeVar("T")

LOOK_BACK = timedelta(days=30)
"""What was registered this long before the restriction may be the attacker's; a tenant keeps sign-ins no longer."""
SKEW = timedelta(minutes=5)
"""How far the clocks of a directory's parts, and ours, may differ."""
APART = timedelta(seconds=30)
"""How far a directory's record of a change, and the time that it shows on the account, usually do."""
ALERT = "User restricted from sending email"
"""Microsoft's own name of the alert policy."""
JUDGED = "Unchanged since a person judged exactly this."
"""What the machine notes where a reading alone would not be good, and a person found good just what it shows."""
LONGEST = 1500
"""Characters of a value; of a longer one a digest follows, so that two of them still compare."""

_NO_FACTOR = frozenset({"password"})
_OUT_OF_SIGHT = ("rss", "notes", "junk", "archive", "conversation history", "deleted")
_ORDINARY = "junk e-mail rule"


@dataclass(slots=True)
class Look:
    """One look at a tenant: what was read is read once, and ``reads`` are the sources of what was asked since emptied.

    ``shared`` holds what is the tenant's own, and the same for every case.
    """

    provider: Provider
    shared: Known = field(default_factory=dict)
    known: Known = field(default_factory=dict)
    reads: list[Read] = field(default_factory=list)

    @classmethod
    def at(cls, app: App) -> Look:
        """Begin a look at an app's tenant."""
        return cls(app.provider, app.tenant_wide())

    def __call__(self, operation: Callable[P, Answer[T]], *args: P.args, **kwargs: P.kwargs) -> T:
        """Return what an operation of the port answers.

        Raises:
            ProviderError: as the operation, and again whenever it is asked the same.
        """
        return self.answer(operation, *args, **kwargs).value

    def answer(self, operation: Callable[P, Answer[T]], *args: P.args, **kwargs: P.kwargs) -> Answer[T]:
        """Return the same with its source.

        Raises:
            ProviderError: as the operation, and again whenever it is asked the same.
        """
        name = getattr(operation, "__name__", "")
        store = self.shared if not args else self.known
        key = (name, *args, *kwargs.items())
        if key not in store:
            try:
                store[key] = operation(*args, **kwargs)
            except ProviderError as error:
                store[key] = error
        found = store[key]
        if isinstance(found, ProviderError):
            raise found
        self.reads.append(found.read)
        return cast("Answer[T]", found)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """What a predicate knows of the case: since when evidence counts, and when Holdfast itself reset the password."""

    since: datetime
    reset_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Finding:
    """What was found: the result, the value it rests on, and what a person should know about it."""

    result: Result
    value: str
    note: str = ""


def sign_in_blocked(look: Look, user: str, _ground: Ground) -> Finding:
    """Sign-in is blocked."""
    found = look(look.provider.user, user)
    note = "The account is synchronised: the on-premises directory overwrites this." if found.synced else ""
    return Finding(_met(holds=not found.enabled), f"accountEnabled {str(found.enabled).lower()}", note)


def password_reset(look: Look, user: str, ground: Ground) -> Finding:
    """The password was changed after the restriction, last by somebody other than the person."""
    found = look(look.provider.user, user)
    changed = found.password_changed_at
    value = f"lastPasswordChangeDateTime {_time(changed)}"
    if changed is None or changed <= ground.since:
        return Finding(Result.NOT_MET, value)
    if found.synced:
        note = "The account is synchronised: it is reset on premises, twice, and a person attests it."
        return Finding(Result.UNABLE_TO_VERIFY, value, note)
    events: list[AuditEvent] = []
    own = ground.reset_at is not None and abs(changed - ground.reset_at) <= SKEW
    try:
        every = look(look.provider.directory_audit, found.id, ground.since - SKEW)
        events = [event for event in every if alterations.sets_password(event)]
    except ProviderError:
        if not own:
            raise
    last = max(events, key=lambda event: event.at, default=None)
    if own and (last is None or last.at < changed - APART or _by_another(last, found)):
        return Finding(Result.MET, f"{value}, reset by Holdfast")
    near = min(events, key=lambda event: abs(event.at - changed), default=None)
    if near is None or abs(near.at - changed) > SKEW:
        note = "The directory audit does not say (yet) who changed it; its records come late."
        return Finding(Result.UNABLE_TO_VERIFY, value, note)
    # Who changed their own password at that very time is not outweighed by somebody who did too.
    same = (event for event in events if abs(event.at - changed) <= APART and not _by_another(event, found))
    near = next(same, near)
    by = shown(f"{near.operation} by {near.actor or 'nobody named'}")
    return Finding(_met(holds=_by_another(near, found)), f"{value}, {by}")


def _by_another(event: AuditEvent, user: User) -> bool:
    known = bool(event.actor) and not alterations.self_service(event)
    return known and event.actor.casefold() not in {user.id.casefold(), user.name.casefold()}


def sessions_revoked(look: Look, user: str, ground: Ground) -> Finding:
    """No session from before the restriction and the last change of the password is valid."""
    found = look(look.provider.user, user)
    valid_from = found.sessions_valid_from
    value = f"signInSessionsValidFromDateTime {_time(valid_from)}"
    since = max(ground.since, found.password_changed_at or ground.since).replace(microsecond=0)
    if found.guest:
        return Finding(Result.UNABLE_TO_VERIFY, value, "External users are not covered by revoking sessions here.")
    if valid_from is None or valid_from < since:
        return Finding(Result.NOT_MET, value)
    until = time_for_people(valid_from + timedelta(hours=1))
    return Finding(Result.MET, value, f"Access tokens issued before may work until {until}.")


def mfa_required(look: Look, user: str, _ground: Ground) -> Finding:
    """Sign-in requires multifactor authentication."""
    found = required_factors(look, user)
    if found.required:
        return Finding(Result.MET, shown(f"required by {found.by}: {found.detail}" if found.detail else found.by))
    if found.unread:
        return Finding(Result.UNABLE_TO_VERIFY, "not known", shown(f"Could not be read: {', '.join(found.unread)}."))
    return Finding(Result.NOT_MET, "not required")


def methods_known(look: Look, user: str, ground: Ground) -> Finding:
    """No sign-in method was registered in the month before the restriction or since, or at an unknown time."""
    found = [item for item in look(look.provider.sign_in_methods, user) if item.kind not in _NO_FACTOR]
    fresh = [item for item in found if recent(item, ground)]
    value = listed(f"{item.kind} {item.name} of {_time(item.created_at)}" for item in found)
    return Finding(_met(holds=not fresh), value)


def consents_known(look: Look, user: str, ground: Ground) -> Finding:
    """No application was given access in the month before the restriction or since, or at an unknown time."""
    found = look(look.provider.consents, user)
    fresh = [item for item in found if recent(item, ground)]
    value = listed(f"{item.app} {item.kind} {' '.join(item.scopes)} of {_time(item.created_at)}" for item in found)
    return Finding(_met(holds=not fresh), value)


def recent(item: SignInMethod | Consent, ground: Ground) -> bool:
    """Say whether something may have been registered by the attacker."""
    return item.created_at is None or item.created_at > ground.since - LOOK_BACK


def no_roles(look: Look, user: str, _ground: Ground) -> Finding:
    """No directory role is active."""
    found = held_roles(look, user)
    note = "Not looked at: eligible roles (PIM), roles held in Exchange, Defender or Azure."
    return Finding(_met(holds=not found), listed(f"{item.name or item.role} on {item.scope}" for item in found), note)


def required_factors(look: Look, user: str) -> MfaRequirement:
    """Return whether sign-in of a person requires multifactor authentication."""
    account = look(look.provider.user, user)
    try:
        policies = look.answer(look.provider.sign_in_policies)
    except NotReadableError:
        policies = None
    return look(look.provider.mfa_requirement, account, policies)


def held_roles(look: Look, user: str) -> tuple[RoleAssignment, ...]:
    """Return the active directory roles of a person, by the id of the account: it is known from reading that."""
    return look(look.provider.roles, look(look.provider.user, user).id)


def no_forwarding(look: Look, mailbox: str, _ground: Ground) -> Finding:
    """The mailbox forwards nothing."""
    found = look(look.provider.forwarding, mailbox)
    return Finding(_met(holds=not forwards(found)), listed(filter(None, (found.internal, found.external))))


def forwards(found: Forwarding) -> bool:
    """Say whether anything is forwarded."""
    return bool(found.internal or found.external)


def rules_harmless(look: Look, mailbox: str, _ground: Ground) -> Finding:
    """No enabled inbox rule forwards, deletes or hides mail; hidden rules are looked at too."""
    found = [item for item in look(look.provider.inbox_rules, mailbox) if harmful(item)]
    return Finding(_met(holds=not found), listed(map(_rule, found)))


def harmful(rule: InboxRule) -> bool:
    """Say whether a rule takes mail away from its owner; the mailbox's own junk rule does not."""
    if not rule.enabled:
        return False
    if rule.forwards_to or rule.deletes:
        return True
    hides = any(place in rule.moves_to.casefold() for place in _OUT_OF_SIGHT)
    return hides and not (rule.hidden and rule.name.casefold() == _ORDINARY)


def _rule(rule: InboxRule) -> str:
    does = [f"forwards to {', '.join(sorted(rule.forwards_to))}"] if rule.forwards_to else []
    does += ["deletes"] if rule.deletes else []
    does += [f"moves to {rule.moves_to}"] if rule.moves_to else []
    return f"{rule.name or rule.id}{' (hidden)' if rule.hidden else ''} {', '.join(does)}"


def no_delegates(look: Look, mailbox: str, _ground: Ground) -> Finding:
    """Nobody else may open the mailbox or send as it."""
    found = look(look.provider.delegates, mailbox)
    note = "Not looked at: permissions on single folders and the calendar."
    return Finding(_met(holds=not found), listed(f"{item.who} {item.right}" for item in found), note)


def own_mailbox_clean(look: Look, user: str, ground: Ground) -> Finding:
    """The person's own mailbox forwards nothing, has no harmful rule and no delegate."""
    parts = [step(look, user, ground) for step in (no_forwarding, rules_harmless, no_delegates)]
    names = ("forwarding", "rules", "delegates")
    value = "; ".join(f"{name}: {part.value}" for name, part in zip(names, parts, strict=True))
    return Finding(_met(holds=all(part.result is Result.MET for part in parts)), value, parts[-1].note)


def audit_logging(look: Look, _nobody: str, _ground: Ground) -> Finding:
    """The tenant keeps an audit log, and of mailboxes too."""
    found = look(look.provider.audit_posture)
    value = f"UnifiedAuditLogIngestionEnabled {found.unified_log}, mailbox auditing {found.mailbox_auditing}"
    if found.unified_log and found.mailbox_auditing is None:
        return Finding(Result.UNABLE_TO_VERIFY, value, "Whether mailboxes are audited could not be read.")
    return Finding(_met(holds=found.unified_log and found.mailbox_auditing is not False), value)


def _alert(asks: Callable[[AlertPolicy], bool]) -> Predicate:
    def predicate(look: Look, _nobody: str, _ground: Ground) -> Finding:
        found = next((item for item in look(look.provider.alert_policies) if item.name == ALERT), None)
        if found is None:
            return Finding(Result.NOT_MET, "no such alert policy")
        limit = "no daily limit" if found.daily_limit is None else f"at most {found.daily_limit} a day"
        value = f"enabled {found.enabled}, notifies {found.notifies}, to {', '.join(found.recipients)}, {limit}"
        return Finding(_met(holds=asks(found)), shown(value))

    return predicate


def _met(*, holds: bool) -> Result:
    return Result.MET if holds else Result.NOT_MET


def _time(moment: datetime | None) -> str:
    return "an unknown time" if moment is None else moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def shown(text: str) -> str:
    """Return what a tenant said as one line of limited length; attackers choose names of rules and methods."""
    seen = text if text.isprintable() else "".join(mark if mark.isprintable() else " " for mark in text)
    clean = " ".join(seen.split())
    if len(clean) <= LONGEST:
        return clean
    return f"{clean[:LONGEST]}… sha256 {hashlib.sha256(clean.encode()).hexdigest()}"


def listed(items: Iterable[str]) -> str:
    """Return what was found in a fixed order, or "none"."""
    return shown("; ".join(sorted(items))) or "none"


PREDICATES: Mapping[Check | TenantFact, Predicate] = {
    Check.SIGN_IN_BLOCKED: sign_in_blocked,
    Check.PASSWORD_RESET: password_reset,
    Check.MFA_REQUIRED: mfa_required,
    Check.SESSIONS_REVOKED: sessions_revoked,
    Check.METHODS_KNOWN: methods_known,
    Check.CONSENTS_KNOWN: consents_known,
    Check.NO_ROLES: no_roles,
    Check.NO_FORWARDING: no_forwarding,
    Check.RULES_HARMLESS: rules_harmless,
    Check.NO_DELEGATES: no_delegates,
    Check.OWN_MAILBOX_CLEAN: own_mailbox_clean,
    TenantFact.AUDIT_LOGGING: audit_logging,
    TenantFact.ALERT_POLICY: _alert(lambda policy: policy.enabled and policy.notifies),
    TenantFact.ALERT_OPT_IN: _alert(lambda policy: policy.notifies),
    TenantFact.ALERT_RECIPIENTS: _alert(lambda policy: bool(policy.recipients)),
    TenantFact.ALERT_DAILY_LIMIT: _alert(lambda policy: policy.daily_limit is None),
}
"""The predicate behind each automatic check, and behind each fact of the tenant."""
