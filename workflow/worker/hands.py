"""Threads that each have an app of their own, because an app's connections and memories are not for sharing.

They are daemons: whoever stops a worker waits for the step in hand, for a while, and a step that hangs on a tenant that
does not answer keeps no process alive. It is as safe to end there as to be killed.
"""

from __future__ import annotations

import threading
import time
from concurrent.futures import Future
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any, Final, TypeVar

from workflow.errors import HoldfastError

if TYPE_CHECKING:
    from collections.abc import Callable

    from workflow.app import App

Found = TypeVar("Found")

_LONGEST: Final = 5.0  # seconds between two tries of what failed


class Hands:
    """A number of threads that do what they are given, in the order given.

    Args:
        make_app: makes one app; called once per thread.
        count: how many there are.
        name: what their threads are called.
    """

    def __init__(self, make_app: Callable[[], App], count: int, name: str) -> None:
        self._given: SimpleQueue[tuple[Future[Any], Callable[[App], Any]] | None] = SimpleQueue()
        self._threads = [
            threading.Thread(target=self._work, args=(make_app(),), name=f"{name}-{number}", daemon=True)
            for number in range(count)
        ]
        for thread in self._threads:
            thread.start()

    def give(self, work: Callable[[App], Found]) -> Future[Found]:
        """Have one of them call ``work(app)``; cancelling what comes of it works until it was begun."""
        future: Future[Found] = Future()
        self._given.put((future, work))
        return future

    def close(self, within: float) -> bool:
        """Send everybody home, and say whether they went within so many seconds."""
        for _ in self._threads:
            self._given.put(None)
        deadline = time.monotonic() + within
        for thread in self._threads:
            thread.join(max(0.0, deadline - time.monotonic()))
        return not any(thread.is_alive() for thread in self._threads)

    def _work(self, app: App) -> None:
        with app:
            while (given := self._given.get()) is not None:
                future, work = given
                if not future.set_running_or_notify_cancel():
                    continue
                try:
                    future.set_result(work(app))
                except BaseException as error:  # noqa: BLE001 - whoever gave the work judges what came of it.
                    future.set_exception(error)


class Round:
    """A thread that does the same every so often until it is ended, and says once what keeps it from it.

    Args:
        app: this thread's own, closed at its end.
        work: what to do; it is done one last time at the end.
        every: seconds between two times; None where it is done only when called for.
        log: told in a sentence.
    """

    def __init__(self, app: App, work: Callable[[App], None], every: float | None, log: Callable[[str], None]) -> None:
        self._app, self._do, self._every, self._log = app, work, every, log
        self._called, self._ended = threading.Event(), False
        self._thread = threading.Thread(target=self._work, name=work.__name__, daemon=True)
        self._thread.start()

    def call(self) -> None:
        """Have it done soon; calls that come while it is being done come to one more time."""
        self._called.set()

    def end(self, within: float) -> bool:
        """Have it done once more, and say whether that took no longer than so many seconds."""
        self._ended = True
        self.call()
        self._thread.join(within)
        return not self._thread.is_alive()

    def _work(self) -> None:
        pause, said = self._every, ""
        with self._app as app:
            while True:
                self._called.wait(pause)
                self._called.clear()
                last = self._ended
                try:
                    self._do(app)
                    pause, said = self._every, ""
                except Exception as error:  # noqa: BLE001 - a round that ends unheard is missed by nobody until too late.
                    foreseen = isinstance(error, HoldfastError)
                    told = str(error) if foreseen else f"{self._thread.name}: {type(error).__name__}: {error}"
                    if said != told:
                        said = told
                        self._log(said)
                    pause = None if pause is None else min(2 * pause, _LONGEST)
                if last:
                    return
