"""The restricted entities: how they come, how they go, and how often they may be made to go."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from workflow.providers.simulated.scenario import NEVER, Fate
from workflow.providers.simulated.stamp import next_midnight
from workflow.providers.simulated.state import SERVICE, Account, By, Row

if TYPE_CHECKING:
    from datetime import datetime

    from workflow.providers.simulated.alerts import Alerts
    from workflow.providers.simulated.attack import Attacker
    from workflow.providers.simulated.directory import Directory

MAILBOX, CONNECTOR = "mailbox", "connector"
_HOUR = 3600.0
_TWO_DAYS = 48 * _HOUR


class NotListedError(Exception):
    """It is not among the restricted entities."""


class LimitReachedError(Exception):
    """It was unblocked too often."""


class Restrictions:
    """The list of restricted entities of one tenant.

    A row that was unblocked lingers until Microsoft's systems have all heard of it: the call has succeeded, and the
    row is still there.
    """

    def __init__(self, tenant: Directory, alerts: Alerts, attacker: Attacker) -> None:
        self._tenant = tenant
        self._alerts = alerts
        self._attacker = attacker
        self._dice = tenant.dice.stream("restrictions")
        self._unblocked: dict[tuple[str, str], int] = {}
        self._spared: dict[tuple[str, str], datetime] = {}
        self.rows = tenant.rows
        self.fates: dict[str, Fate] = {}

    def listed(self, kind: str) -> list[Row]:
        """Return the rows of a kind, the oldest first."""
        return [row for row in self.rows.values() if row.kind == kind]

    def restrict(
        self, kind: str, key: str, reason: str, at: datetime, *, ends: str = "", temporary: bool = False
    ) -> Row:
        """Put an entity on the list; one that is on it already stays as it is.

        Args:
            kind: mailbox or connector.
            key: user principal name, or the connector's GUID.
            reason: Microsoft's text.
            at: when.
            ends: ``midnight``, ``day`` or "".
            temporary: what the row says about itself.
        """
        known = self.rows.get((kind, key.casefold()))
        if known is not None:
            return known
        row = Row(kind, key, reason, at, at, temporary=temporary, ends=ends)
        self.rows[kind, key.casefold()] = row
        self._tenant.log("restricted", key, "not listed", "listed", SERVICE, at)
        if kind == MAILBOX:
            self._tenant.audit.hygiene(at, "Listed", key, reason, SERVICE)
            self._alerts.raise_for(key, at)
        if ends:
            until = next_midnight(at) if ends == "midnight" else at + timedelta(hours=24)
            self._tenant.schedule.at(until, lambda when: self._ends(row, when))
        return row

    def _ends(self, row: Row, at: datetime) -> None:
        if row.leaving_at is None:
            self._drop(row, at, SERVICE, "")

    def remove(self, kind: str, key: str, reason: str, by: By, now: datetime) -> Row:
        """Unblock an entity. Doing it again while the row lingers succeeds again, and counts again.

        Raises:
            NotListedError: it is not on the list.
            LimitReachedError: it has been unblocked as often as Microsoft allows.
        """
        row = self.rows.get((kind, key.casefold()))
        if row is None:
            raise NotListedError(key)
        limit, used = self._tenant.scenario.unblock_limit, self._unblocked.get((kind, key.casefold()), 0)
        if kind == MAILBOX and limit and used >= max(limit, 0):
            raise LimitReachedError(key)
        self._unblocked[kind, key.casefold()] = used + 1
        self._tenant.log("unblocked", row.key, "listed", "lifting", by, now)
        if row.leaving_at is not None:
            return row
        row.changed_at, row.left_by, row.left_reason = now, by, reason
        seconds = self._takes(row)
        if seconds != NEVER:
            row.leaving_at = now + timedelta(seconds=seconds)
            self._tenant.schedule.at(row.leaving_at, lambda when: self._drop(row, when, row.left_by, row.left_reason))
        return row

    def _takes(self, row: Row) -> float:
        """Return how many seconds pass until the row is gone: Microsoft says an hour, at most a day."""
        scenario = self._tenant.scenario
        drawn = self._dice.between(*scenario.leaves_after)
        turn = self._dice.fraction()
        if turn < scenario.never:
            drawn = NEVER
        elif turn < scenario.never + scenario.overdue:
            drawn = self._dice.between(25 * _HOUR, 40 * _HOUR)
        elif turn < scenario.never + scenario.overdue + scenario.late:
            drawn = self._dice.between(2 * _HOUR, 20 * _HOUR)
        fate = self.fates.get(row.key.casefold())
        return drawn if fate is None or fate.leaves_after is None else fate.leaves_after

    def _drop(self, row: Row, at: datetime, by: By, reason: str) -> None:
        del self.rows[row.kind, row.key.casefold()]
        self._tenant.log("no longer restricted", row.key, "listed", "not listed", by, at)
        if row.kind != MAILBOX:
            return
        self._tenant.audit.hygiene(at, "Delisted", row.key, reason, by)
        account = self._tenant.find(row.key)
        if account is not None and by is not SERVICE:
            # Microsoft does not restrict again on the day on which an administrator unblocked.
            self._spared[row.kind, row.key.casefold()] = next_midnight(at)
            self._after_release(account, at)

    def _after_release(self, account: Account, at: datetime) -> None:
        scenario, tenant = self._tenant.scenario, self._tenant
        fate = self.fates.get(account.upn.casefold(), Fate())
        returns = fate.returns_after
        if not returns and self._dice.chance(scenario.returns):
            returns = self._dice.between(_HOUR, _TWO_DAYS)
        if returns:
            tenant.schedule.at(at + timedelta(seconds=returns), lambda when: self._returns(account, when))
        if scenario.restricts_again:
            self.spam_goes_on(account, at)

    def _returns(self, account: Account, at: datetime) -> None:
        self._attacker.returns(account, at)
        self.spam_goes_on(account, at)

    def spam_goes_on(self, account: Account, at: datetime) -> None:
        """Plan the next restriction of an account that an attacker still sends from."""
        not_before = self._spared.get((MAILBOX, account.upn.casefold()), at)
        when = max(not_before, at) + timedelta(minutes=self._dice.whole(5, 90))

        def again(moment: datetime) -> None:
            if account.attacked:
                self.restrict(MAILBOX, account.upn, self.reason(), moment)

        self._tenant.schedule.at(when, again)

    def reason(self, shape: str = "spam") -> str:
        """Return a reason in one of the shapes found in published output."""
        trace = self._dice.guid()
        if shape == "limit":
            return (
                f"EmailSendingLimitExceeded;InternalRecipientCountToday={self._dice.whole(0, 90)};"
                f"ExternalRecipientCountToday={self._dice.whole(10001, 12000)};ExceedingLimitType=External;"
                f"Last MessagetraceId={trace};LastMessageRcptCount={self._dice.whole(1, 400)};"
            )
        if shape == "rate":
            sent = self._dice.whole(10001, 15000)
            return f"RecipientRateLimitExceeded;RecipientCountLast24Hours={sent};RcptRateLimit=10000;"
        spam = self._dice.whole(100, 900)
        return (
            f"OutboundSpamLast24Hours={spam};OutboundMailLast24Hours={spam + self._dice.whole(100, 3000)};"
            f"OutboundSpamPercent={self._dice.whole(20, 99)};Last Spam Message MessagetraceId:{trace}"
        )
