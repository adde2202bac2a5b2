"""Untrusted text on a terminal: the one place where it is made harmless and measured.

Addresses, reasons, notes and names come from tenants, mails and people. Printed as they are, they could move the
cursor, hide or reorder text, or fake a line of output. Here every such character becomes visible.
"""

from __future__ import annotations

import re
import unicodedata

CLAIMED = " (claimed)"
"""What stands behind a name that nobody authenticated."""
_MARKUP = re.compile(r"[\\`*_\[\]>|~#]|:(?=//)|(?<=\bwww)\.", re.IGNORECASE)
_NAMED = {"\n": "\\n", "\r": "\\r", "\t": "\\t", "\x1b": "\\x1b"}
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\uff1d", "\uff0b", "\uff0d", "\uff20")
"""What begins a formula, in full width too: spreadsheets set for Chinese or Japanese take one for the other."""
_FORMULA_LATER = re.compile(rf'(?<=[;\t\r\n])(?="*[{"".join(map(re.escape, _FORMULA))}])')
"""Before what begins a formula once a cell was split; a quote there would open a cell and be dropped."""
_LAST_OF_TWO_DIGITS = 0xFF
_LAST_OF_FOUR_DIGITS = 0xFFFF
_MOST_MARKS = 3
"""Combining marks on one letter; more of them only bury the lines above and below."""


def visible(text: object, limit: int = 0) -> str:
    r"""Return text on one line in which nothing is hidden.

    Control, escape, direction and other invisible characters and line breaks become ``\n``, ``\x1b``, ``\u202e``
    and the like. With ``limit`` the result has at most that many columns, the last one an ellipsis.
    """
    shown = []
    marks = 0
    for character in str(text):
        category = unicodedata.category(character)
        marks = marks + 1 if category in {"Mn", "Me"} else 0
        if category[0] == "C" or category in {"Zl", "Zp"} or marks > _MOST_MARKS:
            shown.append(_escaped(character))
        else:
            shown.append(" " if category == "Zs" else character)
    line = "".join(shown)
    return shortened(line, limit) if limit else line


def _escaped(character: str) -> str:
    code = ord(character)
    if character in _NAMED:
        return _NAMED[character]
    if code <= _LAST_OF_TWO_DIGITS:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code <= _LAST_OF_FOUR_DIGITS else f"\\U{code:08x}"


def markdown(text: object, limit: int = 0) -> str:
    """Return visible text of which a Markdown reader makes neither markup, nor a link, nor HTML."""
    return _MARKUP.sub(r"\\\g<0>", visible(text, limit)).replace("&", "&amp;").replace("<", "&lt;")


def paragraphs(text: str, indent: str, limit: int = 40) -> list[str]:
    """Return a text of several lines, each made visible and indented, so that none can pass for a line of ours."""
    lines = text.replace("\r\n", "\n").split("\n")
    shown = [f"{indent}{visible(line)}" for line in lines[:limit]]
    return [*shown, f"{indent}… {len(lines) - limit} more lines"] if len(lines) > limit else shown


def width(text: str) -> int:
    """Return how many columns a terminal gives to visible text: two for wide characters, none for marks."""
    if text.isascii():
        return len(text)
    return sum(_columns(character) for character in text)


def _columns(character: str) -> int:
    if unicodedata.category(character) in {"Mn", "Me"}:
        return 0
    return 2 if unicodedata.east_asian_width(character) in {"W", "F"} else 1


def shortened(text: str, limit: int) -> str:
    """Return visible text cut to so many columns, with an ellipsis where something was cut."""
    if width(text) <= limit:
        return text
    kept, used = [], 0
    for character in text:
        used += _columns(character)
        if used > limit - 1:
            break
        kept.append(character)
    return "".join(kept) + "…"


def padded(text: str, columns: int) -> str:
    """Return visible text filled with spaces to so many columns."""
    return text + " " * max(0, columns - width(text))


def cell(value: object) -> str:
    """Return a CSV cell that a spreadsheet takes for text and never for a formula (OWASP, CSV injection).

    That holds where semicolons or tabs separate as well: there a line is split inside this cell, quotes or not, and
    each piece is a cell. Control and direction characters become visible, line breaks aside: a table is printed on
    terminals too.
    """
    text = "" if value is None else str(value)
    if not text.isprintable():
        text = "".join(item if item in "\n\r\t" or item.isprintable() else visible(item) for item in text)
    text = _FORMULA_LATER.sub("'", text)
    return "'" + text if text.startswith(_FORMULA) else text
