"""The port: what Holdfast asks of a tenant and does in it, whatever stands behind it.

Reads never change anything and may be repeated. Changes are called once, after their intent is on the ledger (R6): a
change that ended without an answer raises :class:`~workflow.errors.OutcomeUnknownError`, and what happened is found out
by reading, never by calling again. Nothing here is called inside a database transaction.

A filling raises :class:`~workflow.errors.NotReadableError` where a tenant cannot tell (no licence, no permission, not
offered): that is *unable to verify*, never *met* (R7). Microsoft's own documentation, permissions and traps of each
operation stand in :mod:`workflow.providers.operations`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from workflow.domain.vocabulary import Kind
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
        Restricted,
        RoleAssignment,
        Secret,
        SignIn,
        SignInMethod,
        SignInPolicies,
        Traced,
        User,
    )


class Restrictions(Protocol):
    """The restricted entities: mailboxes by address, connectors by GUID."""

    def restricted(self, kind: Kind) -> Answer[tuple[Restricted, ...]]:
        """Return the whole list of one kind; a list that may be cut short raises instead."""

    def restriction(self, kind: Kind, identifier: str) -> Answer[Restricted | None]:
        """Return one entity's row, or None when it is not listed."""

    def unblock(self, kind: Kind, identifier: str, reason: str) -> Answer[None]:
        """Ask Microsoft to lift a restriction, once. Read first: each success counts against a limit.

        Raises:
            UnblockLimitError: Microsoft refuses for good; only Microsoft Support helps now.
            OutcomeUnknownError: no answer came; read before anything else.
        """


class Identity(Protocol):
    """A person's account. ``user`` is a user principal name or an object id."""

    def user(self, user: str) -> Answer[User]:
        """Return the account."""

    def set_enabled(self, user: str, *, enabled: bool) -> Answer[None]:
        """Block or allow sign-in; may be repeated."""

    def reset_password(self, user: str) -> Answer[Secret]:
        """Set a new random password that must be changed at the next sign-in; handed over once, kept nowhere.

        Not for synchronised and federated users: their directory would not follow.
        """

    def revoke_sessions(self, user: str) -> Answer[None]:
        """Make every refresh token worthless; access tokens live on for up to an hour."""

    def sign_in_methods(self, user: str) -> Answer[tuple[SignInMethod, ...]]:
        """Return the registered methods, the password among them."""

    def remove_method(self, user: str, method: SignInMethod) -> Answer[None]:
        """Remove one method; one that is gone already is done."""

    def mfa_requirement(self, user: User, policies: Answer[SignInPolicies] | None) -> Answer[MfaRequirement]:
        """Return whether sign-in of an account requires multifactor authentication, and by what.

        ``policies`` are the tenant's, read once for many accounts; None where they cannot be read.
        """

    def sign_ins(self, user: str, since: datetime) -> Answer[tuple[SignIn, ...]]:
        """Return the sign-ins since a time, the newest first."""

    def consents(self, user: str) -> Answer[tuple[Consent, ...]]:
        """Return what applications may do on the person's behalf."""

    def remove_consent(self, user: str, consent: Consent) -> Answer[None]:
        """Take one application's access away; one that is gone already is done."""

    def roles(self, user: str) -> Answer[tuple[RoleAssignment, ...]]:
        """Return the active directory roles."""

    def remove_role(self, user: str, role: RoleAssignment) -> Answer[None]:
        """Take one role away."""

    def add_role(self, user: str, role: RoleAssignment) -> Answer[None]:
        """Give one role back."""


class Mailbox(Protocol):
    """A mailbox, by address."""

    def inbox_rules(self, mailbox: str) -> Answer[tuple[InboxRule, ...]]:
        """Return the inbox rules, hidden ones included."""

    def set_rule(self, mailbox: str, rule: InboxRule, *, enabled: bool) -> Answer[None]:
        """Switch one rule off or on again; a switched-off rule can be restored, a deleted one cannot."""

    def forwarding(self, mailbox: str) -> Answer[Forwarding]:
        """Return how the mailbox forwards."""

    def set_forwarding(self, mailbox: str, forwarding: Forwarding) -> Answer[None]:
        """Set, or with an empty value clear, how the mailbox forwards."""

    def delegates(self, mailbox: str) -> Answer[tuple[Delegate, ...]]:
        """Return who else may open the mailbox or send as it."""

    def remove_delegate(self, mailbox: str, delegate: Delegate) -> Answer[None]:
        """Take one right away."""

    def add_delegate(self, mailbox: str, delegate: Delegate) -> Answer[None]:
        """Give one right back."""


class Posture(Protocol):
    """The tenant itself: is it audited, and does it raise the alerts."""

    def audit_posture(self) -> Answer[AuditPosture]:
        """Return whether the tenant keeps an audit log."""

    def sign_in_policies(self) -> Answer[SignInPolicies]:
        """Return what the tenant demands of everybody who signs in."""

    def alert_policies(self) -> Answer[tuple[AlertPolicy, ...]]:
        """Return the alert policies."""


class Audit(Protocol):
    """What the tenant wrote down itself."""

    def audit_log(self, operations: tuple[str, ...], since: datetime, until: datetime) -> Iterator[AuditEvent]:
        """Yield records of the unified audit log; late, out of order and perhaps twice.

        A search that takes too long raises ProviderBusyError; asked for the same again, it goes on.
        """

    def directory_audit(self, user: str, since: datetime) -> Answer[tuple[AuditEvent, ...]]:
        """Return what the directory says was done to a user since a time."""

    def message_trace(self, mailbox: str, since: datetime) -> Answer[tuple[Traced, ...]]:
        """Return what a mailbox sent since a time, the newest first; a tenant knows of 90 days."""


class Provider(Restrictions, Identity, Mailbox, Posture, Audit, Protocol):
    """One tenant. ``name`` is what evidence says it was checked by; ``acts`` whether it can do anything by itself."""

    name: str
    acts: bool

    def share(self, workers: int) -> None:
        """Take the part of one of so many workers in what the tenant lets through; alone until this is said."""

    def close(self) -> None:
        """Give connections back."""
