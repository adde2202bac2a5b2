"""The workers' queue on PostgreSQL: putting due cases in, and taking back what a lost worker held.

Its tables are procrastinate's, in a schema of their own (revision 0005). A job is the id of a case and nothing else,
and a case has one job at most that waits or runs: whoever puts jobs in or takes them back holds one lock, and looks
under it. Two that waited under the same ``queueing_lock`` would be refused by the queue's own index, at a moment when
nobody can act on it any more.
"""

from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy.engine import make_url

from workflow.errors import StorageError
from workflow.storage.database import Database
from workflow.storage.transaction import POSTGRESQL, Tx

CASES: Final = "cases"
"""The queue of the cases."""
CHORES: Final = "chores"
"""The queue, the task and the lock of what one host does for all."""
STEP: Final = "step"
"""The task that looks at one case."""
SETTLE: Final = "SET search_path = procrastinate, pg_temp"
"""What every connection of the library says first."""

_LOCK: Final = 0x51554555  # any number that is ours: one host at a time puts in and takes back
_LOCAL: Final = "SET LOCAL search_path = procrastinate, pg_temp"

# A lost connection is noticed in seconds, not in the two hours of most systems; the address may say otherwise.
_PATIENCE: Final = {
    "connect_timeout": 5,
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 3,
    "tcp_user_timeout": 10_000,
}

_PUT: Final = """
WITH due AS (
    SELECT c.id FROM unnest(?::text[]) WITH ORDINALITY AS c (id, place)
    WHERE NOT EXISTS (SELECT 1 FROM procrastinate_jobs AS j WHERE j.queueing_lock = c.id AND j.status = 'todo')
      AND NOT EXISTS (SELECT 1 FROM procrastinate_jobs AS j WHERE j.lock = c.id AND j.status = 'doing')
    ORDER BY c.place
)
SELECT count(*) FROM unnest(procrastinate_defer_jobs_v1((SELECT array_agg(
    ROW(?, ?, 0, id, id, CASE WHEN ? THEN jsonb_build_object('case_id', id) ELSE '{}' END, NULL)
    ::procrastinate_job_to_defer_v1) FROM due)))
"""
_LOOK: Final = """
SELECT EXISTS (SELECT 1 FROM public.unsealed),
       EXISTS (SELECT 1 FROM procrastinate.procrastinate_workers
               WHERE last_heartbeat < now() - ? * interval '1 second')
    OR EXISTS (SELECT 1 FROM procrastinate.procrastinate_jobs WHERE status = 'doing' AND worker_id IS NULL),
       (SELECT count(*) FROM procrastinate.procrastinate_workers
        WHERE last_heartbeat >= now() - ? * interval '1 second')
"""
_TWICE: Final = """
DELETE FROM procrastinate_jobs AS j WHERE j.status = 'doing' AND j.worker_id IS NULL
AND EXISTS (SELECT 1 FROM procrastinate_jobs AS w WHERE w.queueing_lock = j.queueing_lock AND w.status = 'todo')
"""
# A job that took its worker down with it may do so again: the first time it is begun again at once, later it waits.
# The library announces what is put in, and not what comes back.
_TAKE_BACK: Final = """
SELECT procrastinate_retry_job_v2(
    j.id, now() + CASE WHEN j.attempts = 0 THEN 0 ELSE least(power(2, least(j.attempts, 20)), ?) END
    * interval '1 second', NULL, NULL, NULL),
    pg_notify('procrastinate_queue_v1#' || j.queue_name,
              json_build_object('type', 'job_inserted', 'job_id', j.id)::text)
FROM (SELECT id, attempts, queue_name FROM procrastinate_jobs
      WHERE status = 'doing' AND worker_id IS NULL FOR UPDATE) AS j
"""


def address(database: Database) -> dict[str, Any]:
    """Return how psycopg reaches this database, with time-outs where its address has none.

    Raises:
        StorageError: it is an SQLite file, which one worker works through alone.
    """
    if database.dialect != POSTGRESQL:
        raise StorageError("Several workers share a ledger in PostgreSQL only; SQLite has one worker.")
    _, named = database.engine.dialect.create_connect_args(make_url(database.engine.url))
    return {**_PATIENCE, **named}


def put(tx: Tx, case_ids: Sequence[str]) -> int:
    """Queue those of the cases that have no job waiting or running, in this order; return how many."""
    return _put(tx, CASES, STEP, case_ids) if case_ids else 0


def put_chores(tx: Tx) -> int:
    """Queue the chores unless they wait or some host does them; return how many."""
    return _put(tx, CHORES, CHORES, [CHORES])


def look(tx: Tx, lease: float) -> tuple[bool, bool, int]:
    """Say in one trip whether some entry is not sealed yet, whether anything is lost, and how many workers are alive.

    Lost is a worker that was silent for ``lease`` seconds, and a job whose worker is gone. A worker signs on twice, for
    the cases and for the chores.
    """
    ((unsealed, lost, signed),) = tx.all(_LOOK, (lease, lease))
    return bool(unsealed), bool(lost), (signed + 1) // 2


def take_back(tx: Tx, lease: float, longest: float) -> int:
    """Sign silent workers off and queue what they held again, a repeated loss with up to ``longest`` seconds' wait.

    Returns how many jobs were taken back. A worker that was only slow finds itself signed off at its next job.
    """
    _alone(tx)
    tx.run("SELECT procrastinate_prune_stalled_workers_v1(?)", (lease,))
    tx.run(_TWICE)
    return len(tx.all(_TAKE_BACK, (longest,)))


def _put(tx: Tx, queue: str, task: str, names: Sequence[str]) -> int:
    _alone(tx)
    row = tx.one(_PUT, (list(names), queue, task, task == STEP))
    return int(row[0]) if row else 0


def _alone(tx: Tx) -> None:
    tx.run(_LOCAL)
    tx.run("SELECT pg_advisory_xact_lock(?)", (_LOCK,))
