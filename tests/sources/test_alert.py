"""Alerts of Graph's security/alerts_v2."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from tests.sources.written import (
    GUID,
    TENANT,
    as_json,
    graph_alert,
    mailbox,
    restrictions,
    skipped,
    taken,
    user,
)
from workflow.domain.restriction import Restriction, Source
from workflow.domain.vocabulary import Kind, RestrictionStatus


def named(content: bytes) -> list[str]:
    """Return who is restricted according to the content."""
    return [item.identifier for item in taken(content) if isinstance(item, Restriction)]


def test_one_user() -> None:
    """The alert names the user, says since when, and carries its tenant."""
    (found,) = restrictions(as_json(graph_alert(user("noor"), mailbox("noor"))))

    assert (
        Restriction(
            kind=Kind.MAILBOX,
            identifier="noor@tailspin.example",
            status=RestrictionStatus.LISTED,
            source=Source.ALERT,
            restricted_at=datetime(2026, 6, 11, 14, 3, 30, tzinfo=UTC),
            observed_at=datetime(2026, 6, 11, 14, 5, tzinfo=UTC),
            reason="A user may no longer send.",
            name="Noor",
            tenant=TENANT,
            where="item 1, evidence 1",
        )
        == found
    )


def test_several_users_in_one_alert() -> None:
    """Policies that aggregate name several users, each of whom is restricted, and once."""
    alert = graph_alert(user("noor"), user("sam", roles=()), user("NOOR"), user("kai", roles=("unknown",)))

    assert ["noor@tailspin.example", "sam@tailspin.example", "kai@tailspin.example"] == named(
        as_json({"value": [alert]})
    )


def test_bystanders() -> None:
    """Users whose role or verdict says that they are not the compromised one are skipped with the reason."""
    content = as_json(
        graph_alert(
            user("admin", roles=("contextual",)),
            user("clean", verdict="noThreatsFound"),
            user("noor"),
            mailbox("clean"),
            mailbox("shared"),
        )
    )

    assert ["noor@tailspin.example"] == named(content)
    assert [("contextual", False), ("noThreatsFound", False), ("Get-BlockedSenderAddress", False)] == [
        (word, item.broken)
        for word, item in zip(
            ("contextual", "noThreatsFound", "Get-BlockedSenderAddress"), skipped(content), strict=True
        )
        if word in item.why
    ]


def test_a_bystander_may_be_accused_elsewhere() -> None:
    """The same user as bystander and as compromised is restricted."""
    alert = graph_alert(user("noor", roles=("contextual",)), user("noor"))

    assert ["noor@tailspin.example"] == named(as_json(alert))


def test_a_mailbox_alone() -> None:
    """Where no user is named the mailboxes are what is restricted, by UPN where it is told."""
    upn = {**mailbox("primary"), "userAccount": {"userPrincipalName": "upn@tailspin.example"}}

    assert ["shared@tailspin.example", "upn@tailspin.example"] == named(
        as_json(graph_alert(mailbox("shared"), upn, {"@odata.type": "#x.ipEvidence"}))
    )


@pytest.mark.parametrize(
    "evidence",
    [None, [], "text", [None, 7], [{"@odata.type": "#x.userEvidence", "userAccount": None}]],
)
def test_an_alert_without_users(evidence: object) -> None:
    """An alert that says somebody was restricted and not who is reported as broken."""
    found = skipped(as_json(graph_alert(evidence=evidence)))

    assert found[-1].broken
    assert "item 1" == found[-1].where
    assert "Get-BlockedSenderAddress" in found[-1].why


@pytest.mark.parametrize("title", ["Email sending limit exceeded", "Tenant restricted from sending email", "", None])
def test_other_alerts(title: object) -> None:
    """Alerts of other policies open nothing and are not broken."""
    (found,) = skipped(as_json(graph_alert(user("noor"), title=title)))

    assert not found.broken


def test_a_broken_alert_does_not_lose_the_next() -> None:
    """An alert whose time cannot be read is reported, and the next one read."""
    content = as_json([graph_alert(user("a"), createdDateTime="?"), graph_alert(user("b"))])

    assert ["b@tailspin.example"] == named(content)
    assert [("item 1", True)] == [(item.where, item.broken) for item in skipped(content)]


def test_connectors() -> None:
    """A connector alert opens a case only where it carries the id; else it says how to get it."""
    title = "Suspicious connector activity"
    with_id = graph_alert({"connectorId": GUID}, {"connectorGuid": GUID}, {"connectorId": "Relay"}, {}, title=title)

    assert [GUID] == named(as_json(with_id))
    assert [True] == [item.broken for item in skipped(as_json(with_id))]
    (found,) = skipped(as_json(graph_alert(user("noor"), title=title)))
    assert "Get-BlockedConnector" in found.why
