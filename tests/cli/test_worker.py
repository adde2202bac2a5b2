"""``holdfast worker``: one pass, a service that stops when it is told, and its health."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time

import pytest

from tests.cli.shell import Shell
from tests.services.tenant import Tenant
from workflow.domain.vocabulary import Kind
from workflow.errors import NotReachedError
from workflow.providers.shapes import Restricted

ADA = "ada@contoso.com"
WAIT = 30.0


@pytest.fixture
def tenant(shell: Shell) -> Tenant:
    """A tenant in which Ada's mailbox is restricted, connected to an empty ledger."""
    found = shell.connect()
    found.kinds = {Kind.MAILBOX}
    found.listed[ADA] = Restricted(identifier=ADA)
    found.add(ADA)
    return found


def test_one_pass_polls_and_works(shell: Shell, tenant: Tenant, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the poll opened is contained and read in the same pass, and told on standard error."""
    monkeypatch.setenv("HOLDFAST_WORKER_CONTAINS", "true")
    ran = shell.ok("worker --once")
    assert "" == ran.out
    assert "poll: opened 1" in ran.err
    assert "case #1: check done: block-sign-in done, reset-password done, revoke-sessions done" in ran.err
    assert ADA not in ran.err
    assert not tenant.accounts[ADA].user.enabled
    assert 0 == shell("ledger verify").code
    again = shell.ok("worker --once")
    assert "check" not in again.err


def test_a_program_reads_objects(shell: Shell, tenant: Tenant) -> None:
    """One to a line, on standard error."""
    del tenant
    lines = [json.loads(line) for line in shell.ok("worker --once --json").err.splitlines()]
    assert {"worker", "chore", "step"} == {line["event"] for line in lines}
    assert {"case_number": 1, "task": "check", "outcome": "done"}.items() <= next(
        line for line in lines if line["event"] == "step"
    ).items()


def test_its_health_is_asked(shell: Shell, tenant: Tenant) -> None:
    """Exit code 1 where it never ran, where it stopped, and where what it does fails."""
    del tenant
    ran = shell("worker --health")
    assert (1, True) == (ran.code, "No worker has run here." in ran.out)
    shell.ok("worker --once")
    ran = shell("worker --health --json")
    assert (1, False) == (ran.code, ran.data["healthy"])
    assert "was stopped at" in ran.data["faults"][0]


def test_a_pass_that_failed_says_so(shell: Shell, tenant: Tenant) -> None:
    """Cron hears of a poll, and of a step, that the tenant did not answer; what else is due is done all the same."""
    shell.ok("worker --once")
    lost = NotReachedError("no answer (ConnectError)")
    tenant.faults["restricted"] = lost
    shell.later(hours=1)
    ran = shell("worker --once")
    assert (1, True) == (ran.code, "poll failed" in ran.err)
    tenant.faults.clear()
    shell.ok("worker --once")

    def watch(operation: str) -> None:
        if operation not in {"restricted", "audit_log"}:
            raise lost

    tenant.watch = watch
    shell.later(days=1)
    ran = shell("worker --once")
    assert (1, True) == (ran.code, "case #1: check unread: no answer (ConnectError)" in ran.err)
    tenant.watch = lambda _: None
    shell.later(days=1)
    shell.ok("worker --once")


def test_without_a_tenant_it_sends_alerts_only(shell: Shell) -> None:
    """And says so."""
    assert "no connected tenant: alerts only" in shell.ok("worker --once").err


@pytest.mark.slow
def test_a_service_works_until_it_is_told_to_stop(shell: Shell) -> None:
    """It is the only one of its ledger, it is healthy, and SIGTERM ends it in good order."""
    del shell
    environment = dict(os.environ)
    command = [sys.executable, "-m", "workflow", "worker"]
    service = subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True)
    try:
        deadline = time.monotonic() + WAIT
        while (health := _ask(environment, "--health")).returncode:
            assert time.monotonic() < deadline, health.stdout
            time.sleep(0.2)
        assert "The worker is alive." in health.stdout
        second = _ask(environment, "--once")
        assert (8, True) == (second.returncode, "Another worker is at work" in second.stderr)
        service.send_signal(signal.SIGTERM)
        _, said = service.communicate(timeout=WAIT)
        assert 0 == service.returncode
        assert ["Worker stopped."] == [line.partition(" ")[2] for line in said.splitlines()[-1:]]
        assert 1 == _ask(environment, "--health").returncode
    finally:
        service.kill()
        service.communicate()


def _ask(environment: dict[str, str], *options: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "workflow", "worker", *options]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=WAIT)
