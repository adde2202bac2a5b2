"""The lists of restricted entities, and taking one entry off."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import httpx2
import pytest

from tests.providers.microsoft365.scripted import MISSING, TENANT, Scripted, fault, rows
from workflow.domain.vocabulary import Kind
from workflow.errors import (
    InputError,
    NotReadableError,
    ProviderError,
    ProviderRefusedError,
    UnblockLimitError,
)
from workflow.providers.microsoft365.exchange import changed
from workflow.providers.shapes import Restricted
from workflow.providers.simulated.cmdlets_blocking import LIMIT_REACHED

CONNECTOR = "cccccccc-0000-4000-8000-000000000001"
GATEWAY = f"https://outlook.office365.com/adminapi/beta/{TENANT}/InvokeCommand"
ROW = {
    "SenderAddress": "ada@contoso.example",
    "Reason": "OutboundSpamLast24Hours=312;OutboundSpamPercent=170",
    "CreatedDatetime@odata.type": "#DateTimeOffset",
    "CreatedDatetime@data.type": "System.DateTime",
    "CreatedDatetime": "2026-05-01T08:12:33.1234567Z",
    "ChangedDatetime": "/Date(1777623153000)/",
    "TemporaryBlock": "True",
    "Somethingnew": {"a": 1},
}


def test_senders_are_listed() -> None:
    """A row is read tolerantly: type annotations and unknown fields beside values, text for a yes or no."""
    script = Scripted(rows(ROW, {"SenderAddress": "bob@contoso.example"}))

    assert (
        Restricted(
            identifier="ada@contoso.example",
            reason="OutboundSpamLast24Hours=312;OutboundSpamPercent=170",
            temporary=True,
            created_at=datetime(2026, 5, 1, 8, 12, 33, 123456, tzinfo=UTC),
            changed_at=datetime(2026, 5, 1, 8, 12, 33, tzinfo=UTC),
        ),
        Restricted(identifier="bob@contoso.example"),
    ) == script.tenant().restricted(Kind.MAILBOX).value
    assert [("Get-BlockedSenderAddress", {})] == script.cmdlets
    anchor = f"APP:SystemMailbox{{bb558c35-97f1-4cb9-8ff7-d53741dc928c}}@{TENANT}"
    assert anchor == script.sent[0].headers["x-anchormailbox"]


def test_connectors_are_listed() -> None:
    """By their id, with the name beside it."""
    row = {"ConnectorId": CONNECTOR, "ConnectorName": "Relay", "CreatedTime": "2026-05-01T08:00:00+02:00"}
    expected = Restricted(identifier=CONNECTOR, name="Relay", created_at=datetime(2026, 5, 1, 6, tzinfo=UTC))

    assert (expected,) == Scripted(rows(row)).tenant().restricted(Kind.CONNECTOR).value


def test_users_are_on_no_list() -> None:
    """A case about a person alone has no restriction that could be read."""
    with pytest.raises(NotReadableError, match="no list of restricted users"):
        Scripted().tenant().restricted(Kind.USER)


def test_pages_are_one_list() -> None:
    """The next page is asked for as the gateway wants it: the same body, posted again."""
    script = Scripted(rows(ROW, following=f"{GATEWAY}?$skiptoken=2"), rows({"SenderAddress": "bob@contoso.example"}))

    found = script.tenant().restricted(Kind.MAILBOX).value
    assert ["ada@contoso.example", "bob@contoso.example"] == [row.identifier for row in found]
    assert script.sent[0].content == script.sent[1].content
    assert f"{GATEWAY}?$skiptoken=2" == str(script.sent[1].url)


def test_half_a_list_is_no_list() -> None:
    """A page that the service lost makes the whole answer an error."""
    lost = fault("Expired or Invalid pagination request. Default Expiry time is 00:30:00")
    script = Scripted(rows(ROW, following=f"{GATEWAY}?$skiptoken=2"), lost)

    with pytest.raises(ProviderError, match=r"1 rows were read.*not given out as a whole"):
        script.tenant().restricted(Kind.MAILBOX)


@pytest.mark.parametrize("place", ["https://evil.example/x", "http://[", "/relative", "http://outlook.office365.com/x"])
def test_the_next_page_is_the_gateways(place: str) -> None:
    """An answer cannot send the token elsewhere."""
    with pytest.raises(ProviderError, match="not the service"):
        Scripted(rows(ROW, following=place)).tenant().restricted(Kind.MAILBOX)


def test_a_list_without_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """A service that always names another page is left."""
    monkeypatch.setattr("workflow.providers.microsoft365.pages._MOST", 2)
    page = rows(ROW, following=GATEWAY)

    with pytest.raises(ProviderError, match="does not end"):
        Scripted(page, page).tenant().restricted(Kind.MAILBOX)


def test_a_list_beyond_measure(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pages that are each short enough are together too long."""
    monkeypatch.setattr("workflow.providers.microsoft365.pages._MOST_BYTES", 1_000)
    page = rows(ROW | {"Reason": "x" * 400}, following=GATEWAY)

    with pytest.raises(ProviderError, match="too long"):
        Scripted(page, page).tenant().restricted(Kind.MAILBOX)


def test_a_row_that_names_nobody_is_an_error() -> None:
    """A list that is not what it is believed to be must not read as an empty one."""
    with pytest.raises(ProviderError, match="a row without SenderAddress"):
        Scripted(rows({"Address": "ada@contoso.example"})).tenant().restricted(Kind.MAILBOX)


def test_one_sender_is_looked_up() -> None:
    """Somebody else's row is not theirs, whatever the cmdlet answers; capitals do not matter."""
    other = {"SenderAddress": "bob@contoso.example"}
    gone = fault("object 'Ada@contoso.example' couldn't be found on 'EX0'.", MISSING, 404)
    script = Scripted(rows(other, ROW), rows(other), rows(), gone)
    tenant = script.tenant()

    found = [tenant.restriction(Kind.MAILBOX, "ADA@contoso.example").value for _ in range(4)]
    assert [True, False, False, False] == [row is not None for row in found]
    assert ("Get-BlockedSenderAddress", {"SenderAddress": "ADA@contoso.example"}) == script.cmdlets[0]


@pytest.mark.parametrize(
    ("said", "kind", "status"),
    [
        ("something else", "System.Exception", 400),
        ("object 'SystemMailbox{bb558c35-97f1-4cb9-8ff7-d53741dc928c}@t' couldn't be found on 'EX0'.", MISSING, 404),
        (f"object 'x{CONNECTOR}' couldn't be found on 'EX0'.", MISSING, 404),
        (f"object '{CONNECTOR}' couldn't be found on 'EX0'.", MISSING, 403),
    ],
)
def test_a_failed_look_is_not_an_absence(said: str, kind: str, status: int) -> None:
    """Any other refusal is *not readable*, one about another object that there is none of included."""
    with pytest.raises(NotReadableError):
        Scripted(fault(said, kind, status)).tenant().restriction(Kind.CONNECTOR, CONNECTOR)


@pytest.mark.parametrize(
    ("kind", "listed", "asked"),
    [
        (Kind.CONNECTOR, f"{{{CONNECTOR.upper()}}}", CONNECTOR),
        (Kind.MAILBOX, " SMTP:Ada@contoso.example", "ada@contoso.example"),
        (Kind.MAILBOX, "zoe\u0308@contoso.example", "zo\u00eb@contoso.example"),
    ],
)
def test_one_entity_has_many_spellings(kind: Kind, listed: str, asked: str) -> None:
    """What a poll takes for the same is the same to a look."""
    key = "ConnectorId" if kind is Kind.CONNECTOR else "SenderAddress"
    found = Scripted(rows({key: "bob"}, {key: listed})).tenant().restriction(kind, asked).value
    assert found is not None
    assert listed == found.identifier


def test_a_row_about_nobody_is_not_nobody() -> None:
    """While a row cannot be told from the one that was asked for, nothing is concluded."""
    with pytest.raises(ProviderError, match="'bob', so nobody can tell"):
        Scripted(rows({"SenderAddress": "bob"})).tenant().restriction(Kind.MAILBOX, "ada@contoso.example")


@pytest.mark.parametrize("value", ["", "0", 1, "No", ["x"], {}])
def test_an_odd_yes_or_no_hides_no_row(value: object) -> None:
    """Whether a block is temporary has no public type: what is neither was not said, and it is listed all the same."""
    (found,) = Scripted(rows(ROW | {"TemporaryBlock": value})).tenant().restricted(Kind.MAILBOX).value
    assert found.temporary is None


@pytest.mark.parametrize("place", ["body", "header"])
def test_a_list_that_is_cut_short_is_no_list(place: str) -> None:
    """A cmdlet only warns that there is more."""
    said = "WARNING: There are more results available than are currently displayed. Increase the ResultSize parameter."
    answer = rows(ROW)
    page = answer.json() | ({"@adminapi.warnings": [said]} if place == "body" else {})
    cut = httpx2.Response(200, json=page, headers={"X-Warnings": said} if place == "header" else {})
    with pytest.raises(ProviderError, match="not the whole list"):
        Scripted(cut).tenant().restricted(Kind.MAILBOX)


@pytest.mark.parametrize("name", ["", " a@b.example", "a@b\r\nX: y", "\u202eda@b", "x" * 321, "..", "a\x00b"])
def test_what_is_no_name_is_not_sent(name: str) -> None:
    """Nothing that could end a header or a path, or hide in one."""
    script = Scripted()

    with pytest.raises(ProviderRefusedError):
        script.tenant().restriction(Kind.MAILBOX, name)
    assert [] == script.sent


def test_an_unblock_is_one_call() -> None:
    """With the entity and the reason, and no parameter that the cmdlet does not declare; 204 will do."""
    script = Scripted(rows(), httpx2.Response(204, headers={"request-id": "req-2"}))
    tenant = script.tenant()

    assert "req-1" == tenant.unblock(Kind.MAILBOX, "ada@contoso.example", "case 2026-42\n").read.request
    assert "req-2" == tenant.unblock(Kind.CONNECTOR, CONNECTOR, "case 7").read.request
    assert [
        ("Remove-BlockedSenderAddress", {"SenderAddress": "ada@contoso.example", "Reason": "case 2026-42"}),
        ("Remove-BlockedConnector", {"ConnectorId": CONNECTOR, "Reason": "case 7"}),
    ] == script.cmdlets


def test_a_change_is_never_called_twice_for_another_page() -> None:
    """Whatever the answer names as its next page."""
    script = Scripted(rows(following=GATEWAY))

    script.tenant().unblock(Kind.MAILBOX, "ada@contoso.example", "case 1")
    assert 1 == len(script.sent)


@pytest.mark.parametrize(
    "said",
    [
        "You've reached the limit for unblocking this sender. Contact Microsoft Support.",
        "The maximum number of times this address can be removed has been reached.",
        "The sender was released too many times.",
        "Please contact support to unblock the account.",
        "This account has been unblocked the maximum number of times. Contact Microsoft Support.",
        "The unblock limit has been reached.",
        "The sender has been unblocked too often.",
        "You exceeded the limit of unblocks for this address.",
        "The maximum number of unblocks for this user has been reached. Contact Microsoft Support.",
        "The maximum number of unblock attempts has been reached. Please contact support.",
        "You can't unblock this sender any more; please contact Microsoft Support.",
        "This account has reached the limit. You need to contact Microsoft Support.",
        LIMIT_REACHED,
    ],
)
def test_the_unblock_limit_ends_with_microsoft(said: str) -> None:
    """However it may be said: the documentation does not quote it."""
    with pytest.raises(UnblockLimitError, match="Only Microsoft Support can"):
        Scripted(fault(said)).tenant().unblock(Kind.MAILBOX, "ada@contoso.example", "case 1")


@pytest.mark.parametrize(
    "said",
    [
        "The maximum concurrency limit was reached while running Remove-BlockedSenderAddress. Try again later.",
        "Resource budget limit exceeded for cmdlet Remove-BlockedSenderAddress",
        "Remove-BlockedSenderAddress: request size limit exceeded",
        "You don't have permission to remove this object. Contact support.",
        "Unable to remove: an internal server error occurred. If it persists contact Microsoft Support.",
        "The limit of requests for removing objects is reached. The session was released.",
        "The number of times to retry was exceeded. Unblock the account later.",
    ],
)
def test_another_limit_is_not_the_end(said: str) -> None:
    """It is refused and may be asked for again; Microsoft Support would know nothing of it."""
    with pytest.raises(ProviderRefusedError) as caught:
        Scripted(fault(said)).tenant().unblock(Kind.MAILBOX, "ada@contoso.example", "case 1")
    assert not isinstance(caught.value, UnblockLimitError)


def test_unblocking_what_is_not_listed() -> None:
    """It is said as what it is; any other refusal keeps its own words."""
    script = Scripted(
        fault("'ada@contoso.example' is not there", MISSING, 404), fault("Invalid cmdlet parameters specified. Confirm")
    )
    tenant = script.tenant()

    with pytest.raises(ProviderRefusedError, match="not on the list"):
        tenant.unblock(Kind.MAILBOX, "ada@contoso.example", "case 1")
    with pytest.raises(ProviderRefusedError, match="Invalid cmdlet parameters") as caught:
        tenant.unblock(Kind.MAILBOX, "ada@contoso.example", "case 1")
    assert not isinstance(caught.value, UnblockLimitError)


def refusal(error: object) -> httpx2.Response:
    """Return a 400 with this error."""
    return httpx2.Response(400, json={"error": error})


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (refusal({"message": "outer", "details": [{"message": json.dumps({"Message": "in", "TypeName": "T"})}]}), "in"),
        (refusal({"message": "outer", "details": [{"message": "{broken"}]}), "{broken"),
        (refusal({"message": "outer", "details": [{"message": "[]"}, "no", {"message": 7}]}), r"\[\]"),
        (refusal({"message": "outer", "details": [{"message": ""}, {"message": "Ex1|T|second"}]}), "second"),
        (refusal({"message": "outer", "innererror": {"internalexception": {"message": "inner"}}}), "inner"),
        (refusal({"message": "outer", "details": []}), "outer"),
        (refusal({}), r"\{"),
        (refusal("text"), "text"),
        (httpx2.Response(400, text="<b>plain</b>\x1b[31m"), "<b>plain</b> .31m"),
        (httpx2.Response(404, content=b"\0\0"), "status 404"),
    ],
)
def test_a_refusals_words_are_found(answer: httpx2.Response, said: str) -> None:
    """Wherever the gateway hides them; the outermost ones are always the same."""
    with pytest.raises(NotReadableError, match=said):
        Scripted(answer).tenant().restricted(Kind.MAILBOX)


def test_a_hashtable_adds_or_removes() -> None:
    """Nothing else can be asked of a property with several values."""
    assert {"@odata.type": "#Exchange.GenericHashTable", "add": ["a"]} == changed("add", "a")
    with pytest.raises(InputError):
        changed("replace", "a")
