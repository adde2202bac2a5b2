"""What a connection refuses before anything is sent; how texts are made fit to show; how fields are read."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from workflow.errors import ProviderError, SettingsError
from workflow.providers.microsoft365 import tolerant
from workflow.providers.microsoft365.connection import LIMITS, Cloud, Connection, Family, Limit, Service
from workflow.providers.microsoft365.redaction import redacted, request_id
from workflow.providers.microsoft365.values import Row, child, flag, iso, moment, number, present, rows, text, texts
from workflow.providers.ways import Way

GUID = "11111111-2222-3333-4444-555555555555"
WHOLE: dict[str, Any] = {"tenant": GUID, "client": GUID, "certificate": Path("app.pem")}


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"tenant": ""}, "m365_tenant_id"),
        ({"tenant": "../other"}, "m365_tenant_id"),
        ({"client": ""}, "m365_client_id"),
        ({"client": "holdfast"}, "m365_client_id"),
        ({"certificate": None}, "m365_certificate"),
        ({"addresses": {Service.GRAPH: "http://graph.microsoft.com"}}, "https alone"),
        ({"addresses": {Service.LOGIN: "http://127.0.0.1.evil.example"}}, "https alone"),
        ({"addresses": {Service.EXCHANGE: "https://user:pass@host.example"}}, "m365_exchange_url"),
        ({"addresses": {Service.EXCHANGE: "https://host.example/path"}}, "m365_exchange_url"),
        ({"addresses": {Service.EXCHANGE: "https://host.example?x"}}, "m365_exchange_url"),
        ({"addresses": {Service.COMPLIANCE: "graph.microsoft.com"}}, "m365_compliance_url"),
        ({"addresses": {Service.COMPLIANCE: "https://host.example:99999"}}, "no address"),
        ({"addresses": {Service.COMPLIANCE: "https://host.example:0"}}, "m365_compliance_url"),
        ({"addresses": {Service.COMPLIANCE: "https://["}}, "no address"),
        ({"identity": "http://identity.example"}, "m365_identity_url: tokens travel over https alone"),
        ({"identity": "https://identity.example/metadata"}, "m365_identity_url"),
    ],
)
def test_what_could_only_fail_is_refused(change: dict[str, Any], said: str) -> None:
    """By the setting's own name; a token would travel in the clear, or nowhere."""
    with pytest.raises(SettingsError, match=said):
        Connection(**WHOLE | change)


def test_a_connection() -> None:
    """Addresses may differ, audiences do not; a password does not show."""
    home = "http://localhost:8400/"
    connection = Connection(
        **WHOLE, addresses={Service.GRAPH: home}, certificate_password="opensesame", limits={Family.AUDIT: Limit(1, 2)}
    )

    assert ("http://localhost:8400", "https://graph.microsoft.com") == (
        connection.address(Service.GRAPH),
        connection.audience(Service.GRAPH),
    )
    assert (Limit(1, 2), LIMITS[Family.REPORTS]) == (connection.limit(Family.AUDIT), connection.limit(Family.REPORTS))
    assert "opensesame" not in repr(connection)
    assert Connection(tenant="contoso.example", way=Way.MANAGED_IDENTITY).client == ""


@pytest.mark.parametrize("cloud", list(Cloud))
def test_every_cloud_has_its_addresses(cloud: Cloud) -> None:
    """Four services each, all over https and all different."""
    connection = Connection(**WHOLE, cloud=cloud)

    assert 4 == len({connection.address(service) for service in Service})
    assert all(connection.address(service).startswith("https://") for service in Service)


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("plain words", "plain words"),
        ("token eyJhbGciOiJSUzI1NiJ9.eyJhdWQiOiJ4In0.c2ln end", "token … end"),
        ("Authorization: Bearer abcdefghijklmnopqrstuv", "Authorization: Bearer …"),
        ("Basic authentication is off", "Basic authentication is off"),
        ('{"password":"hunter2","x":1}', '{"password":…,"x":1}'),
        ("client_secret=abc&client_assertion=def", "client_secret=…&client_assertion=…"),
        ("-----BEGIN PRIVATE KEY-----\nabc\n-----END PRIVATE KEY----- rest", "… rest"),
        ("-----BEGIN PRIVATE KEY-----\nabc", "…"),
        ("red\x1b[31m\nnext\u202eright", "red [31m next right"),
        ("Zürich, 東京", "Zürich, 東京"),
    ],
)
def test_texts_are_made_fit_to_show(said: str, shown: str) -> None:
    """No token, password or key; nothing that acts on a terminal."""
    assert shown == redacted(said)


def test_long_texts_are_cut() -> None:
    """A stack trace is nobody's message, and a megabyte of one takes no minutes (it took days, letter by letter)."""
    assert 400 == len(redacted("x" * 1_000_000))
    assert "…" == redacted("x" * 1_000_000 + "-password: hunter2")[-1]
    assert "" == request_id("x" * 101)


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("2026-05-01T08:12:33Z", datetime(2026, 5, 1, 8, 12, 33, tzinfo=UTC)),
        ("2026-05-01T08:12:33.1234567Z", datetime(2026, 5, 1, 8, 12, 33, 123456, tzinfo=UTC)),
        ("2026-05-01T10:12:33+02:00", datetime(2026, 5, 1, 8, 12, 33, tzinfo=UTC)),
        ("2026-05-01T08:12:33", datetime(2026, 5, 1, 8, 12, 33, tzinfo=UTC)),
        ("/Date(1777623153000)/", datetime(2026, 5, 1, 8, 12, 33, tzinfo=UTC)),
        ("0001-01-01T00:00:00Z", None),
        ("/Date(-62135596800000)/", None),
        ("0001-01-01T00:00:00+14:00", None),
        ("", None),
    ],
)
def test_times(written: object, meant: datetime | None) -> None:
    """ISO 8601 and PowerShell's; *never* was not said."""
    assert meant == moment(Row("Get-X", {"at": written}), "missing", "at")
    assert meant == tolerant.moment({"at": written}, "missing", "at")


@pytest.mark.parametrize("written", ["/Date(999999999999999999)/", "05/01/2026 08:12", 7, [], True])
def test_times_that_are_none(written: object) -> None:
    """Nonsense is an error, and was not said where nothing is concluded from it."""
    with pytest.raises(ProviderError, match="Get-X: at is not of the type"):
        moment(Row("Get-X", {"at": written}), "missing", "at")
    assert tolerant.moment({"at": written}, "missing", "at") is None


def test_fields_are_read() -> None:
    """What is null or not there was not said."""
    row = Row("Get-X", {"yes": "True", "no": False, "n": "12", "s": "a", "l": ["a", ""], "o": {"p": {"q": 1}}, "e": ""})

    assert (True, False, None) == (flag(row, "yes"), flag(row, "no"), flag(row, "x"))
    assert (12, None, 1) == (number(row, "n"), number(row, "x"), number(child(row, "o", "p"), "q"))
    assert (("a",), ("a",), (), ()) == (texts(row, "l"), texts(row, "s"), texts(row, "e"), texts(row, "x"))
    assert ({}, (), ({"a": 1},)) == (child(row, "x", "t"), rows(row, "x"), rows(Row("", {"r": [{"a": 1}]}), "r"))
    assert ("a", "1", "") == (text(row, "e", "s"), text(child(row, "o", "p"), "q"), text(row, "x"))
    present(row, "e", "no")
    with pytest.raises(ProviderError, match=r"Get-X: the answer leaves out o\.p\.z"):
        present(child(row, "o", "p"), "q", "z")
    assert "2026-05-01T08:00:00Z" == iso(datetime(2026, 5, 1, 8, tzinfo=UTC))


@pytest.mark.parametrize(
    ("read", "values"),
    [
        (text, [True, [], {}, ["a"]]),
        (flag, [1, 0, "", "yes", [], {}]),
        (number, [True, 1.5, "", "-1", "9" * 99, "٣", [], {}]),
        (texts, [1, True, {}, [1], [None], [["a"]]]),
        (rows, ["", "a", 5, True, {}, ["a"], [None], [[]]]),
        (child, ["", "a", 5, False, []]),
    ],
)
def test_fields_of_another_type(read: Callable[[Row, str], object], values: list[object]) -> None:
    """The error says which field of which call; none counts as *nothing*."""
    for value in values:
        with pytest.raises(ProviderError, match=r"Get-X: o\.f is not of the type"):
            read(child(Row("Get-X", {"o": {"f": value}}), "o"), "f")


def test_what_is_only_shown_is_read_tolerantly() -> None:
    """What is of another type was not said, and nothing is invented."""
    row = {"s": "a", "l": ["a", 1, {"b": 2}], "no": False, "n": 1}

    assert ("a", "1", "") == (tolerant.text(row, "no", "s"), tolerant.text(row, "n"), tolerant.text(row, "l"))
    assert (({"b": 2},), ()) == (tolerant.rows(row, "l"), tolerant.rows(row, "s"))
    assert {} == tolerant.child(row, "s", "t")
