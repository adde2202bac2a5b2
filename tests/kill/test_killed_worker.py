"""Workers are killed between intent, call and record: nothing is lost, and nothing harmful is done twice.

The tenant is another process and keeps its own list of what was done to it: the ledger is held against that at the end.
"""

from __future__ import annotations

import multiprocessing
import os
import random
import signal
import time
from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Self

import pytest

from tests.kill.ward import Intent, Ward, served
from tests.kill.witness import DRAWN_OUT, UNBLOCK, Line, work
from tests.served import PATIENCE
from tests.services.desk import Place
from workflow.domain.vocabulary import Answer, Change, Made
from workflow.services import setup, verification
from workflow.storage.transaction import Tx

pytestmark = pytest.mark.slow

ROUNDS = int(os.environ.get("HOLDFAST_ROUNDS", "300"))
SEED = int(os.environ.get("HOLDFAST_SEED", "20261124"))
FEW = 6
CREW = {"sqlite": 1, "postgresql": 3}
"""How many workers there are at once."""
AT_WORK = 3  # cases for each worker in which the machine has something to do, before each kill
NEW = 2  # accounts restricted before each kill, at most
WAIT = 4.0  # seconds for the moment at which to kill; after that it is done all the same
GAPS = ("between intent and call", "between call and answer", "between answer and record")

CONTEXT = multiprocessing.get_context("forkserver")

EFFECTS = {
    "password": Change.RESET_PASSWORD.value,
    "sign-in": Change.BLOCK_SIGN_IN.value,
    "sessions valid from": Change.REVOKE_SESSIONS.value,
    "forwarding": Change.CLEAR_FORWARDING.value,
    "inbox rule": Change.DISABLE_RULE.value,
    "unblocked": UNBLOCK,
    "no longer restricted": "",
}
"""What the tenant calls what an intent announces; the end of a restriction is the tenant's own doing."""
TOOK_PLACE = {Made.DONE, Answer.DONE, "released"}


@dataclass
class Tally:
    """What the kills came to."""

    kills: int = 0
    gaps: Counter[str] = field(default_factory=Counter)
    held: list[tuple[str, int, frozenset[int], Line]] = field(default_factory=list)
    cases: int = 0
    intents: int = 0
    effects: int = 0
    by_peers: int = 0
    by_newcomers: int = 0
    seconds: float = 0.0

    def __str__(self) -> str:
        gaps = ", ".join(f"{self.gaps[name]} {name}" for name in GAPS)
        return (
            f"{self.kills} kills: {gaps}, {self.gaps['elsewhere']} steps elsewhere, {self.gaps['idle']} idle; "
            f"{self.cases} accounts released, {self.intents} intents, {self.effects} effects, 0 twice, 0 lost; "
            f"cases in hand begun anew {self.by_peers} times by a peer and {self.by_newcomers} times by "
            f"the next process; {self.seconds:.0f} s"
        )


class Crew:
    """The workers that are at work, and whoever kills them."""

    def __init__(self, ward: Ward, count: int) -> None:
        self.ward, self.dice, self.tally = ward, random.Random(SEED), Tally()
        self.members: dict[int, Any] = {}
        self._count = count

    def start(self) -> None:
        """Start one more."""
        arguments = (self.ward.place, self.ward.changes, self.ward.diary)
        process = CONTEXT.Process(target=work, args=arguments, daemon=True)
        process.start()
        assert process.pid is not None
        self.members[process.pid] = process

    def kill_one(self) -> None:
        """Kill one of them, most often when it is about to call, has called, or was answered; start another."""
        what = self.dice.choice(["step", "ready", "ready", "sent", "sent", "answered", "answered", ""])
        victim = self._seen(what) if what else 0
        time.sleep(self.dice.random() * DRAWN_OUT)
        victim = victim or self.dice.choice(list(self.members))
        process = self.members.pop(victim)
        os.kill(victim, signal.SIGKILL)
        process.join(PATIENCE)
        assert -signal.SIGKILL == process.exitcode
        self.tally.kills += 1
        self._note(victim)
        self.start()

    def _seen(self, what: str) -> int:
        """Wait until some worker writes this down, and return which; 0 where none does."""
        offset, deadline = self.ward.diary.size(), time.monotonic() + WAIT
        while time.monotonic() < deadline:
            for line in self.ward.diary.lines(offset):
                if line.what == what and line.process in self.members:
                    return line.process
            time.sleep(0.001)
        return 0

    def _note(self, victim: int) -> None:
        """Find out from diary and ledger where each of the dead worker's threads was."""
        last: dict[int, Line] = {}
        begun: dict[int, datetime] = {}
        for line in self.ward.diary.lines():
            if line.process == victim:
                last[line.thread] = line
                if line.what == "step":
                    begun[line.thread] = line.at
        in_hand = [line for line in last.values() if line.what != "end"]
        self.tally.gaps["idle"] += not in_hand
        for line in in_hand:
            self.tally.gaps[self._gap(line, begun[line.thread])] += 1
            self.tally.held.append((line.case_id, victim, frozenset(self.members), line))

    def _gap(self, line: Line, begun: datetime) -> str:
        """Say between what a thread was, whose last line this is; what an earlier worker left open is not its own."""
        open_ = [item for item in self.ward.intents(line.case_id) if not item.answer and item.at >= begun]
        if not open_:
            return "elsewhere"
        # The line of a call before belongs to an intent that has its answer.
        of_this = line.at >= open_[-1].at and line.call == open_[-1].what
        return dict(zip(("ready", "sent", "answered"), GAPS, strict=True)).get(
            line.what if of_this else "ready", GAPS[0]
        )

    def __enter__(self) -> Self:
        """Start them."""
        for _ in range(self._count):
            self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        """Tell all of them to stop, and see that they do in good order."""
        for process in self.members.values():
            process.terminate() if kind is None else process.kill()
        for process in self.members.values():
            process.join(PATIENCE)
            assert kind is not None or 0 == process.exitcode


def run(place: Place, tmp_path: Path, kills: int) -> Tally:
    """Kill that many workers, let the others come to rest, and hold the ledger against the tenant."""
    CONTEXT.set_forkserver_preload(["tests.kill.witness"])
    begun = time.monotonic()
    with served(tmp_path, 50 + 4 * kills) as tenant, Ward(place, tenant) as ward:
        count = CREW["sqlite" if place.url.startswith("sqlite") else "postgresql"]
        with Crew(ward, count) as crew:
            for _ in range(kills):
                ward.see_to()
                ward.restrict(min(NEW, max(0, AT_WORK * count - ward.busy())))
                crew.kill_one()
            ward.settle()
        judge(ward, crew.tally)
    crew.tally.seconds = time.monotonic() - begun
    return crew.tally


def judge(ward: Ward, tally: Tally) -> None:
    """Hold what the tenant says was done to it against what the ledger says was meant, and look at the rest."""
    setup.seal_now(ward.app)
    found = verification.verify(ward.app)
    assert ([], "verified") == (found.findings, found.completeness)
    assert [] == ward.stuck()
    case_ids = ward.case_ids()
    intents = sorted((item for case_id in case_ids for item in ward.intents(case_id)), key=lambda item: item.at)
    effects = [item for item in ward.tenant.pages("effects") if item["by"]["kind"] == "app"]
    done = matched(ward, intents, [item for item in effects if EFFECTS.get(item["what"]) != ""])
    assert [] == [item for item in intents if not item.answer]
    assert [] == [item for item in intents if (item.answer in TOOK_PLACE) != (done[item] == 1)]
    # Every restricted account was unblocked once in all, and left the list by that.
    lifted = Counter(item["target"] for item in effects if item["what"] == "unblocked")
    assert dict.fromkeys(ward.restricted, 1) == lifted
    assert set(ward.restricted) == {item["target"] for item in effects if item["what"] == "no longer restricted"}
    assert len(ward.restricted) == len(case_ids)
    assert [] == told(ward)
    assert [] == left_jobs(ward)
    tally.cases, tally.intents, tally.effects = len(case_ids), len(intents), sum(done.values())
    taken_over(ward, tally)


def matched(ward: Ward, intents: list[Intent], effects: list[dict[str, Any]]) -> Counter[Intent]:
    """Return how many effects each intent had; each effect belongs to the newest intent before it, and none to none."""
    done: Counter[Intent] = Counter()
    for effect in effects:
        at = datetime.fromisoformat(effect["at"])
        what = EFFECTS.get(effect["what"], effect["what"])
        before = [item for item in intents if (item.account, item.what) == (effect["target"], what) and item.at <= at]
        assert before, f"nobody meant to: {effect}"
        done[before[-1]] += 1
        assert 1 == done[before[-1]], f"done twice: {effect}"
    return done


def taken_over(ward: Ward, tally: Tally) -> None:
    """Count who began anew what a killed worker had in hand: every case was begun anew by somebody."""
    steps = [line for line in ward.diary.lines() if line.what == "step"]
    for case_id, victim, peers, last in tally.held:
        later = [line for line in steps if line.case_id == case_id and line.process != victim and line.at > last.at]
        if later:
            tally.by_peers += later[0].process in peers
            tally.by_newcomers += later[0].process not in peers


def told(ward: Ward) -> list[str]:
    """Return where a new password stands: in any table, or in any file beside the ledger."""
    secrets = ward.diary.passwords()
    assert secrets
    with ward.app.database.reading() as tx:
        texts = {name: repr(tx.all(f'SELECT * FROM "{name}"')) for name in _tables(tx)}
    for path in ward.place.home.rglob("*"):
        if path.is_file() and path.name != "passwords":
            texts[path.name] = path.read_bytes().decode("latin-1")
    return [name for name, text in texts.items() if any(secret in text for secret in secrets)]


def _tables(tx: Tx) -> list[str]:
    query = (
        "SELECT name FROM sqlite_master WHERE type = 'table'"
        if tx.sqlite
        else "SELECT tablename FROM pg_tables WHERE schemaname = 'public'"
    )
    return [str(name) for (name,) in tx.all(query)]


def left_jobs(ward: Ward) -> list[Any]:
    """Return the jobs of cases that are in a dead worker's hands or were given up."""
    with ward.app.database.reading() as tx:
        if tx.sqlite:
            return []
        return tx.all(
            "SELECT task_name, status::text FROM procrastinate.procrastinate_jobs "
            "WHERE status IN ('doing', 'failed', 'aborted', 'cancelled')"
        )


def test_a_few_workers_are_killed(place: Place, tmp_path: Path) -> None:
    """After a few kills every account is released, once, and the ledger tells what the tenant tells."""
    assert FEW == run(place, tmp_path, FEW).kills


@pytest.mark.long
@pytest.mark.timeout(7200)
def test_many_workers_are_killed(place: Place, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """After many kills in every gap every account is released, once, and the ledger tells what the tenant tells."""
    tally = run(place, tmp_path, ROUNDS)
    with capsys.disabled():
        print(f"\n{place.url.split(':')[0]}: {tally}")  # noqa: T201
    assert ROUNDS == tally.kills
    assert all(tally.gaps[name] for name in GAPS) or ROUNDS < 100
