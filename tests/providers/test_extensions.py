"""What the contract has beside what it was derived from: each with its source, and held as strictly as the rest."""

from __future__ import annotations

import json
import re
import uuid
from typing import Any

import httpx2
import pytest

from tests.providers.contract import EXCHANGE, EXTENSIONS, GRAPH, ContractError, check

REFERENCE = re.compile(r"https://learn\.microsoft\.com/(graph/api|powershell/module/exchangepowershell)/[a-z-]+")
SAMPLES = {"text": "x", "texts": ["x"], "no": False, "yes": True, "guid": str(uuid.UUID(int=1))}
CMDLETS = sorted(name for name in EXTENSIONS if " " not in name)
CALLS = sorted(name for name in EXTENSIONS if " /" in name)


def sent(cmdlet: str, parameters: dict[str, Any]) -> httpx2.Request:
    """Return a call of the gateway."""
    url = f"https://outlook.office365.com/adminapi/beta/{uuid.UUID(int=2)}/InvokeCommand"
    body = {"CmdletInput": {"CmdletName": cmdlet, "Parameters": parameters}}
    return httpx2.Request("POST", url, json=body, headers=headers() | {"X-AnchorMailbox": "UPN:ada@contoso.example"})


def headers() -> dict[str, str]:
    """Return what every call carries."""
    return {"Authorization": "Bearer x", "client-request-id": str(uuid.UUID(int=3))}


@pytest.mark.parametrize(("name", "source"), EXTENSIONS.items())
def test_each_names_its_source(name: str, source: str) -> None:
    """It stands in the contract, and on a page of Microsoft's reference."""
    cmdlet, _, parameter = name.partition(" ")

    assert REFERENCE.fullmatch(source)
    if name in CALLS:
        assert name in {row["call"] for row in GRAPH}
    elif parameter:
        assert parameter in EXCHANGE[cmdlet]["optional"]
    else:
        assert cmdlet in EXCHANGE


@pytest.mark.parametrize("name", CMDLETS)
def test_a_cmdlet_has_its_parameters_and_no_others(name: str) -> None:
    """One too many, one too few and one of another kind are refused."""
    given = {parameter: SAMPLES[kind] for parameter, kind in EXCHANGE[name].get("required", {}).items()}

    check(sent(name, given))
    for wrong in (given | {"Extra": 1}, *({**given, parameter: {"x": 1}} for parameter in given)):
        with pytest.raises(ContractError, match=name):
            check(sent(name, wrong))
    for missing in given:
        with pytest.raises(ContractError, match=name):
            check(sent(name, {parameter: value for parameter, value in given.items() if parameter != missing}))


@pytest.mark.parametrize("name", CALLS)
def test_a_call_has_its_body_and_no_other(name: str) -> None:
    """Nor a query."""
    method, path = name.split(" ")
    url = "https://graph.microsoft.com" + re.sub(r"\{\w+\}", "x", path)
    row = next(row for row in GRAPH if row["call"] == name)
    bodies: list[Any] = [{member: SAMPLES[kind] for member, kind in body.items()} for body in row.get("bodies", [])]

    for body in bodies or [None]:
        check(httpx2.Request(method, url, json=body, headers=headers()))
    for extra in ({"content": json.dumps({"extra": 1})}, {"params": {"$top": "1"}}):
        with pytest.raises(ContractError):
            check(httpx2.Request(method, url, headers=headers(), **extra))
