"""Every answer has the shape that is written down, and nothing beside it."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from tests.providers.simulated.client import Client
from workflow.providers.simulated.audit import DIRECTORY, EXCHANGE_ADMIN, HYGIENE
from workflow.providers.simulated.scenario import NAMED

ANSWERS = json.loads((Path(__file__).parent / "answers.json").read_text())
KINDS: dict[str, Any] = {
    "text": {"type": "string"},
    "time": {"type": "string", "pattern": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{7})?Z$"},
    "guid": {"type": "string", "pattern": "^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$"},
    "flag": {"type": "boolean"},
    "number": {"type": "integer"},
    "object": {"type": "object"},
}
TYPES = {"@odata.type$": {"type": "string"}, "@data.type$": {"type": "string"}}


def schema(shape: Any) -> dict[str, Any]:
    """Return the JSON Schema of a shape: closed, with every member required."""
    if isinstance(shape, dict):
        members = {name: schema(value) for name, value in shape.items()}
        return {"type": "object", "properties": members, "required": list(members), "patternProperties": TYPES,
                "additionalProperties": False}  # fmt: skip
    if isinstance(shape, list):
        page = {"@odata.context": KINDS["text"], "@odata.nextLink": KINDS["text"],
                "value": {"type": "array", "items": schema(shape[0]), "minItems": 1}}  # fmt: skip
        return {
            "type": "object",
            "properties": page,
            "required": ["@odata.context", "value"],
            "additionalProperties": False,
        }
    kind, many, null = re.fullmatch(r"(\w+)(\[\])?(\?)?", shape).groups()  # type: ignore[union-attr]
    one = {"type": "array", "items": KINDS[kind]} if many else KINDS[kind]
    return {"anyOf": [one, {"type": "null"}]} if null else one


@pytest.fixture(scope="module")
def client() -> Client:
    """A tenant in which everything that is looked at is there."""
    asked = Client(replace(NAMED["calm"], audit_lag=(0.0, 0.0)))
    moves = ["sign-in", "rule", "hidden-rule", "method", "consent", "forwarding", "delegate", "role"]
    asked.control("POST", "attacker", {"user": asked.victim().upn, "moves": moves})
    asked.advance(minutes=1)
    return asked


@pytest.mark.parametrize("name", ANSWERS["exchange"])
def test_rows_of_cmdlets(client: Client, name: str) -> None:
    """Each row, with its annotations."""
    upn = client.victim().upn
    needs = {"Get-InboxRule": {"Mailbox": upn, "IncludeHidden": True}}
    given = needs.get(name, {"Identity": upn} if "Permission" in name else {})
    rows = client.rows(name, **given)

    assert rows
    for row in rows:
        Draft202012Validator(schema(ANSWERS["exchange"][name])).validate(row)


@pytest.mark.parametrize("call", ANSWERS["graph"])
def test_answers_of_graph(client: Client, call: str) -> None:
    """Each object, or each page of them."""
    path, _, select = call.replace("{user}", client.victim().id).partition("?$select=")
    query = {"select": select} if select else {}
    reply = client.graph("GET", path, **query)

    Draft202012Validator(schema(ANSWERS["graph"][call])).validate(json.loads(reply.body))


METHODS = {
    "password": {"password": "text?"},
    "phone": {"phoneNumber": "text", "phoneType": "text", "smsSignInState": "text"},
    "microsoftAuthenticator": {"displayName": "text", "deviceTag": "text", "phoneAppVersion": "text"},
    "fido2": {"displayName": "text", "model": "text", "aaGuid": "text?", "attestationLevel": "text"},
}


def test_sign_in_methods(client: Client) -> None:
    """Each kind has its own members, and its type in front."""
    seen = set()
    for account in client.tenant.accounts:
        for row in client.got(f"/users/{account.id}/authentication/methods")["value"]:
            kind = row["@odata.type"].removeprefix("#microsoft.graph.").removesuffix("AuthenticationMethod")
            seen.add(kind)
            shape = {"@odata.type": "text", "id": "text", "createdDateTime": "time?", **METHODS[kind]}
            Draft202012Validator(schema(shape)).validate(row)
    assert set(METHODS) == seen


COMMON = {"CreationTime": "text", "Id": "guid", "Operation": "text", "OrganizationId": "guid", "RecordType": "number",
          "ResultStatus": "text", "UserKey": "text", "UserType": "number", "Version": "number", "Workload": "text",
          "UserId": "text"}  # fmt: skip
RECORDS = {
    HYGIENE: {"Audit": "text", "Event": "text", "EventId": "number", "EventValue": "text", "Reason": "text"},
    EXCHANGE_ADMIN: {"ObjectId": "text", "Parameters": "object[]", "ExternalAccess": "flag", "AppId": "text"},
    DIRECTORY: {"ObjectId": "text", "InterSystemsId": "guid", "Target": "object[]", "ModifiedProperties": "object[]"},
}


@pytest.mark.parametrize("kind", RECORDS)
def test_records_of_the_audit_log(client: Client, kind: int) -> None:
    """Each record type has the common members and its own."""
    found = [item.data for item in client.tenant.audit.unified if item.data["RecordType"] == kind]

    assert found
    for data in found:
        Draft202012Validator(schema({**COMMON, **RECORDS[kind]})).validate(data)


def test_errors_of_the_gateway(client: Client) -> None:
    """A nested error of the gateway has every level that a client may look at."""
    inner = {"message": "text", "type": "text", "stacktrace": "text"}
    shape = {
        "error": {
            "code": "text",
            "message": "text",
            "details": "object[]",
            "innererror": {**inner, "internalexception": inner},
        },
        "adminapi.warnings@odata.type": "text",
        "@adminapi.warnings": "text[]",
    }
    for reply in (client.cmdlet("Get-Mailbox", Identity="ghost"), client.cmdlet("Get-Mailbox", Colour="red")):
        Draft202012Validator(schema(shape)).validate(json.loads(reply.body))
