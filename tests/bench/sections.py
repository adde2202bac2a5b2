"""The sections by name, in the order in which they run."""

from collections.abc import Callable, Mapping
from typing import Final

from tests.bench import bulk, guards, lists, peer, startup, transition, verifying, worker, writers
from tests.bench.table import Section

SECTIONS: Final[Mapping[str, Callable[..., Section | list[Section]]]] = {
    "full": transition.full,
    "normal": transition.normal,
    "postgresql-16": transition.on_postgresql("16"),
    "postgresql-18": transition.on_postgresql("18"),
    "writers": writers.on_sqlite,
    "writers-postgresql": writers.on_postgresql,
    "guards": guards.sqlite,
    "guards-postgresql": guards.postgresql,
    "bulk": bulk.bulk,
    "verification": verifying.verifying,
    "lists": lists.lists,
    "startup": startup.startup,
    "sweep": worker.sweep,
    "steps": worker.steps,
    "dbos": peer.sqlite,
    "dbos-postgresql": peer.postgresql,
    "idle": worker.idle,
    "takeover": worker.takeover,
    "sealing": worker.sealing,
    "large": verifying.large,
}
