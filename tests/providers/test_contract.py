"""The provider against the simulated tenant, over HTTP on this machine: every operation, and all that goes wrong.

What is sent is held against the project's contract on its way; the simulated tenant's own log says what took place.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx2
import pytest

from tests.providers.contract import check
from tests.providers.microsoft365.certificates import write
from workflow.domain.vocabulary import Kind
from workflow.errors import (
    NotReadableError,
    OutcomeUnknownError,
    ProviderBusyError,
    ProviderError,
    ProviderRefusedError,
    UnblockLimitError,
)
from workflow.providers.microsoft365.connection import Connection, Service
from workflow.providers.microsoft365.pace import Pace
from workflow.providers.microsoft365.probe import probe
from workflow.providers.microsoft365.tenant import Microsoft365
from workflow.providers.operations import OPERATIONS
from workflow.providers.shapes import Delegate, Forwarding, MfaRequirement, RoleAssignment
from workflow.providers.simulated.attack import ADDRESS
from workflow.providers.simulated.scenario import NAMED, App, FaultRule, Scenario
from workflow.providers.simulated.server import Server
from workflow.providers.simulated.simulator import Simulator
from workflow.providers.ways import Way

START = datetime(2026, 5, 1, 12, 0, tzinfo=UTC)
REMOVE = "Remove-BlockedSenderAddress"
LIST = "Get-BlockedSenderAddress"
GLOBAL_READER = "f2ef992c-3afb-46b9-b7cf-a126ee74c451"


class Checked(httpx2.HTTPTransport):
    """The network, with every request to the services held against the contract first."""

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        """Check, then send."""
        if "authorization" in request.headers:
            check(request)
        return super().handle_request(request)


class Site:
    """A simulated tenant that is served, and a provider connected to it; waiting moves the tenant's clock alone."""

    def __init__(self, server: Server, **settings: Any) -> None:
        """Connect."""
        self.server = server
        self.simulator = server.simulator
        self.waited = 0.0
        connection = Connection(
            **{
                "tenant": self.simulator.tenant.id,
                "way": Way.MANAGED_IDENTITY,
                "addresses": dict.fromkeys(Service, server.url),
            }
            | settings
        )
        pace = Pace(lambda: self.waited, self.wait, lambda: 0.0)
        self.provider = Microsoft365(connection, self.simulator.tenant.now, pace=pace, transport=Checked())
        self.ada = self.provider.restricted(Kind.MAILBOX).value[0].identifier if not settings else ""

    def wait(self, seconds: float) -> None:
        """Let the tenant's time pass at once."""
        self.waited += seconds
        self.simulator.tenant.clock.advance(seconds)

    def goes_wrong(self, fault: str, on: str = "any", times: int = 1, seconds: float = 0.0) -> None:
        """Switch one fault on."""
        self.simulator.faults.clear()
        self.simulator.faults.add(FaultRule(fault, on=on, times=times, seconds=seconds))

    def removals(self) -> int:
        """Return how many restrictions somebody really lifted."""
        return sum(effect.what == "unblocked" for effect in self.simulator.tenant.effects)


@contextmanager
def site(scenario: Scenario = NAMED["calm"], **settings: Any) -> Iterator[Site]:
    """Serve a tenant for a while."""
    with Server(Simulator(scenario, 1, START)) as server:
        found = Site(server, **settings)
        try:
            yield found
        finally:
            found.provider.close()


@pytest.fixture
def calm() -> Iterator[Site]:
    """A tenant in which everything works."""
    with site() as found:
        yield found


def required(found: Site) -> MfaRequirement:
    """Return what is required of the first account at sign-in."""
    return found.provider.mfa_requirement(found.provider.user(found.ada).value, found.provider.sign_in_policies()).value


def everything(found: Site) -> dict[str, Callable[[], object]]:
    """Return one call of every operation, changes included, about one restricted account."""
    tenant, ada = found.provider, found.ada
    since, until = START - timedelta(days=30), START + timedelta(hours=2)
    bob = tenant.restricted(Kind.MAILBOX).value[1].identifier
    delegate = Delegate(who=bob, right="full-access")
    role = RoleAssignment(id="", role=GLOBAL_READER)
    return {
        "restricted": lambda: tenant.restricted(Kind.CONNECTOR),
        "restriction": lambda: tenant.restriction(Kind.MAILBOX, ada),
        "user": lambda: tenant.user(ada),
        "set_enabled": lambda: tenant.set_enabled(ada, enabled=False),
        "reset_password": lambda: tenant.reset_password(ada),
        "revoke_sessions": lambda: tenant.revoke_sessions(ada),
        "sign_in_methods": lambda: tenant.sign_in_methods(ada),
        "remove_method": lambda: remove_methods(found),
        "mfa_requirement": lambda: tenant.mfa_requirement(tenant.user(ada).value, tenant.sign_in_policies()),
        "sign_ins": lambda: tenant.sign_ins(ada, since),
        "consents": lambda: tenant.consents(ada),
        "remove_consent": lambda: [tenant.remove_consent(ada, item) for item in tenant.consents(ada).value],
        "roles": lambda: tenant.roles(ada),
        "add_role": lambda: tenant.add_role(ada, role),
        "remove_role": lambda: [tenant.remove_role(ada, item) for item in tenant.roles(ada).value],
        "inbox_rules": lambda: tenant.inbox_rules(ada),
        "set_rule": lambda: [
            tenant.set_rule(ada, item, enabled=on) for item in tenant.inbox_rules(ada).value for on in (False, True)
        ],
        "forwarding": lambda: tenant.forwarding(ada),
        "set_forwarding": lambda: tenant.set_forwarding(ada, Forwarding(external="x@evil.example", keeps_copy=True)),
        "delegates": lambda: tenant.delegates(ada),
        "add_delegate": lambda: tenant.add_delegate(ada, delegate),
        "remove_delegate": lambda: tenant.remove_delegate(ada, delegate),
        "sign_in_policies": tenant.sign_in_policies,
        "audit_posture": tenant.audit_posture,
        "alert_policies": tenant.alert_policies,
        "audit_log": lambda: list(tenant.audit_log(("HygieneTenantEvents", "Set-Mailbox"), since, until)),
        "directory_audit": lambda: tenant.directory_audit(ada, since),
        "message_trace": lambda: tenant.message_trace(ada, since),
        "unblock": lambda: tenant.unblock(Kind.MAILBOX, ada, "case 1"),
    }


def remove_methods(found: Site) -> None:
    """Remove every method; the default one is refused until it is the last."""
    left = [item for item in found.provider.sign_in_methods(found.ada).value if item.removable]
    for item in [*left, *left]:
        with suppress(ProviderRefusedError):
            found.provider.remove_method(found.ada, item)


def attack(found: Site) -> None:
    """Let an attacker do everything to the account."""
    account = found.simulator.tenant.find(found.ada)
    assert account is not None
    moves = ("rule", "hidden-rule", "method", "consent", "forwarding", "delegate", "role")
    found.simulator.tenant.attacker.does(account, moves, found.simulator.tenant.now())


def test_every_operation_works(calm: Site) -> None:
    """On an account that an attacker had, read and cleaned up, in any order that the table has."""
    attack(calm)
    called = everything(calm)

    assert set(OPERATIONS) == set(called)
    for name in OPERATIONS:
        called[name]()


def test_what_an_attacker_left_is_found_and_removed(calm: Site) -> None:
    """Rules that nobody sees, forwarding, a delegate, a method, a consent and a role; then none of them."""
    attack(calm)
    tenant, ada = calm.provider, calm.ada
    rules = tenant.inbox_rules(ada).value
    assert {True, False} == {rule.hidden for rule in rules}
    assert tenant.forwarding(ada).value != Forwarding()
    assert tenant.delegates(ada).value
    assert tenant.consents(ada).value
    assert tenant.roles(ada).value
    for rule in rules:
        tenant.set_rule(ada, rule, enabled=False)
    tenant.set_forwarding(ada, Forwarding())
    for delegate in tenant.delegates(ada).value:
        tenant.remove_delegate(ada, delegate)
    for consent in tenant.consents(ada).value:
        tenant.remove_consent(ada, consent)
    for role in tenant.roles(ada).value:
        tenant.remove_role(ada, role)
    remove_methods(calm)
    assert not any(item.removable for item in tenant.sign_in_methods(ada).value)
    assert not any(rule.enabled for rule in tenant.inbox_rules(ada).value)
    assert (Forwarding(), (), (), ()) == (
        tenant.forwarding(ada).value,
        tenant.delegates(ada).value,
        tenant.consents(ada).value,
        tenant.roles(ada).value,
    )


def test_containment_shows_in_the_account(calm: Site) -> None:
    """Blocked, with a new password and sessions that begin now; the log of the directory says who did it."""
    tenant, ada = calm.provider, calm.ada
    before = tenant.user(ada).value
    calm.wait(60)
    tenant.set_enabled(ada, enabled=False)
    tenant.reset_password(ada)
    tenant.revoke_sessions(ada)
    after = tenant.user(ada).value

    assert (True, False) == (before.enabled, after.enabled)
    assert before.password_changed_at is not None
    assert after.password_changed_at is not None
    assert before.password_changed_at < START < after.password_changed_at
    assert after.sessions_valid_from is not None
    assert START < after.sessions_valid_from
    calm.wait(3_600)
    done = {event.operation for event in tenant.directory_audit(ada, START).value}
    assert any("password" in operation.lower() for operation in done)


def test_an_unblock_takes_its_time(calm: Site) -> None:
    """The row stays for a while; then it is gone, and the tenant's own log says so."""
    tenant, ada = calm.provider, calm.ada
    tenant.unblock(Kind.MAILBOX, ada, "case 2026-42")

    assert tenant.restriction(Kind.MAILBOX, ada).value is not None
    calm.wait(3_600)
    assert tenant.restriction(Kind.MAILBOX, ada).value is None
    records = list(tenant.audit_log(("HygieneTenantEvents",), START - timedelta(days=2), START + timedelta(days=1)))
    assert any(("Event", "Delisted") in record.details and ada == record.target for record in records)


def test_what_an_attacker_sent_is_traced(calm: Site) -> None:
    """By the address it was sent from, which for some is not their name; the same seed tells the same."""
    tenant = calm.provider
    names = [row.identifier for row in tenant.restricted(Kind.MAILBOX).value]
    traced = {name: tenant.message_trace(name, START - timedelta(days=30)).value for name in names}
    sent = {item.trace for item in calm.simulator.tenant.mail}
    elsewhere = [name for name, found in traced.items() if any(item.sender != name for item in found)]

    assert sent
    assert sent == {item.id for found in traced.values() for item in found}
    assert elsewhere
    assert {item.address for found in traced.values() for item in found} == {ADDRESS}
    calm.goes_wrong("denied", "GET /admin/exchange/tracing/messageTraces", times=0)
    with pytest.raises(NotReadableError, match=r"ExchangeMessageTrace\.Read\.All"):
        tenant.message_trace(names[0], START)


def test_a_search_that_takes_a_quarter_of_an_hour_is_read() -> None:
    """By the second look; there is one search in the tenant."""
    with site(replace(NAMED["calm"], audit_query=(900, 901))) as found:
        since, until = START - timedelta(days=2), START + timedelta(minutes=5)
        with pytest.raises(ProviderBusyError, match="takes long"):
            list(found.provider.audit_log(("HygieneTenantEvents",), since, until))
        assert list(found.provider.audit_log(("HygieneTenantEvents",), since, until))
        assert 1 == len(found.simulator.tenant.searches)


def test_long_lists_are_whole() -> None:
    """Page after page; a page that is lost is told and not hidden."""
    with site(replace(NAMED["calm"], users=1_200, restricted=1_050)) as found:
        assert 1_050 == len(found.provider.restricted(Kind.MAILBOX).value)
        found.goes_wrong("expired-page")
        with pytest.raises(ProviderError):
            found.provider.restricted(Kind.MAILBOX)


@pytest.mark.parametrize("fault", ["throttled", "throttled-silently", "concurrency", "unavailable"])
def test_a_busy_service_is_waited_for(calm: Site, fault: str) -> None:
    """And never called before it said: calling early begins the wait again."""
    calm.goes_wrong(fault, times=2)

    assert calm.provider.restricted(Kind.MAILBOX).value
    assert calm.waited
    assert 0 == calm.simulator.faults.early


def test_a_limit_is_not_run_into() -> None:
    """The tenant says how far it is used up, and is called more slowly before it refuses."""
    with site(replace(NAMED["calm"], limits=True, budgets={"identity": 20})) as found:
        for _ in range(60):
            found.provider.user(found.ada)
        assert [] == [status for (_, status), _ in found.simulator.calls.items() if status == 429]


@pytest.mark.parametrize("fault", ["lost-answer", "lost-request", "gateway-timeout-done", "cut-short", "server-error"])
def test_a_read_survives(calm: Site, fault: str) -> None:
    """It is asked once more."""
    calm.goes_wrong(fault)

    assert calm.provider.restricted(Kind.MAILBOX).value
    calm.goes_wrong(fault, "GET /users/{user}")
    assert calm.provider.user(calm.ada).value.enabled


@pytest.mark.parametrize(
    ("fault", "done"),
    [
        *(("lost-answer", 1), ("gateway-timeout-done", 1), ("cut-short", 1)),
        *(("lost-request", 0), ("gateway-timeout", 0), ("server-error", 0), ("unavailable", 0)),
    ],
)
def test_an_unblock_without_an_answer_is_not_repeated(calm: Site, fault: str, done: int) -> None:
    """Whether it took place or not, it was called once, and its outcome is unknown."""
    calm.goes_wrong(fault, REMOVE)

    with pytest.raises(OutcomeUnknownError):
        calm.provider.unblock(Kind.MAILBOX, calm.ada, "case 1")
    assert done == calm.removals()
    assert 1 == sum(count for (name, _), count in calm.simulator.calls.items() if name == REMOVE)


@pytest.mark.parametrize("fault", ["throttled", "throttled-silently", "concurrency"])
def test_an_unblock_that_was_turned_away_did_not_take_place(calm: Site, fault: str) -> None:
    """It is left to whoever asked."""
    calm.goes_wrong(fault, REMOVE)

    with pytest.raises(ProviderBusyError):
        calm.provider.unblock(Kind.MAILBOX, calm.ada, "case 1")
    assert 0 == calm.removals()


def test_an_answer_that_comes_too_late(calm: Site) -> None:
    """A read is asked again; an unblock took place, and nobody knows."""
    with site(timeout=0.3) as found:
        found.goes_wrong("slow", LIST, seconds=0.5)
        ada = found.provider.restricted(Kind.MAILBOX).value[0].identifier
        found.goes_wrong("slow", REMOVE, seconds=0.5)
        with pytest.raises(OutcomeUnknownError):
            found.provider.unblock(Kind.MAILBOX, ada, "case 1")
        assert 1 == found.removals()


@pytest.mark.parametrize(
    ("fault", "on"),
    [
        *(("forbidden", LIST), ("role-gap", LIST), ("bad-request", LIST)),
        *(("denied", "GET /users/{user}"), ("not-found", "GET /users/{user}"), ("bad-request", "GET /users/{user}")),
    ],
)
def test_what_may_not_be_read_is_not_readable(calm: Site, fault: str, on: str) -> None:
    """It is never met, and never an empty list."""
    calm.goes_wrong(fault, on, times=0)

    with pytest.raises(NotReadableError):
        _ = calm.provider.restricted(Kind.MAILBOX) if on == LIST else calm.provider.user(calm.ada)


def test_half_of_an_answer_is_none(calm: Site) -> None:
    """A list that is cut in its middle is no list."""
    calm.goes_wrong("not-json", LIST, times=0)

    with pytest.raises(ProviderError, match="no JSON object"):
        calm.provider.restricted(Kind.MAILBOX)


def test_regional_hosts_are_followed(calm: Site) -> None:
    """With the token, the body and the method."""
    calm.goes_wrong("regional", LIST)

    assert calm.provider.restricted(Kind.MAILBOX).value


def test_a_token_that_is_refused_is_renewed(calm: Site) -> None:
    """Once; a second refusal names the permission."""
    calm.goes_wrong("unauthorized")
    assert calm.provider.restricted(Kind.MAILBOX).value
    calm.goes_wrong("unauthorized", times=0)
    with pytest.raises(NotReadableError, match=r"Exchange\.ManageAsApp"):
        calm.provider.restricted(Kind.MAILBOX)
    with pytest.raises(ProviderRefusedError):
        calm.provider.set_enabled(calm.ada, enabled=False)


def test_a_certificate_signs_in(tmp_path: Path) -> None:
    """As an application does; one that is not known yet is told apart from everything else."""
    pem = write(tmp_path / "app.pem")
    client = "99999999-2222-3333-4444-555555555555"
    with site(client=client, way=Way.CERTIFICATE, certificate=pem) as found:
        found.goes_wrong("unknown-certificate", "POST …/token")
        with pytest.raises(ProviderError, match="upload it"):
            found.provider.restricted(Kind.MAILBOX)
        assert found.provider.restricted(Kind.MAILBOX).value
        assert found.provider.audit_posture().value.unified_log


def test_a_probe_of_the_tenant(calm: Site) -> None:
    """Everything answers, with the permissions that the tokens carry, and nothing is changed."""
    before = len(calm.simulator.tenant.effects)
    report = probe(calm.provider, calm.simulator.tenant.now(), calm.ada, audit_log=True)

    assert (True, ()) == (report.well, report.missing)
    assert {"answered"} == {finding.outcome for finding in report.findings}
    assert before == len(calm.simulator.tenant.effects)


def test_a_probe_names_what_an_application_may_not(tmp_path: Path) -> None:
    """By its token, and by what is refused."""
    client = "99999999-2222-3333-4444-555555555555"
    scenario = replace(NAMED["calm"], apps={client: App(exchange=False, permissions=("User.Read.All", "Mail.Send"))})
    with site(scenario, client=client, way=Way.CERTIFICATE, certificate=write(tmp_path / "app.pem")) as found:
        ada = found.simulator.tenant.accounts[0].upn
        report = probe(found.provider, START, ada)

    assert {"Policy.Read.All", "Exchange.ManageAsApp"} <= set(report.missing)
    assert (("Mail.Send",), False) == (report.excess, report.well)
    outcomes = {finding.operation: finding.outcome for finding in report.findings}
    assert ("refused", "answered", "refused") == (
        outcomes["restricted mailboxes"],
        outcomes["user"],
        outcomes["sign_in_methods"],
    )


def test_scenarios_that_end_elsewhere() -> None:
    """The unblock limit ends with Microsoft; a tenant without licence cannot tell; policies are Compliance's."""
    with site(NAMED["limit"]) as found, pytest.raises(UnblockLimitError):
        found.provider.unblock(Kind.MAILBOX, found.ada, "case 1")
    with site(NAMED["no-premium"]) as found, pytest.raises(NotReadableError, match="licence"):
        found.provider.sign_ins(found.ada, START - timedelta(days=1))
    with site(NAMED["gcc-high"]) as found:
        assert found.provider.alert_policies().value
        with pytest.raises(NotReadableError, match="Cannot read what the mailbox sent"):
            found.provider.message_trace(found.ada, START - timedelta(days=1))
    with site(NAMED["unsafe"]) as found:
        assert (False, False) == (
            found.provider.audit_posture().value.unified_log,
            required(found).required,
        )


@pytest.mark.parametrize("mfa", ["conditional-access", "security-defaults", "per-user"])
def test_every_way_of_requiring_a_second_factor(mfa: str) -> None:
    """Each is found by its name."""
    with site(replace(NAMED["calm"], mfa=mfa)) as found:
        assert (True, mfa) == (
            (seen := required(found)).required,
            seen.by,
        )


def test_nothing_but_the_ports_errors_comes_out() -> None:
    """In a tenant in which everything goes wrong, what an operation does not manage it says in the port's words."""
    with site() as found:
        called = everything(found)
        for rule in NAMED["rough"].faults:
            found.simulator.faults.add(rule)
        told = 0
        for _ in range(4):
            for call in called.values():
                try:
                    call()
                except ProviderError:
                    told += 1
        assert told
        assert found.removals() <= 4
