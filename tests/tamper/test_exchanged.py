"""A ledger exchanged as a whole, or a log that says of itself what it may not."""

import json
from collections.abc import Callable
from copy import deepcopy

import pytest

from tests.tamper.attacker import Attacker, Body, Pen
from tests.tamper.attacks import own_key
from tests.tamper.conftest import Bench, look
from workflow.services.verification import Options


def test_a_ledger_under_a_strange_key_does_not_pass_beside_this_machines_checkpoints(bench: Bench) -> None:
    """Without any public key the checkpoints beside the ledger still tell that it is not the one they were made of."""
    import random  # noqa: PLC0415 - one seed only

    done = own_key(bench, random.Random("exchanged"))
    done.place.checkpoints.write_bytes(bench.place.checkpoints.read_bytes())
    report = look(done.place)
    assert (False, "failed", "claimed") == (report.ok, report.completeness, report.authorship)
    assert {"kept-unknown"} == {str(item.kind) for item in report.findings}


def test_a_checkpoint_file_of_rubbish_is_no_checkpoint(bench: Bench) -> None:
    """Where nothing in the file was ever a checkpoint, completeness was not checked, and that is said."""
    place = bench.copy()
    place.checkpoints.write_text("rubbish\n" + json.dumps({"checkpoint": 7}) + "\n")
    report = look(place)
    assert (True, "not checked") == (report.ok, report.completeness)


FORGED: dict[str, Callable[[Body], object]] = {
    "created again": lambda body: body.update(request="again"),
    "a case's step": lambda body: body.update(type="case:closed"),
    "another key": lambda body: body["data"].update(vkey="other+00000000+AAAA"),
    "a state": lambda body: body.update(type="settings:changed", state_after="released"),
    "an action": lambda body: body.update(type="settings:changed", action="approve"),
    "a basis": lambda body: body.update(type="settings:changed", basis={"note": "free text"}),
    "a playbook nobody has": lambda body: body.update(type="playbook:adopted", data={"digest": "0" * 64}),
}


@pytest.mark.parametrize("name", FORGED)
def test_what_the_log_may_not_say_of_itself_is_named(name: str, bench: Bench) -> None:
    """Appended to the log's own case and signed with the real key."""
    place = bench.copy()
    with Attacker(place.database) as attacker:
        bodies = attacker.bodies()
        body = deepcopy(bodies[0])
        last = max(item["sequence"] for item in bodies if item["case"] == "log")
        body |= {"sequence": last + 1, "id": body["id"][:-4] + "ffff", "recorded_at": bodies[-1]["recorded_at"]}
        FORGED[name](body)
        bodies.append(body)
        attacker.reseal(bodies, Pen(bench.signer))
    report = look(place, Options(key=bench.signer.verifier.text))
    assert not report.ok
    found = {(str(item.kind), item.case, item.sequence) for item in report.findings}
    kind = "origin" if body["type"] in {"log:created", "case:closed"} else "replay"
    others = {("playbook", "", 0)} if "playbook" in name else set()
    assert found == {(kind, "log", last + 1), *others}


def test_roles_that_nobody_gave_are_named(bench: Bench) -> None:
    """Somebody who holds the key gives an approver a role the list of people then in force does not know."""
    place = bench.copy()
    with Attacker(place.database) as attacker:
        bodies = attacker.bodies()
        body = next(item for item in bodies if item["type"] == "unblock:approved")
        body["actor"]["roles"] = ["lead"]
        attacker.reseal(bodies, Pen(bench.signer))
    report = look(place, Options(key=bench.signer.verifier.text))
    found = {(str(item.kind), item.case, item.sequence) for item in report.findings}
    assert ("roles", body["case"], body["sequence"]) in found


def test_people_that_cannot_be_read_are_a_finding(bench: Bench) -> None:
    """A list of people that is none, signed with the real key, does not stop the verifier."""
    place = bench.copy()
    with Attacker(place.database) as attacker:
        bodies = attacker.bodies()
        settings = next(item for item in bodies if item["type"] == "settings:changed")
        settings |= {"type": "people:changed", "data": {"part": 1, "people": 7}}
        attacker.reseal(bodies, Pen(bench.signer))
    report = look(place, Options(key=bench.signer.verifier.text))
    assert any("the list of people cannot be read" in item.why for item in report.findings)


def test_an_entry_that_cannot_be_read_says_nothing_of_freshness(bench: Bench) -> None:
    """The tree stands, and its newest entry has no time."""
    place = bench.copy()
    with Attacker(place.database) as attacker:
        bodies = attacker.bodies()
        bodies[-1]["v"] = 99
        attacker.reseal(bodies, Pen(bench.signer))
        (note,) = attacker.sql.execute("SELECT note FROM checkpoint ORDER BY size DESC LIMIT 1").fetchone()
    kept = place.root / "kept"
    kept.write_text(note)
    report = look(place, Options(key=bench.signer.verifier.text, against=[kept]))
    assert ("failed", "verified", "not checked") == (report.integrity, report.completeness, report.freshness)


def test_a_text_for_no_case_and_a_row_that_cannot_be_read_are_named(bench: Bench) -> None:
    """What stands where nobody would look for it, and what no reader can make sense of."""
    place = bench.copy()
    with Attacker(place.database) as attacker:
        attacker.sql.execute("INSERT INTO opening VALUES (?, x'00', 'x', 'nowhere', NULL)", ("0" * 64,))
        attacker.sql.execute("UPDATE \"case\" SET opened_at = 'yesterday' WHERE number = 1")
    report = look(place)
    assert {("opening", "nowhere"), ("picture", 1)} == {
        (str(item.kind), report.numbers.get(item.case, item.case)) for item in report.findings
    }
