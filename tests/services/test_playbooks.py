"""Playbooks as people see them."""

from pathlib import Path

import pytest

from tests.services.desk import ANN, Desk, Place, plain
from tests.services.test_views import OWN, own
from workflow.errors import InputError, NotFoundError
from workflow.services import adoption, logbook, people, playbooks

SHIPPED = ["blocked-connector", "compromised-mailbox", "legitimate-bulk-sender", "privileged-account"]


def test_the_list_names_shipped_and_adopted_versions(desk: Desk) -> None:
    """Each version once, and whether it came with the product."""
    own(desk)
    found = playbooks.list_(desk.app)
    assert [*SHIPPED[:3], "own", SHIPPED[3]] == [item.name for item in found]
    assert [True, True, True, False, True] == [item.shipped for item in found]
    assert all(item.adopted and item.prerequisites for item in found)
    assert plain(found[0].to_data()) == found[0].to_data()


def test_before_init_the_shipped_playbooks_can_be_looked_at(tmp_path: Path) -> None:
    """There is no ledger yet, so that none of them is adopted."""
    desk = Desk(Place(tmp_path, f"sqlite:///{tmp_path / 'none.db'}"))
    found = playbooks.list_(desk.app)
    assert (SHIPPED, {False}) == ([item.name for item in found], {item.adopted for item in found})
    assert "compromised-mailbox" == playbooks.show(desk.app, "compromised-mailbox").name


def test_a_playbook_is_shown_by_name_or_digest(desk: Desk) -> None:
    """The shipped version first; an adopted one by the beginning of its digest."""
    own(desk)
    mine = playbooks.show(desk.app, "own")
    assert mine == playbooks.show(desk.app, mine.digest[:12].upper())
    with pytest.raises(NotFoundError, match="compromised-mailbox"):
        playbooks.show(desk.app, "no-such")
    with pytest.raises(InputError, match="fits several versions"):
        playbooks.show(desk.app, "")


def test_a_name_means_the_version_in_force(desk: Desk, tmp_path: Path) -> None:
    """The one installed last is for new cases; another is shown by its digest."""
    own(desk)
    first = playbooks.show(desk.app, "own")
    path = tmp_path / "own.yaml"
    path.write_bytes(OWN.replace(b'version: "1"', b'version: "2"'))
    second = adoption.install(desk.app, ANN, str(path), "new number").playbook
    assert (second, first) == (playbooks.show(desk.app, "own"), playbooks.show(desk.app, first.digest[:12]))
    listed = {item.digest: item for item in playbooks.list_(desk.app)}
    assert [(True, False, 1), (True, True, 0)] == [
        (listed[item.digest].installed, listed[item.digest].in_force, listed[item.digest].open_cases)
        for item in (first, second)
    ]
    other = desk.again()
    with other.app.database.transaction() as tx:
        assert second.digest == logbook.current(other.app, tx, people.actor(other.app, tx, ANN), "own").digest


def test_what_a_name_means_is_adopted(desk: Desk) -> None:
    """Its digest comes back, and adopting what is adopted says nothing."""
    before = desk.count()
    assert playbooks.show(desk.app, SHIPPED[2]).digest == playbooks.adopted_digest(desk.app, ANN, SHIPPED[2])
    assert before == desk.count()


def test_a_file_is_checked(tmp_path: Path) -> None:
    """Every fault of it, or none; a file that is not there is an input error."""
    path = tmp_path / "own.yaml"
    path.write_bytes(OWN)
    assert [] == playbooks.check(path)
    path.write_bytes(OWN.replace(b"contain", b"soon"))
    assert [10, 13] == [fault.line for fault in playbooks.check(path)]
    with pytest.raises(InputError, match="cannot be read"):
        playbooks.check(tmp_path / "none.yaml")
