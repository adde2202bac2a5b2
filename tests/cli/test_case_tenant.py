"""``holdfast case unblock`` and ``case look`` with a connected tenant: what is called, printed and returned."""

from __future__ import annotations

import pytest

from tests.cli.shell import Shell
from tests.services.tenant import Tenant
from workflow.errors import ProviderRefusedError, UnblockLimitError
from workflow.providers.shapes import Restricted

ADA = "ada@contoso.com"


@pytest.fixture
def tenant(verified: Shell) -> Tenant:
    """A tenant in which the approved case's mailbox is listed."""
    verified.ok("case request-unblock 1 --yes --as ben")
    verified.ok("case approve 1 --yes --as cleo")
    found = verified.connect()
    found.add(ADA)
    found.listed[ADA] = Restricted(identifier=ADA)
    return found


def test_an_unblock_releases(verified: Shell, tenant: Tenant) -> None:
    """One call, and the data says what came of it."""
    data = verified.ok("case unblock 1 --yes --json --as ben").data
    assert ("released", "not-listed", "done") == tuple(data["tenant"][k] for k in ("state", "restriction", "answer"))
    assert 1 == tenant.counts["unblock"]


def test_a_second_unblock_is_pending(verified: Shell, tenant: Tenant) -> None:
    """While the row lingers nothing is called again, and a look releases once it is gone."""
    tenant.lingers = True
    ran = verified.ok("case unblock 1 --yes --as ben")
    assert "Microsoft answered: done" in ran.out
    assert "next: it takes up to an hour" in ran.out
    assert 8 == verified("case unblock 1 --yes --as ben").code
    tenant.listed.clear()
    assert "restriction: not-listed" in verified.ok("case look 1 --as ben").out
    assert ("released", 1) == (verified.view()["state"], tenant.counts["unblock"])


@pytest.mark.parametrize(
    ("error", "said"),
    [(UnblockLimitError(), "next: open a request with Microsoft Support"), (ProviderRefusedError("no"), "failed")],
)
def test_what_microsoft_refuses(verified: Shell, tenant: Tenant, error: Exception, said: str) -> None:
    """The answer is printed and the command fails."""
    tenant.faults["unblock"] = error
    ran = verified("case unblock 1 --yes --as ben")
    assert (1, True) == (ran.code, said in ran.out)


def test_by_hand_though_connected(verified: Shell, tenant: Tenant) -> None:
    """With --manual the intent is recorded and a person is told what to do."""
    assert "Do it now:" in verified.ok("case unblock 1 --manual --yes --as ben").out
    assert 0 == tenant.counts["unblock"]


def test_somebody_else_lifted_it(verified: Shell, tenant: Tenant) -> None:
    """Nothing is called, and whoever the tenant's log names is shown without control characters."""
    tenant.listed.clear()
    tenant.removed(ADA, "portal@contoso.example\x1b[31m")
    ran = verified.ok("case look 1 --as ben")
    assert ("lifted by portal@contoso.example" in ran.out, "\x1b" in ran.out) == (True, False)
    assert 0 == tenant.counts["unblock"]


def test_many_at_once(verified: Shell, tenant: Tenant) -> None:
    """A filter looks at and unblocks each case by itself."""
    assert "1 done." in verified.ok("case look --state unblock_requested --yes --as ben").out
    assert "1 done." in verified.ok("case unblock --state unblock_requested --yes --as ben").out
    assert ("released", 1) == (verified.view()["state"], tenant.counts["unblock"])
