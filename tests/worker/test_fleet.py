"""Workers that share a ledger: every case once, none twice at a time, and nothing lost with any of them."""

from __future__ import annotations

import os
import signal
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.services.desk import Desk, Place
from tests.services.tenant import Tenant
from tests.worker.member import BRISK, Process, Thread
from tests.worker.stand_in import Diary, Line, StandIn, noted, wait_for
from workflow.errors import StorageError
from workflow.storage import seal
from workflow.worker import fleet, tending

pytestmark = [pytest.mark.postgres, pytest.mark.slow]

PATIENT = 60.0
"""A lease that a busy machine does not outlast: whoever counts how often a case is begun loses no worker meanwhile."""


@pytest.fixture(autouse=True)
def brisk(monkeypatch: pytest.MonkeyPatch) -> None:
    """Chores are looked for every second, as in the processes that tests start."""
    monkeypatch.setattr(fleet, "_CHORES", BRISK)


@pytest.fixture
def diary(tmp_path: Path) -> Diary:
    """What the workers write down."""
    return Diary(tmp_path / "diary")


@pytest.fixture
def desk(postgres_place: Place) -> Iterator[Desk]:
    """Somebody at a desk beside the workers."""
    found = Desk(postgres_place)
    yield found
    found.close()


def restricted(desk: Desk, count: int) -> list[str]:
    """Open so many cases."""
    return [desk.restrict(f"user{number}@contoso.example") for number in range(count)]


def is_stopped(desk: Desk, member: Process) -> bool:
    """Stop a process where it is in the middle of no transaction, whose locks would keep its peers waiting for it."""
    os.kill(member.process.pid, signal.SIGSTOP)
    with desk.app.database.reading() as tx:
        busy = tx.all(
            "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid() "
            "AND backend_type = 'client backend' AND state <> 'idle'"
        )
    if busy:
        os.kill(member.process.pid, signal.SIGCONT)
    return not busy


def is_done(desk: Desk, ids: list[str]) -> bool:
    """Say whether every case has its note and every entry its place in the tree."""
    with desk.app.database.reading() as tx:
        return all(noted(tx, case_id) for case_id in ids) and not seal.is_waiting(tx)


def jobs(desk: Desk) -> list[tuple[str, str]]:
    """Return task and status of every job that is not the chores'."""
    with desk.app.database.reading() as tx:
        rows = tx.all("SELECT task_name, status::text FROM procrastinate.procrastinate_jobs WHERE task_name = 'step'")
    return [(str(task), str(status)) for task, status in rows]


def overlaps(lines: list[Line]) -> list[str]:
    """Return the cases that were begun while they were in somebody's hands."""
    found, held = [], set()
    for line in lines:
        if line.what == "begin":
            found += [line.case_id] if line.case_id in held else []
            held.add(line.case_id)
        elif line.what == "end":
            held.discard(line.case_id)
    return found


def test_every_due_case_is_seen_to_once(desk: Desk, diary: Diary) -> None:
    """Due cases are found without anybody queueing them, noted once each, sealed, and leave no job behind."""
    ids = restricted(desk, 12)
    with Thread(desk.place, StandIn(diary)) as worker:
        wait_for(lambda: is_done(desk, ids))
        wait_for(lambda: not jobs(desk))

    assert worker.finished is True
    assert [1] * 12 == [desk.types(case_id).count("case:noted") for case_id in ids]
    assert "case #1: note noted: Seen to." in worker.said


def test_two_workers_never_have_one_case_at_once(desk: Desk, diary: Diary) -> None:
    """Two processes with four hands each share the cases, and no case is in two hands."""
    ids = restricted(desk, 24)
    stand_in = StandIn(diary, slow=0.3, tries=1)
    with Process(desk.place, stand_in, concurrency=4), Process(desk.place, stand_in, concurrency=4):
        wait_for(lambda: is_done(desk, ids))

    lines = diary.lines()
    assert [] == overlaps(lines)
    assert 2 == len({line.pid for line in lines if line.what == "begin"})
    assert [1] * 24 == [desk.types(case_id).count("case:noted") for case_id in ids]


def test_workers_share_what_the_tenant_lets_through(desk: Desk, diary: Diary) -> None:
    """Each has its part while the other is alive, and all of it alone."""
    one, other = Tenant(desk.clock), Tenant(desk.clock)
    with Thread(desk.place, StandIn(diary), provider=one):
        with Thread(desk.place, StandIn(diary), provider=other):
            wait_for(lambda: one.workers == other.workers == 2)
        wait_for(lambda: one.workers == 1)


def test_a_killed_workers_cases_are_taken_over_within_the_lease(desk: Desk, diary: Diary) -> None:
    """A worker dies with SIGKILL in the midst of a step; a peer begins the step within the lease and two seconds."""
    lease = 3.0
    (case_id,) = restricted(desk, 1)
    with Process(desk.place, StandIn(diary, slow=60), lease=lease) as first:
        wait_for(lambda: diary.lines("begin"))
        with Process(desk.place, StandIn(diary), lease=lease):
            wait_for(lambda: len(registered(desk)) == 4)
            first.process.kill()
            first.process.join()
            diary.write("killed")
            wait_for(lambda: is_done(desk, [case_id]))

    (killed,), (_, second) = diary.lines("killed"), diary.lines("begin")
    assert second.pid != first.process.pid
    assert second.at - killed.at <= lease + 2
    assert 1 == desk.types(case_id).count("case:noted")


def registered(desk: Desk) -> list[int]:
    """Return the workers that signed on; a process has two, for the cases and for the chores."""
    with desk.app.database.reading() as tx:
        return [worker for (worker,) in tx.all("SELECT id FROM procrastinate.procrastinate_workers")]


def test_a_stopped_worker_finishes_the_step_in_hand(desk: Desk, diary: Diary) -> None:
    """SIGTERM in the midst of a step: it is done to its end, and no other one is begun."""
    ids = restricted(desk, 3)
    with Process(desk.place, StandIn(diary, slow=1.5), concurrency=1) as worker:
        wait_for(lambda: diary.lines("begin"))
        worker.process.terminate()
        worker.process.join(20)

    assert 0 == worker.process.exitcode
    assert ["begin", "end"] == [line.what for line in diary.lines() if line.case_id in ids]
    assert 1 == sum(desk.types(case_id).count("case:noted") for case_id in ids)
    assert [] == registered(desk)


def test_the_step_in_hand_of_a_stopping_worker_is_nobody_elses(desk: Desk, diary: Diary) -> None:
    """It takes longer than the lease to finish, and its peers wait."""
    (case_id,) = restricted(desk, 1)
    stand_in = StandIn(diary, slow=4)
    with Process(desk.place, stand_in, lease=1.0) as worker:
        wait_for(lambda: diary.lines("begin"))
        with Process(desk.place, stand_in, lease=1.0):
            worker.process.terminate()
            wait_for(lambda: is_done(desk, [case_id]))
            worker.process.join()

    assert [] == overlaps(diary.lines())
    assert 1 == desk.types(case_id).count("case:noted")


def test_a_worker_that_was_only_slow_comes_back(desk: Desk, diary: Diary) -> None:
    """Stopped for longer than its lease, it has lost its case to a peer; awake again, it goes on with others."""
    (case_id,) = restricted(desk, 1)
    with Process(desk.place, StandIn(diary, slow=2), lease=1.0) as first:
        wait_for(lambda: diary.lines("begin"))
        wait_for(lambda: is_stopped(desk, first))
        with Process(desk.place, StandIn(diary), lease=1.0):
            wait_for(lambda: is_done(desk, [case_id]))
        os.kill(first.process.pid, signal.SIGCONT)
        more = desk.restrict("more@contoso.example")
        wait_for(lambda: is_done(desk, [more]))

    assert 2 == len({line.pid for line in diary.lines("begin") if line.case_id == case_id})
    assert {first.process.pid} == {line.pid for line in diary.lines("begin") if line.case_id == more}


def test_a_step_that_hangs_keeps_no_worker_from_stopping(desk: Desk, diary: Diary) -> None:
    """After its grace a worker goes, says that it left a step behind, and gives the case back."""
    (case_id,) = restricted(desk, 1)
    with Process(desk.place, StandIn(diary, slow=60), grace=1.0) as worker:
        wait_for(lambda: diary.lines("begin"))
        worker.process.terminate()
        took = wait_for(lambda: not worker.process.is_alive(), 20)
    with Process(desk.place, StandIn(diary)):
        wait_for(lambda: is_done(desk, [case_id]))

    assert 3 == worker.process.exitcode
    assert took < 8


def test_again_and_failures_are_tried_again(desk: Desk, diary: Diary, monkeypatch: pytest.MonkeyPatch) -> None:
    """A step that failed in an unforeseen way and one that asks for another time are both taken again."""
    # What is put off is not announced when its time has come: the worker would look for it every five seconds.
    monkeypatch.setattr(fleet, "_POLL", 0.1)
    (case_id,) = restricted(desk, 1)
    with Thread(desk.place, StandIn(diary, fails=1, tries=1), lease=PATIENT) as worker:
        wait_for(lambda: is_done(desk, [case_id]))

    assert 3 == len(diary.lines("begin"))
    assert ["case #1: note busy: The tenant is busy.", "case #1: note noted: Seen to."] == [
        said for said in worker.said if said.startswith("case #")
    ]


def test_a_job_for_a_case_that_is_not_there_is_dropped(desk: Desk, diary: Diary) -> None:
    """It is said, and nothing else comes of it."""
    with Thread(desk.place, StandIn(diary, stray=("case_gone",))) as worker:
        wait_for(lambda: any("case_gone" in said for said in worker.said))
        wait_for(lambda: not jobs(desk))

    assert "There is no case case_gone; its job is dropped." in worker.said
    assert worker.finished is True


def test_losing_every_job_loses_nothing(desk: Desk, diary: Diary) -> None:
    """The queue is emptied behind everybody's back; the cases are found again."""
    ids = restricted(desk, 6)
    with Thread(desk.place, StandIn(diary, slow=0.5), concurrency=1):
        wait_for(lambda: diary.lines("begin"))
        with desk.app.database.transaction() as tx:
            tx.run("SET LOCAL search_path = procrastinate")
            tx.run("DELETE FROM procrastinate_jobs")
        wait_for(lambda: is_done(desk, ids))

    assert [1] * 6 == [desk.types(case_id).count("case:noted") for case_id in ids]


def test_a_job_whose_end_could_not_be_recorded_does_not_hold_its_case(desk: Desk, diary: Diary) -> None:
    """The worker is alive, so nobody would take the case over from it: it signs on anew and gives the case back."""
    (case_id,) = restricted(desk, 1)
    with desk.app.database.transaction() as tx:
        tx.run(
            "CREATE FUNCTION procrastinate.refuse() RETURNS trigger LANGUAGE plpgsql AS "
            "$$ BEGIN RAISE EXCEPTION 'not now'; END $$"
        )
        tx.run(
            "CREATE TRIGGER refuse BEFORE UPDATE OR DELETE ON procrastinate.procrastinate_jobs FOR EACH ROW "
            "WHEN (OLD.status = 'doing' AND OLD.attempts = 0 AND OLD.task_name = 'step') "
            "EXECUTE FUNCTION procrastinate.refuse()"
        )
    with Thread(desk.place, StandIn(diary)) as worker:
        wait_for(lambda: any("was not recorded" in said for said in worker.said))
        with desk.app.database.transaction() as tx:
            tx.run("DROP TRIGGER refuse ON procrastinate.procrastinate_jobs")
        wait_for(lambda: not jobs(desk))
        assert is_done(desk, [case_id])


def test_a_lost_database_connection_is_made_again(desk: Desk, diary: Diary) -> None:
    """The server ends every connection of the workers, and they go on."""
    with Thread(desk.place, StandIn(diary)):
        wait_for(lambda: diary.lines("chores1"))
        with desk.app.database.reading() as tx:
            tx.all(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
        ids = restricted(desk, 2)
        wait_for(lambda: is_done(desk, ids))


def test_a_host_without_the_key_leaves_sealing_to_another(desk: Desk, diary: Diary) -> None:
    """It says so once and goes on; a host that has the key seals."""
    desk.restrict()
    with Thread(desk.place, StandIn(diary), key=False) as worker:
        wait_for(lambda: any("no signing key" in said for said in worker.said))
        wait_for(lambda: len(diary.lines("chores2")))
    with desk.app.database.reading() as tx:
        waiting = seal.is_waiting(tx)
    with Thread(desk.place, StandIn(diary)):
        wait_for(lambda: is_done(desk, []))

    assert waiting
    assert 1 == len([said for said in worker.said if "no signing key" in said])


def test_one_host_does_the_chores_and_another_takes_them_over(desk: Desk, diary: Diary) -> None:
    """The chores of the whole ledger are done by one process at a time, for as long as it lives."""
    with Process(desk.place, StandIn(diary)) as first:
        wait_for(lambda: diary.lines("chores2"))
        with Process(desk.place, StandIn(diary)) as second:
            wait_for(lambda: diary.lines("chores4"))
            by = {line.pid for line in diary.lines()}
            first.process.kill()
            wait_for(lambda: second.process.pid in {line.pid for line in diary.lines()})

    assert {first.process.pid} == by
    pids = [line.pid for line in diary.lines()]
    assert pids == sorted(pids, key=[first.process.pid, second.process.pid].index)
    assert 2 == len(Counter(pids))


def test_refused_chores_are_done_again_and_lost_ones_begun_anew(desk: Desk, diary: Diary) -> None:
    """What the tenant refuses is said; whoever no longer holds the job steps down, and somebody takes it up."""
    with Thread(desk.place, StandIn(diary, refused=True), lease=1.0) as worker:
        wait_for(lambda: diary.lines("chores2"))
        with desk.app.database.transaction() as tx:
            tx.run("SET LOCAL search_path = procrastinate")
            tx.run("DELETE FROM procrastinate_jobs WHERE task_name = 'chores'")
        wait_for(lambda: len(diary.lines("chores1")) == 2)

    assert ["chores: The tenant is busy.", "counting failed: Counted."] == worker.said[:2]


def test_cases_that_wait_for_long_keep_no_others_waiting(
    desk: Desk, diary: Diary, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A sweep looks beyond the longest due cases when all of those are in somebody's hands."""
    monkeypatch.setattr(tending, "_MANY", 2)
    *stuck, last = restricted(desk, 4)
    with Thread(desk.place, StandIn(diary, stuck=tuple(stuck)), lease=PATIENT):
        wait_for(lambda: is_done(desk, [last]))

    assert [1, 1, 1, 1] == [
        len([line for line in diary.lines("begin") if line.case_id == case_id]) for case_id in [*stuck, last]
    ]


def test_sqlite_has_one_worker(desk: Desk, diary: Diary, tmp_path: Path) -> None:
    """Several workers on a file are refused, with the reason."""
    place = Place(tmp_path / "file", f"sqlite:///{tmp_path / 'file' / 'holdfast.db'}")
    place.home.mkdir()
    place.set_up()
    worker = Thread(place, StandIn(diary))
    with pytest.raises(StorageError, match="PostgreSQL only"), worker:
        worker.stop.wait(0.1)
