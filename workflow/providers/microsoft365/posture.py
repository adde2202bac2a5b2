"""The tenant itself: what it demands at sign-in, whether it keeps an audit log, and its alert policies."""

from __future__ import annotations

from contextlib import suppress

from workflow.errors import NotReadableError, ProviderError
from workflow.providers.microsoft365 import mfa, tolerant
from workflow.providers.microsoft365.connection import Service
from workflow.providers.microsoft365.exchange import Exchange
from workflow.providers.microsoft365.graph import Graph
from workflow.providers.microsoft365.values import Row, flag, number, text, texts
from workflow.providers.shapes import AlertPolicy, Answer, AuditPosture, SignInPolicies


class Posture:
    """Policies of sign-in, audit logging and alert policies."""

    _graph: Graph
    _exchange: Exchange

    def sign_in_policies(self) -> Answer[SignInPolicies]:
        """Return what the tenant demands of everybody who signs in."""
        return mfa.policies(self._graph)

    def audit_posture(self) -> Answer[AuditPosture]:
        """Return whether the tenant keeps an audit log."""
        # Security & Compliance has a cmdlet of this name too, and answers False whatever is true.
        found, read = self._exchange.run("audit_posture", "Get-AdminAuditLogConfig")
        unified = flag(found[0], "UnifiedAuditLogIngestionEnabled") if found else None
        if unified is None:
            raise ProviderError("Get-AdminAuditLogConfig: the answer does not say whether the audit log is on.")
        off: bool | None = None
        # Whether mailboxes are audited is another cmdlet's to say. Where that is refused it is not known, and the audit
        # log is on or off all the same.
        with suppress(NotReadableError):
            organisation, _ = self._exchange.run("audit_posture", "Get-OrganizationConfig")
            off = flag(organisation[0], "AuditDisabled") if organisation else None
        first = tolerant.moment(found[0], "UnifiedAuditLogFirstOptInDate")
        return Answer(
            AuditPosture(unified_log=unified, mailbox_auditing=None if off is None else not off, first_on_at=first),
            read,
        )

    def alert_policies(self) -> Answer[tuple[AlertPolicy, ...]]:
        """Return the alert policies: from Security & Compliance, whose they are, else from Exchange."""
        try:
            found, read = self._exchange.run("alert_policies", "Get-ProtectionAlert", service=Service.COMPLIANCE)
        except (NotReadableError, ProviderError) as first:
            try:
                found, read = self._exchange.run("alert_policies", "Get-ProtectionAlert")
            except ProviderError:
                raise first from None
        return Answer(tuple(map(_policy, found)), read)


def _policy(row: Row) -> AlertPolicy:
    name, disabled = text(row, "Name"), flag(row, "Disabled")
    if not name or disabled is None:
        raise ProviderError("Get-ProtectionAlert: a policy that does not say which it is, or whether it is on.")
    return AlertPolicy(
        name=name,
        enabled=not disabled,
        notifies=bool(flag(row, "NotificationEnabled")),
        recipients=texts(row, "NotifyUser"),
        daily_limit=number(row, "NotifyUserThrottleThreshold"),
        severity=tolerant.text(row, "Severity"),
        system=bool(flag(row, "IsSystemRule")),
    )
