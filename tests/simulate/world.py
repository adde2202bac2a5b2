"""One tenant, one ledger, and the processes that work on them: each with a clock and a line that may end it."""

from __future__ import annotations

import json
import ssl
import time
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, cast

import httpx2
import pytest

from tests.providers.contract import check
from tests.simulate.chance import Accidents, Crash
from workflow.app import App
from workflow.errors import HoldfastError
from workflow.providers.microsoft365.connection import Connection, Service
from workflow.providers.microsoft365.pace import Pace
from workflow.providers.microsoft365.tenant import Microsoft365
from workflow.providers.simulated.server import Server
from workflow.providers.ways import Way
from workflow.services import automation
from workflow.worker.loop import Loop
from workflow.worker.pulse import Beating, Pulse, place

if TYPE_CHECKING:
    import random
    from collections.abc import Callable, Iterator

    from tests.services.desk import Place
    from workflow.providers.simulated.messages import Reply, Request
    from workflow.providers.simulated.simulator import Simulator
    from workflow.worker.hands import Hands
    from workflow.worker.log import Log

LOOKS = 200
"""Turns in which a worker has to come to rest."""


class Broken(BaseException):
    """A rule was broken, or something failed that nobody foresaw."""


@dataclass(frozen=True, slots=True)
class Lifted:
    """One unblock of ours as the tenant heard it: the key of its intent, and how often it took effect."""

    key: str
    entity: str
    status: int
    effects: int


class Time:
    """The tenant's time, and what our own clock makes of it."""

    def __init__(self, simulator: Simulator) -> None:
        self._simulator = simulator
        self.began = simulator.tenant.now()
        self.ahead = timedelta(0)
        self._set = [(self.began, self.ahead)]

    def put(self, ahead: timedelta) -> None:
        """Have our clock be ahead of the tenant's by so much from now on."""
        self.ahead = ahead
        self._set.append((self.true(), ahead))

    def off(self, at: datetime, around: timedelta) -> timedelta:
        """Return by how much our clock was off at most from so long before a time until as long after it."""
        until = [*(moment for moment, _ in self._set[1:]), datetime.max.replace(tzinfo=UTC)]
        spans = zip(self._set, until, strict=True)
        return max(abs(ahead) for (since, ahead), end in spans if since <= at + around and at - around <= end)

    def true(self) -> datetime:
        """Return the tenant's present."""
        return self._simulator.tenant.now()

    def ours(self) -> datetime:
        """Return what our clock shows."""
        return self.true() + self.ahead

    def seconds(self) -> float:
        """Return seconds that only rise, whatever our clock shows."""
        return (self.true() - self.began).total_seconds()

    def wait(self, seconds: float) -> None:
        """Let time pass at once."""
        self._simulator.tenant.clock.advance(seconds)

    @contextmanager
    def everywhere(self) -> Iterator[None]:
        """Have libraries see our clock too: the one that signs in remembers until when it was turned away."""
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(time, "time", lambda: self.ours().timestamp())
            yield


class Tenant(Server):
    """The real server of a simulated tenant, whose answers are heard by the world, and held back in its time."""

    world: World

    def ask(self, request: Request) -> Reply:
        """Answer, and let the world know; what fails here is told where the life is lived."""
        try:
            return self.world.hears(request)
        except Exception as error:
            self.world.failure = error
            raise

    def hold(self, seconds: float) -> None:
        """Keep an answer back by the tenant's clock alone."""
        self.world.time.wait(seconds)


class Line(httpx2.HTTPTransport):
    """The network between a process and the tenant: real connections, at either end of which the process may end."""

    def __init__(self, world: World, accidents: Accidents) -> None:
        # There is no certificate to check at home, and reading all that there are takes longer than a day's calls.
        super().__init__(verify=ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT), trust_env=False)
        self._world = world
        self._accidents = accidents

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        """Send a request and bring its answer back, or end the process on either way."""
        self._accidents.place()
        if "authorization" in request.headers:
            check(request)
        self._world.sends(request)
        try:
            return super().handle_request(request)
        finally:
            if self._world.failure is not None:
                message = f"the tenant failed: {self._world.failure!r}"
                raise Broken(message) from self._world.failure
            self._accidents.place()


class Fragile(App):
    """An app that may end between a commit and the keeping of its checkpoint."""

    accidents: Accidents

    def keep_checkpoint(self, note: str) -> None:
        """Keep it, or end before."""
        self.accidents.place()
        super().keep_checkpoint(note)


class Beats(Beating):
    """A pulse that also tells when the lists were last read to their end, by the tenant's time."""

    world: World

    def chore(self, name: str, outcome: str, message: str, now: datetime) -> None:
        """Note what came of a chore."""
        super().chore(name, outcome, message, now)
        self.world.chores.append((name, outcome, self.world.time.true()))


class Process:
    """What one process has in memory: an app with its own connection to the tenant, and a loop if it is a worker."""

    def __init__(self, world: World, *, works: bool) -> None:
        self.accidents = Accidents()
        self._world = world
        hands = world.time

        def clock() -> datetime:
            self.accidents.place()
            return hands.ours()

        connection = Connection(
            tenant=world.simulator.tenant.id,
            way=Way.MANAGED_IDENTITY,
            addresses=dict.fromkeys(Service, world.server.url),
        )
        pace = Pace(hands.seconds, hands.wait, world.dice.random)
        self.provider = Microsoft365(connection, clock, pace=pace, transport=Line(world, self.accidents))
        self.app = Fragile(world.settings, clock, self.provider)
        self.app.accidents = self.accidents
        self.loop: Loop | None = None
        if works:
            beats = Beats(place(world.settings), Pulse(), hands.ours())
            beats.world = world
            room = world.settings.worker_steps
            here = cast("Hands", self)
            told = cast("Log", world.log)
            self.loop = Loop(self.app, automation, here, here, told, beats, room, automation.lanes())

    def give(self, work: Callable[[App], Any]) -> Future[Any]:
        """Do it here and now; what nobody foresaw is no matter of the loop's."""
        future: Future[Any] = Future()
        try:
            future.set_result(work(self.app))
        except HoldfastError as error:
            future.set_exception(error)
        except Exception as error:
            message = f"a step raised {type(error).__name__}: {error}"
            raise Broken(message) from error
        return future

    def work(self) -> None:
        """Be a worker until nothing is in hand.

        Raises:
            Broken: it does not come to rest.
        """
        assert self.loop is not None
        self.loop.rested_at.clear()
        self.loop.begin_chores()
        for _ in range(LOOKS):
            if not self.loop.turn():
                return
        message = f"the worker found something to do {LOOKS} times on end"
        raise Broken(message)


@dataclass
class World:
    """Everything there is in one life."""

    place: Place
    simulator: Simulator
    dice: random.Random
    settings: Any
    trace: list[str] = field(default_factory=list)
    secrets: set[str] = field(default_factory=set)
    lifted: list[Lifted] = field(default_factory=list)
    chores: list[tuple[str, str, datetime]] = field(default_factory=list)
    crashes: int = 0
    failure: Exception | None = None

    def __post_init__(self) -> None:
        self.time = Time(self.simulator)
        self.server = Tenant(self.simulator)
        self.server.world = self
        self.server.__enter__()
        self.hand = httpx2.Client(base_url=f"{self.server.url}/simulator/", trust_env=False)
        self.watch: Callable[[str, str], None] = lambda _key, _entity: None
        self.worker = Process(self, works=True)
        self.desk = Process(self, works=False)
        self.quiet = App(self.settings, self.time.ours)

    def log(self, message: str, event: str = "worker", /, **_: Any) -> None:
        """Write down what a worker says."""
        self.say(f"{event}: {message}")

    def say(self, text: str) -> None:
        """Write down what happened."""
        self.trace.append(f"{self.time.true():%m-%d %H:%M:%S.%f} {text}")

    def sends(self, request: httpx2.Request) -> None:
        """Tell the referee of an unblock before it is on its way, and keep a password that is never to be seen."""
        body = request.read()
        if b"passwordProfile" in body:
            self.secrets.add(json.loads(body)["passwordProfile"]["password"])
        name, given = _cmdlet(request.url.path, body)
        if name.startswith("Remove-Blocked"):
            self.watch(_key(given), _entity(given))

    def hears(self, request: Request) -> Reply:
        """Let the tenant answer, and keep what the referee wants to know of it."""
        effects = self.simulator.tenant.effects
        before = len(effects)
        reply = self.simulator.answer(request)
        name, given = _cmdlet(request.path, request.body)
        if name.startswith("Remove-Blocked"):
            count = sum(item.what == "unblocked" and item.by.kind == "app" for item in effects[before:])
            self.lifted.append(Lifted(_key(given), _entity(given), reply.status, count))
        return reply

    def control(self, path: str, **body: Any) -> int:
        """Do something in the tenant past everybody; return the status."""
        return self.hand.post(path, json=body).status_code

    def survive(self, process: Process, do: Callable[[], Any], name: str) -> Any:
        """Do something that may end the process; one that ended is started anew on the same ledger."""
        try:
            return do()
        except Crash:
            self.crashes += 1
            self.say(f"crash: {name}")
            self._bury(process)
            fresh = Process(self, works=process.loop is not None)
            if process is self.worker:
                self.worker = fresh
            else:
                self.desk = fresh
        finally:
            process.accidents.call_off()
        return None

    def _bury(self, process: Process) -> None:
        """Close what the operating system would have closed."""
        process.accidents.call_off()
        process.provider.close()
        process.app.close()

    def close(self) -> None:
        """End everything."""
        for process in (self.worker, self.desk):
            self._bury(process)
        self.quiet.close()
        self.hand.close()
        self.server.__exit__()


def _cmdlet(path: str, body: bytes) -> tuple[str, dict[str, Any]]:
    """Return an unblock's name and what was given to it."""
    if b"Remove-Blocked" not in body or not path.endswith("InvokeCommand"):
        return "", {}
    sent = json.loads(body)["CmdletInput"]
    return sent["CmdletName"], sent["Parameters"]


def _key(given: dict[str, Any]) -> str:
    return str(given.get("Reason", "")).rpartition("intent ")[2]


def _entity(given: dict[str, Any]) -> str:
    return str(given.get("SenderAddress") or given.get("ConnectorId"))
