"""One ledger for several users of the operating system."""

import grp
import os
import stat
from pathlib import Path

import pytest

from tests.osuser import SOMEBODY, SOMEBODY_ELSE, acting_as
from tests.services.desk import ADA, ANN, DAY, START, Clock, report
from workflow.app import App
from workflow.domain import actions as act
from workflow.domain.private import Private
from workflow.errors import HoldfastError, InputError, StorageError
from workflow.services import casework, health, intake, setup, sharing, verification
from workflow.services.people import Who
from workflow.settings import load_settings

# A group that root is not in and that every system has.
GROUP = next(item for item in grp.getgrall() if item.gr_gid not in {0, os.getegid(), *os.getgroups()})


@pytest.fixture
def shared(home: Path) -> Path:
    """A shared home, made by root under a narrow umask."""
    if os.geteuid() != 0:
        pytest.skip("only root can give a folder to a group it is not in")
    before = os.umask(0o077)
    try:
        sharing.prepare(GROUP.gr_name)
        setup.init(load_settings(), ANN, Clock(START - DAY))
    finally:
        os.umask(before)
    return home


def work(name: str, address: str) -> None:
    """Take a restriction in and note something, as one process of one user does."""
    clock = Clock(START)
    with App(load_settings(), clock) as app:
        who = Who(name)
        (taken,) = intake.take_in(app, who, [report(address)])
        case_id = casework.find(app, str(taken.case_number))
        casework.perform(app, who, case_id, act.AddNote(note=Private(name)))
        assert [] == app.warnings


def modes(home: Path) -> dict[str, int]:
    """The permissions of everything in a home."""
    return {path.name: stat.S_IMODE(path.stat().st_mode) for path in (home, *home.rglob("*"))}


def test_everything_is_the_groups(shared: Path) -> None:
    """Folders hand their group on, files are its alone, and the doctor finds nothing wrong with that."""
    work("Ann", ADA)
    found = modes(shared)
    assert {0o2770} == {found[name] for name in (shared.name, "config", "data", "state")}
    assert {0o660} == {found[name] for name in ("signing.key", "holdfast.db", "holdfast.db-turn", "checkpoints")}
    assert {GROUP.gr_gid} == {path.stat().st_gid for path in (shared, *shared.rglob("*"))}
    assert {} == ill()
    (shared / "data" / "holdfast.db").chmod(0o664)
    assert {"database file": f"chmod 660 {shared / 'data' / 'holdfast.db'}"} == ill()


def ill() -> dict[str, str]:
    """What the doctor finds, and its cures; that nobody receives alerts has nothing to do with sharing."""
    found = health.examine(load_settings(), START + DAY)
    return {item.what: item.cure for item in found if item.status != "ok" and item.what != "alerts"}


def test_two_users_work_on_one_ledger(shared: Path) -> None:
    """Each as their own user, beside the other's open files; a third user gets nowhere."""
    work("Ann", ADA)
    clock = Clock(START)
    with acting_as(SOMEBODY, shared / "data", [GROUP.gr_gid]):
        first = App(load_settings(), clock)
        list(intake.take_in(first, ANN, [report("eve@contoso.example")]))
    during = modes(shared)
    assert {0o660} == {during[name] for name in ("holdfast.db-wal", "holdfast.db-shm")}
    with acting_as(SOMEBODY_ELSE, shared / "data", [GROUP.gr_gid]):
        work("Bob", "kay@contoso.example")
    first.close()
    with acting_as(SOMEBODY_ELSE, shared / "data"), pytest.raises(HoldfastError, match="cannot be read"):
        work("Bob", "zoe@contoso.example")
    with App(load_settings(), clock) as app:
        found = verification.verify(app)
        assert (True, [], "verified") == (found.ok, found.findings, found.completeness)
        assert 3 == found.counts["cases"]


def test_the_key_of_a_group_that_is_not_the_folders_is_refused(shared: Path) -> None:
    """And so is one that others can read."""
    key = shared / "config" / "signing.key"
    for mode, group in ((0o664, GROUP.gr_gid), (0o660, 0)):
        os.chown(key, -1, group)
        key.chmod(mode)
        with pytest.raises(StorageError, match="open to other users"):
            work("Ann", ADA)


def test_what_cannot_be_shared(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No such group, not a member, no home, files elsewhere, a folder that is not ours to give."""
    with pytest.raises(InputError, match="groupadd"):
        sharing.prepare("no-such-group-here")
    monkeypatch.setenv("HOLDFAST_KEY_FILE", str(home / "key"))
    own = grp.getgrgid(os.getegid()).gr_name
    with pytest.raises(InputError, match="key_file"):
        sharing.prepare(own)
    monkeypatch.delenv("HOLDFAST_KEY_FILE")
    monkeypatch.setenv("HOLDFAST_HOME", str(home / "file"))
    (home / "file").write_text("")
    with pytest.raises(StorageError, match="cannot be given"):
        sharing.prepare(own)
    monkeypatch.delenv("HOLDFAST_HOME")
    with pytest.raises(InputError, match="HOLDFAST_HOME"):
        sharing.prepare(own)
    with acting_as(SOMEBODY, home), pytest.raises(InputError, match="not in the group"):
        sharing.prepare(GROUP.gr_name)
