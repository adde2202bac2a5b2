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


@dataclass(frozen=True, slots=True)
class Subject:
    """One row of the erasable register: an opaque id and the identifier it stands for."""

    id: str
    tenant: str
    kind: Kind
    identifier: str


@lru_cache(maxsize=1024)
def normalise(kind: Kind, identifier: str) -> str:
    """Return the identifier in the one spelling under which subjects are compared.

    Addresses are NFC-normalised and case-folded (Exchange compares them without case); connector GUIDs become
    lower-case with hyphens and without braces; people keep their spelling but are case-folded.

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
    if any(unicodedata.category(character)[0] == "C" for character in text):
        message = f"{text[:60]!r} contains control or invisible characters."
        raise InputError(message)
    if kind is not Kind.PERSON:
        local, at, domain = text.rpartition("@")
        if not (local and at and domain) or any(character.isspace() for character in text):
            message = f"{text[:60]!r} is not an address: expected something like ada@contoso.com."
            raise InputError(message)
    return text.casefold()
