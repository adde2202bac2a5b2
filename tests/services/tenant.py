"""A tenant written by hand: a few accounts as plain values, the port's operations on them, and faults on request."""

# ruff: noqa: D102 - the port says what each operation does

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, TypeVar

from workflow.domain.vocabulary import Kind
from workflow.errors import ProviderBusyError
from workflow.providers.shapes import (
    AlertPolicy,
    Answer,
    AuditEvent,
    AuditPosture,
    Consent,
    Delegate,
    Forwarding,
    InboxRule,
    MfaRequirement,
    Read,
    Restricted,
    RoleAssignment,
    Secret,
    SignIn,
    SignInMethod,
    SignInPolicies,
    Traced,
    User,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime


T = TypeVar("T")


@dataclass
class Account:
    """What the tenant holds of one address."""

    user: User
    methods: tuple[SignInMethod, ...] = ()
    mfa: MfaRequirement = field(default_factory=lambda: MfaRequirement(required=True, by="security-defaults"))
    signs_in: tuple[SignIn, ...] = ()
    consents: tuple[Consent, ...] = ()
    roles: tuple[RoleAssignment, ...] = ()
    rules: tuple[InboxRule, ...] = ()
    forwarding: Forwarding = field(default_factory=Forwarding)
    delegates: tuple[Delegate, ...] = ()
    audit: tuple[AuditEvent, ...] = ()
    sent: tuple[Traced, ...] = ()


class Tenant:
    """One tenant. ``faults`` are raised by the operations of these names, ``late`` after the change took effect.

    ``calls`` are the operations that were called, in order; ``watch`` is called before each. While it ``lingers`` a row
    stays listed after its unblock; ``log`` is what the audit log shows, and where it is ``slow`` a search is only over
    when it is asked for again.
    """

    name = "hand"
    acts = True

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self.clock = clock
        self.accounts: dict[str, Account] = {}
        self.listed: dict[str, Restricted] = {}
        self.posture = AuditPosture(unified_log=True, mailbox_auditing=True)
        self.policies: tuple[AlertPolicy, ...] = ()
        self.faults: dict[str, Exception] = {}
        self.late: dict[str, Exception] = {}
        self.workers = 1
        self.calls: list[str] = []
        self.counts: dict[str, int] = defaultdict(int)
        self.watch: Callable[[str], None] = lambda _: None
        self.lingers = False
        self.kinds: set[Kind] = {Kind.MAILBOX, Kind.CONNECTOR}
        self.log: list[AuditEvent] = []
        self.searched: list[tuple[datetime, datetime]] = []
        self.slow = False

    def add(self, name: str, **known: object) -> Account:
        """Add an account; returns it, to be changed at will."""
        user = User(id=f"id-of-{name}", name=name, enabled=True)
        self.accounts[name] = Account(user, **known)  # type: ignore[arg-type]  # as its fields are
        return self.accounts[name]

    def share(self, workers: int) -> None:
        self.workers = workers

    def close(self) -> None:
        """Do nothing."""

    def _answer(self, operation: str, value: Callable[[], T]) -> Answer[T]:
        self.watch(operation)
        self.calls.append(operation)
        self.counts[operation] += 1
        if operation in self.faults:
            raise self.faults[operation]
        found = value()
        if operation in self.late:
            raise self.late[operation]
        return Answer(found, Read(f"call {operation}", f"r{self.counts[operation]}", self.clock()))

    def restricted(self, kind: Kind) -> Answer[tuple[Restricted, ...]]:
        return self._answer("restricted", lambda: tuple(self.listed.values()) if kind in self.kinds else ())

    def restriction(self, kind: Kind, identifier: str) -> Answer[Restricted | None]:
        del kind
        return self._answer("restriction", lambda: self.listed.get(identifier))

    def unblock(self, kind: Kind, identifier: str, reason: str) -> Answer[None]:
        del kind

        def effect() -> None:
            self.removed(identifier, "ServicePrincipal_holdfast", reason)
            if not self.lingers:
                self.listed.pop(identifier, None)

        return self._answer("unblock", effect)

    def removed(self, identifier: str, actor: str, reason: str = "") -> None:
        """Write into the audit log that somebody unblocked an address."""
        details = (("SenderAddress", identifier), ("Reason", reason))
        number = len(self.log) + 1
        self.log.append(
            AuditEvent(
                id=f"audit-{number}",
                at=self.clock(),
                operation="Remove-BlockedSenderAddress",
                actor=actor,
                details=details,
            )
        )

    def user(self, user: str) -> Answer[User]:
        return self._answer("user", lambda: self.accounts[user].user)

    def set_enabled(self, user: str, *, enabled: bool) -> Answer[None]:
        return self._answer("set_enabled", lambda: self._user(user, enabled=enabled))

    def reset_password(self, user: str) -> Answer[Secret]:
        def effect() -> Secret:
            self._user(user, password_changed_at=self.clock())
            return Secret("Tr0ub4dor-and-3")

        return self._answer("reset_password", effect)

    def revoke_sessions(self, user: str) -> Answer[None]:
        return self._answer("revoke_sessions", lambda: self._user(user, sessions_valid_from=self.clock()))

    def _user(self, name: str, **changes: object) -> None:
        account = self.accounts[name]
        account.user = replace(account.user, **changes)  # type: ignore[arg-type]  # as its fields are

    def sign_in_methods(self, user: str) -> Answer[tuple[SignInMethod, ...]]:
        return self._answer("sign_in_methods", lambda: self.accounts[user].methods)

    def remove_method(self, user: str, method: SignInMethod) -> Answer[None]:
        return self._answer("remove_method", lambda: self._drop(user, "methods", method))

    def _drop(self, name: str, place: str, item: object) -> None:
        account, key = self.accounts[name], getattr(item, "id", item)
        setattr(account, place, tuple(one for one in getattr(account, place) if getattr(one, "id", one) != key))

    def _put(self, name: str, place: str, item: object) -> None:
        self._drop(name, place, item)
        setattr(self.accounts[name], place, (*getattr(self.accounts[name], place), item))

    def _of(self, who: str) -> Account:
        return next(account for name, account in self.accounts.items() if who in (name, account.user.id))

    def sign_in_policies(self) -> Answer[SignInPolicies]:
        return self._answer("sign_in_policies", lambda: SignInPolicies(conditional=(), defaults=True))

    def mfa_requirement(self, user: User, policies: Answer[SignInPolicies] | None) -> Answer[MfaRequirement]:
        del policies
        return self._answer("mfa_requirement", lambda: self._of(user.id).mfa)

    def sign_ins(self, user: str, since: datetime) -> Answer[tuple[SignIn, ...]]:
        return self._answer("sign_ins", lambda: tuple(i for i in self._of(user).signs_in if i.at >= since))

    def consents(self, user: str) -> Answer[tuple[Consent, ...]]:
        return self._answer("consents", lambda: self.accounts[user].consents)

    def remove_consent(self, user: str, consent: Consent) -> Answer[None]:
        return self._answer("remove_consent", lambda: self._drop(user, "consents", consent))

    def roles(self, user: str) -> Answer[tuple[RoleAssignment, ...]]:
        return self._answer("roles", lambda: self._of(user).roles)

    def remove_role(self, user: str, role: RoleAssignment) -> Answer[None]:
        return self._answer("remove_role", lambda: self._drop(user, "roles", role))

    def add_role(self, user: str, role: RoleAssignment) -> Answer[None]:
        return self._answer("add_role", lambda: self._put(user, "roles", role))

    def inbox_rules(self, mailbox: str) -> Answer[tuple[InboxRule, ...]]:
        return self._answer("inbox_rules", lambda: self.accounts[mailbox].rules)

    def set_rule(self, mailbox: str, rule: InboxRule, *, enabled: bool) -> Answer[None]:
        account = self.accounts[mailbox]

        def effect() -> None:
            account.rules = tuple(replace(one, enabled=enabled) if one.id == rule.id else one for one in account.rules)

        return self._answer("set_rule", effect)

    def forwarding(self, mailbox: str) -> Answer[Forwarding]:
        return self._answer("forwarding", lambda: self.accounts[mailbox].forwarding)

    def set_forwarding(self, mailbox: str, forwarding: Forwarding) -> Answer[None]:
        return self._answer("set_forwarding", lambda: setattr(self.accounts[mailbox], "forwarding", forwarding))

    def delegates(self, mailbox: str) -> Answer[tuple[Delegate, ...]]:
        return self._answer("delegates", lambda: self.accounts[mailbox].delegates)

    def remove_delegate(self, mailbox: str, delegate: Delegate) -> Answer[None]:
        return self._answer("remove_delegate", lambda: self._drop(mailbox, "delegates", delegate))

    def add_delegate(self, mailbox: str, delegate: Delegate) -> Answer[None]:
        return self._answer("add_delegate", lambda: self._put(mailbox, "delegates", delegate))

    def audit_posture(self) -> Answer[AuditPosture]:
        return self._answer("audit_posture", lambda: self.posture)

    def alert_policies(self) -> Answer[tuple[AlertPolicy, ...]]:
        return self._answer("alert_policies", lambda: self.policies)

    def audit_log(self, operations: tuple[str, ...], since: datetime, until: datetime) -> Iterator[AuditEvent]:
        self.watch("audit_log")
        self.calls.append("audit_log")
        begun = (since, until) in self.searched
        self.searched.append((since, until))
        if self.slow and not begun:
            raise ProviderBusyError("The search of the audit log takes long; ask again later.", 600)
        if "audit_log" in self.faults:
            raise self.faults["audit_log"]
        return iter([item for item in self.log if item.operation in operations and since <= item.at <= until])

    def message_trace(self, mailbox: str, since: datetime) -> Answer[tuple[Traced, ...]]:
        return self._answer("message_trace", lambda: tuple(i for i in self._of(mailbox).sent if i.at >= since))

    def directory_audit(self, user: str, since: datetime) -> Answer[tuple[AuditEvent, ...]]:
        return self._answer("directory_audit", lambda: tuple(i for i in self._of(user).audit if i.at >= since))
