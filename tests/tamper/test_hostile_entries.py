"""Entries whose bytes were made to break the reader: always a finding, never a crash."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.tamper.attacker import Attacker, Body, Pen, text
from tests.tamper.conftest import Bench, look
from workflow.services.verification import Options

pytestmark = pytest.mark.slow

DEEP = b"[" * 400 + b"]" * 400

WRONG: dict[str, Callable[[Body], Any]] = {
    "data is empty": lambda body: body.update(data={}),
    "data with unknown keys": lambda body: body["data"].update(constructor="x", __class__="y"),
    "numbers for texts": lambda body: body.update(data=dict.fromkeys(body["data"], 7)),
    "lists for texts": lambda body: body.update(data={key: [[]] for key in body["data"]}),
    "objects for texts": lambda body: body.update(data={key: {"commitment": [1]} for key in body["data"]}),
    "null for texts": lambda body: body.update(data=dict.fromkeys(body["data"])),
    "truth for numbers": lambda body: body.update(data=dict.fromkeys(body["data"], True)),
    "largest integers": lambda body: body.update(data=dict.fromkeys(body["data"], 2**53 - 1)),
    "basis linked to a list": lambda body: body.update(basis={"linked": [1]}),
    "basis linked to no state": lambda body: body.update(basis={"linked": {"x": "y"}}),
    "basis of everything": lambda body: body.update(basis={"rows": 1, "boundary": 2, "digest": [], "subject": None}),
    "actor without anything": lambda body: body.update(actor={}),
    "actor of lists": lambda body: body.update(actor={key: [[1]] for key in body["actor"]}),
    "actor with unknown roles": lambda body: body["actor"].update(roles=["root"]),
    "an unknown type": lambda body: body.update(type="rule:broken"),
    "an unknown action": lambda body: body.update(action="obey"),
    "an action that opens": lambda body: body.update(action="open"),
    "an unknown state": lambda body: body.update(state_after="free"),
    "another recurrence": lambda body: body.update(recurrence=2**53 - 1),
    "year one": lambda body: body.update(recorded_at="0001-01-01T00:00:00.000000Z"),
    "year 9999": lambda body: body.update(recorded_at="9999-12-31T23:59:59.999999Z"),
    "times that are none": lambda body: body["data"].update(observed_at="tomorrow", expires_at="never"),
    "nested to the limit": lambda body: body["data"].update(note=json.loads("[" * 13 + "]" * 13)),
    "no playbook": lambda body: body.update(playbook=""),
}
BYTES: dict[str, bytes] = {
    "blanks": b"",
    "not JSON": b"{",
    "a list": b"[]",
    "an empty object": b"{}",
    "deep": DEEP,
    "a deep member": b'{"data":' + DEEP + b"}",
    "a huge number": b'{"sequence":' + b"9" * 600 + b"}",
    "a number for a text": b'{"case":5,"sequence":"x","id":[]}',
    "not a number": b'{"sequence":NaN}',
    "a lone surrogate": b'{"case":"\\ud800"}',
    "an escaped NUL": b'{"case":"\\u0000"}',
    "a NUL": b'{"case":"\x00"}',
    "not UTF-8": b'{"case":"\xff\xfe\xc0"}',
}


@pytest.mark.parametrize("name", WRONG)
@pytest.mark.parametrize(
    "kind", ["evidence:recorded", "case:opened", "unblock:approved", "proposal:made", "case:verified"]
)
def test_a_well_sealed_entry_of_nonsense_is_a_finding(name: str, kind: str, bench: Bench) -> None:
    """Sealed and signed with the real key, so that only what reads the meaning can object; and it does."""
    place = bench.copy()
    with Attacker(place.database) as attacker:
        bodies = attacker.bodies()
        number = next(number for number, body in enumerate(bodies) if body["type"] == kind)
        before = text(bodies[number])
        case = bodies[number]["case"]
        WRONG[name](bodies[number])
        unchanged = before == text(bodies[number])
        attacker.reseal(bodies, Pen(bench.signer))
    report = look(place, Options(key=bench.signer.verifier.text))
    if unchanged:
        # Sealed again to the same bytes, the ledger says nothing else than before.
        assert report.ok
        return
    assert not report.ok
    assert case in {item.case for item in report.findings}
    assert all(len(item.why) < 600 for item in report.findings)
    json.dumps(report.to_data())


@pytest.mark.parametrize("name", BYTES)
def test_bytes_that_are_no_entry_are_a_finding(name: str, bench: Bench) -> None:
    """Written into the file over an entry, past the database, which would have refused most of them."""
    place = bench.copy()
    with Attacker(place.database) as attacker:
        bodies = [text(body).encode() for body in attacker.bodies()]
    index = next(number for number in range(100, len(bodies)) if 900 < len(bodies[number]) < 2000)
    content = place.database.read_bytes()
    assert content.count(bodies[index]) == 1
    place.database.write_bytes(content.replace(bodies[index], BYTES[name].ljust(len(bodies[index]))))
    report = look(place, Options(key=bench.signer.verifier.text))
    assert not report.ok
    assert index in {item.index for item in report.findings}
    json.dumps(report.to_data())
