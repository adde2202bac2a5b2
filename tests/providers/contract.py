"""Holds what Holdfast sends against the project's own contract, strictly: what it does not name may not be sent."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import httpx2

FOLDER = Path(__file__).parent / "contracts"
EXCHANGE_FILE, GRAPH_FILE = (
    json.loads((FOLDER / name).read_text(encoding="utf-8")) for name in ("exchange.json", "graph.json")
)
EXCHANGE: dict[str, Any] = EXCHANGE_FILE["cmdlets"]
GRAPH: list[dict[str, Any]] = GRAPH_FILE["calls"]
EXTENSIONS: dict[str, str] = EXCHANGE_FILE["extensions"] | GRAPH_FILE["extensions"]
"""What stands in the contract beside what it was derived from, with the page of Microsoft's reference that has it."""
GUID = r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"
PATHS = [
    (
        row["call"].split(" ")[0],
        re.compile(re.sub(r"\\\{\w+\\\}", "[^/?#]+", re.escape(row["call"].split(" ")[1]))),
        row,
    )
    for row in GRAPH
]
"""Of each call its method, what its path looks like, and its row."""
GATEWAY = re.compile(rf"/adminapi/beta/{GUID}/InvokeCommand")
ANCHOR = re.compile(rf"UPN:[!-~]+@[!-~]+|APP:SystemMailbox\{{{GUID}\}}@{GUID}")
BEARER = re.compile(r"Bearer [\w.~+/=-]+")


class ContractError(AssertionError):
    """Something was sent that the contract does not name."""


def conforms(value: Any, kind: Any) -> bool:
    """Say whether a value is of a kind; an object of kinds has exactly these members."""
    if isinstance(kind, dict):
        same = isinstance(value, dict) and set(value) == set(kind)
        return same and all(conforms(value[name], inner) for name, inner in kind.items())
    checks = {
        "text": isinstance(value, str) and value != "",
        "text or null": value is None or (isinstance(value, str) and value != ""),
        "guid": isinstance(value, str) and re.fullmatch(GUID, value) is not None,
        "texts": isinstance(value, list) and bool(value) and all(isinstance(item, str) for item in value),
        "flag": isinstance(value, bool),
        "yes": value is True,
        "no": value is False,
        "added or removed": isinstance(value, dict)
        and value.get("@odata.type") == "#Exchange.GenericHashTable"
        and set(value) - {"@odata.type"} in ({"add"}, {"remove"}),
    }
    return checks[kind]


def check(request: httpx2.Request) -> None:
    """Raise where a request is not what the contract says.

    Raises:
        ContractError: names what is wrong with it.
    """
    if not BEARER.fullmatch(request.headers.get("authorization", "")):
        raise ContractError("a call without a token")
    if not re.fullmatch(GUID, request.headers.get("client-request-id", "")):
        raise ContractError("a call without an id of ours")
    if request.url.path.casefold().startswith("/adminapi/"):
        _gateway(request)
    else:
        _graph(request)


def _gateway(request: httpx2.Request) -> None:
    if request.method != "POST" or not GATEWAY.fullmatch(request.url.path):
        raise ContractError(f"{request.method} {request.url.path}")
    if not ANCHOR.fullmatch(request.headers.get("x-anchormailbox", "")):
        raise ContractError("the anchor mailbox")
    body = json.loads(request.content)
    if list(body) != ["CmdletInput"] or list(body["CmdletInput"]) != ["CmdletName", "Parameters"]:
        raise ContractError("the envelope")
    name, sent = body["CmdletInput"]["CmdletName"], body["CmdletInput"]["Parameters"]
    if name not in EXCHANGE:
        raise ContractError(name)
    required, optional = EXCHANGE[name].get("required", {}), EXCHANGE[name].get("optional", {})
    missing, undeclared = set(required) - set(sent), set(sent) - set(required) - set(optional)
    wrong = {key for key, kind in (required | optional).items() if key in sent and not conforms(sent[key], kind)}
    if missing or undeclared or wrong:
        raise ContractError(f"{name}: missing {missing}, undeclared {undeclared}, wrong {wrong}")


def _graph(request: httpx2.Request) -> None:
    path = request.url.raw_path.decode().partition("?")[0]
    fits = (row for method, pattern, row in PATHS if method == request.method and pattern.fullmatch(path))
    row = next(fits, None)
    if row is None:
        raise ContractError(f"{request.method} {path}")
    for name, value in request.url.params.multi_items():
        if not re.fullmatch(row.get("query", {}).get(name, "(?!)"), value):
            raise ContractError(f"{row['call']}: {name}={value}")
    bodies = row.get("bodies", [])
    if request.content and not any(conforms(json.loads(request.content), body) for body in bodies):
        raise ContractError(f"{row['call']}: its body")
    if bodies and not request.content:
        raise ContractError(f"{row['call']}: no body")
