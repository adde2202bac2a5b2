"""No false alarm: whatever an honest history went through, nothing is found."""

import shutil
import sqlite3
import threading
from contextlib import closing

from tests.tamper.conftest import Bench, look
from tests.tamper.histories import ANN, BEGUN, BOB, Clock, Place, build
from workflow.domain import actions as act
from workflow.domain.private import Private
from workflow.services import audit, casework
from workflow.services.people import Who
from workflow.services.verification import Options


def sound(place: Place, **options: object) -> None:
    """Nothing is found, and nothing is left uncounted."""
    report = look(place, Options(**options))  # type: ignore[arg-type]
    assert (True, [], 0) == (report.ok, report.findings, report.more)


def noted(place: Place, who: Who, times: int) -> None:
    """Add notes to a case, as a process of its own would."""
    with place.app() as app:
        case = casework.find(app, "ben@contoso.example")
        for number in range(times):
            casework.perform(app, who, case, act.AddNote(note=Private(f"{who.name} {number}")))


def test_the_untouched_ledger(bench: Bench) -> None:
    """With its own key and checkpoints, with neither, and with everything given."""
    vkey = bench.signer.verifier.text
    sound(bench.place)
    sound(bench.copy())
    sound(bench.copy(), key=vkey, against=[bench.place.checkpoints])


def test_a_copy_taken_while_the_log_was_full(bench: Bench) -> None:
    """What a kill leaves: the file and its write-ahead log, with no process to put them together."""
    place = Place(bench.root / "killed")
    build(place)
    with place.app(Clock()) as app:
        case = casework.find(app, "ben@contoso.example")
        casework.perform(app, ANN, case, act.AddNote(note=Private("the last step before the kill")))
        copied = Place(bench.root / "left-behind")
        shutil.copytree(place.root, copied.root)
        assert (copied.root / "holdfast.db-wal").stat().st_size
    sound(copied)


def test_writers_at_the_same_time(bench: Bench) -> None:
    """Several writers, each with an app of its own, leave one sound ledger."""
    place = Place(bench.root / "crowd")
    build(place)
    writers = [threading.Thread(target=noted, args=(place, who, 5)) for who in (ANN, BOB, Who("cem"), Who("dia"))]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    sound(place)


def test_a_rebuilt_case_table_and_a_vacuumed_file(bench: Bench) -> None:
    """Neither drawing the case table anew nor rewriting every page changes what the ledger says."""
    place = Place(bench.root / "rebuilt")
    build(place)
    with place.app() as app:
        audit.rebuild(app, ANN)
    sound(place)
    with closing(sqlite3.connect(place.database)) as connection:
        connection.execute("VACUUM")
    sound(place)


def test_a_backup_made_by_the_database(bench: Bench) -> None:
    """The database's own backup is the same ledger."""
    place = Place(bench.root / "backup")
    place.root.mkdir()
    with closing(sqlite3.connect(bench.place.database)) as source, closing(sqlite3.connect(place.database)) as target:
        source.backup(target)
    sound(place, key=bench.signer.verifier.text, against=[bench.place.checkpoints])


def test_time_that_passes_is_no_fault(bench: Bench) -> None:
    """A ledger nobody touched for a year is as sound as it was."""
    with bench.copy().app(Clock(BEGUN.replace(year=2027))) as app:
        from workflow.services.verification import verify  # noqa: PLC0415 - beside the clock it is given

        assert verify(app).ok
