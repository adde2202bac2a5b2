"""A whole tenant: its directory, its restricted entities, its alerts, and somebody who attacks it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from workflow.providers.simulated.alerts import Alerts
from workflow.providers.simulated.attack import Attacker
from workflow.providers.simulated.blocking import Restrictions
from workflow.providers.simulated.directory import Directory

if TYPE_CHECKING:
    from workflow.providers.simulated.clock import Clock
    from workflow.providers.simulated.dice import Dice
    from workflow.providers.simulated.scenario import Scenario


class Tenant(Directory):
    """Everything that a simulated tenant consists of.

    Args:
        scenario: what is in it and how it behaves.
        dice: all its chance.
        clock: its time.
    """

    def __init__(self, scenario: Scenario, dice: Dice, clock: Clock) -> None:
        super().__init__(scenario, dice, clock)
        self.alerts = Alerts(self)
        self.attacker = Attacker(self)
        self.restrictions = Restrictions(self, self.alerts, self.attacker)
