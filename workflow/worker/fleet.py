"""Workers on many hosts sharing one ledger in PostgreSQL, through the job queue of procrastinate.

The queue decides nothing. A case is due because its row says so; a *sweep* on every host queues what is due and not
queued yet, one host at a time, and whoever is free looks at the case. A job is the id of a case. Losing every job loses
nothing, and doing one twice is safe, because a step judges under the case's lock.

Four things run in each process, every thread with an app of its own: *hands* take steps, as many at once as the caller
says; a *tender* sweeps and takes back what lost workers held; a *sealer* gives entries their place in the tree
(:mod:`workflow.worker.tending`); and on one host of all, the *chores* of the whole ledger are done, by whoever holds
the one job of that name.

A worker beats every third of its *lease*. When it was silent for a lease, a peer takes its jobs over.
"""

from __future__ import annotations

import asyncio
import logging
import random
import time
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

import procrastinate
import psycopg
import psycopg_pool
from procrastinate.exceptions import ProcrastinateException
from procrastinate.retry import BaseRetryStrategy, RetryDecision

from workflow.errors import HoldfastError, NotFoundError
from workflow.storage import queue
from workflow.worker.backoff import after_answer, after_failure
from workflow.worker.hands import Hands, Round
from workflow.worker.log import unforeseen
from workflow.worker.loop import sentence, tell_chore
from workflow.worker.port import Automation
from workflow.worker.tending import TEND, Sealer, Tender

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable

    from procrastinate.jobs import Job

    from workflow.app import App
    from workflow.worker.pulse import Beating

LEASE: Final = 10.0
"""Seconds of silence after which a worker is taken for lost."""
GRACE: Final = 30.0
"""Seconds that a worker told to stop gives the steps in hand."""

_POLL: Final = 5.0  # seconds between two looks for jobs whose time has come; new ones are announced
_NEVER: Final = 86_400.0  # seconds between two looks for jobs to abort, which nobody does
_CHORES: Final = 5.0  # seconds between two looks for chores
_PULSE: Final = 5.0  # seconds between two looks whether the pulse is to be written
_NOTICE: Final = 0.25  # seconds that threads get to go home
_PAUSE: Final = 5.0  # seconds before a worker that lost the database begins again
_BELIEVED: Final = 30.0  # seconds for which a connection that was used is taken to be alive
_KEPT: Final = 24  # hours that a job stays which ended badly


class _Listening(psycopg.AsyncConnection[Any]):
    """A connection that wakes up for what comes, and not ten times a second to look for Ctrl-C at a prompt."""

    used = 0.0
    """When it was last taken from the pool, as the monotonic clock says."""

    async def wait(self, gen: Any, interval: float = _POLL, timeout: float | None = None) -> Any:  # noqa: ASYNC109 - theirs
        """Wait for the server."""
        return await super().wait(gen, interval=interval, timeout=timeout)


async def _alive(connection: _Listening) -> None:
    """Ask a connection that lay idle whether it is still there; the pool replaces one that is not.

    The library would ask each time, which doubles its trips. What breaks in between ends a shift, and another begins.
    """
    if time.monotonic() - connection.used > _BELIEVED:
        await psycopg_pool.AsyncConnectionPool.check_connection(connection)
    connection.used = time.monotonic()


def _pool(**given: Any) -> psycopg_pool.AsyncConnectionPool[Any]:
    return psycopg_pool.AsyncConnectionPool(**(given | {"check": _alive}))


class _AgainError(Exception):
    """The step wants to be taken again."""

    def __init__(self, wait: timedelta) -> None:
        super().__init__()
        self.wait = wait


class _Patience(BaseRetryStrategy):
    """Never gives a case up: it stays due whatever the queue forgets."""

    def get_retry_decision(self, *, exception: BaseException, job: Job) -> RetryDecision:
        """Say when to begin again."""
        if isinstance(exception, _AgainError):
            wait = exception.wait
        elif isinstance(exception, asyncio.CancelledError):
            wait = timedelta(0)
        else:
            wait = after_failure(job.attempts, random.random)
        return RetryDecision(retry_at=datetime.now(UTC) + wait)


@dataclass(slots=True)
class _Fleet:
    """One process's part: what it was told, and whether it is to stop."""

    make_app: Callable[[], App]
    work: Automation
    concurrency: int
    stop: threading.Event
    log: Callable[..., None]
    lease: float
    grace: float
    hands: Hands
    helper: Hands
    beating: Beating
    stopping: asyncio.Event = field(default_factory=asyncio.Event)
    signed: set[int] = field(default_factory=set)  # the names under which this process has jobs in hand

    def sign(self, context: procrastinate.JobContext) -> None:
        """Remember under which name a job was taken."""
        if context.job.worker_id is not None:
            self.signed.add(context.job.worker_id)

    async def step(self, case_id: str) -> None:
        """Look at one case; raises when it is to be looked at again."""
        try:
            stepped = await asyncio.wrap_future(self.hands.give(lambda app: self.work.step(app, case_id)))
        except NotFoundError:
            self.log(f"There is no case {case_id}; its job is dropped.")
            return
        except HoldfastError as error:
            self.log(f"{case_id}: {error}")
            raise
        except Exception as error:
            self.log(f"{case_id}: {unforeseen(error)}", "failure", case=case_id)
            raise
        self.beating.pulse.steps += 1
        if stepped.task:
            self.log(sentence(stepped), "step", **stepped.to_data())
        if stepped.again is not None:
            self.beating.pulse.put_off += 1
            raise _AgainError(after_answer(stepped.again, random.random))

    async def chores(self, is_mine: Callable[[], Any]) -> None:
        """Do the chores until the worker stops or another one has taken them over."""
        lost = asyncio.Event()
        async with asyncio.TaskGroup() as lanes:
            for memory in self.work.lanes():
                lanes.create_task(self._lane(memory, lost))
            while not (self.stopping.is_set() or lost.is_set()):
                with suppress(TimeoutError):
                    await asyncio.wait_for(self.stopping.wait(), self.lease / 3)
                if not self.stopping.is_set() and not await is_mine():
                    lost.set()
        if not lost.is_set():
            raise _AgainError(timedelta(0))

    async def _lane(self, memory: Any, lost: asyncio.Event) -> None:
        """Do a lane's chores: those that wait for the tenant keep none of the others."""
        while not (self.stopping.is_set() or lost.is_set()):
            try:
                for chore in await asyncio.wrap_future(
                    self.helper.give(lambda app: list(self.work.chores(app, app.now(), memory)))
                ):
                    tell_chore(self.log, chore)
                    self.beating.chore(chore.name, chore.outcome, chore.said, datetime.now(UTC))
            except HoldfastError as error:
                self.log(f"chores: {error}", "error")
            with suppress(TimeoutError):
                await asyncio.wait_for(self.stopping.wait(), _CHORES)


def run(
    make_app: Callable[[], App],
    *,
    work: Automation,
    concurrency: int,
    stop: threading.Event,
    log: Callable[..., None],
    beating: Beating,
    lease: float = LEASE,
    grace: float = GRACE,
) -> bool:
    """Work until ``stop`` is set, through any loss of the database; say whether every step in hand was finished.

    Signals are the caller's: have SIGTERM and SIGINT set ``stop``.

    Args:
        make_app: makes an app; called once for every thread that needs one.
        work: what is due and how it is done.
        concurrency: how many cases are looked at at once.
        stop: set from any thread, or by a signal's handler.
        log: told in sentences, with an event's name and facts, from several threads, as by ``workflow.worker.log.Log``.
        beating: told that this process is alive.
        lease: seconds of silence after which this worker's peers take over.
        grace: seconds that the steps in hand get at the end. What is not done by then is given back to the peers.

    Raises:
        StorageError: the database is not there, is not PostgreSQL, or is another version's.
    """
    # What it says of outages is said here, in a sentence.
    logging.getLogger("procrastinate").setLevel(logging.CRITICAL)
    with make_app() as app:
        address = queue.address(app.database)
    sealer = Round(make_app(), Sealer(log).seal_waiting, None, log)
    tender = Round(make_app(), Tender(work, lease, stop, sealer.call).tend, TEND, log)
    hands, helper = Hands(make_app, concurrency, "step"), Hands(make_app, len(work.lanes()), "chores")
    try:
        asyncio.run(
            _serve(_Fleet(make_app, work, concurrency, stop, log, lease, grace, hands, helper, beating), address)
        )
    finally:
        tender.end(_PAUSE)
        finished = hands.close(_NOTICE)
        finished = helper.close(_NOTICE) and finished
        sealer.end(_PAUSE)
        beating.end(datetime.now(UTC))
    return finished


async def _serve(fleet: _Fleet, address: dict[str, Any]) -> None:
    watch = asyncio.create_task(_watch(fleet))
    while not fleet.stopping.is_set():
        try:
            await _shift(fleet, address)
            if not fleet.stopping.is_set():
                fleet.log("The queue was left; signing on again.")
        except (ProcrastinateException, psycopg.Error, OSError) as error:
            fleet.log(f"The queue could not be reached ({_first_line(error)}); trying again.")
        if not fleet.stopping.is_set():
            with suppress(TimeoutError):
                await asyncio.wait_for(fleet.stopping.wait(), _PAUSE)
    await watch


async def _watch(fleet: _Fleet) -> None:
    # A signal's handler may set nothing but the event of threads; a thread waits for it, which costs nothing.
    while not await asyncio.to_thread(fleet.stop.wait, _PULSE):
        fleet.beating.beat(datetime.now(UTC))
    fleet.stopping.set()


async def _shift(fleet: _Fleet, address: dict[str, Any]) -> None:
    """Sign on, work until told to stop or until something breaks, and sign off."""
    connector = procrastinate.PsycopgConnector(
        pool_factory=_pool,
        kwargs=address,
        connection_class=_Listening,
        configure=_settle,
        min_size=1,
        max_size=4,
        timeout=_PAUSE,
        name="queue",
    )
    broken = asyncio.Event()
    fleet.signed.clear()

    def notice(_loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        # The end of a job that could not be written down: its worker is alive, so nobody would ever take it over.
        # Signing off gives back whatever is still in this worker's name.
        fleet.log(f"A job's end was not recorded: {_first_line(context.get('exception'))}")
        broken.set()

    asyncio.get_running_loop().set_exception_handler(notice)
    async with _queue(fleet, connector).open_async() as jobs:
        workers = [
            asyncio.create_task(
                jobs.run_worker_async(
                    queues=[name],
                    name=name,
                    concurrency=count,
                    fetch_job_polling_interval=_POLL,
                    listen_notify=name == queue.CASES,
                    abort_job_polling_interval=_NEVER,
                    update_heartbeat_interval=fleet.lease / 3,
                    stalled_worker_timeout=fleet.lease,
                    shutdown_graceful_timeout=fleet.grace,
                    delete_jobs="successful",
                    install_signal_handlers=False,
                )
            )
            for name, count in ((queue.CASES, fleet.concurrency), (queue.CHORES, 1))
        ]
        reasons = [asyncio.create_task(event.wait()) for event in (fleet.stopping, broken)]
        await asyncio.wait([*workers, *reasons], return_when=asyncio.FIRST_COMPLETED)
        for task in (*reasons, *workers):
            task.cancel()
        # The library stops beating before the steps in hand are done; its peers would take those over meanwhile.
        beating = asyncio.create_task(_beat(jobs, fleet))
        ends = await asyncio.gather(*workers, *reasons, return_exceptions=True)
        beating.cancel()
        await asyncio.gather(beating, return_exceptions=True)
    for end in ends:
        if isinstance(end, Exception):
            raise end


async def _beat(jobs: procrastinate.App, fleet: _Fleet) -> None:
    while True:
        for name in fleet.signed:
            await jobs.job_manager.update_heartbeat(name)
        await asyncio.sleep(fleet.lease / 3)


def _queue(fleet: _Fleet, connector: procrastinate.PsycopgConnector) -> procrastinate.App:
    """Return the library's app with our three tasks."""
    jobs = procrastinate.App(connector=connector)

    @jobs.task(name=queue.STEP, queue=queue.CASES, retry=_Patience(), pass_context=True)
    async def step(context: procrastinate.JobContext, case_id: str) -> None:
        fleet.sign(context)
        await fleet.step(case_id)

    @jobs.task(name=queue.CHORES, queue=queue.CHORES, retry=_Patience(), pass_context=True)
    async def chores(context: procrastinate.JobContext) -> None:
        fleet.sign(context)

        async def is_mine() -> bool:
            found = await jobs.job_manager.list_jobs_async(id=context.job.id, status="doing")
            return [context.job.worker_id] == [job.worker_id for job in found]

        await fleet.chores(is_mine)

    # The library watches over its own parts only as long as it has a periodic task.
    @jobs.periodic(cron="*/10 * * * *")
    @jobs.task(name="prune", queue=queue.CASES, queueing_lock="prune")
    async def prune(timestamp: int) -> None:  # noqa: ARG001 - the library hands it over.
        await jobs.job_manager.delete_old_jobs(_KEPT, include_failed=True, include_cancelled=True, include_aborted=True)

    return jobs


async def _settle(connection: psycopg.AsyncConnection[Any]) -> None:
    await connection.set_autocommit(True)
    await connection.execute(queue.SETTLE)


def _first_line(error: object) -> str:
    """Return the innermost reason's first line; a connection's text names host and user, never a password."""
    while isinstance(error, BaseException) and error.__cause__ is not None:
        error = error.__cause__
    return (str(error).strip() or type(error).__name__).split("\n", 1)[0]
