"""Subjects: the mailboxes, connectors, users and people that cases are about, by normalised identifier."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from uuid import UUID

from workflow.domain.vocabulary import Kind
from workflow.errors import InputError

MAX_IDENTIFIER = 320
"""Characters: the longest SMTP address (RFC 3696 errata 1690: 64 + 1 + 255)."""


_UNSEEN = frozenset({"Cc", "Cf", "Cn", "Co", "Cs", "Zl", "Zp"})


@dataclass(frozen=True, slots=True)
class Subject:
    """One row of the erasable register: an opaque id and the identifier it stands for."""

    id: str
    tenant: str
    kind: Kind
    identifier: str


_IGNORED = (
    *((0x034F, 0x034F), (0x115F, 0x1160), (0x17B4, 0x17B5), (0x180B, 0x180F), (0x2800, 0x2800), (0x3164, 0x3164)),
    *((0xFE00, 0xFE0F), (0xFFA0, 0xFFA0), (0x16FE4, 0x16FE4), (0x1D159, 0x1D159), (0xE0000, 0xE0FFF)),
)
"""What shows nothing and is no control: Default_Ignorable_Code_Point of Unicode, and blanks that count as letters."""
_SCRIPTS = frozenset({"LATIN", "GREEK", "CYRILLIC"})
"""Alphabets that share letters by their looks."""


def check_name(name: str) -> None:
    """Refuse a person's name that looks like another one.

    Raises:
        InputError: it holds what cannot be seen, letters of several alphabets that look alike, or other forms of
            letters; or it is the name of Holdfast itself.
    """
    text = unicodedata.normalize("NFC", name.strip())
    for character in text:
        if unicodedata.category(character) in _UNSEEN or any(low <= ord(character) <= high for low, high in _IGNORED):
            message = f"The name {text[:60]!a} holds U+{ord(character):04X}, which cannot be seen: leave it out."
            raise InputError(message)
    plain = unicodedata.normalize("NFKC", text)
    if plain.casefold() != text.casefold():
        message = f"The name {text[:60]!r} is written with other forms of letters: write {plain[:60]!r}."
        raise InputError(message)
    scripts = {unicodedata.name(letter, "").partition(" ")[0] for letter in text if letter.isalpha()} & _SCRIPTS
    if len(scripts) > 1:
        mixed = " and ".join(sorted(script.capitalize() for script in scripts))
        message = f"The name {text[:60]!r} mixes {mixed} letters, which look alike: write it in one alphabet."
        raise InputError(message)
    if text.casefold() == "system":
        message = "The name 'system' stands for Holdfast itself: choose another one."
        raise InputError(message)


def folded_tenant(name: str) -> str:
    """Return a tenant's name as it is compared, whatever stands in it."""
    return unicodedata.normalize("NFC", name.strip()).casefold()


def tenant_name(name: str) -> str:
    """Return a tenant's name in its one spelling: two spellings would be two cases about one mailbox.

    Raises:
        InputError: it has control or invisible characters, by which two names look like one.
    """
    folded = folded_tenant(name)
    if seen(folded) != folded:
        message = f"The tenant's name {folded[:60]!r} contains control or invisible characters."
        raise InputError(message)
    return folded


def seen(text: str) -> str:
    """Return text without what nobody sees: control characters and other invisible ones."""
    return "".join(character for character in text if unicodedata.category(character)[0] != "C")


@lru_cache(maxsize=1024)
def normalise(kind: Kind, identifier: str) -> str:
    """Return the identifier in the one spelling under which subjects are compared.

    Addresses are NFC-normalised and case-folded (Exchange compares them without case); connector GUIDs become
    lower-case with hyphens and without braces; people keep their spelling but are case-folded, with one blank between
    words: more of them cannot be told from it.

    Raises:
        InputError: the text is empty, too long, has control or invisible characters, or is no address or GUID.
    """
    text = unicodedata.normalize("NFC", identifier.strip())
    if kind is Kind.CONNECTOR:
        try:
            return str(UUID(text))
        except ValueError:
            message = f"{text[:60]!r} is not a connector id: expected a GUID such as Get-BlockedConnector prints."
            raise InputError(message) from None
    if kind is not Kind.PERSON and text[:5].lower() == "smtp:":
        text = text[5:]
    if not text or len(text) > MAX_IDENTIFIER:
        message = f"An identifier has 1 to {MAX_IDENTIFIER} characters; this one has {len(text)}."
        raise InputError(message)
    if seen(text) != text:
        message = f"{text[:60]!r} contains control or invisible characters."
        raise InputError(message)
    if kind is not Kind.PERSON:
        local, at, domain = text.rpartition("@")
        if not (local and at and domain) or any(character.isspace() for character in text):
            message = f"{text[:60]!r} is not an address: expected something like ada@contoso.com."
            raise InputError(message)
    return (" ".join(text.split()) if kind is Kind.PERSON else text).casefold()
