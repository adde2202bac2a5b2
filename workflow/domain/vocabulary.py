"""The closed lists of names that the whole product uses, each defined once."""

from __future__ import annotations

from enum import StrEnum


class State(StrEnum):
    """Where a case stands. ``contained``, ``verified`` and ``released`` are conclusions, never buttons."""

    DETECTED = "detected"
    CONTAINED = "contained"
    VERIFIED = "verified"
    UNBLOCK_REQUESTED = "unblock_requested"
    RELEASED = "released"
    DISMISSED = "dismissed"
    CLOSED = "closed"


ENDED = frozenset({State.DISMISSED, State.CLOSED})
"""States in which a case is no longer open; only one case per entity may be in any other state."""


class Kind(StrEnum):
    """What a subject is. A case's entity is one of these; compromised identities are always users."""

    MAILBOX = "mailbox"
    CONNECTOR = "connector"
    USER = "user"
    PERSON = "person"


ENTITY_KINDS = (Kind.MAILBOX, Kind.CONNECTOR, Kind.USER)


class RestrictionStatus(StrEnum):
    """What a reading of the tenant (or a person attesting one) said about the restriction."""

    LISTED = "listed"
    TEMPORARY = "temporary"
    NOT_LISTED = "not-listed"
    UNKNOWN = "unknown"


PRESENT = frozenset({RestrictionStatus.LISTED, RestrictionStatus.TEMPORARY})


class Resolution(StrEnum):
    """How the restriction, or the case, came to its end. Kept apart from the state."""

    RELEASED = "released"
    EXPIRED = "expired"
    UNBLOCKED_OUTSIDE = "unblocked_outside"
    EXPECTED_ACTIVITY = "expected_activity"
    FALSE_POSITIVE = "false_positive"
    NOT_UNBLOCKED = "not_unblocked"
    DUPLICATE = "duplicate"


class Result(StrEnum):
    """What was found about one prerequisite. *Unable to verify* is never *met* (R7)."""

    MET = "met"
    NOT_MET = "not-met"
    UNABLE_TO_VERIFY = "unable-to-verify"
    NOT_APPLICABLE = "not-applicable"


GOOD = frozenset({Result.MET, Result.NOT_APPLICABLE})
"""Results with which a prerequisite can hold."""


class Method(StrEnum):
    """How a fact is known: read from the tenant by a provider, or attested by a person."""

    CHECKED = "checked"
    ATTESTED = "attested"


class Phase(StrEnum):
    """By when a prerequisite must hold."""

    CONTAIN = "contain"
    VERIFY = "verify"
    REQUEST = "request"
    CLOSE = "close"


class Role(StrEnum):
    """What a person may do here; ``SYSTEM`` is the machine drawing conclusions."""

    ANALYST = "analyst"
    APPROVER = "approver"
    LEAD = "lead"
    AUDITOR = "auditor"
    SYSTEM = "system"


class Assurance(StrEnum):
    """How sure we are who acted: a claimed name, the operating system's user, or the machine itself."""

    CLAIMED = "claimed"
    OS_USER = "os-user"
    SYSTEM = "system"


class Outcome(StrEnum):
    """Whether an attempted action happened."""

    DONE = "done"
    REFUSED = "refused"
    DENIED = "denied"


class Verdict(StrEnum):
    """What a reviewer found about an approval that broke the glass."""

    JUSTIFIED = "justified"
    NOT_JUSTIFIED = "not-justified"


class Answer(StrEnum):
    """What Microsoft answered to an unblock attempt, as a person or a provider reports it."""

    DONE = "done"
    FAILED = "failed"
    SUPPORT = "support"


class Change(StrEnum):
    """What Holdfast changes in a tenant to contain an account; each from :data:`REMOVALS` on can be given back."""

    BLOCK_SIGN_IN = "block-sign-in"
    RESET_PASSWORD = "reset-password"  # noqa: S105 - the name of a change
    REVOKE_SESSIONS = "revoke-sessions"
    REMOVE_METHOD = "remove-method"
    REMOVE_CONSENT = "remove-consent"
    REMOVE_ROLE = "remove-role"
    CLEAR_FORWARDING = "clear-forwarding"
    DISABLE_RULE = "disable-rule"
    REMOVE_DELEGATE = "remove-delegate"


REMOVALS = frozenset(Change) - {Change.BLOCK_SIGN_IN, Change.RESET_PASSWORD, Change.REVOKE_SESSIONS}
"""Changes that take something from its owner: it is given back, or deliberately not, before the case ends."""


class Alteration(StrEnum):
    """What may be done to an account, by whomever, as the tenant's own log tells it."""

    SIGN_IN_BLOCKED = "sign-in-blocked"
    SIGN_IN_ALLOWED = "sign-in-allowed"
    PASSWORD_SET = "password-set"  # noqa: S105 - the name of an alteration
    SESSIONS_REVOKED = "sessions-revoked"
    MFA_ENFORCED = "mfa-enforced"
    MFA_LIFTED = "mfa-lifted"
    METHOD_REGISTERED = "method-registered"
    METHOD_REMOVED = "method-removed"
    CONSENT_GIVEN = "consent-given"
    CONSENT_REMOVED = "consent-removed"
    ROLE_GIVEN = "role-given"
    ROLE_REMOVED = "role-removed"
    FORWARDING_SET = "forwarding-set"
    FORWARDING_CLEARED = "forwarding-cleared"
    RULE_SET = "rule-set"
    RULE_ON = "rule-on"
    RULE_OFF = "rule-off"
    RIGHT_GIVEN = "right-given"
    RIGHT_REMOVED = "right-removed"
    RIGHTS_SET = "rights-set"


WEAKENING = frozenset(
    {
        *(Alteration.SIGN_IN_ALLOWED, Alteration.PASSWORD_SET, Alteration.MFA_LIFTED, Alteration.METHOD_REGISTERED),
        *(Alteration.CONSENT_GIVEN, Alteration.ROLE_GIVEN, Alteration.FORWARDING_SET, Alteration.RULE_SET),
        *(Alteration.RULE_ON, Alteration.RIGHT_GIVEN, Alteration.RIGHTS_SET),
    }
)
"""Alterations that may let somebody in, or mail out."""


class Made(StrEnum):
    """What came of a change, and at last of what it removed."""

    DONE = "done"
    NOT_NEEDED = "not-needed"
    FAILED = "failed"
    UNSEEN = "unseen"  # No answer came, and a later reading did not show it; what a directory shows may be old.
    RESTORED = "restored"
    LEFT = "left"


class EntryType(StrEnum):
    """The grammar of the ledger: noun, colon, past participle."""

    CASE_OPENED = "case:opened"
    CASE_CONTAINED = "case:contained"
    CASE_VERIFIED = "case:verified"
    CASE_RETURNED = "case:returned"
    CASE_RELEASED = "case:released"
    CASE_CLOSED = "case:closed"
    CASE_DISMISSED = "case:dismissed"
    CASE_REOPENED = "case:reopened"
    CASE_ERASED = "case:erased"
    CASE_ASSIGNED = "case:assigned"
    CASE_NOTED = "case:noted"
    CASE_LINKED = "case:linked"
    CASE_LABELLED = "case:labelled"
    RESTRICTION_SEEN = "restriction:seen"
    RESTRICTION_OBSERVED = "restriction:observed"
    RESTRICTION_RETURNED = "restriction:returned"
    IDENTITY_ADDED = "identity:added"
    IDENTITY_REMOVED = "identity:removed"
    EVIDENCE_RECORDED = "evidence:recorded"
    EVIDENCE_CONFIRMED = "evidence:confirmed"
    EVIDENCE_RETRACTED = "evidence:retracted"
    EVIDENCE_LAPSED = "evidence:lapsed"
    EVIDENCE_LISTED = "evidence:listed"
    EXCEPTION_GRANTED = "exception:granted"
    EXCEPTION_EXPIRED = "exception:expired"
    PROPOSAL_MADE = "proposal:made"
    PROPOSAL_REFUSED = "proposal:refused"
    PLAYBOOK_MOVED = "playbook:moved"
    UNBLOCK_REQUESTED = "unblock:requested"
    UNBLOCK_WITHDRAWN = "unblock:withdrawn"
    UNBLOCK_APPROVED = "unblock:approved"
    UNBLOCK_REJECTED = "unblock:rejected"
    UNBLOCK_VOIDED = "unblock:voided"
    UNBLOCK_INTENDED = "unblock:intended"
    UNBLOCK_ANSWERED = "unblock:answered"
    CHANGE_INTENDED = "change:intended"
    CHANGE_ANSWERED = "change:answered"
    CHANGE_SEEN = "change:seen"
    APPROVAL_LAPSED = "approval:lapsed"
    APPROVAL_REVIEWED = "approval:reviewed"
    ACTION_REFUSED = "action:refused"
    ACTION_DENIED = "action:denied"
    LOG_CREATED = "log:created"
    LOG_RESTORED = "log:restored"
    SETTINGS_CHANGED = "settings:changed"
    PEOPLE_CHANGED = "people:changed"
    ALERTS_CHANGED = "alerts:changed"
    PLAYBOOK_ADOPTED = "playbook:adopted"
    PLAYBOOK_PROPOSED = "playbook:proposed"
    TENANT_RECORDED = "tenant:recorded"
    TENANT_RETRACTED = "tenant:retracted"


REPORTS = frozenset({EntryType.CASE_OPENED, EntryType.RESTRICTION_SEEN, EntryType.RESTRICTION_RETURNED})
"""Entries that tell of a restriction, with Microsoft's own reason where the source gave one."""


class TenantFact(StrEnum):
    """What is true of a tenant as a whole, and so recorded once for all its cases."""

    AUDIT_LOGGING = "audit-logging"
    ALERT_POLICY = "alert-policy"
    ALERT_OPT_IN = "alert-opt-in"
    ALERT_RECIPIENTS = "alert-recipients"
    ALERT_DAILY_LIMIT = "alert-daily-limit"


LOG_CASE = "log"
"""The reserved case under which entries about the log itself stand."""

NEVER_EXCEPTED = frozenset({"password-reset", "mfa-enabled", "sessions-revoked"})
"""Prerequisites for which no risk acceptance exists, whatever a playbook says."""
