"""Subjects are compared in one spelling, and what cannot be one is refused."""

from __future__ import annotations

import pytest

from workflow.domain.subject import check_name, normalise
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
        (Kind.PERSON, " Ann \u2003 Smith", "ann smith"),
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


@pytest.mark.parametrize(
    ("name", "told"),
    [
        *(
            (f"ana{mark}", "cannot be seen: leave it out")
            for mark in "\u115f\u1160\u3164\uffa0\u2800\u034f\u17b4\u180b"
        ),
        *(
            (f"a{mark}na", "cannot be seen: leave it out")
            for mark in "\u200b\u200d\ufe0f\u00ad\u2060\u202e\U000e0041\0"
        ),
        ("\uff41\uff4e\uff41", "write 'ana'"),
        ("ana\u00b2", "write 'ana2'"),
        ("ana\u00a0b", "write 'ana b'"),
        ("b\u0435n", "mixes Cyrillic and Latin letters"),
        ("\u03bfla", "mixes Greek and Latin letters"),
        ("\u03bf\u043b", "mixes Cyrillic and Greek letters"),
        ("system", "stands for Holdfast itself"),
        (" SyStem ", "stands for Holdfast itself"),
        ("\uff33ystem", "write 'System'"),
    ],
)
def test_names_that_look_like_others(name: str, told: str) -> None:
    """Two people that nobody can tell apart would be a second person who is none."""
    with pytest.raises(InputError, match=told):
        check_name(name)


@pytest.mark.parametrize(
    "name",
    [
        *(
            "ana",
            "Ann-Marie O\u2019Neil",
            "Jos\u00e9",
            "Jose\u0301",
            "Stra\u00dfer",
            "ada@contoso.com",
            "D\\ada",
            "\ubc15 \uc9c0\ubbfc",
        ),
        *(
            "\u0418\u0432\u0430\u043d 2",
            "\u0395\u03bb\u03ad\u03bd\u03b7",
            "\u9648\u4f1f",
            "\u0645\u0631\u06cc\u0645",
            "systems",
            "",
        ),
    ],
)
def test_names_of_any_alphabet(name: str) -> None:
    """One alphabet, or none of those that look alike."""
    check_name(name)
