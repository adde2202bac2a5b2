"""The app: opened when it is needed, refused early, and honest about what it could not keep."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.services.desk import ANN, START, Clock, Desk, Place, report, sqlite_url
from tests.services.tenant import Tenant
from workflow.app import App, connection_of, utc_now
from workflow.domain import actions as act
from workflow.domain.private import Private
from workflow.errors import NotFoundError, SettingsError, StorageError
from workflow.providers.microsoft365.connection import Family, Limit, Service
from workflow.providers.microsoft365.tenant import Microsoft365
from workflow.providers.ways import Way
from workflow.services import setup
from workflow.storage.database import Database, create_file


@pytest.fixture
def ledger(tmp_path: Path) -> Place:
    """A ledger just set up, on SQLite."""
    return Place(tmp_path, sqlite_url(tmp_path)).set_up()


def test_the_clock_is_aware_and_in_utc() -> None:
    """Times without a zone would be somebody's local time (R10)."""
    now = utc_now()
    assert (UTC, True) == (now.tzinfo, abs(now - datetime.now(UTC)) < timedelta(minutes=1))


def test_without_a_ledger_the_next_command_is_named(tmp_path: Path) -> None:
    """Nothing is made by looking."""
    with (
        App(Place(tmp_path, sqlite_url(tmp_path)).settings()) as app,
        pytest.raises(StorageError, match="holdfast init"),
    ):
        app.database.reading()
    assert [] == list(tmp_path.iterdir())


def test_a_file_that_is_no_ledger_is_refused(tmp_path: Path) -> None:
    """An empty database is one of no version at all."""
    create_file(tmp_path / "holdfast.db")
    with App(Place(tmp_path, sqlite_url(tmp_path)).settings()) as app, pytest.raises(StorageError, match="init"):
        app.database.reading()


def test_the_database_is_opened_once(ledger: Place) -> None:
    """One app has one set of connections."""
    with App(ledger.settings()) as app:
        assert isinstance(app.database, Database)
        assert app.database is app.database
        assert app.journal is app.journal


def test_whether_there_is_a_key_is_told(ledger: Place) -> None:
    """Without raising: a face may say so before anybody types much."""
    with App(ledger.settings()) as app:
        assert app.has_key()
        ledger.settings().key_file.unlink()
        assert not app.has_key()


def test_a_step_stands_even_if_its_checkpoint_cannot_be_kept(ledger: Place) -> None:
    """The commit comes first; that the file outside could not be written is a warning, not a failure."""
    desk = Desk(ledger)
    case_id = desk.restrict()
    (ledger.home / "checkpoints").unlink()
    (ledger.home / "checkpoints").mkdir()
    done = desk.do(case_id, act.AddNote(note=Private("stands")))
    desk.close()
    assert ["case:noted"] == [entry.type for entry in done.entries]
    assert ["The checkpoint could not be kept"] == [warning[:32] for warning in done.warnings]


def test_a_database_ahead_of_the_file_heals_it(ledger: Place) -> None:
    """A writer that died between commit and checkpoint left the file behind; the next one catches up."""
    kept = ledger.home / "checkpoints"
    before = kept.read_bytes()
    first = Desk(ledger)
    first.restrict()
    first.close()
    kept.write_bytes(before)
    second = Desk(ledger)
    assert second.app.journal.origin
    second.close()
    assert len(before) < len(kept.read_bytes())


def test_a_lost_checkpoint_file_is_said(ledger: Place) -> None:
    """Where the file is gone the next write begins it anew, and says that it proves nothing about before."""
    kept = ledger.home / "checkpoints"
    kept.unlink()
    with App(ledger.settings()) as app:
        assert app.journal.origin
        assert [True] == ["begins anew" in warning for warning in app.warnings]
    assert kept.exists()


def test_an_unknown_playbook_is_not_found(ledger: Place) -> None:
    """Only what was adopted here can be in force."""
    with App(ledger.settings()) as app, app.database.reading() as tx, pytest.raises(NotFoundError):
        app.playbook(tx, "0" * 64)


def test_closing_an_app_that_was_never_used(ledger: Place) -> None:
    """There is nothing to close, and nothing goes wrong."""
    app = App(ledger.settings())
    app.close()
    assert [] == app.warnings


def test_init_takes_the_clock_of_the_machine(tmp_path: Path) -> None:
    """Without a clock given, the log begins now."""
    place = Place(tmp_path, sqlite_url(tmp_path))
    setup.init(place.settings(), ANN)
    desk = Desk(place)
    desk.clock.now = START
    began = datetime.fromisoformat(desk.entries()[0].recorded_at)
    desk.close()
    assert abs(datetime.now(UTC) - began) < timedelta(minutes=1)
    assert isinstance(desk.clock, Clock)
    assert report().restricted_at == START


GUID = "11111111-2222-3333-4444-555555555555"
MANAGED = {"provider": "microsoft365", "m365_tenant_id": GUID, "m365_sign_in": "managed-identity"}


def test_nobody_acts_in_a_tenant_unless_the_settings_say_so(ledger: Place) -> None:
    """People do, by default; one that was handed in is used as it is."""
    with App(ledger.settings()) as app:
        assert ("manual", False) == (app.provider.name, app.provider.acts)
        assert app.provider is app.provider
        with App(ledger.settings(), provider=app.provider) as other:
            assert app.provider is other.provider


def test_a_tenant_that_was_handed_in_stays_connected(ledger: Place) -> None:
    """Threads share one connection, each with an app of its own: the first that ends leaves it to the others."""
    closed = []

    class Shared(Tenant):
        def close(self) -> None:
            closed.append(self)

    tenant = Shared(Clock())
    with App(ledger.settings(), provider=tenant) as app:
        assert app.provider is tenant

    assert [] == closed


def test_a_tenant_is_connected_by_the_settings(ledger: Place) -> None:
    """One address for all services, and others beside it; nothing is called yet."""
    said = {"m365_url": "http://127.0.0.1:8400", "m365_graph_url": "http://localhost:8401", "m365_timeout": 5}
    own = "https://identity.example"
    settings = ledger.settings(**MANAGED, **said, m365_identity_url=own, m365_limits={"exchange": "10/60"})
    found = connection_of(settings)

    assert own == found.machine
    assert said["m365_url"] == connection_of(ledger.settings(**MANAGED, **said)).machine

    assert (GUID, Way.MANAGED_IDENTITY, 5, Limit(10, 60)) == (
        found.tenant,
        found.way,
        found.timeout,
        found.limit(Family.EXCHANGE),
    )
    assert ("http://127.0.0.1:8400", "http://localhost:8401") == (
        found.address(Service.LOGIN),
        found.address(Service.GRAPH),
    )
    with App(settings) as app:
        assert isinstance(app.provider, Microsoft365)


def test_a_connection_that_cannot_work_is_refused_early(ledger: Place) -> None:
    """What is missing is named by its setting."""
    with App(ledger.settings(provider="microsoft365")) as app, pytest.raises(SettingsError, match="m365_tenant_id"):
        app.provider.close()
