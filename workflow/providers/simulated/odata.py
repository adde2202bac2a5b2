"""What Graph understands of ``$select``, ``$filter``, ``$top`` and pages; the rest it refuses."""

from __future__ import annotations

import base64
import re
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from workflow.providers.simulated.messages import Json, RefusedError
from workflow.providers.simulated.refusals import GraphError
from workflow.providers.simulated.stamp import parsed

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Sequence

    from workflow.providers.simulated.messages import Request

_CLAUSE = re.compile(r"^([A-Za-z0-9_/]+)\s+(eq|ne|ge|gt|le|lt)\s+('(?:[^']|'')*'|[^\s']+)$")
_ANY = re.compile(r"^([A-Za-z]+)/any\(\s*(\w+)\s*:\s*\2/([A-Za-z/]+)\s+eq\s+'((?:[^']|'')*)'\s*\)$")
_COMPARED: dict[str, Callable[[Any, Any], bool]] = {
    "eq": lambda left, right: bool(left == right),
    "ne": lambda left, right: bool(left != right),
    "ge": lambda left, right: bool(left >= right),
    "gt": lambda left, right: bool(left > right),
    "le": lambda left, right: bool(left <= right),
    "lt": lambda left, right: bool(left < right),
}
MOST = 1000


def unsupported(what: str) -> GraphError:
    """Return Graph's error for a query that it does not understand."""
    return GraphError(400, "Request_UnsupportedQuery", f"Unsupported or invalid query: {what[:80]}")


def clauses(text: str) -> list[str]:
    """Return the parts of a filter that ``and`` joins, texts in quotes left whole."""
    found, depth, quoted, start = [], 0, False, 0
    for index, sign in enumerate(text):
        if sign == "'":
            quoted = not quoted
        elif not quoted and sign in "()":
            depth += 1 if sign == "(" else -1
        elif not quoted and depth == 0 and text[index : index + 5].casefold() == " and ":
            found.append(text[start:index].strip())
            start = index + 5
    return [*found, text[start:].strip()]


def equal_to(text: str, path: str) -> str | None:
    """Return, in small letters, the text that a filter wants a path to be equal to; None where it wants none."""
    for clause in map(_CLAUSE.match, clauses(text)):
        if clause is not None and (clause[1], clause[2]) == (path, "eq") and clause[3].startswith("'"):
            return clause[3][1:-1].replace("''", "'").casefold()
    return None


def filtered(rows: Iterable[Json], text: str, fields: Collection[str]) -> list[Json]:
    """Return the rows that a filter lets through.

    Args:
        rows: plain values.
        text: the filter, "" for all.
        fields: paths that can be filtered on; others are refused, as Graph refuses them.

    Raises:
        GraphError: the filter is not understood.
    """
    tests = [_test(clause, fields) for clause in clauses(text)] if text.strip() else []
    return [row for row in rows if all(test(row) for test in tests)]


def _test(clause: str, fields: Collection[str]) -> Callable[[Json], bool]:
    inner = clause[1:-1].strip() if clause.startswith("(") and clause.endswith(")") else clause
    within = _ANY.match(inner)
    if within is not None and f"{within[1]}/{within[3]}" in fields:
        wanted = within[4].replace("''", "'").casefold()
        return lambda row: any(str(_at(item, within[3])).casefold() == wanted for item in row.get(within[1]) or [])
    plain = _CLAUSE.match(inner)
    if plain is None or plain[1] not in fields:
        raise unsupported(clause)
    path, operator, literal = plain[1], _COMPARED[plain[2]], plain[3]
    return lambda row: _compares(_at(row, path), operator, literal)


def _at(row: Any, path: str) -> Any:
    for name in path.split("/"):
        row = row.get(name) if isinstance(row, dict) else None
    return row


def _compares(value: Any, operator: Callable[[Any, Any], bool], literal: str) -> bool:
    if literal.startswith("'"):
        return value is not None and operator(str(value).casefold(), literal[1:-1].replace("''", "'").casefold())
    try:
        if literal in {"true", "false", "null"}:
            return operator(value, {"true": True, "false": False, "null": None}[literal])
        if isinstance(value, int):
            return operator(value, float(literal))
        return value is not None and operator(parsed(str(value)), parsed(literal))
    except (RefusedError, TypeError, ValueError):
        raise unsupported(literal) from None


def selected(row: Json, text: str, known: Collection[str], default: Sequence[str]) -> Json:
    """Return a row with the members that ``$select`` names, or the default ones.

    Raises:
        GraphError: one of them does not exist.
    """
    names = [item.strip() for item in text.split(",") if item.strip()] or list(default)
    for name in names:
        if name not in known:
            raise GraphError(
                400, "BadRequest", f"Could not find a property named '{name}' on type 'microsoft.graph.user'."
            )
    return {"id": row["id"], **{name: row[name] for name in names}}


def page(request: Request, rows: Sequence[Json], context: str, size: int, most: int = MOST) -> Json:
    """Return one page of a list and, where there is more, the link to the next.

    Raises:
        GraphError: ``$top`` or the page's token is no such thing.
    """
    top = request.query.get("$top", "")
    if top and (not top.isdecimal() or not 1 <= int(top) <= most):
        raise unsupported(f"$top={top}")
    size = int(top) if top else size
    skip = _skipped(request.query.get("$skiptoken", "")) or _whole(request.query.get("$skip", ""))
    body: Json = {"@odata.context": f"{request.base}/v1.0/$metadata#{context}"}
    if skip + size < len(rows):
        token = base64.urlsafe_b64encode(f"from={skip + size}".encode()).decode().rstrip("=")
        kept = [(name, value) for name, value in request.query.items() if name not in {"$skiptoken", "$skip"}]
        query = "&".join(f"{quote(name)}={quote(value, safe='')}" for name, value in [*kept, ("$skiptoken", token)])
        body["@odata.nextLink"] = f"{request.base}{quote(request.path)}?{query}"
    body["value"] = list(rows[skip : skip + size])
    return body


def _skipped(token: str) -> int:
    if not token:
        return 0
    try:
        text = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)).decode()
    except ValueError:
        text = ""
    if not text.startswith("from=") or not text[5:].isdecimal():
        raise GraphError(400, "Directory_ExpiredPageToken", "The specified page token value has expired.")
    return int(text[5:])


def _whole(text: str) -> int:
    return int(text) if text.isdecimal() else 0
