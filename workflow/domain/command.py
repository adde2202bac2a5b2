"""Commands and portal addresses filled in for a case, safely.

A playbook writes ``Remove-BlockedSenderAddress -SenderAddress {address}``; the value comes from a tenant that
an attacker may have had hands on, and a person pastes the result into a privileged shell. So a value becomes
one single-quoted PowerShell literal and nothing else, and a template that would put it elsewhere is refused.
"""

from __future__ import annotations

import re
from functools import lru_cache
from string import ascii_letters, digits
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
# PowerShell's tokenizer takes the typographic quotes for quotes: a value may hold any of them, a template none.
_SINGLE = "'\u2018\u2019\u201a\u201b"
_DOUBLE = '"\u201c\u201d\u201e'
_TYPOGRAPHIC = _SINGLE[1:] + _DOUBLE[1:]
_DOUBLED = {ord(character): character * 2 for character in _SINGLE}
_BEFORE = frozenset(" \n(,=:;")
_AFTER = frozenset(" \n),;|}")
# A string ends at the next mark of its kind; a doubled mark ends one and begins the next, which comes to the same.
_STRING = re.compile(r"""'[^']*'|"[^"]*\"""")
# All that may stand outside strings. What is left out (the backtick, comments, redirection, the call operator, every
# letter that is not ASCII) either changes where PowerShell sees a string begin or runs what follows.
_BARE = frozenset(ascii_letters + digits + " \n!$%()*+,-./:;=?@[\\]_{|}~'")
# Here-strings, arguments that are not parsed, and what PowerShell reads to its end without minding quotation marks.
_REFUSED = ("@'", "--%", "$(", "${")
# A value must never be run as text.
_RUNNERS = re.compile(r"\b(?:iex|invoke-expression|scriptblock|encodedcommand|expandstring)\b", re.IGNORECASE)
# A command that holds a secret would be printed, recorded and exported: passwords are typed at a prompt.
_SECRET = re.compile(
    rf"-asplaintext|(?:password|secret|token)\s*[=:]\s*[{_SINGLE}{_DOUBLE}]|"
    rf"-[a-z]*(?:password|secret|token)\s+[{_SINGLE}{_DOUBLE}]",
    re.IGNORECASE,
)


@lru_cache(maxsize=256)
def problems(template: str) -> tuple[str, ...]:
    """Say why a command template cannot be filled in safely; nothing when it can.

    PowerShell's tokenizer is not imitated: a template is held to the small part of the language in which it is plain
    where a string begins and ends. There a placeholder has to be a known one and to stand alone as an argument.
    """
    found = []
    if any(mark in template for mark in _TYPOGRAPHIC):
        found.append("a typographic quotation mark is not allowed in a command; type ' or \"")
    if not template.replace("\n", "").isprintable():
        found.append("an invisible character is not allowed in a command")
    strings = [match.span() for match in _STRING.finditer(template)]
    if any(mark in _STRING.sub("", template) for mark in "'\""):
        found.append("a quotation mark is never closed")
    bare = _STRING.sub("''", template)
    found += [f"{text} is not allowed in a command" for text in _REFUSED if text in bare]
    found += [
        f"{character} is not allowed in a command outside quotation marks"
        for character in sorted(set(bare) - _BARE - set(_TYPOGRAPHIC + '"'))
        if character.isprintable()
    ]
    if any(template[start] == '"' and re.search("[$`]", template[start:end]) for start, end in strings):
        found.append("$ and ` are not allowed inside double quotation marks")
    if _SECRET.search(template):
        found.append("a secret is written in the command")
    placeholders = list(_PLACEHOLDER.finditer(template))
    if placeholders and _RUNNERS.search(bare):
        found.append("a command that runs text is not allowed beside a placeholder")
    for match in placeholders:
        found.extend(_placeholder_problems(template, match, strings))
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


def _placeholder_problems(template: str, match: re.Match[str], strings: list[tuple[int, int]]) -> Iterator[str]:
    if match[1] not in PLACEHOLDERS:
        yield f"{match[0]} is not a known placeholder"
    elif any(start <= match.start() < end for start, end in strings):
        yield f"{match[0]} stands inside quotation marks"
    elif template[: match.start()].rstrip().endswith("."):
        yield f"{match[0]} would be run as a command"
    elif template[match.start() - 1 : match.start()] not in _BEFORE | {""} or (
        template[match.end() : match.end() + 1] not in _AFTER | {""}
    ):
        yield f"{match[0]} is glued to other text; it has to stand alone as an argument"
