"""Microsoft's reason, as far as it can be understood."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workflow.domain.vocabulary import RestrictionStatus
from workflow.sources.reason import parse, status

LIMIT = (
    "EmailSendingLimitExceeded;InternalRecipientCountToday=42;ExternalRecipientCountToday=10011;"
    "ExceedingLimitType={};Last MessagetraceId=5;LastMessageRcptCount=80;"
)


@pytest.mark.parametrize(
    ("text", "kind", "headline"),
    [
        ("OutboundSpamLast24Hours=312;OutboundMailLast24Hours=1840;Last Spam Message MessagetraceId:9", "",
         "312 spam of 1,840 mails in 24 h"),
        ("OutboundSpamLast24Hours=312", "", "312 spam in 24 h"),
        (LIMIT.format("External"), "EmailSendingLimitExceeded",
         "10,011 external recipients today, limit type External"),
        (LIMIT.format("Internal"), "EmailSendingLimitExceeded",
         "42 internal recipients today, limit type Internal"),
        (LIMIT.format("\x1b[2J"), "EmailSendingLimitExceeded", "10,011 external recipients today"),
        ("X;InternalRecipientCountToday:7", "X", "7 internal recipients today"),
        ("RecipientRateLimitExceeded;RecipientCountLast24Hours=10050;RcptRateLimit=10000",
         "RecipientRateLimitExceeded", "10,050 recipients in 24 h, limit 10,000"),
        ("RecipientCountLast24Hours=5", "", "5 recipients in 24 h"),
        ("OutboundSpamLast24Hours=many;OutboundMailLast24Hours=-1", "", ""),
        ("OutboundSpamLast24Hours=" + "9" * 5000, "", ""),
        ("", "", ""),
        ("Blocked by an admin", "Blocked by an admin", ""),
    ],
)  # fmt: skip
def test_headlines(text: str, kind: str, headline: str) -> None:
    """The counts that led to the restriction are told in one phrase, where there are any."""
    reason = parse(text)

    assert (kind, headline) == (reason.kind, reason.headline)


def test_fields() -> None:
    """Names may hold spaces, either separator ends them, and the first separator counts."""
    reason = parse("Kind; AS:1230 ;CIP=2001:db8::7;Last Spam Message MessagetraceId:ab-1;second bare")

    assert "Kind" == reason.kind
    assert ("1230", "2001:db8::7", "ab-1", "") == (
        reason.value("as"),
        reason.value("CIP"),
        reason.value("last spam message messagetraceid"),
        reason.value("absent"),
    )


@given(st.text())
def test_it_never_fails(text: str) -> None:
    """Any text is a reason, and the text itself is kept."""
    reason = parse(text)

    assert text == reason.raw
    assert isinstance(reason.headline, str)


def test_it_is_bounded() -> None:
    """No text makes more fields than are worth reading."""
    assert len(parse("a=1;" * 100_000).fields) <= 64


@pytest.mark.parametrize(
    ("text", "temporary", "expected"),
    [
        ("OutboundSpamLast24Hours=200", None, RestrictionStatus.LISTED),
        ("OutboundSpamLast24Hours=200", True, RestrictionStatus.TEMPORARY),
        ("RecipientRateLimitExceeded;RcptRateLimit=10000", None, RestrictionStatus.TEMPORARY),
        ("recipientratelimitexceeded;RcptRateLimit=10000", False, RestrictionStatus.TEMPORARY),
        ("RcptRateLimit=10000;Note=RecipientRateLimitExceeded", False, RestrictionStatus.LISTED),
        ("", None, RestrictionStatus.LISTED),
    ],
)
def test_a_limit_over_24_hours_ends_by_itself(
    text: str,
    temporary: bool | None,  # noqa: FBT001 - a column of the table
    expected: RestrictionStatus,
) -> None:
    """Whatever the row says of itself."""
    assert expected is status(text, temporary=temporary)
