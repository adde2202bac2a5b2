"""Subjects are compared in one spelling, and what cannot be one is refused."""

from __future__ import annotations

import pytest

from workflow.domain.subject import normalise
from workflow.domain.vocabulary import Kind
from workflow.errors import InputError


@pytest.mark.parametrize(
    ("kind", "text", "expected"),
    [
        (Kind.MAILBOX, " Ada@Contoso.COM ", "ada@contoso.com"),
        (Kind.MAILBOX, "SMTP:Ada@contoso.com", "ada@contoso.com"),
        (Kind.USER, "Stra\u00dfe@contoso.com", "strasse@contoso.com"),
        (Kind.USER, "e\u0301va@contoso.com", "\u00e9va@contoso.com"),
        (Kind.CONNECTOR, "{6F9619FF-8B86-D011-B42D-00C04FC964FF}", "6f9619ff-8b86-d011-b42d-00c04fc964ff"),
        (Kind.PERSON, "Ann Smith", "ann smith"),
        (Kind.PERSON, "smtp:ann", "smtp:ann"),
    ],
)
def test_one_spelling(kind: Kind, text: str, expected: str) -> None:
    """Case, composition, prefixes and braces make no second subject."""
    assert expected == normalise(kind, text)


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        (Kind.CONNECTOR, "my connector"),
        (Kind.MAILBOX, ""),
        (Kind.MAILBOX, "a" * 320 + "@contoso.com"),
        (Kind.MAILBOX, "ada\u200b@contoso.com"),
        (Kind.PERSON, "ann\u0007"),
        (Kind.MAILBOX, "ada"),
        (Kind.MAILBOX, "@contoso.com"),
        (Kind.MAILBOX, "ada@"),
        (Kind.MAILBOX, "ada smith@contoso.com"),
    ],
)
def test_what_is_no_subject(kind: Kind, text: str) -> None:
    """Empty, endless, invisible or shapeless text is refused before it becomes a key."""
    with pytest.raises(InputError):
        normalise(kind, text)
