"""Which records of the unified audit log tell of a change of somebody's account, of which change, and of whose.

The names are those of Microsoft's lists of activities ("Audit log activities"); the directory's end in a full stop
there. Believed is that each tenant writes each of them, and whose account a record is about: the record's object, a
parameter of the cmdlet, or whoever acted where people do it to themselves.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from workflow.domain.vocabulary import Alteration

if TYPE_CHECKING:
    from collections.abc import Mapping

    from workflow.providers.shapes import AuditEvent

_BY_ONESELF: Mapping[str, Alteration] = {
    "Consent to application.": Alteration.CONSENT_GIVEN,
    "Add delegated permission grant.": Alteration.CONSENT_GIVEN,
    "Add app role assignment grant to user.": Alteration.CONSENT_GIVEN,
    "User registered security info.": Alteration.METHOD_REGISTERED,
    "User deleted security info.": Alteration.METHOD_REMOVED,
    "New-InboxRule": Alteration.RULE_SET,
    "Set-InboxRule": Alteration.RULE_SET,
    "UpdateInboxRules": Alteration.RULE_SET,
    "Enable-InboxRule": Alteration.RULE_ON,
    "Disable-InboxRule": Alteration.RULE_OFF,
    "Remove-InboxRule": Alteration.RULE_OFF,
}
"""What people do to their own account, so that a record which names no other is about whoever acted."""
ALTERATIONS: Mapping[str, Alteration] = {
    **_BY_ONESELF,
    "Disable account.": Alteration.SIGN_IN_BLOCKED,
    "Enable account.": Alteration.SIGN_IN_ALLOWED,
    "Reset user password.": Alteration.PASSWORD_SET,
    "Change user password.": Alteration.PASSWORD_SET,
    "Update StsRefreshTokenValidFrom Timestamp.": Alteration.SESSIONS_REVOKED,
    "Enable Strong Authentication.": Alteration.MFA_ENFORCED,
    "Disable Strong Authentication.": Alteration.MFA_LIFTED,
    "Admin registered security info.": Alteration.METHOD_REGISTERED,
    "Admin deleted security info.": Alteration.METHOD_REMOVED,
    "Remove delegated permission grant.": Alteration.CONSENT_REMOVED,
    "Remove app role assignment grant from user.": Alteration.CONSENT_REMOVED,
    "Add member to role.": Alteration.ROLE_GIVEN,
    "Remove member from role.": Alteration.ROLE_REMOVED,
    "Add-MailboxPermission": Alteration.RIGHT_GIVEN,
    "Add-RecipientPermission": Alteration.RIGHT_GIVEN,
    "Remove-MailboxPermission": Alteration.RIGHT_REMOVED,
    "Remove-RecipientPermission": Alteration.RIGHT_REMOVED,
}
"""What the operations tell that tell of one thing alone."""
SET_MAILBOX = "Set-Mailbox"
"""The one whose parameters say what it set: forwarding, who sends on behalf, or something that is not looked for."""
OPERATIONS = (*ALTERATIONS, SET_MAILBOX)
"""What is searched for."""
_FORWARDING = ("forwardingaddress", "forwardingsmtpaddress")
_DONE = frozenset({"", "true", "success", "succeeded", "partiallysucceeded"})
_OWN_PASSWORDS = frozenset({"reset password (self-service)", "change password (self-service)"})
"""What the directory's own log calls a password that people gave themselves, whoever is named for it."""


def succeeded(event: AuditEvent) -> bool:
    """Say whether what a record tells was carried out, as far as it says."""
    return _was_done(_details(event))


def sets_password(event: AuditEvent) -> bool:
    """Say whether a record of the directory's log tells of a new password."""
    return _activity(event.operation) in _PASSWORDS and succeeded(event)


def self_service(event: AuditEvent) -> bool:
    """Say whether it tells of a password that people gave themselves; a service of Microsoft's may be named for it."""
    return _activity(event.operation) in _OWN_PASSWORDS


def alteration_of(event: AuditEvent) -> Alteration | None:
    """Return what a record tells was done to an account; None for anything else, and for what did not succeed."""
    details = _details(event)
    if not _was_done(details):
        return None
    if event.operation != SET_MAILBOX:
        return ALTERATIONS.get(event.operation)
    forwards = [details[name] for name in _FORWARDING if name in details]
    if forwards:
        return Alteration.FORWARDING_SET if any(forwards) else Alteration.FORWARDING_CLEARED
    return Alteration.RIGHTS_SET if "grantsendonbehalfto" in details else None


def account_of(event: AuditEvent) -> str:
    """Return the address of the account that was altered, "" where the record does not name one.

    A rule's name stands behind its mailbox and a backslash.
    """
    details = _details(event)
    named = (event.target, *(details.get(name, "") for name in ("mailboxownerupn", "mailbox", "identity")))
    whole = (name.partition("\\")[0] for name in named)
    own = event.actor if event.operation in _BY_ONESELF else ""
    return next((name for name in (*whole, own) if "@" in name), "")


def _activity(operation: str) -> str:
    """Return what the directory's own log calls what the unified one ends in a full stop."""
    return operation.casefold().rstrip(".")


_PASSWORDS = _OWN_PASSWORDS | {
    "reset password (by admin)",
    *(_activity(name) for name, alteration in ALTERATIONS.items() if alteration is Alteration.PASSWORD_SET),
}
"""What it calls a new password, whoever gave it."""


def _was_done(details: Mapping[str, str]) -> bool:
    return all(details.get(name, "").casefold() in _DONE for name in ("result", "resultstatus"))


def _details(event: AuditEvent) -> dict[str, str]:
    return {name.casefold(): value for name, value in event.details}
