"""The referee, who finds nothing in a life that was lived by the rules, finds what is put there."""

from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest

from tests.services.desk import Place
from tests.simulate.chance import seeded
from tests.simulate.life import Life, LifeError, live
from tests.simulate.referee import Referee
from tests.simulate.world import Broken, Lifted, World
from workflow.providers.simulated.state import By

DAYS = 2


@pytest.fixture(scope="module")
def life(sqlite_ledger: Place, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Life]:
    """Two days that were lived by the rules, with somebody restricted in them."""
    with seeded(28) as dice:
        found = Life(sqlite_ledger.copy(tmp_path_factory.mktemp("life")), 28, dice)
        with found.world.time.everywhere():
            found.live(DAYS)
        yield found
        found.world.close()


def _without_intent(world: World) -> None:
    world.lifted.append(Lifted("feed", "ada@contoso.example", 200, 1))


def _twice(world: World) -> None:
    world.lifted += [Lifted("feed", "ada@contoso.example", 504, 1), Lifted("feed", "ada@contoso.example", 200, 0)]


def _secret(world: World) -> None:
    world.secrets.add("case:opened")


def _unseen(world: World) -> None:
    world.control("restrict", identifier=world.simulator.tenant.accounts[0].upn, kind="mailbox")
    world.time.wait(1)
    world.chores += [("poll", "done", world.time.true())] * 2


def _unintended(world: World) -> None:
    tenant = world.simulator.tenant
    tenant.log("sign-in", tenant.accounts[3].upn, "on", "off", By("app", "Holdfast"), tenant.now())


def _unsaid(world: World) -> None:
    tenant = world.simulator.tenant
    row = next(row for row in tenant.rows.values() if row.kind == "mailbox")
    at = tenant.now() - timedelta(hours=10)
    tenant.log("role added", row.key, "", "x", By("portal", "admin"), at)
    world.chores.append(("log", "done", tenant.now()))


@pytest.mark.parametrize(
    ("crime", "words"),
    [
        (_without_intent, "without an intent on the ledger"),
        (_twice, "was called 2 times"),
        (_unintended, r"block-sign-in of .* was done \d times, and intended \d times"),
        (_unsaid, "role added of .* by portal at .* is not in case #"),
        (_secret, "a password stands in holdfast.db"),
        (_unseen, "has no open case"),
    ],
)
def test_what_breaks_a_rule_is_found(life: Life, crime: Callable[[World], None], words: str) -> None:
    """An unblock nobody intended or intended once, a password that was written down, a restriction nobody saw."""
    world = life.world
    lifted, secrets, chores = list(world.lifted), set(world.secrets), list(world.chores)
    effects = len(world.simulator.tenant.effects)
    life.referee.judge()
    crime(world)
    with pytest.raises(Broken, match=words):
        life.referee.judge()
    world.lifted, world.secrets, world.chores = lifted, secrets, chores
    del world.simulator.tenant.effects[effects:]


def test_an_unblock_is_refused_before_the_tenant_hears_of_it(life: Life) -> None:
    """The call itself is held against the ledger: an intent has to stand there, committed."""
    with pytest.raises(Broken, match="without an intent that stands"):
        life.referee.unblocking("feed", "ada@contoso.example")


class Strict(Referee):
    """Finds fault with everything."""

    def watch(self) -> None:
        """Find fault."""
        self.fail("nothing is good enough")


def test_a_broken_rule_names_the_command_that_shows_it_again(
    sqlite_ledger: Place, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Whoever reads the failure can live the same life again."""
    with pytest.raises(LifeError, match="HOLDFAST_SEED=5 HOLDFAST_DAYS=1 make simulate"):
        live(sqlite_ledger.copy(tmp_path_factory.mktemp("strict")), 5, 1, Strict)
