"""Restricted entities: how they linger, end, come back, and can no longer be unblocked."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.providers.simulated.client import Client, error
from workflow.providers.simulated.scenario import NAMED, NEVER, Fate

CALM = NAMED["calm"]


def test_an_unblocked_row_lingers() -> None:
    """The call has succeeded and the row is still there, until its time is over."""
    client = Client(replace(CALM, fates={1: Fate(leaves_after=2400)}))
    account = client.victim()

    assert 200 == client.unblock(account).status
    client.advance(minutes=39)
    assert client.listed(account)
    client.advance(minutes=2)
    assert not client.listed(account)


def test_every_success_counts_against_the_limit() -> None:
    """Unblocking a lingering row succeeds again and counts again; then it is refused for good."""
    client = Client(replace(CALM, unblock_limit=2))
    account = client.victim()

    assert [200, 200, 400] == [client.unblock(account).status for _ in range(3)]
    assert "Microsoft Support" in error(client.unblock(account))["details"][0]["message"]


def test_no_limit_and_no_unblock_at_all() -> None:
    """0 is no limit; -1 refuses the first."""
    free, shut = Client(replace(CALM, unblock_limit=0)), Client(NAMED["limit"])

    assert [200] * 5 == [free.unblock(free.victim()).status for _ in range(5)]
    assert 400 == shut.unblock(shut.victim()).status


def test_what_is_not_listed() -> None:
    """Unblocking it is an error, or nothing at all, as the scenario says."""
    strict, lenient = Client(), Client(replace(CALM, not_listed="nothing"))

    assert 404 == strict.unblock(strict.tenant.accounts[-1]).status
    assert 200 == lenient.unblock(lenient.tenant.accounts[-1]).status
    assert not lenient.tenant.effects[-1:] or "unblocked" != lenient.tenant.effects[-1].what


def test_a_restriction_for_today_ends_at_midnight() -> None:
    """A temporary block is gone at 00:00 UTC, by itself."""
    client = Client()
    account = client.victim(8)

    assert client.rows("Get-BlockedSenderAddress", SenderAddress=account.upn)[0]["TemporaryBlock"]
    client.advance(hours=11, minutes=59)
    assert client.listed(account)
    client.advance(minutes=1)
    assert not client.listed(account)


def test_a_recipient_rate_block_ends_after_a_day() -> None:
    """It frees itself 24 hours after it began."""
    client = Client()
    account = client.victim(11)

    assert (
        "RecipientRateLimitExceeded" in client.rows("Get-BlockedSenderAddress", SenderAddress=account.upn)[0]["Reason"]
    )
    client.advance(hours=24)
    assert not client.listed(account)


def test_what_was_unblocked_does_not_end_twice() -> None:
    """A temporary block that was unblocked in time leaves once."""
    client = Client(replace(CALM, leaves_after=(60.0, 60.0)))
    account = client.victim(8)
    client.unblock(account)
    client.advance(days=2)

    ended = [
        item for item in client.tenant.effects if item.what == "no longer restricted" and item.target == account.upn
    ]
    assert 1 == len(ended)


def test_an_unblocked_row_that_stays_for_midnight() -> None:
    """What lingers past midnight is not taken for a restriction that ended by itself."""
    client = Client(replace(CALM, leaves_after=(14 * 3600.0, 14 * 3600.0)))
    account = client.victim(8)
    client.unblock(account)
    client.advance(hours=13)

    assert client.listed(account)


def test_an_attacker_still_inside_is_restricted_again() -> None:
    """Not on the day of the release, and soon after midnight."""
    client = Client(replace(CALM, leaves_after=(60.0, 60.0)))
    account = client.victim()
    client.unblock(account)
    client.advance(hours=11, minutes=50)

    assert account.attacked
    assert not client.listed(account)
    client.advance(hours=3)
    assert client.listed(account)


def test_a_clean_account_stays_released() -> None:
    """Password, sessions and consents are what an attacker needs; without them nobody is restricted again."""
    client = Client(replace(CALM, leaves_after=(60.0, 60.0)))
    account = client.victim()
    client.graph("PATCH", f"/users/{account.id}", {"passwordProfile": {"password": "Long-and-1-good"}})
    client.graph("POST", f"/users/{account.id}/revokeSignInSessions")
    for grant in client.got(f"/users/{account.id}/oauth2PermissionGrants")["value"]:
        client.graph("DELETE", f"/oauth2PermissionGrants/{grant['id']}")
    client.unblock(account)
    client.advance(days=3)

    assert not account.attacked
    assert not client.listed(account)


def test_an_attacker_comes_back_after_a_release() -> None:
    """Rules and more appear again, and the mailbox is restricted again."""
    client = Client(replace(CALM, leaves_after=(60.0, 60.0), fates={3: Fate(returns_after=3600)}))
    account = client.victim(3)
    before = len(account.mailbox.rules)
    client.unblock(account)
    client.advance(hours=2)

    assert len(account.mailbox.rules) > before
    client.advance(days=2)
    assert client.listed(account)


def test_an_attacker_cannot_come_back_where_sign_in_is_blocked() -> None:
    """The attempt is a failed sign-in and nothing else."""
    client = Client(replace(CALM, leaves_after=(60.0, 60.0), fates={3: Fate(returns_after=3600)}))
    account = client.victim(3)
    client.graph("PATCH", f"/users/{account.id}", {"accountEnabled": False})
    before = len(account.mailbox.rules)
    client.unblock(account)
    client.advance(hours=2)

    assert before == len(account.mailbox.rules)
    assert 50057 == client.tenant.audit.sign_ins[-1].data["status"]["errorCode"]


@pytest.mark.parametrize(("odds", "low", "high"), [({"late": 1.0}, 2, 20), ({"overdue": 1.0}, 25, 40)])
def test_slow_unblocks(odds: dict[str, float], low: int, high: int) -> None:
    """Some take hours, some longer than the day that Microsoft says at most."""
    client = Client(replace(CALM, **odds))  # type: ignore[arg-type]
    account = client.victim()
    client.unblock(account)
    row = client.tenant.restrictions.rows["mailbox", account.upn]

    assert row.leaving_at is not None
    assert low <= (row.leaving_at - client.tenant.now()).total_seconds() / 3600 <= high


def test_an_unblock_that_never_works() -> None:
    """The row stays, whatever time passes."""
    by_chance, by_fate = Client(replace(CALM, never=1.0)), Client(replace(CALM, fates={1: Fate(leaves_after=NEVER)}))
    for client in (by_chance, by_fate):
        client.unblock(client.victim())
        client.advance(days=30)

        assert client.listed(client.victim())


def test_connectors() -> None:
    """A blocked connector is listed by its GUID, can be unblocked, and leaves no hygiene record."""
    client = Client()
    found = client.rows("Get-BlockedConnector")
    connector = found[0]["ConnectorId"]

    assert 1 == len(found)
    assert 200 == client.cmdlet("Remove-BlockedConnector", ConnectorId=connector, Reason="case 7").status
    client.advance(hours=2)
    assert [] == client.rows("Get-BlockedConnector", ConnectorId=connector)
    assert 2 == len(client.rows("Get-InboundConnector"))
    assert 1 == len(client.rows("Get-InboundConnector", Identity="Relay 1"))


def test_new_cases_come() -> None:
    """A tenant under attack has new restrictions every day."""
    client = Client(replace(CALM, new_per_day=10.0, restricted=0))
    client.advance(days=3)

    assert 15 <= sum(item.what == "restricted" for item in client.tenant.effects if "@" in item.target) <= 45


def test_the_portal_by_chance_and_by_fate() -> None:
    """An administrator unblocks behind everybody's back; the log says who."""
    by_chance = Client(replace(CALM, portal=1.0, unblock_limit=1))
    by_fate = Client(replace(CALM, fates={2: Fate(portal_after=600)}))
    for client in (by_chance, by_fate):
        client.advance(days=3)
        done = [item for item in client.tenant.effects if item.what == "unblocked"]

        assert {"admin@contoso.example"} == {item.by.name for item in done}
    assert [by_fate.victim(2).upn] == [item.target for item in by_fate.tenant.effects if item.what == "unblocked"]


def test_the_portal_comes_too_late() -> None:
    """What was unblocked before, or too often, is no error for the administrator."""
    limited = Client(replace(NAMED["limit"], fates={1: Fate(portal_after=600)}))
    gone = Client(replace(CALM, leaves_after=(1.0, 1.0), fates={1: Fate(portal_after=600)}))
    gone.unblock(gone.victim())
    for client in (limited, gone):
        client.advance(hours=1)

    assert limited.listed(limited.victim())
    assert not gone.listed(gone.victim())
