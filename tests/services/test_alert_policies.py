"""Policies: changed on the ledger, and looked at beside the tenant's."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.services.desk import ANN, CAT, DAN, Desk, Place
from workflow.domain.alerts import Policy, Rule, Severity
from workflow.domain.period import Period
from workflow.domain.vocabulary import EntryType
from workflow.errors import InputError, NotFoundError, ProviderBusyError, SettingsError
from workflow.providers.shapes import AlertPolicy, AuditPosture
from workflow.services import alert_policies, logbook, people, permissions, verification
from workflow.services.access_review import access
from workflow.services.alert_policies import Change, change
from workflow.services.people import Who
from workflow.storage import cases

HOOKS = {"soc": "https://hook.example/hush", "lead": "https://hook.example/hush2", "bad": "exec://hush"}


@pytest.fixture
def desk(open_desk: Callable[..., Desk]) -> Desk:
    """A desk whose settings name recipients."""
    return open_desk(alert_recipients=HOOKS)


def test_a_change_is_on_the_ledger(desk: Desk) -> None:
    """Who changed what and when; what stands is kept; saying the same again writes nothing."""
    rule, changed = change(
        desk.app, CAT, Policy.LATE, Change(recipients=["soc", " lead ", "soc"], daily_limit=5, severity=Severity.LOW)
    )
    assert (True, ("soc", "lead"), 5, Severity.LOW) == (changed, rule.recipients, rule.daily_limit, rule.severity)
    entry = desk.entries()[-1]
    assert ("alerts:changed", rule.changed, rule.to_data()) == (entry.type, entry.sequence, entry.data)
    assert not any("hush" in body or "hook" in body for body in desk.bodies())
    count = desk.count()
    assert (rule, False) == change(desk.app, CAT, Policy.LATE, Change(daily_limit=5))
    assert count == desk.count()
    rule, _ = change(desk.app, CAT, Policy.LATE, Change(daily_limit=0, on=False, opted_in=False))
    assert (None, False, False, ("soc", "lead")) == (rule.daily_limit, rule.on, rule.opted_in, rule.recipients)
    assert rule == alert_policies.rules(desk.app)[Policy.LATE]
    rule, _ = change(desk.app, CAT, Policy.LATE, Change(recipients=[]))
    assert () == rule.recipients
    assert verification.verify(desk.app).ok


@pytest.mark.parametrize(
    ("who", "data", "words"),
    [
        (DAN, Rule(Policy.LATE).to_data(), "without a role"),
        (CAT, Rule(Policy.LATE, recipients=("soc@contoso.example",)).to_data(), "what it cannot be"),
        (CAT, {"policy": "weather"}, "names no alert policy"),
        (CAT, {"policy": ["late"], **dict.fromkeys(("on", "opted_in", "recipients", "severity"), 1)}, ""),
    ],
)
def test_an_entry_that_nobody_could_write_does_not_verify(team: Desk, who: Who, data: Any, words: str) -> None:
    """Whoever has the key and the database and writes a policy past the rules is found."""
    change(team.app, CAT, Policy.LATE, Change(on=False))
    with team.app.database.transaction() as tx:
        cases.lock_log(tx)
        logbook.write(team.app, tx, people.actor(team.app, tx, who), [(EntryType.ALERTS_CHANGED, data)])
    found = verification.verify(team.app)
    assert not found.ok
    assert any(words in item.why for item in found.findings)


def test_an_access_review_lists_the_changes(desk: Desk) -> None:
    """Who switched what off is among what changed who does what."""
    change(desk.app, CAT, Policy.LATE, Change(recipients=["soc"], daily_limit=5))
    change(desk.app, CAT, Policy.LATE, Change(opted_in=False, daily_limit=0))
    rows = [row for row in access(desk.app, Period()).changes if row["type"] == "alerts:changed"]
    assert [
        ["told: soc", "severity medium", "daily limit 5"],
        ["told: nobody", "severity medium", "daily limit none"],
    ] == [row["details"] for row in rows]
    assert [("cat", "alert policy changed: late on")] * 2 == [(row["by"], row["what"]) for row in rows]


def test_a_settings_file_with_secrets_is_nobodys_to_read(open_desk: Callable[..., Desk], place: Place) -> None:
    """The doctor says so once there is a recipient in it."""
    path = place.home / "config.toml"
    path.write_text("", encoding="utf-8")
    path.chmod(0o644)
    found = [
        next(item.status for item in permissions.examine(place.settings(**given)) if item.what == "settings file")
        for given in ({}, {"alert_recipients": HOOKS})
    ]
    assert [permissions.OK, permissions.WARN] == found


@pytest.mark.parametrize(
    ("wanted", "error", "words"),
    [
        (Change(daily_limit=-1), InputError, "daily limit"),
        (Change(daily_limit=10**9), InputError, "daily limit"),
        (Change(recipients=["mailto://x"]), InputError, "never its address"),
        (Change(recipients=["ops"]), NotFoundError, "bad, lead, soc"),
        (Change(recipients=["bad"]), SettingsError, "not let in"),
        (Change(recipients=[f"r{number}" for number in range(21)]), InputError, "at most 20"),
    ],
)
def test_what_cannot_be(desk: Desk, wanted: Change, error: type[Exception], words: str) -> None:
    """It is refused with what would be right, and nothing is written."""
    count = desk.count()
    with pytest.raises(error, match=words):
        change(desk.app, ANN, Policy.LATE, wanted)
    assert count == desk.count()


def test_recipients_without_their_secrets(desk: Desk) -> None:
    """Each with where it leads, or why it leads nowhere."""
    found = {item.name: (item.channel, item.shown, bool(item.fault)) for item in alert_policies.recipients(desk.app)}
    assert {"soc": ("webhook", "hook.example", False), "lead": ("webhook", "hook.example", False)} | {
        "bad": ("", "", True)
    } == found
    assert "hush" not in str(alert_policies.recipients(desk.app))


def test_nothing_connected(desk: Desk) -> None:
    """Without a tenant there is nothing to set beside."""
    assert alert_policies.tenant(desk.app) is None


def test_the_tenant_and_its_drift(open_desk: Callable[..., Desk]) -> None:
    """What is as it should be has no drift; every difference is named, and what is missing too."""
    desk = open_desk(connected=True)
    desk.tenant.posture = AuditPosture(unified_log=True, mailbox_auditing=False)
    desk.tenant.policies = (
        AlertPolicy(
            name="User Restricted from sending email", enabled=True, notifies=True, recipients=("a",), severity="High"
        ),
        AlertPolicy(name="Suspicious connector activity", enabled=False, notifies=False, daily_limit=5, severity="Low"),
        AlertPolicy(name="A policy of theirs", enabled=True, notifies=True),
    )
    found = alert_policies.tenant(desk.app)
    assert found is not None
    assert (True, False, (), 2, 8) == (
        found.audit_log,
        found.mailbox_auditing,
        found.unread,
        len(found.policies),
        len(found.missing),
    )
    good, drifted = found.policies
    assert ("User restricted from sending email", ()) == (good.name, good.drift)
    assert (
        "it is off",
        "notifications are not opted in to",
        "nobody is notified",
        "at most 5 notifications a day",
        "severity is not high",
    ) == drifted.drift
    assert drifted == found.named("suspicious CONNECTOR activity")
    assert found.named("Restricted again") is None


def test_a_tenant_that_does_not_answer(open_desk: Callable[..., Desk]) -> None:
    """What cannot be read is said, and is not taken for off."""
    desk = open_desk(connected=True)
    desk.tenant.faults |= {
        "audit_posture": ProviderBusyError("throttled"),
        "alert_policies": ProviderBusyError("throttled"),
    }
    found = alert_policies.tenant(desk.app)
    assert found is not None
    assert (None, (), ("audit logging: throttled", "alert policies: throttled")) == (
        found.audit_log,
        found.policies,
        found.unread,
    )


def test_a_connection_that_is_not_set_up(open_desk: Callable[..., Desk]) -> None:
    """Our own policies are listed all the same; what is missing stands beside them."""
    found = alert_policies.tenant(open_desk(provider="microsoft365").app)
    assert found is not None
    assert ["m365_tenant_id" in why for why in found.unread] == [True]
