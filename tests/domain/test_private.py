"""Private texts: what looks as if it held a secret."""

from __future__ import annotations

import pytest

from workflow.domain.private import looks_secret


@pytest.mark.parametrize(
    "text",
    [
        "password: Winter2026!",
        "new Passwort = geheim12",
        "PWD=hunter22",
        '{"client_secret": "8Q~abcdef"}',
        "sent with access_token",
        "Authorization: Bearer abcdefghijklmnop.qrst",
        "eyJ0eXAiOiJKV1QiLCJhbGciOiJSUzI1NiJ9.e30.x",
        "api key: 0123456789",
        "two lines\ntoken:\tabcd1234",
    ],
)
def test_what_looks_like_a_secret(text: str) -> None:
    """A word for one with a value behind it, or what a token itself begins with."""
    assert looks_secret(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "INC-1042",
        "password reset by telephone",
        "tokens revoked",
        "password:",
        "the bearer of news",
        "eyJ",
        "pwd = x",
    ],
)
def test_what_does_not(text: str) -> None:
    """Speaking of one is no secret."""
    assert not looks_secret(text)
