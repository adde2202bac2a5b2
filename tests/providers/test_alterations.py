"""Which records tell of which change, and of whose account."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from workflow.domain.vocabulary import Alteration
from workflow.providers.alterations import ALTERATIONS, OPERATIONS, account_of, alteration_of
from workflow.providers.shapes import AuditEvent

ADA, SAM = "ada@contoso.example", "sam@contoso.example"


def record(operation: str, target: str = "", actor: str = SAM, **details: str) -> AuditEvent:
    """Return a record of the log."""
    at = datetime(2026, 5, 1, tzinfo=UTC)
    return AuditEvent(id="r1", at=at, operation=operation, actor=actor, target=target, details=tuple(details.items()))


@pytest.mark.parametrize(
    ("event", "told"),
    [
        (record("Reset user password."), Alteration.PASSWORD_SET),
        (record("Reset user password.", ResultStatus="Success"), Alteration.PASSWORD_SET),
        (record("Reset user password.", ResultStatus="Failure"), None),
        (record("Disable-InboxRule", ResultStatus="True"), Alteration.RULE_OFF),
        (record("Disable-InboxRule", ResultStatus="False"), None),
        (record("Set-Mailbox", ForwardingSmtpAddress="smtp:x@evil.example"), Alteration.FORWARDING_SET),
        (record("Set-Mailbox", ForwardingAddress="", ForwardingSmtpAddress=""), Alteration.FORWARDING_CLEARED),
        (record("Set-Mailbox", ForwardingAddress="", ForwardingSmtpAddress="x@y"), Alteration.FORWARDING_SET),
        (record("Set-Mailbox", GrantSendOnBehalfTo="sam"), Alteration.RIGHTS_SET),
        (record("Set-Mailbox", DeliverToMailboxAndForward="False"), None),
        (record("UserLoggedIn"), None),
    ],
)
def test_what_was_done(event: AuditEvent, told: Alteration | None) -> None:
    """By the operation's name, and of a mailbox by what was set; what did not succeed did nothing."""
    assert told is alteration_of(event)


@pytest.mark.parametrize(
    ("event", "account"),
    [
        (record("Disable account.", ADA), ADA),
        (record("Disable account.", "4711"), ""),
        (record("Disable account."), ""),
        (record("New-InboxRule", f"{ADA}\\.."), ADA),
        (record("New-InboxRule", "sam\\x@y.example"), SAM),
        (record("New-InboxRule", "", Mailbox=ADA), ADA),
        (record("UpdateInboxRules", "", MailboxOwnerUPN=ADA), ADA),
        (record("Set-Mailbox", "EURPR01A001/contoso.onmicrosoft.com/ada", Identity=ADA), ADA),
        (record("Set-Mailbox", "", Identity="ada"), ""),
        (record("Consent to application.", "00000003-0000-0000-c000-000000000000"), SAM),
        (record("Consent to application.", "", "ServicePrincipal_1"), ""),
    ],
)
def test_whose_account_it_is(event: AuditEvent, account: str) -> None:
    """The record's object, a parameter, or who acted where people do it to themselves; never a rule's own name."""
    assert account == account_of(event)


def test_every_kind_of_change_is_looked_for() -> None:
    """And each operation is named once."""
    by_parameters = {Alteration.FORWARDING_SET, Alteration.FORWARDING_CLEARED, Alteration.RIGHTS_SET}
    assert set(Alteration) == {*ALTERATIONS.values(), *by_parameters}
    assert len(OPERATIONS) == len(set(OPERATIONS))


def test_names_are_compared_as_the_log_spells_them() -> None:
    """The directory's end in a full stop, as in no other place; members come in any spelling."""
    known: dict[str, Any] = {"mailbox": ADA}
    assert (None, ADA) == (alteration_of(record("Disable account")), account_of(record("New-InboxRule", **known)))
