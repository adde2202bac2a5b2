"""What is tried again and what is not; where tokens go and where they do not; what is logged."""

from __future__ import annotations

import gzip
import logging
import threading
from collections.abc import Callable, Iterator

import httpx2
import pytest

from tests.providers.microsoft365.scripted import ADA, NOW, Scripted, Time, done, no, one, rows
from workflow.domain.vocabulary import Kind
from workflow.errors import (
    NotReadableError,
    OutcomeUnknownError,
    ProviderBusyError,
    ProviderError,
    ProviderRefusedError,
)
from workflow.providers.manual import Manual
from workflow.providers.microsoft365 import wire
from workflow.providers.microsoft365.connection import Family, Limit, Service
from workflow.providers.microsoft365.pace import Budget, Pace
from workflow.providers.microsoft365.tenant import Microsoft365
from workflow.providers.shapes import Read

NO_OBJECTS = (
    *(b"", b"[]", b"null", b'"done"', b"true", b"<html>login</html>", b"{", b"\xff", b"[" * 100_000),
    b'{"error":{"code":"x","message":"no"},"value":[]}',
)
SENDER = {"SenderAddress": "ada@contoso.example"}
LISTED = ("ada@contoso.example",)


def read(script: Scripted) -> tuple[str, ...]:
    """Read the list of senders."""
    return tuple(row.identifier for row in script.tenant().restricted(Kind.MAILBOX).value)


def busy(**headers: str) -> httpx2.Response:
    """Return what a throttled service answers."""
    return httpx2.Response(429, headers={name.replace("_", "-"): value for name, value in headers.items()})


@pytest.mark.parametrize(
    "trouble",
    [
        httpx2.Response(503),
        httpx2.Response(500, text="oops"),
        httpx2.Response(504),
        httpx2.Response(408),
        httpx2.ReadTimeout("slow"),
        httpx2.ConnectError("down"),
        httpx2.RemoteProtocolError("gone"),
    ],
)
def test_a_read_is_tried_again(trouble: httpx2.Response | Exception) -> None:
    """A service that fails, is slow or is away is asked again after a second, then two."""
    script = Scripted(trouble, trouble, rows(SENDER))

    assert LISTED == read(script)
    assert [1.0, 2.0] == [wait for wait in script.time.waited if wait]


def test_a_read_is_not_tried_for_ever() -> None:
    """After four attempts the error says what happened, and that nothing was changed."""
    for trouble, said in ((httpx2.Response(503, text="down"), "503 down"), (httpx2.ReadTimeout("x"), "ReadTimeout")):
        script = Scripted(*[trouble] * 4)

        with pytest.raises(ProviderError, match=f"{said}.*Nothing was changed"):
            read(script)
        assert 4 == len(script.sent)


def test_a_service_that_says_when_is_called_then() -> None:
    """``Retry-After`` is waited out to the second, as a number and as a date, and also beside 503."""
    date = "Fri, 01 May 2026 09:00:07 GMT"
    script = Scripted(
        busy(retry_after="3"), busy(retry_after=date), httpx2.Response(503, headers={"Retry-After": "2"}), rows(SENDER)
    )

    assert LISTED == read(script)
    assert [3.0, 7.0, 2.0] == [wait for wait in script.time.waited if wait]


def test_a_service_that_does_not_say_when_is_left_alone_for_longer_each_time() -> None:
    """Without ``Retry-After``, or with nonsense in it, five seconds double; plain text is a refusal to hear as well."""
    text = httpx2.Response(
        400, text="You have reached the maximum number of concurrent requests per tenant. Please wait and try again"
    )
    script = Scripted(busy(), busy(retry_after="soon"), text, rows(SENDER))

    assert LISTED == read(script)
    assert [5.0, 10.0, 20.0] == script.time.waited


def test_who_is_turned_away_for_long_does_not_wait() -> None:
    """Longer than a minute is said and not waited out; nobody else of the family calls before it is over."""
    script = Scripted(busy(retry_after="300"), rows(SENDER))
    tenant = script.tenant()

    for _ in range(2):
        with pytest.raises(ProviderBusyError) as caught:
            tenant.restricted(Kind.MAILBOX)
        assert 300.0 == caught.value.retry_after
    assert 1 == len(script.sent)
    script.time.at += 301
    assert 1 == len(tenant.restricted(Kind.MAILBOX).value)


def test_who_is_always_turned_away_gives_up() -> None:
    """Four times busy is busy, and nothing was changed."""
    script = Scripted(*[busy(retry_after="1")] * 4)

    with pytest.raises(ProviderBusyError, match="nothing was changed"):
        read(script)


def test_what_cannot_be_repeated_is_not_even_after_being_turned_away() -> None:
    """An unblock that was not heard is left to whoever asked: they read first."""
    script = Scripted(busy(retry_after="7"))

    with pytest.raises(ProviderBusyError) as caught:
        script.tenant().unblock(Kind.MAILBOX, "ada@contoso.example", "case 1")
    assert (7.0, 1) == (caught.value.retry_after, len(script.sent))


def test_what_may_be_repeated_is_after_being_turned_away() -> None:
    """Blocking sign-in twice does no more than once, and the first was not heard."""
    script = Scripted(busy(retry_after="7"), done())

    script.tenant().set_enabled(ADA, enabled=False)
    assert ([7.0], 2) == (script.time.waited, len(script.sent))


@pytest.mark.parametrize(
    "trouble",
    [
        httpx2.ReadTimeout("slow"),
        httpx2.WriteError("broken"),
        httpx2.RemoteProtocolError("gone"),
        httpx2.Response(500),
        httpx2.Response(503, headers={"Retry-After": "1"}),
        httpx2.Response(504),
    ],
)
def test_a_change_without_an_answer_is_unknown(trouble: httpx2.Response | Exception) -> None:
    """It is called once, whatever it is, and the error says to read."""
    acts: tuple[Callable[[Microsoft365], object], ...] = (
        lambda tenant: tenant.unblock(Kind.MAILBOX, "ada@contoso.example", "case 1"),
        lambda tenant: tenant.set_enabled(ADA, enabled=False),
    )
    for act in acts:
        script = Scripted(trouble)

        with pytest.raises(OutcomeUnknownError, match="Read the tenant"):
            act(script.tenant())
        assert 1 == len(script.sent)


def test_a_change_that_never_left_was_not_made() -> None:
    """A connection that could not be opened carried nothing."""
    script = Scripted(httpx2.ConnectTimeout("away"))

    with pytest.raises(ProviderError, match="Nothing was changed") as caught:
        script.tenant().set_enabled(ADA, enabled=False)
    assert not isinstance(caught.value, OutcomeUnknownError)


def test_a_token_that_was_taken_back_is_renewed_once() -> None:
    """A second refusal is a refusal: of a read *not readable*, of a change *refused*; both name the permission."""
    script = Scripted(no(401), rows(SENDER), no(401), no(401), no(401), no(401, "InvalidAuthenticationToken", "bad"))
    tenant = script.tenant()

    assert 1 == len(tenant.restricted(Kind.MAILBOX).value)
    assert ["Bearer token-1", "Bearer token-2"] == [request.headers["authorization"] for request in script.sent]
    with pytest.raises(NotReadableError, match=r"Exchange\.ManageAsApp"):
        tenant.restricted(Kind.MAILBOX)
    with pytest.raises(ProviderRefusedError, match=r"bad.*User\.EnableDisableAccount\.All"):
        tenant.set_enabled(ADA, enabled=False)
    assert 6 == len(script.sent)


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_regional_host_gets_the_same_call(status: int) -> None:
    """A host beneath the service's own has the token, the body and the method again."""
    elsewhere = f"https://eur01.outlook.office365.com/adminapi/beta/{Scripted().tenant()._exchange._connection.tenant}"
    script = Scripted(httpx2.Response(status, headers={"Location": f"{elsewhere}/InvokeCommand"}), rows(SENDER))

    assert LISTED == read(script)
    assert ["outlook.office365.com", "eur01.outlook.office365.com"] == [request.url.host for request in script.sent]
    assert 1 == len({(request.method, request.content, request.headers["authorization"]) for request in script.sent})


@pytest.mark.parametrize(
    "location",
    [
        "https://outlook.office365.com.evil.example/adminapi",
        "https://evil.example/",
        "//evil.example/x",
        "http://outlook.office365.com/adminapi",
        "https://outlook.office365.com:8443/adminapi",
        "https://user@outlook.office365.com/adminapi",
        "https://evil-outlook.office365.com/",
        "https://[",
        "https://x\x01",
        "",
    ],
)
def test_nobody_else_gets_a_token(location: str) -> None:
    """Another host, scheme or port is not followed; nor is nothing."""
    script = Scripted(httpx2.Response(302, headers={"Location": location}), *[httpx2.Response(302)] * 3)

    with pytest.raises(ProviderError, match=r"not its own|round in a circle"):
        read(script)
    assert {"outlook.office365.com"} == {request.url.host for request in script.sent}


def test_compliance_is_found_in_its_region() -> None:
    """Its front door names a region by another service's host; the interface is elsewhere."""
    away = httpx2.Response(302, headers={"Location": "https://eur02b.admin.protection.example:446/x"})
    policy = {"Name": "User restricted from sending email", "Disabled": False}
    script = Scripted(away, rows(policy))

    assert 1 == len(script.tenant().alert_policies().value)
    assert "https://eur02b.ps.compliance.protection.outlook.com" == str(script.sent[1].url).split("/adminapi", 1)[0]


def test_compliance_names_no_region() -> None:
    """What is no region is not called."""
    away = httpx2.Response(302, headers={"Location": "https://eur-02.admin.protection.example:446/x"})
    script = Scripted(away, rows({"Name": "A", "Disabled": False}))

    assert 1 == len(script.tenant().alert_policies().value)
    assert "outlook.office365.com" == script.sent[1].url.host


def test_a_refusal_of_nothing_but_zeros() -> None:
    """A body that is declared as gzip and is none says no more than its status, and breaks nothing."""
    zeros = httpx2.Response(
        403, stream=httpx2.ByteStream(b"\0" * 300), headers={"Content-Encoding": "gzip", "Content-Length": "300"}
    )
    script = Scripted(zeros, httpx2.Response(403, content=b"\0" * 300))

    for _ in range(2):
        with pytest.raises(NotReadableError, match="no role for it, or no such cmdlet here"):
            read(script)


def test_an_answer_that_cannot_be_unpacked() -> None:
    """A success whose body is broken is no answer."""
    broken = [
        httpx2.Response(200, stream=httpx2.ByteStream(b"\0" * 300), headers={"Content-Encoding": "gzip"})
        for _ in range(4)
    ]

    with pytest.raises(ProviderError, match="cannot be unpacked"):
        read(Scripted(*broken))


def test_an_answer_has_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    """A few packed bytes cannot fill the memory."""
    monkeypatch.setattr(wire, "_LARGEST", 10_000)
    packed = gzip.compress(b" " * 1_000_000)
    bombs = [
        httpx2.Response(200, stream=httpx2.ByteStream(packed), headers={"Content-Encoding": "gzip"}) for _ in range(4)
    ]

    with pytest.raises(ProviderError, match="too long"):
        read(Scripted(*bombs))


def test_an_answer_has_an_end() -> None:
    """A body that drips for five times as long as an answer may take is given up."""
    script = Scripted()

    class Drip(httpx2.SyncByteStream):
        def __iter__(self) -> Iterator[bytes]:
            while True:
                script.time.at += 60
                yield b" "

    script.answers.extend(httpx2.Response(200, stream=Drip()) for _ in range(4))

    with pytest.raises(ProviderError, match="does not end"):
        read(script)


def test_what_cannot_be_sent_is_an_error_of_ours() -> None:
    """A library's exception does not leave its home, and nothing was changed."""
    for trouble in (httpx2.UnsupportedProtocol("gopher"), httpx2.LocalProtocolError("what")):
        with pytest.raises(ProviderError, match="Nothing was changed"):
            Scripted(trouble).tenant().set_enabled(ADA, enabled=True)


def test_calls_are_kept_apart() -> None:
    """One call a second of a family is one call a second; another family does not wait for it."""
    script = Scripted(*[rows(SENDER)] * 3, one(id=ADA, accountEnabled=True))
    tenant = script.tenant(limits={Family.EXCHANGE: Limit(2, 10)})

    for _ in range(3):
        tenant.restricted(Kind.MAILBOX)
    tenant.user(ADA)
    assert [10.0] == script.time.waited


@pytest.mark.parametrize(
    ("limit", "workers", "begun"),
    [
        (Limit(5, 10), 1, [0, 0, 0, 0, 0, 10, 10]),
        (Limit(5, 10), 2, [0, 0, 10, 10, 20]),
        (Limit(1, 1), 4, [0, 4, 8]),
        (Limit(3, 10), 4, [0, 40 / 3, 80 / 3]),
        (Limit(3, 10), 0, [0, 0, 0, 10]),
    ],
)
def test_a_fleet_shares_the_calls(limit: Limit, workers: int, begun: list[float]) -> None:
    """Each begins its part of them, and less than one in a longer while; together they never begin more."""
    time = Time()
    budget = Budget("reports", limit, time.pace)
    budget.share(workers)
    found = []
    for _ in begun:
        with budget.call():
            found.append(time.now())

    assert found == pytest.approx(begun)


@pytest.mark.parametrize(
    ("said", "waited"), [("0.79", []), ("0.8", [1.0]), ("1.8", [1.0]), ("inf", [1.0]), ("nan", []), ("much", [])]
)
def test_a_limit_that_is_nearly_used_up_slows_us_down(said: str, waited: list[float]) -> None:
    """Whoever uses it up: the next call of the family is put off for a tenth of the limit's time."""
    first = one(id=ADA, userPrincipalName="ada@contoso.example", accountEnabled=True)
    first.headers["x-ms-throttle-limit-percentage"] = said
    script = Scripted(first, one(id=ADA, userPrincipalName="ada@contoso.example", accountEnabled=True))
    tenant = script.tenant(limits={Family.DIRECTORY: Limit(100, 10)})

    for _ in range(2):
        tenant.user(ADA)
    assert waited == script.time.waited


def test_a_fleet_shares_what_may_be_under_way() -> None:
    """A peer that signs on halves it; when it signs off, whoever waits goes on."""
    budget = Budget("exchange", Limit(100, 1, 2), Pace())
    budget.share(2)
    entered = threading.Event()

    def second() -> None:
        with budget.call():
            entered.set()

    with budget.call():
        waiting = threading.Thread(target=second)
        waiting.start()
        assert not entered.wait(0.1)
        budget.share(1)
        assert entered.wait(10)
    waiting.join()


def test_a_connection_is_shared_as_a_whole() -> None:
    """Each family of calls."""
    script = Scripted(*[rows(SENDER)] * 2)
    tenant = script.tenant(limits={Family.EXCHANGE: Limit(2, 10)})
    tenant.share(2)

    for _ in range(2):
        tenant.restricted(Kind.MAILBOX)
    assert [10.0] == script.time.waited
    Manual().share(2)


def test_a_wait_too_short_for_the_clock_passes() -> None:
    """What rounding leaves over of a wait may be less than the clock shows, and would be waited for without end."""
    now, waits = [0.0], list[float]()

    def wait(seconds: float) -> None:
        waits.append(seconds)
        assert len(waits) < 10, "it is waited for without end"
        now[0] = round(now[0] + seconds, 3)

    budget = Budget("reports", Limit(1, 1.0), Pace(lambda: now[0], wait))
    budget.hold(0.5 + 1e-11)
    with budget.call():
        pass
    assert 2 == len(waits)


def test_an_answer_says_where_it_comes_from() -> None:
    """Call, request id and time; an id that is none is left out."""
    script = Scripted(
        rows(SENDER),
        httpx2.Response(200, json={"value": []}, headers={"request-id": "<b>", "client-request-id": "c-1"}),
    )
    tenant = script.tenant()

    reads = [tenant.restricted(Kind.MAILBOX).read for _ in range(2)]
    assert [Read("Get-BlockedSenderAddress", "req-1", NOW), Read("Get-BlockedSenderAddress", "c-1", NOW)] == reads


def test_the_log_names_nobody(caplog: pytest.LogCaptureFixture) -> None:
    """Call, status, request id and time; no name, no token, no address."""
    script = Scripted(one(id=ADA, accountEnabled=True))
    with caplog.at_level(logging.DEBUG):
        script.tenant().user("ada@contoso.example")

    ours = [record.getMessage() for record in caplog.records if record.name == "holdfast.tenant"]
    assert ["GET /users/{id} 200 req-1 0 ms"] == ours
    assert "ada@contoso" not in caplog.text
    assert "token-1" not in caplog.text


def test_a_service_that_cannot_speak_json() -> None:
    """What is no object is no answer, and never an empty list."""
    for body in NO_OBJECTS:
        for status in (200, 202, 204):
            with pytest.raises(ProviderError, match="no JSON object, or holds an error"):
                read(Scripted(httpx2.Response(status, content=body)))
            with pytest.raises(ProviderError, match="no JSON object, or holds an error"):
                Scripted(httpx2.Response(status, content=body)).tenant().user(ADA)


@pytest.mark.parametrize("body", NO_OBJECTS)
def test_a_change_is_done_only_where_the_service_says_so(body: bytes) -> None:
    """A proxy's page with the status of a success says nothing: the change may have been made, or not."""
    acts: tuple[Callable[[Microsoft365], object], ...] = (
        lambda tenant: tenant.unblock(Kind.MAILBOX, "ada@contoso.example", "case 1"),
        lambda tenant: tenant.set_enabled(ADA, enabled=False),
        lambda tenant: tenant.revoke_sessions(ADA),
    )
    for act in acts:
        for status in (200, 201, 303, 304, *((202, 204) if body else ())):
            script = Scripted(httpx2.Response(status, content=body))
            with pytest.raises(OutcomeUnknownError, match="Read the tenant"):
                act(script.tenant())
            assert 1 == len(script.sent)
        for good in (httpx2.Response(200, json={"value": []}), httpx2.Response(201, json={}), done(202), done()):
            act(Scripted(good).tenant())


def test_connections_are_given_back() -> None:
    """After closing nothing can be asked."""
    script = Scripted(rows(SENDER))
    tenant = script.tenant()
    tenant.close()

    with pytest.raises(RuntimeError):
        tenant.restricted(Kind.MAILBOX)


def test_the_services_are_kept_apart() -> None:
    """Each service's token is made out to that service."""
    script = Scripted(rows(SENDER), one(id=ADA, accountEnabled=True))
    tenant = script.tenant()
    tenant.restricted(Kind.MAILBOX)
    tenant.user(ADA)

    assert ["Bearer token-1", "Bearer token-2"] == [request.headers["authorization"] for request in script.sent]
    assert Service.GRAPH in Service
