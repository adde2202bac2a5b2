"""Alert policies: looked at beside the tenant's own, and changed; who changed one and when is on the ledger."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from workflow.domain import access
from workflow.domain.addressee import ALIAS
from workflow.domain.alerts import LARGEST_LIMIT, MICROSOFTS, MOST_RECIPIENTS, STANDARD, Policy, standing
from workflow.domain.vocabulary import LOG_CASE, EntryType
from workflow.errors import InputError, NotFoundError, ProviderError, SettingsError
from workflow.messages.recipient import Recipient, read
from workflow.services import logbook, people
from workflow.storage import cases
from workflow.storage import entries as stored

if TYPE_CHECKING:
    from collections.abc import Sequence

    from workflow.app import App
    from workflow.domain.alerts import Rule, Severity
    from workflow.services.people import Who
    from workflow.storage.transaction import Tx

PORTAL = "https://security.microsoft.com/alertpoliciesv2"
"""Where a default alert policy of Microsoft's is edited: no cmdlet can."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What is to be different of a policy; None leaves it. ``daily_limit`` 0 is no limit."""

    on: bool | None = None
    opted_in: bool | None = None
    recipients: Sequence[str] | None = None
    daily_limit: int | None = None
    severity: Severity | None = None


@dataclass(frozen=True, slots=True)
class RecipientView:
    """A recipient of the settings, its secrets left out; ``fault`` says why it cannot be reached."""

    name: str
    channel: str
    shown: str
    fault: str = ""


@dataclass(frozen=True, slots=True)
class TenantPolicy:
    """One of the tenant's own alert policies, and how it drifted from what Microsoft delivers and incidents need."""

    name: str
    on: bool
    notifies: bool
    recipients: tuple[str, ...]
    daily_limit: int | None
    severity: str
    drift: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class TenantView:
    """The tenant's side. ``unread`` says why something could not be read; ``audit_log`` None is not known."""

    policies: tuple[TenantPolicy, ...] = ()
    missing: tuple[str, ...] = ()
    audit_log: bool | None = None
    mailbox_auditing: bool | None = None
    unread: tuple[str, ...] = ()

    def named(self, title: str) -> TenantPolicy | None:
        """Return the tenant's policy of a name."""
        return next((item for item in self.policies if item.name.casefold() == title.casefold()), None)


def rules(app: App) -> dict[Policy, Rule]:
    """Return every policy as it stands now."""
    with app.database.reading() as tx:
        return in_force(tx)


def in_force(tx: Tx) -> dict[Policy, Rule]:
    """Return every policy as it stands in this transaction."""
    return standing(stored.of_types(tx, LOG_CASE, (EntryType.ALERTS_CHANGED,)))


def change(app: App, who: Who, policy: Policy, wanted: Change) -> tuple[Rule, bool]:
    """Change a policy; returns how it stands, and whether that is new.

    Raises:
        InputError: a limit or recipient that cannot be.
        NotFoundError: the settings name no such recipient.
        NotPermittedError: the actor is neither approver nor lead.
    """
    recipients = None if wanted.recipients is None else _listed(app, wanted.recipients)
    if wanted.daily_limit is not None and not 0 <= wanted.daily_limit <= LARGEST_LIMIT:
        message = f"A daily limit is 1 to {LARGEST_LIMIT} messages, or none."
        raise InputError(message)
    logbook.prepare(app, who)
    with app.database.transaction() as tx:
        cases.lock_log(tx)
        logbook.hold(app, tx)
        by = people.actor(app, tx, who)
        access.needs(by, access.SECOND, "changing alert policies")
        before = in_force(tx)[policy]
        after = replace(
            before,
            on=before.on if wanted.on is None else wanted.on,
            opted_in=before.opted_in if wanted.opted_in is None else wanted.opted_in,
            recipients=before.recipients if recipients is None else recipients,
            daily_limit=before.daily_limit if wanted.daily_limit is None else wanted.daily_limit or None,
            severity=wanted.severity or before.severity,
        )
        if after == before:
            return before, False
        (entry,) = logbook.write(app, tx, by, [(EntryType.ALERTS_CHANGED, after.to_data())])
    return replace(after, changed=entry.sequence), True


def _listed(app: App, names: Sequence[str]) -> tuple[str, ...]:
    wanted = tuple(dict.fromkeys(name.strip() for name in names if name.strip()))
    if len(wanted) > MOST_RECIPIENTS:
        message = f"A policy has at most {MOST_RECIPIENTS} recipients; let one of them pass the message on."
        raise InputError(message)
    for name in wanted:
        if not ALIAS(name):
            message = (
                "A recipient is named by the settings (alert_recipients): give its name, never its address, "
                "which would be on the ledger for good."
            )
            raise InputError(message)
        if name not in app.settings.alert_recipients:
            known = ", ".join(sorted(app.settings.alert_recipients)) or "nobody yet"
            message = f"The settings name no recipient {name!r} (alert_recipients); they name: {known}."
            raise NotFoundError(message)
        recipient(app, name)
    return wanted


def recipient(app: App, name: str) -> Recipient:
    """Return a recipient of the settings.

    Raises:
        SettingsError: it is not there any more, or is of no kind that is let in.
    """
    secret = app.settings.alert_recipients.get(name)
    if secret is None:
        message = f"The settings name no recipient {name!r} any more (alert_recipients)."
        raise SettingsError(message)
    return read(name, secret.get_secret_value(), loopback=app.settings.alert_loopback)


def recipients(app: App) -> list[RecipientView]:
    """Return every recipient of the settings, secrets left out."""
    found = []
    for name in sorted(app.settings.alert_recipients):
        try:
            item = recipient(app, name)
            found.append(RecipientView(name, item.channel.value, item.shown))
        except SettingsError as error:
            found.append(RecipientView(name, "", "", str(error)))
    return found


def tenant(app: App) -> TenantView | None:
    """Read the tenant's own policies and whether it is audited; None where nothing is connected."""
    try:
        provider = app.provider
    except SettingsError as error:
        return TenantView(unread=(str(error),))
    if not provider.acts:
        return None
    view, unread = TenantView(), list[str]()
    try:
        posture = provider.audit_posture().value
        view = replace(view, audit_log=posture.unified_log, mailbox_auditing=posture.mailbox_auditing)
    except ProviderError as error:
        unread.append(f"audit logging: {error}")
    try:
        found = {item.name.casefold(): item for item in provider.alert_policies().value}
        ours = {title.casefold(): title for title in MICROSOFTS}
        view = replace(
            view,
            policies=tuple(_judged(found[key], ours[key]) for key in ours if key in found),
            missing=tuple(title for key, title in ours.items() if key not in found),
        )
    except ProviderError as error:
        unread.append(f"alert policies: {error}")
    return replace(view, unread=tuple(unread))


def _judged(item: Any, title: str) -> TenantPolicy:
    standard = MICROSOFTS[title].value
    drift = [
        *([] if item.enabled else ["it is off"]),
        *([] if item.notifies else ["notifications are not opted in to"]),
        *([] if item.recipients else ["nobody is notified"]),
        *([f"at most {item.daily_limit} notifications a day"] if item.daily_limit is not None else []),
        *([f"severity is not {standard}"] if item.severity and item.severity.casefold() != standard else []),
    ]
    severity = item.severity.casefold()
    return TenantPolicy(title, item.enabled, item.notifies, item.recipients, item.daily_limit, severity, tuple(drift))


def titles() -> dict[Policy, str]:
    """Return what each policy is called."""
    return {policy: standard.title for policy, standard in STANDARD.items()}
