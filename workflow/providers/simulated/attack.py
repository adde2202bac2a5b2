"""An attacker, and what is found afterwards: rules, methods, consents, forwarding, delegates, roles."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from workflow.providers.simulated.audit import EXCHANGE_ITEM
from workflow.providers.simulated.people import ROLES
from workflow.providers.simulated.state import Account, By, Consent, Method, Role, Rule

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from workflow.providers.simulated.directory import Directory

ADDRESS, COUNTRY = "203.0.113.66", "XX"
DROP = "collector@attacker.example"
"""Where stolen mail goes."""
MOVES = ("sign-in", "rule", "hidden-rule", "method", "consent", "forwarding", "delegate", "role", "password")
"""What an attacker can do, in the order in which it is done."""
_FAILED_BLOCKED = 50057


class Attacker:
    """Somebody with a stolen password."""

    def __init__(self, tenant: Directory) -> None:
        self._tenant = tenant
        self._dice = tenant.dice.stream("attacker")

    def breaks_in(self, account: Account, at: datetime) -> None:
        """Take an account over, and prepare it as attackers do: some of the moves, never a role."""
        self.does(account, ("sign-in",), at)
        for move in ("rule", "hidden-rule", "method", "consent", "forwarding", "delegate"):
            if self._dice.chance(0.35):
                at += timedelta(minutes=self._dice.whole(1, 20))
                self.does(account, (move,), at)
        for number in range(self._dice.whole(3, 12)):
            recipient = f"person{self._dice.whole(1, 9999)}@fabrikam.example"
            self._tenant.send(account, recipient, "Invoice overdue", By("attacker", account.upn), at, ADDRESS)
            at += timedelta(seconds=1 + number)

    def returns(self, account: Account, at: datetime) -> None:
        """Come back after a release, unless sign-in is blocked."""
        if not account.enabled.true:
            self._tenant.audit.sign_in(
                at, account, app="Outlook", address=ADDRESS, country=COUNTRY, error=_FAILED_BLOCKED
            )
            return
        self.does(account, ("sign-in", "rule", self._dice.pick(("method", "consent", "role"))), at)

    def does(self, account: Account, moves: Iterable[str], at: datetime) -> None:
        """Make the moves of these names (:data:`MOVES`), in their own order."""
        wanted = frozenset(moves)
        for move in MOVES:
            if move in wanted:
                getattr(self, "_" + move.replace("-", "_"))(account, By("attacker", account.upn), at)

    def _sign_in(self, account: Account, by: By, at: datetime) -> None:
        account.foothold |= {"password", "session"}
        self._tenant.audit.sign_in(at, account, app="Outlook", address=ADDRESS, country=COUNTRY)
        self._tenant.log("signed in", account.upn, "", ADDRESS, by, at)

    def _rule(self, account: Account, by: By, at: datetime) -> None:
        rule = self._tenant.next_rule(account.mailbox, "..", forward_to=(DROP,), delete=self._dice.chance(0.5))
        self._made(account, rule, by, at)
        parameters = {"Name": rule.name, "ForwardTo": DROP, "DeleteMessage": rule.delete}
        self._tenant.audit.cmdlet(at, "New-InboxRule", parameters, by, f"{account.upn}\\{rule.name}")

    def _hidden_rule(self, account: Account, by: By, at: datetime) -> None:
        rule = self._tenant.next_rule(account.mailbox, "", move_to="RSS Feeds", hidden=True)
        self._made(account, rule, by, at)
        self._tenant.audit.write(
            at, EXCHANGE_ITEM, "UpdateInboxRules", by, ClientIPAddress=ADDRESS, MailboxOwnerUPN=account.upn
        )

    def _made(self, account: Account, rule: Rule, by: By, at: datetime) -> None:
        account.mailbox.rules.append(rule)
        self._tenant.log("inbox rule made", account.upn, "", str(rule.number), by, at)

    def _method(self, account: Account, by: By, at: datetime) -> None:
        method = Method(self._dice.guid(), "microsoftAuthenticator", "Pixel 4", at)
        self._tenant.set_methods(account, (*account.methods.true, method), at)
        self._tenant.log("sign-in method added", account.upn, "", method.id, by, at)
        self._tenant.audit.directory_change(at, "User registered security info", account, by)

    def _consent(self, account: Account, by: By, at: datetime) -> None:
        grant = Consent(self._dice.token(22), self._dice.guid(), "Mail.Read Mail.Send offline_access", at)
        account.consents.append(grant)
        account.foothold.add("consent")
        self._tenant.log("consent given", account.upn, "", grant.id, by, at)
        self._tenant.audit.directory_change(
            at, "Consent to application", account, by, category="ApplicationManagement", Scope=grant.scope
        )

    def _forwarding(self, account: Account, by: By, at: datetime) -> None:
        self._tenant.set_forwarding(account, by, at, outside=DROP, keeps_copy=True)

    def _delegate(self, account: Account, by: By, at: datetime) -> None:
        other = (
            self._tenant.accounts[self._dice.whole(1, len(self._tenant.accounts) - 1)]
            if self._tenant.accounts[1:]
            else account
        )
        self._tenant.set_right(account, "full_access", other.upn, by, at, given=True)

    def _role(self, account: Account, by: By, at: datetime) -> None:
        self._tenant.add_role(account, Role(self._dice.guid(), ROLES["Exchange Administrator"]), by, at)

    def _password(self, account: Account, by: By, at: datetime) -> None:
        self._tenant.change_password(account, by, at)
