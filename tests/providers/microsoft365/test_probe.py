"""Looking at a tenant: what answers, in which shape, with which permissions, and without a word about anybody."""

from __future__ import annotations

import json
from typing import Any

import httpx2
import pytest

from tests.providers.microsoft365.probed import BOX, EXCHANGE, READ, SENDER, Probed, tenant_wide
from tests.providers.microsoft365.scripted import ADA, NOW, no, one, rows
from workflow.providers.anonymous import anonymous
from workflow.providers.grants import Feature
from workflow.providers.microsoft365.probe import Report, probe
from workflow.providers.microsoft365.shape import shape


def look(script: Probed, user: str = "", **options: Any) -> Report:
    """Probe this tenant."""
    return probe(script.tenant(), NOW, user, **{"features": (Feature.CHECK,)} | options)


def about_ada() -> list[httpx2.Response]:
    """Return the answers about one account."""
    account = one(id=ADA, userPrincipalName="ada@contoso.example", accountEnabled=True)
    return [
        *(rows(SENDER), account, rows(), account, rows(), one(isEnabled=True), one(perUserMfaState="disabled")),
        *(account, rows(), rows(), rows(), account, rows(), rows(), rows(), rows(), rows(BOX)),
        *(rows(), rows(), rows(BOX), account, rows(), account, rows()),
    ]


def test_everything_answers() -> None:
    """Nothing is changed, nothing is missing, nothing is too much."""
    script = Probed(*tenant_wide(), *about_ada())
    steps: list[tuple[int, int]] = []
    report = look(script, "ada@contoso.example", step=lambda done, total: steps.append((done, total)))

    assert {"answered": 17, "skipped": 1} == {
        outcome: sum(finding.outcome == outcome for finding in report.findings) for outcome in ("answered", "skipped")
    }
    assert (True, (), (), ("Global Reader", "x")) == (report.well, report.missing, report.excess, report.roles)
    assert (18, 18) == steps[-1]
    assert not script.answers
    assert "read the list of restricted entities" == report.findings[0].title
    senders = report.findings[0].seen[0]
    assert ("Get-BlockedSenderAddress", 200, "req-1") == (senders.call, senders.status, senders.request)
    assert {
        "CreatedDatetime@odata.type": "=#DateTimeOffset",
        "SenderAddress": "address",
        "TemporaryBlock": "flag",
    } == senders.shape["value"][0]


def test_nobody_is_named() -> None:
    """Neither in shapes nor in refusals."""
    refused = no(404, "x", "Resource 'ada@contoso.example' in contoso.onmicrosoft.com from 203.0.113.7 does not exist")
    answers = about_ada()
    answers[1] = refused
    text = json.dumps(look(Probed(*tenant_wide(), *answers), "ada@contoso.example").to_data(), ensure_ascii=False)

    assert "Resource '…' in … from … does not exist" in text
    for private in ("ada", "contoso", "203.0", ADA, "e30."):
        assert private not in text


def test_without_an_account_the_tenant_is_looked_at() -> None:
    """What is about a person is skipped, and so is a search that takes minutes."""
    report = look(Probed(*tenant_wide()))

    assert 5 == sum(finding.outcome == "answered" for finding in report.findings)
    assert report.well
    searched = Probed(*tenant_wide(), one(id="q", status="succeeded"), rows())
    assert "answered" == look(searched, audit_log=True).findings[-1].outcome


def test_what_did_not_answer_is_told() -> None:
    """Refused, busy and failed are three things, and none stops the others."""
    script = Probed(no(403), httpx2.Response(429, headers={"Retry-After": "900"}), no(403), no(403))
    report = look(script)

    assert ["refused", "busy", "busy", "busy", "refused"] == [finding.outcome for finding in report.findings[:5]]
    assert not report.well
    assert [403] == [seen.status for seen in report.findings[0].seen]
    broken = Probed(rows({"no": "address"}), *tenant_wide()[1:])
    assert "failed" == look(broken).findings[0].outcome


def test_permissions_are_compared() -> None:
    """What is missing, what is too much, and whose absence is another's matter."""
    script = Probed(*tenant_wide())
    script.claims = ({"roles": [*READ[1:], "Mail.ReadWrite"]}, {})
    report = look(script)

    assert (("AuditLog.Read.All", "Exchange.ManageAsApp"), ("Mail.ReadWrite",)) == (report.missing, report.excess)
    assert not report.well
    script = Probed(*tenant_wide())
    script.claims = ({"scp": " ".join(READ)}, {"scp": "Exchange.Manage"})
    assert () == look(script).missing


@pytest.mark.parametrize("claims", [{"roles": "no list"}, [], 7, "opaque"])
def test_tokens_that_say_nothing(claims: Any) -> None:
    """They are the service's own matter."""
    script = Probed(*tenant_wide())
    script.claims = (claims, EXCHANGE)

    assert set(READ) - {"UserAuthenticationMethod.ReadWrite.All"} < set(look(script).missing)


def test_without_a_token_nothing_is_asked() -> None:
    """Why there is none is said once for each service."""
    script = Probed()
    script.claims = ({"error": "invalid_client", "error_description": "no such app"},) * 2
    report = look(script)

    assert {"graph", "exchange"} == set(report.errors)
    assert {"skipped"} == {finding.outcome for finding in report.findings}
    assert ((), False) == (report.missing, report.well)


def test_shapes() -> None:
    """Kinds of values, members of lists together, and names only where they are a program's words."""
    deep: Any = "x"
    for _ in range(20):
        deep = {"a": deep}

    assert {
        "a": "number",
        "b": "null",
        "c": "empty text",
        "d": "text",
        "e": "guid",
        "f": "time",
        "(others)": 1,
    } == shape({"a": 1.5, "b": None, "c": "", "d": "x", "e": ADA, "f": "/Date(17)/", "Ada Lovelace's": 1})
    assert [{"a": "number | text", "b?": "flag"}] == shape([{"a": 1}, {"a": "x", "b": True}])
    assert [[], ["text"], ["number | text"]] == [shape([]), shape(["x", "y"]), shape([1, "x"])]
    assert ["['number'] | number"] == shape([1, [1]])
    assert "…" in json.dumps(shape(deep), ensure_ascii=False)


@pytest.mark.parametrize(
    ("key", "value", "shown"),
    [
        ("x@odata.type", "#microsoft.graph.phoneAuthenticationMethod", "=#microsoft.graph.phoneAuthenticationMethod"),
        ("x@odata.type", "#Collection(String)", "=#Collection(String)"),
        ("x@data.type", "System.DateTime", "=System.DateTime"),
        ("adminapi.warnings@odata.type", "Ada was here!", "text"),
        ("x@odata.type", "AdaLovelace123", "text"),
        ("@odata.type", "#ada.lovelace.contoso.example", "text"),
        ("@odata.type", "ada@contoso.example", "address"),
    ],
)
def test_a_type_is_shown_where_it_is_microsofts(key: str, value: str, shown: str) -> None:
    """Any other word of the same look is a value."""
    assert {key: shown} == shape({key: value})


@pytest.mark.parametrize(
    "key",
    ["ada@contoso.example", "ada@odata.example.com", "contoso.com", "Ada Lovelace", "+44 7700", ADA, "x" * 65, ""],
)
def test_a_key_that_is_no_word_of_a_program_is_counted(key: str) -> None:
    """Some services use what an object is about as the name of a member."""
    assert {"(others)": 1} == shape({key: 1})


def test_what_to_do_stays_readable() -> None:
    """Our own sentences, permissions, calls and fields are known words, and so are Microsoft's usual ones."""
    for said in (
        "Cannot read the account: GET /users/{id} was refused (Request_ResourceNotFound: Resource does not exist).",
        "It takes User.Read.All; 'holdfast tenant permissions' prints how to grant that.",
        "Get-Mailbox: Microsoft 365 is busy and turned it away; nothing was changed. Come back in 40 seconds.",
        "Get-InboxRule: value.ForwardTo is not of the type that is documented for it (dict), so that nothing can be.",
        "GET /users/{id}: no answer (ReadTimeout). Nothing was changed.",
        "Signing in: Entra ID refuses: AADSTS7000215: The application does not accept this credential.",
        "Get-ProtectionAlert: Microsoft 365 fails (status 503). Nothing was changed.",
    ):
        assert said == anonymous(said)


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        (f"user ada@contoso.example ({ADA}) 'Ada L' \"x\" 10.0.0.1", "user … (…) '…"),
        ("Mailbox Ada Lovelace couldn't be found", "Mailbox … couldn't be found"),
        ("CN=Ada Lovelace,OU=contoso.onmicrosoft.com couldn't be found", "… couldn't be found"),
        ("User ada.lovelace of Contoso Ltd has no licence", "User … of … has no licence"),
        ("\u2018ada lovelace\u2019 not found", "\u2018…' not found"),
        ("couldn\u2019t find 'Ada' nor \u201cAda Lovelace\u201d", "couldn't find '…' nor \u201c…\u201d"),
        ("object 'Ada O'Neil' couldn't be found", "object '…' couldn't be found"),
        ("phone +44 7700 900381 invalid", "… invalid"),
        ("fe80::1 refused", "… refused"),
        ("2001:db8::1:2 refused", "… refused"),
        ("the tenant (contoso.com) does not exist", "the tenant (…) does not exist"),
        ("May Grant and Will not allowed; it may", "… and … not allowed; it may"),
        ("Ada_Lovelace is AdaLovelaceException", "… is …"),
        (
            "Microsoft.Exchange.Tasks.ManagementObjectNotFoundException '",
            "Microsoft.Exchange.Tasks.ManagementObjectNotFoundException '",
        ),
    ],
)
def test_messages_are_made_anonymous(said: str, shown: str) -> None:
    """Whatever is not a word that is known to name nobody."""
    assert shown == anonymous(said)
