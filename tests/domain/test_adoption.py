"""Judging again what the log says of playbooks."""

from __future__ import annotations

from tests.domain.casebook import SMALL
from workflow.domain import adoption
from workflow.domain.record import Entry
from workflow.domain.vocabulary import EntryType


def adopted(**data: object) -> Entry:
    """Return an entry of the log that says that somebody installed the small playbook."""
    told = {"name": SMALL.name, "version": SMALL.version, "digest": SMALL.digest, "installed": True} | data
    return Entry(
        id="e",
        type=EntryType.PLAYBOOK_ADOPTED,
        tenant="",
        case="log",
        sequence=7,
        prev="",
        recorded_at="2026-11-24T08:00:00.000000Z",
        clock="ok",
        actor={"id": "sub_ann"},
        action="",
        state_before="",
        state_after="",
        recurrence=0,
        outcome="done",
        playbook="",
        data=told,
        basis={},
        cites=(),
        request="r",
        leaf="",
    )


def test_what_a_playbook_is_held_against_has_to_be_there() -> None:
    """An adoption that names what it was held against, where nothing was in force yet, is no legal step."""
    found = list(adoption.faults([adopted(replaces=["gone"])], {SMALL.digest: SMALL}))

    assert [(7, "it was not held against the version that was in force")] == found
