"""How a simulated tenant begins: who is restricted and why, and what is going to happen."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from workflow.providers.simulated.blocking import CONNECTOR, MAILBOX, LimitReachedError, NotListedError
from workflow.providers.simulated.clock import Clock
from workflow.providers.simulated.dice import Dice
from workflow.providers.simulated.people import ADMIN
from workflow.providers.simulated.scenario import Fate
from workflow.providers.simulated.state import By, Connector
from workflow.providers.simulated.tenant import Tenant

if TYPE_CHECKING:
    from collections.abc import Callable

    from workflow.providers.simulated.scenario import Scenario
    from workflow.providers.simulated.state import Account

PORTAL = By("portal", ADMIN)
_DAY = 86_400.0
_EVERY_LIMIT, _EVERY_RATE, _EVERY_BULK = 8, 12, 10


def found(
    scenario: Scenario, seed: int, starts_at: datetime, factor: float = 0.0, real: Callable[[], float] | None = None
) -> Tenant:
    """Return a tenant at its first moment; the same for the same scenario, seed and time."""
    clock = Clock((scenario.starts_at or starts_at).astimezone(UTC), factor, real)
    tenant = Tenant(scenario, Dice(seed), clock)
    now = clock.now()
    dice = tenant.dice.stream("founding")
    victims = tenant.accounts[1 : 1 + scenario.restricted]
    spread = sorted(dice.between(600, 30 * 3600) for _ in victims)
    for number, (account, ago) in enumerate(zip(victims, reversed(spread), strict=True), start=1):
        _restrict(tenant, account, number, now - timedelta(seconds=ago), now)
        fate = scenario.fates.get(number, Fate())
        tenant.restrictions.fates[account.upn.casefold()] = fate
        after = fate.portal_after
        if not after and dice.chance(scenario.portal):
            after = dice.between(3600, 2 * _DAY)
        if after:
            tenant.schedule.at(now + timedelta(seconds=after), _portal_unblocks(tenant, account.upn))
    for number in range(1, scenario.connectors + 2):
        name = f"Relay {number}"
        connector = Connector(dice.guid(), name, ("*",), (f"192.0.2.{number}",))
        tenant.connectors.append(connector)
        if number <= scenario.connectors:
            tenant.restrictions.restrict(CONNECTOR, connector.id, "Suspicious volume of mail", now - timedelta(hours=2))
    if scenario.new_per_day:
        tenant.schedule.at(_next_case(tenant, dice, now), _somebody_new(tenant, dice))
    tenant.settle()
    return tenant


def _restrict(tenant: Tenant, account: Account, number: int, at: datetime, now: datetime) -> None:
    """Restrict one account: most are compromised, some reached a limit, some send in bulk for good reasons."""
    restrictions = tenant.restrictions
    if number % _EVERY_LIMIT == 0:
        # A restriction for today must have begun today, or it would be over.
        at = max(at, now.replace(hour=0, minute=0, second=0, microsecond=0))
        restrictions.restrict(MAILBOX, account.upn, restrictions.reason("limit"), at, ends="midnight", temporary=True)
        return
    if number % _EVERY_RATE == _EVERY_RATE - 1:
        at = max(at, now - timedelta(hours=23))
        restrictions.restrict(MAILBOX, account.upn, restrictions.reason("rate"), at, ends="day")
        return
    if account.mailbox.shared:
        # The shared mailbox is restricted, and the person who sent as it is the one who was broken into.
        operator = tenant.accounts[1]
        account.mailbox.send_as.append(operator.upn)
        tenant.attacker.does(operator, ("sign-in",), at - timedelta(hours=1))
    elif number % _EVERY_BULK:
        tenant.attacker.breaks_in(account, at - timedelta(hours=3))
    restrictions.restrict(MAILBOX, account.upn, restrictions.reason(), at)


def portal_unblock(tenant: Tenant, kind: str, key: str, at: datetime, by: By = PORTAL) -> None:
    """Unblock as an administrator does in the portal, past everybody's procedure.

    Raises:
        NotListedError: it is not restricted.
        LimitReachedError: it was unblocked too often.
    """
    row = tenant.restrictions.remove(kind, key, "", by, at)
    cmdlet, parameter = (
        ("Remove-BlockedSenderAddress", "SenderAddress")
        if kind == MAILBOX
        else ("Remove-BlockedConnector", "ConnectorId")
    )
    tenant.audit.cmdlet(at, cmdlet, {parameter: row.key}, by, "")


def _portal_unblocks(tenant: Tenant, upn: str) -> Callable[[datetime], None]:
    def event(at: datetime) -> None:
        try:
            portal_unblock(tenant, MAILBOX, upn, at)
        except (NotListedError, LimitReachedError):
            return

    return event


def _next_case(tenant: Tenant, dice: Dice, at: datetime) -> datetime:
    return at + timedelta(seconds=dice.between(0.2, 1.8) * _DAY / tenant.scenario.new_per_day)


def _somebody_new(tenant: Tenant, dice: Dice) -> Callable[[datetime], None]:
    def event(at: datetime) -> None:
        account = dice.pick(tenant.accounts[1:] or tenant.accounts)
        if account.enabled.true:
            tenant.attacker.breaks_in(account, at - timedelta(hours=2))
            tenant.restrictions.restrict(MAILBOX, account.upn, tenant.restrictions.reason(), at)
        tenant.schedule.at(_next_case(tenant, dice, at), event)

    return event
