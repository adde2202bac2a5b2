"""``holdfast tenant poll`` and ``case look``: what is printed of what the tenant restricts."""

from __future__ import annotations

import pytest

from tests.cli.shell import Shell
from workflow.domain.vocabulary import Kind
from workflow.errors import ProviderBusyError
from workflow.providers.shapes import Answer, Restricted

ADA, EVE = "ada@contoso.com", "eve@contoso.com"


def test_a_poll_is_the_week_s_work(shell: Shell) -> None:
    """New cases are told one by one and counted; the next poll finds nothing new; hostile text does no harm."""
    tenant = shell.connect()
    tenant.kinds = {Kind.MAILBOX}
    for name in (ADA, EVE):
        tenant.listed[name] = Restricted(identifier=name, reason="x\x1b[31m")
    ran = shell.ok("tenant poll --as ana")
    assert "tenant, item 1: opened #1 ada@contoso.com" in ran.out
    assert "new" in ran.out
    assert "\x1b" not in ran.out
    assert "opened #" not in shell.ok("tenant poll --as ana").out
    tenant.listed.clear()
    tenant.removed(ADA, "portal@contoso.com")
    data = shell.ok("tenant poll --json --as ana").data
    assert (2, []) == (data["counts"]["unblocked_outside"], data["unread"])
    assert "portal@contoso.com" in shell.ok("case history 1").out


def test_a_list_that_cannot_be_read_is_an_error(shell: Shell) -> None:
    """What could not be read is named, and the exit code says so."""
    shell.connect().faults["restricted"] = ProviderBusyError("try later")
    ran = shell("tenant poll --quiet --as ana")
    assert (1, True) == (ran.code, "Could not be read: mailbox: try later" in ran.err)
    assert "mailbox: not read\nconnector: not read\n" == ran.out
    ran = shell("tenant poll --json --as ana")
    assert (1, {}, ["mailbox", "connector"]) == (ran.code, ran.data["counts"], ran.data["unlisted"])


def test_of_the_list_that_was_read_the_counts_are_told(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    """The other kind is said not to have been read."""
    tenant = shell.connect()
    tenant.kinds = {Kind.MAILBOX}
    tenant.listed[ADA] = Restricted(identifier=ADA)
    read = tenant.restricted

    def restricted(kind: Kind) -> Answer[tuple[Restricted, ...]]:
        if kind is Kind.CONNECTOR:
            raise ProviderBusyError("try later")
        return read(kind)

    monkeypatch.setattr(tenant, "restricted", restricted)
    ran = shell("tenant poll --as ana")
    assert 1 == ran.code
    assert "still listed" in ran.out
    assert ran.out.endswith("connector: not read\n")


def test_a_look_tells_what_it_found(case: Shell) -> None:
    """One case with who lifted it, many with a result each."""
    tenant = case.connect()
    tenant.listed[ADA] = Restricted(identifier=ADA)
    assert "  restriction: listed (call restriction (request r1))" in case.ok("case look 1 --as ana").out
    tenant.listed.clear()
    tenant.removed(ADA, "portal@contoso.com")
    data = case.ok("case look 1 --json --as ana").data
    assert ("not-listed", "portal@contoso.com") == (data["tenant"]["restriction"], data["tenant"]["lifted_by"])
    assert "1 done." in case.ok("case look --state detected --as ana").out
