"""Commands and portal addresses filled in for a case, safely.

A playbook writes ``Remove-BlockedSenderAddress -SenderAddress {address}``; the value comes from a tenant that
an attacker may have had hands on, and a person pastes the result into a privileged shell. So a value becomes
one single-quoted PowerShell literal and nothing else, and a template that would put it elsewhere is refused.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING
from urllib.parse import quote

from workflow.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

PLACEHOLDERS = ("address", "user", "connector_id", "case", "restricted_at")
"""The closed list of values that a playbook may ask for."""

LONGEST_VALUE = 1024
"""Characters; longer than any address, UPN, GUID or time."""

_PLACEHOLDER = re.compile(r"\{([A-Za-z_][A-Za-z0-9_]*)\}")
# PowerShell's tokenizer takes the typographic quotes for quotes, so a value may hold any of them.
_SINGLE = "'\u2018\u2019\u201a\u201b"
_DOUBLE = '"\u201c\u201d\u201e'
_DOUBLED = {ord(character): character * 2 for character in _SINGLE}
_BEFORE = frozenset(" \t\n(,=:;")
_AFTER = frozenset(" \t\n),;|}")
# Ways of quoting that the scanner below does not follow; a playbook has no need of them.
_REFUSED = ("@'", '@"', "<#", "--%")
# A value must never become the name of what is run, nor be run as text.
_RUNS = re.compile(r"(?:(?:^|[\s;({|=])[&.]|invoke-expression|\biex|-encodedcommand)\s*$", re.IGNORECASE)
# A command that holds a secret would be printed, recorded and exported: passwords are typed at a prompt.
_SECRET = re.compile(
    rf"-asplaintext|(?:password|secret|token)\s*[=:]\s*[{_SINGLE}{_DOUBLE}]|"
    rf"-[a-z]*(?:password|secret|token)\s+[{_SINGLE}{_DOUBLE}]",
    re.IGNORECASE,
)


@lru_cache(maxsize=256)
def problems(template: str) -> tuple[str, ...]:
    """Say why a command template cannot be filled in safely; nothing when it can.

    A placeholder has to be a known one and to stand alone as an argument: inside a double-quoted string its
    value would be expanded, inside any other string its quotes would end that string.
    """
    found = [f"{text} is not allowed in a command" for text in _REFUSED if text in template]
    quoted, left_open = _spans(template)
    if left_open:
        found.append("a quotation mark is never closed")
    if any("$(" in template[start:end] for start, end, mark in quoted if mark == '"'):
        found.append("$( is not allowed inside a quoted string")
    if _SECRET.search(template):
        found.append("a secret is written in the command")
    for match in _PLACEHOLDER.finditer(template):
        found.extend(_placeholder_problems(template, match, quoted))
    return tuple(found)


def url_problems(template: str) -> tuple[str, ...]:
    """Say why a portal address cannot be filled in safely; nothing when it can."""
    found = []
    if not re.match(r"https://[A-Za-z0-9.-]+(/|$)", template):
        found.append("a portal address begins with https:// and a host name")
    if not template.isprintable() or " " in template:
        found.append("a portal address has no spaces or invisible characters")
    found.extend(
        f"{{{name}}} is not a known placeholder" for name in _PLACEHOLDER.findall(template) if name not in PLACEHOLDERS
    )
    return tuple(found)


def fill(template: str, values: Mapping[str, str]) -> str:
    """Put the values into a command template, each as a single-quoted PowerShell literal.

    Raises:
        InputError: the template is unsafe, a value it asks for is not given, or a value holds characters that
            cannot be shown (control, direction and other invisible ones) or is too long.
    """
    unsafe = problems(template)
    if unsafe:
        raise InputError(f"The command cannot be filled in: {'; '.join(unsafe)}.")
    return _PLACEHOLDER.sub(lambda match: literal(_value(match[1], values)), template)


def literal(text: str) -> str:
    """Return text as one single-quoted PowerShell literal, in which nothing is expanded and nothing ends it.

    Raises:
        InputError: it holds characters that cannot be shown, or is too long.
    """
    if len(text) > LONGEST_VALUE or not text.isprintable():
        raise InputError("A text that is too long or holds invisible characters cannot stand in a command.")
    return f"'{text.translate(_DOUBLED)}'"


def fill_url(template: str, values: Mapping[str, str]) -> str:
    """Put the values into a portal address, percent-encoded (RFC 3986 section 2.1).

    Raises:
        InputError: as :func:`fill`, and for the values ``.`` and ``..``, which would climb the path.
    """
    unsafe = url_problems(template)
    if unsafe:
        raise InputError(f"The address cannot be filled in: {'; '.join(unsafe)}.")

    def encoded(match: re.Match[str]) -> str:
        value = _value(match[1], values)
        if value in {".", ".."}:
            raise InputError(f"The value of {match[0]} would change the path of the address.")
        return quote(value, safe="")

    return _PLACEHOLDER.sub(encoded, template)


def _value(name: str, values: Mapping[str, str]) -> str:
    value = values.get(name, "")
    if not value:
        raise InputError(f"No value is known for {{{name}}}.")
    if len(value) > LONGEST_VALUE or not value.isprintable():
        raise InputError(
            f"The value of {{{name}}} is too long or holds invisible characters; fill the command in by hand."
        )
    return value


def _placeholder_problems(template: str, match: re.Match[str], quoted: list[tuple[int, int, str]]) -> Iterator[str]:
    if match[1] not in PLACEHOLDERS:
        yield f"{match[0]} is not a known placeholder"
    elif any(start <= match.start() < end for start, end, _ in quoted):
        yield f"{match[0]} stands inside quotation marks or a comment"
    elif _RUNS.search(template, 0, match.start()):
        yield f"{match[0]} would be run as a command"
    elif template[match.start() - 1 : match.start()] not in _BEFORE | {""} or (
        template[match.end() : match.end() + 1] not in _AFTER | {""}
    ):
        yield f"{match[0]} is glued to other text; it has to stand alone as an argument"


def _spans(template: str) -> tuple[list[tuple[int, int, str]], bool]:
    """Return the quoted strings and comments as (start, end, mark), and whether the last one is left open."""
    spans = []
    at = 0
    while at < len(template):
        character = template[at]
        if character == "`":
            at += 2
        elif character in _SINGLE or character in _DOUBLE:
            end = _end_of_string(template, at)
            spans.append((at, end, '"' if character in _DOUBLE else "'"))
            if end > len(template):
                return spans, True
            at = end
        elif character == "#" and (at == 0 or template[at - 1] in " \t\n;({|"):
            end = template.find("\n", at)
            end = len(template) if end < 0 else end
            spans.append((at, end, "#"))
            at = end
        else:
            at += 1
    return spans, False


def _end_of_string(template: str, start: int) -> int:
    """Return the index after the closing mark, or one past the end when there is none.

    A doubled mark is an escaped one to PowerShell; ending and beginning again there comes to the same.
    """
    double = template[start] in _DOUBLE
    marks = _DOUBLE if double else _SINGLE
    at = start + 1
    while at < len(template):
        if double and template[at] == "`":
            at += 1
        elif template[at] in marks:
            return at + 1
        at += 1
    return len(template) + 1
