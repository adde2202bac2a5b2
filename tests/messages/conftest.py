"""Receivers and a message for these tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.messages.receivers import Receiver, http_receiver, mail_receiver
from workflow.messages.message import Message


@pytest.fixture
def hook() -> Iterator[Receiver]:
    """An HTTP server."""
    with http_receiver() as found:
        yield found


@pytest.fixture
def post() -> Iterator[Receiver]:
    """A mail server."""
    with mail_receiver() as found:
        yield found


@pytest.fixture
def message() -> Message:
    """A message with a hostile name in it."""
    return Message(
        id="alert_1",
        policy="restricted",
        severity="high",
        title="User restricted\r\nBcc: eve@evil.example",
        lines=("Case #1 is detected",),
        raised_at="2026-11-24T08:00:00.000000Z",
        advice="Contain it.",
        command="holdfast case view 1",
        cases=(1,),
        alerts=("alert_1",),
        entity="<b>ada</b>\u202e@contoso.example & [link](https://evil.example)",
    )
