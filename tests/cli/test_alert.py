"""``holdfast alert``: policies set, listed beside the tenant's, and messages sent and looked up."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.shell import Shell
from tests.messages.receivers import Receiver, http_receiver
from workflow.cli.alert import STATES
from workflow.errors import ProviderBusyError
from workflow.providers.shapes import AlertPolicy, AuditPosture
from workflow.storage import alerts as outbox


@pytest.fixture
def hook() -> Iterator[Receiver]:
    """An HTTP server."""
    with http_receiver() as found:
        yield found


@pytest.fixture
def told(case: Shell, home: Path, hook: Receiver) -> Shell:
    """A shell whose settings name the server as ``soc``."""
    config = home / "home" / "config" / "config.toml"
    config.write_text(f'alert_loopback = true\n[alert_recipients]\nsoc = "{hook.hook}"\n', encoding="utf-8")
    return case


def test_set_list_show(told: Shell) -> None:
    """What is set is shown everywhere, and saying it again changes nothing."""
    assert "Nobody is told anything yet" in told.ok("alert list").err
    first = told.ok("alert set restricted --recipient soc --daily-limit 5 --severity medium --as cat").out
    assert first.startswith("Changed.\nrestricted: User restricted from sending email")
    assert "  told now     soc" in first
    assert "It stands so already" in told.ok("alert set restricted --daily-limit 5").out
    listed = told.ok("alert list")
    rows = list(csv.DictReader(io.StringIO(told.ok("alert list --csv").out)))
    policies = told.ok("alert list --json").data["policies"]
    assert [(item["policy"], item["title"]) for item in policies] == [(row["policy"], row["title"]) for row in rows]
    assert 2 == told("alert list --csv --json").code
    assert (
        "restricted   User restricted from sending email     medium         yes  yes       soc         5" in listed.out
    )
    assert "" == listed.err
    off = told.ok("alert set restricted --off --opt-out --daily-limit none --no-recipients").out
    assert ["off" in off, "none configured" in off, "told now     nobody" in off] == [False, True, True]
    shown = told.ok("alert show restricted --json").data["policy"]
    assert (False, False, [], None, None) == (
        shown["on"],
        shown["opted_in"],
        shown["recipients"],
        shown["daily_limit"],
        shown["tenant"],
    )
    assert "log entry    none: it stands as it came" in told.ok("alert show late").out
    assert told.ok("alert set late --off --json").data["changed"]
    told.ok("ledger verify")
    assert "alert policy changed: restricted off" in told.ok("ledger log").out


def test_recipients_without_secrets(told: Shell, case: Shell, home: Path) -> None:
    """The list says where each leads; neither it nor the settings shown say a token."""
    listed = told.ok("alert recipients").out
    assert "soc   webhook  127.0.0.1" in listed
    assert [{"name": "soc", "channel": "webhook", "shown": "127.0.0.1", "fault": ""}] == told.ok(
        "alert recipients --json"
    ).data["recipients"]
    assert "hush" not in listed + told.ok("config show").out + told.ok("config show --json").out
    (home / "home" / "config" / "config.toml").unlink()
    assert [] == told.ok("alert log --json").data["alerts"]
    ran = told.ok("alert log")
    assert "No message fits: none was raised, or none is of this kind.\n" == ran.out
    assert "The worker raises and sends them" in ran.err
    assert "[alert_recipients]" in told.ok("alert recipients").err


@pytest.mark.parametrize(
    ("line", "code", "words"),
    [
        ("alert set restricted", 2, "what is to be different"),
        ("alert set weather --on", 2, "break-glass"),
        ("alert set restricted --recipient ops", 5, "they name: soc"),
        ("alert set restricted --recipient mailto://a@b", 2, "never its address"),
        ("alert set restricted --recipient soc --no-recipients", 2, "Choose"),
        ("alert set restricted --daily-limit 0", 2, "or none"),
        ("alert set restricted --daily-limit many", 2, "or none"),
        ("alert test digest", 3, "has no recipients"),
        ("alert test --recipient ops", 5, "no recipient 'ops'"),
        ("alert retry alert_x", 5, "given up or held"),
        ("alert log --csv --json", 2, "Choose"),
        ("alert log --case 99", 5, "99"),
    ],
)
def test_refusals(told: Shell, line: str, code: int, words: str) -> None:
    """What cannot be is refused with what would be right."""
    ran = told(line)
    assert (code, True) == (ran.code, words in ran.err + ran.out), ran


def test_send_and_log(told: Shell, hook: Receiver) -> None:
    """One pass for cron: raised, sent, logged; what fails is told with what to do."""
    told.ok("alert set restricted --recipient soc")
    told.ok("case open eve@contoso.com --restricted-at -1h --as ana")
    hook.status = 503
    first = told.ok("alert send")
    assert ("3 raised, 1 waiting\n", True) == (first.out, "holdfast alert log" in first.err)
    waiting = told.ok("alert log --state due").out
    assert "The receiver did not accept it (HTTP 503)." in waiting
    assert "next 2025-06-11" in waiting
    hook.status = 200
    told.later(hours=1)
    assert {"raised": 0, "sent": 1, "held": 0, "suppressed": 0, "failed": 0, "waiting": 0} == told.ok(
        "alert send --json"
    ).data
    (item,) = told.ok("alert log --case 2 --policy restricted --since -1d --json").data["alerts"]
    assert ("sent", 2, ["failed", "sent"], None) == (
        item["state"],
        item["case_number"],
        [attempt["outcome"] for attempt in item["attempts"]],
        item["next_at"],
    )
    rows = list(csv.DictReader(io.StringIO(told.ok("alert log --csv").out)))
    assert [("digest", "nobody", ""), ("restricted", "nobody", "1"), ("restricted", "sent", "2")] == sorted(
        (row["policy"], row["state"], row["case_number"]) for row in rows
    )
    assert "0 messages are due again." in told.ok("alert retry").out


def test_names_that_no_database_holds(told: Shell) -> None:
    """Bytes that are no text name no message, and find none."""
    assert [] == told.ok("alert log --json", "--recipient", "\udcff").data["alerts"]
    assert (5, True) == ((ran := told("alert retry", "\udcff")).code, "No message is called so" in ran.err)


def test_given_up(told: Shell, hook: Receiver) -> None:
    """A message that is given up makes the pass fail, and can be tried once more."""
    told.ok("alert set restricted --recipient soc")
    told.ok("case open eve@contoso.com --restricted-at -1h --as ana")
    hook.status = 500
    codes = []
    for _ in range(8):
        codes.append(told("alert send").code)
        told.later(hours=13)
    assert [0, 0, 0, 0, 0, 0, 0, 1] == codes
    assert "Try once more what was given up" in told.ok("alert log --state failed").err
    hook.status = 200
    assert {"due": 1} == told.ok("alert retry --json").data
    assert "1 sent" in told.ok("alert send").out


def test_test(told: Shell, hook: Receiver) -> None:
    """A test says whom it reached, and fails when it did not."""
    assert "soc: sent\n" == told.ok("alert test --recipient soc").out
    hook.status = 404
    ran = told("alert test --recipient soc --json")
    assert (1, "failed") == (ran.code, ran.data["alerts"][0]["state"])
    assert "soc: failed, The receiver did not accept it (HTTP 404).\n" == told("alert test --recipient soc").out


def test_beside_the_tenants_own(told: Shell) -> None:
    """What drifted in the tenant is named, with where it is set right; --offline asks it nothing."""
    tenant = told.connect()
    tenant.posture = AuditPosture(unified_log=False, mailbox_auditing=True)
    tenant.policies = (
        AlertPolicy(name="User restricted from sending email", enabled=False, notifies=True, daily_limit=3),
    )
    listed = told.ok("alert list").out
    assert "it is off; nobody is notified; at most 3 notifications a day" in listed
    assert "audit logging: OFF: nothing can be proven from the tenant" in listed
    assert "not found: Suspicious connector activity" in listed
    assert "https://security.microsoft.com/alertpoliciesv2" in listed
    assert "The tenant's own policy of this name:" in told.ok("alert show restricted").out
    assert "The tenant's own alert policies" in told.ok("alert show late").out
    data = told.ok("alert list --json").data
    assert (False, "it is off") == (data["tenant"]["audit_log"], data["policies"][0]["tenant"]["drift"][0])
    assert (None, None) == (data["policies"][1]["tenant"], told.ok("alert list --offline --json").data["tenant"])
    tenant.faults |= {name: ProviderBusyError("throttled") for name in ("audit_posture", "alert_policies")}
    assert "not readable: audit logging: throttled" in told.ok("alert list").out


def test_help_lists_the_policies(shell: Shell) -> None:
    """Whoever asks for help finds every policy with its meaning; the log knows every state."""
    assert "Unblocked outside Holdfast" in shell.ok("alert set --help").out
    assert set(outbox.STATES) == set(STATES)
