"""Accounts and mailboxes of a tenant, what changes them, and the log of every effect."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from workflow.providers.simulated.audit import AuditLog
from workflow.providers.simulated.messages import Json
from workflow.providers.simulated.people import population
from workflow.providers.simulated.schedule import Schedule
from workflow.providers.simulated.state import (
    SYNC,
    Account,
    By,
    Connector,
    Consent,
    Effect,
    Mailbox,
    Message,
    Method,
    Role,
    Row,
    Rule,
)

if TYPE_CHECKING:
    from workflow.providers.simulated.clock import Clock
    from workflow.providers.simulated.dice import Dice
    from workflow.providers.simulated.scenario import Scenario


@dataclass(frozen=True, slots=True)
class Search:
    """A search of the unified audit log: what was asked, and when it is done."""

    id: str
    given: Json
    start: datetime
    end: datetime
    asked_at: datetime
    done_at: datetime


_SYNC_AFTER = timedelta(minutes=30)
RIGHTS = {
    "full_access": ("Add-MailboxPermission", "Remove-MailboxPermission", "FullAccess"),
    "send_as": ("Add-RecipientPermission", "Remove-RecipientPermission", "SendAs"),
    "on_behalf": ("Set-Mailbox", "Set-Mailbox", "GrantSendOnBehalfTo"),
}
"""Rights to a mailbox by member of :class:`Mailbox`: the cmdlets that give and take them, and Exchange's name."""


class Directory:
    """The state of a tenant without what is special about restrictions. Whoever calls holds the only lock there is.

    Args:
        scenario: what is in it and how it behaves.
        dice: all its chance.
        clock: its time.
    """

    def __init__(self, scenario: Scenario, dice: Dice, clock: Clock) -> None:
        self.scenario = scenario
        self.dice = dice
        self.clock = clock
        self.id = dice.stream("tenant").guid()
        self.effects: list[Effect] = []
        self.schedule = Schedule()
        self.audit = AuditLog(self.id, scenario, dice.stream("audit"))
        self.rows: dict[tuple[str, str], Row] = {}
        """The restricted entities, by kind and key."""
        self.connectors: list[Connector] = []
        self.mail: list[Message] = []
        self.sessions: dict[str, int] = {}
        """How far each session of Search-UnifiedAuditLog has read."""
        self.searches: dict[str, Search] = {}
        self._lag = dice.stream("lag")
        self.accounts = population(scenario, dice.stream("people"), clock.now())
        self._users = {key: item for item in self.accounts for key in (item.id, item.upn.casefold())}
        self._mailboxes = {key.casefold(): item for item in self.accounts for key in (item.mailbox.address, item.alias)}

    def now(self) -> datetime:
        """Return the present."""
        return self.clock.now()

    def settle(self) -> datetime:
        """Let everything take place that is due by now, and return the present."""
        now = self.now()
        self.schedule.run(now)
        return now

    def find(self, who: str) -> Account | None:
        """Return the account of an object id or user principal name, as Graph looks it up."""
        return self._users.get(who.casefold())

    def find_mailbox(self, who: str) -> Account | None:
        """Return the account of a mailbox, which Exchange finds by its address and alias too."""
        return self.find(who) or self._mailboxes.get(who.casefold())

    def log(self, what: str, target: str, before: str, after: str, by: By, at: datetime) -> None:
        """Keep one effect. Never a secret: a password is its number."""
        self.effects.append(Effect(len(self.effects) + 1, at, what, target, before, after, by))

    def _shows(self, at: datetime) -> datetime:
        return at + timedelta(seconds=self._lag.between(*self.scenario.directory_lag))

    def send(
        self, account: Account, recipient: str, subject: str, by: By, at: datetime, address: str = "192.0.2.25"
    ) -> None:
        """Send a message; a restricted mailbox's is refused with 5.1.8 and goes nowhere."""
        restricted = ("mailbox", account.upn.casefold()) in self.rows
        trace = self._lag.guid()
        status = "failed" if restricted else "delivered"
        sender = account.mailbox.address
        message = Message(trace, f"<{trace}@mail.example>", at, sender, recipient, subject, status, address)
        self.mail.append(message)
        self.log(f"mail {status}", account.upn, "", recipient, by, at)

    # Accounts.

    def set_enabled(self, account: Account, by: By, at: datetime, *, enabled: bool) -> None:
        """Block or allow sign-in. The directory of a synchronised account takes it back half an hour later."""
        before = account.enabled.true
        account.enabled.set(enabled, at, self._shows(at))
        self.log("sign-in", account.upn, _on(before), _on(enabled), by, at)
        activity = "Enable account" if enabled else "Disable account"
        self.audit.directory_change(at, activity, account, by, AccountEnabled=str(enabled).lower())
        if account.synced and by is not SYNC:
            self.schedule.at(at + _SYNC_AFTER, lambda when: self._synchronise(account, when))

    def _synchronise(self, account: Account, at: datetime) -> None:
        if not account.enabled.true:
            self.set_enabled(account, SYNC, at, enabled=True)

    def reset_password(self, account: Account, by: By, at: datetime) -> None:
        """Set another password, as an administrator does."""
        account.foothold.discard("password")
        self._new_password(account, by, at, "Reset user password")

    def change_password(self, account: Account, by: By, at: datetime) -> None:
        """Change the password oneself: two records of the same second, and every session ends."""
        together = self._lag.guid()
        self._new_password(account, by, at, "Change user password", together)
        account.sessions_from.set(at, at, self._shows(at))
        self.audit.directory_change(at, "Update StsRefreshTokenValidFrom Timestamp", account, by, together=together)

    def _new_password(self, account: Account, by: By, at: datetime, activity: str, together: str = "") -> None:
        account.password += 1
        account.password_at.set(at, at, self._shows(at))
        self.log("password", account.upn, f"number {account.password - 1}", f"number {account.password}", by, at)
        self.audit.directory_change(at, activity, account, by, together=together)

    def revoke_sessions(self, account: Account, by: By, at: datetime) -> None:
        """Make every refresh token worthless."""
        before = account.sessions_from.true
        account.foothold.discard("session")
        account.sessions_from.set(at, at, self._shows(at))
        self.log("sessions valid from", account.upn, before.isoformat(), at.isoformat(), by, at)
        self.audit.directory_change(at, "Update StsRefreshTokenValidFrom Timestamp", account, by)

    def set_methods(self, account: Account, methods: tuple[Method, ...], at: datetime) -> None:
        """Replace the registered methods."""
        account.methods.set(methods, at, self._shows(at))

    def remove_method(self, account: Account, method: Method, by: By, at: datetime) -> None:
        """Remove a sign-in method."""
        self.set_methods(account, tuple(item for item in account.methods.true if item is not method), at)
        self.log("sign-in method removed", account.upn, method.id, "", by, at)
        self.audit.directory_change(at, "Admin deleted security info", account, by)

    def set_per_user_mfa(self, account: Account, state: str, by: By, at: datetime) -> None:
        """Set the per-user state of multifactor authentication."""
        before, account.per_user_mfa = account.per_user_mfa, state
        self.log("per-user MFA", account.upn, before, state, by, at)
        name = "Disable" if state == "disabled" else "Enable"
        requirement = "" if state == "disabled" else '{"State":1}'
        self.audit.directory_change(
            at, f"{name} Strong Authentication", account, by, StrongAuthenticationRequirement=requirement
        )

    def remove_consent(self, account: Account, consent: Consent, by: By, at: datetime) -> None:
        """Take an application's access away."""
        account.consents.remove(consent)
        if not any("Mail.Send" in item.scope for item in account.consents):
            account.foothold.discard("consent")
        self.log("consent removed", account.upn, consent.id, "", by, at)
        self.audit.directory_change(
            at, "Remove delegated permission grant", account, by, category="ApplicationManagement", Scope=consent.scope
        )

    def add_role(self, account: Account, role: Role, by: By, at: datetime) -> None:
        """Give a directory role."""
        account.roles.append(role)
        self.log("role added", account.upn, "", role.definition, by, at)
        self.audit.directory_change(
            at, "Add member to role", account, by, category="RoleManagement", Role_TemplateId=role.definition
        )

    def remove_role(self, account: Account, role: Role, by: By, at: datetime) -> None:
        """Take a directory role away."""
        account.roles.remove(role)
        self.log("role removed", account.upn, role.definition, "", by, at)
        self.audit.directory_change(
            at, "Remove member from role", account, by, category="RoleManagement", Role_TemplateId=role.definition
        )

    # Mailboxes.

    def next_rule(self, mailbox: Mailbox, name: str, **members: Any) -> Rule:
        """Return a new rule with the next number; it is not in the mailbox yet."""
        return Rule(1 + max((rule.number for rule in mailbox.rules), default=0), name, **members)

    def set_rule(self, account: Account, rule: Rule, by: By, at: datetime, *, enabled: bool) -> None:
        """Switch an inbox rule on or off."""
        before, rule.enabled = rule.enabled, enabled
        self.log("inbox rule", account.upn, f"{rule.number} {_on(before)}", f"{rule.number} {_on(enabled)}", by, at)
        cmdlet = "Enable-InboxRule" if enabled else "Disable-InboxRule"
        parameters = {"Identity": str(rule.number), "Mailbox": account.upn}
        self.audit.cmdlet(at, cmdlet, parameters, by, f"{account.upn}\\{rule.name}")

    def remove_rule(self, account: Account, rule: Rule, by: By, at: datetime) -> None:
        """Delete an inbox rule."""
        account.mailbox.rules.remove(rule)
        self.log("inbox rule removed", account.upn, str(rule.number), "", by, at)
        self.audit.cmdlet(at, "Remove-InboxRule", {"Identity": str(rule.number)}, by, f"{account.upn}\\{rule.name}")

    def set_forwarding(
        self,
        account: Account,
        by: By,
        at: datetime,
        *,
        inside: str | None = None,
        outside: str | None = None,
        keeps_copy: bool | None = None,
    ) -> None:
        """Set how a mailbox forwards; None leaves a part as it is."""
        box = account.mailbox
        before = f"{box.forwards_inside}|{box.forwards_outside}|{box.keeps_copy}"
        box.forwards_inside = box.forwards_inside if inside is None else inside
        box.forwards_outside = box.forwards_outside if outside is None else outside
        box.keeps_copy = box.keeps_copy if keeps_copy is None else keeps_copy
        after = f"{box.forwards_inside}|{box.forwards_outside}|{box.keeps_copy}"
        self.log("forwarding", account.upn, before, after, by, at)
        given = {
            "ForwardingAddress": inside,
            "ForwardingSmtpAddress": outside,
            "DeliverToMailboxAndForward": keeps_copy,
        }
        parameters = {key: value for key, value in given.items() if value is not None}
        self.audit.cmdlet(at, "Set-Mailbox", {"Identity": account.upn, **parameters}, by, account.upn)

    def set_right(self, account: Account, right: str, who: str, by: By, at: datetime, *, given: bool) -> bool:
        """Give or take a right to a mailbox; return whether that changed anything."""
        holders: list[str] = getattr(account.mailbox, right)
        if given == (who in holders):
            return False
        if given:
            holders.append(who)
        else:
            holders.remove(who)
        gives, takes, name = RIGHTS[right]
        self.log(f"{name} {'given' if given else 'taken'}", account.upn, "", who, by, at)
        parameters = {"Identity": account.upn, "User": who, "AccessRights": name}
        self.audit.cmdlet(at, gives if given else takes, parameters, by, account.upn)
        return True


def _on(value: bool) -> str:  # noqa: FBT001 - the value is what is worded.
    return "on" if value else "off"
