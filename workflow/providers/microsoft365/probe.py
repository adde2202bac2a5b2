"""Looking at a real tenant without changing anything: what answers, in which shape, with which permissions.

The report is made to be shown to others: it holds kinds of values and never a value, Microsoft's words about
permissions and refusals, and neither the tenant's nor anybody's name.
"""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from workflow.domain.vocabulary import Kind
from workflow.errors import NotReadableError, ProviderBusyError, ProviderError
from workflow.providers.anonymous import anonymous
from workflow.providers.grants import USUAL, Feature, grants
from workflow.providers.microsoft365.connection import Service
from workflow.providers.microsoft365.shape import shape
from workflow.providers.operations import EXCHANGE, OPERATIONS

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from workflow.providers.microsoft365.tenant import Microsoft365
    from workflow.providers.microsoft365.wire import Call, Reply

_DAY = timedelta(days=1)
_ROLES = {
    "29232cdf-9323-42fd-ade2-1d097af3e4de": "Exchange Administrator",
    "62e90394-69f5-4237-9190-012177145e10": "Global Administrator",
    "f2ef992c-3afb-46b9-b7cf-a126ee74c451": "Global Reader",
    "194ae4cb-b126-40b2-bd5b-6091b380977d": "Security Administrator",
    "5d6b6bb7-de71-4623-b4af-96380a352509": "Security Reader",
}
"""Template ids of the directory roles that matter here (Microsoft's list of built-in roles)."""


@dataclass(frozen=True, slots=True)
class Seen:
    """One answer: the call, its status, the service's request id, and the shape of its body."""

    call: str
    status: int
    request: str
    shape: Any


@dataclass(frozen=True, slots=True)
class Finding:
    """What came of one operation.

    ``outcome`` is ``answered``, ``refused`` (it may not be read, or the tenant cannot tell), ``busy``, ``failed`` or
    ``skipped``.
    """

    operation: str
    outcome: str
    said: str = ""
    seen: tuple[Seen, ...] = ()

    @property
    def title(self) -> str:
        """The operation in words."""
        return OPERATIONS[self.operation.split(" ", 1)[0]].title


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What a probe found.

    Args:
        findings: one for each operation that reads.
        held: permissions the tokens carry, by service; a service without a token is missing.
        roles: directory roles the tokens name; Exchange role groups are not among them.
        missing: permissions that the features need and no token carries.
        excess: permissions that are carried and that no feature needs.
        errors: why there is no token for a service.
    """

    findings: tuple[Finding, ...]
    held: dict[str, tuple[str, ...]] = field(default_factory=dict)
    roles: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    excess: tuple[str, ...] = ()
    errors: dict[str, str] = field(default_factory=dict)

    @property
    def well(self) -> bool:
        """Whether everything that was asked answered, and nothing is missing."""
        return not self.missing and not self.errors and all(f.outcome in {"answered", "skipped"} for f in self.findings)

    def to_data(self) -> dict[str, Any]:
        """Return it as plain values."""
        return {
            "well": self.well,
            "permissions": {
                "held": {service: list(names) for service, names in self.held.items()},
                "directory_roles": list(self.roles),
                "missing": list(self.missing),
                "more_than_needed": list(self.excess),
                "errors": dict(self.errors),
            },
            "operations": [
                {
                    "operation": finding.operation,
                    "title": finding.title,
                    "outcome": finding.outcome,
                    "said": finding.said,
                    "calls": [
                        {"call": seen.call, "status": seen.status, "request_id": seen.request, "shape": seen.shape}
                        for seen in finding.seen
                    ],
                }
                for finding in self.findings
            ],
        }


def probe(
    tenant: Microsoft365,
    now: datetime,
    user: str = "",
    *,
    audit_log: bool = False,
    features: tuple[Feature, ...] = USUAL,
    step: Callable[[int, int], None] | None = None,
) -> Report:
    """Ask a tenant everything that reads, and nothing that changes.

    Args:
        tenant: the connection.
        now: the present, aware UTC.
        user: an account and mailbox to look at; without one, what is about a person is skipped.
        audit_log: also begin a search of the unified audit log, which takes minutes and stays listed in the tenant.
        features: what Holdfast is meant to do there, for the permissions that are missing.
        step: is told how many operations are done of how many.
    """
    held, roles, errors = _permissions(tenant)
    findings: list[Finding] = []
    questions = _questions(tenant, now, user)
    for number, (name, ask) in enumerate(questions, start=1):
        if errors.keys() >= {Service.GRAPH.value, Service.EXCHANGE.value}:
            findings.append(Finding(name, "skipped", "no token"))
        elif name == "audit_log" and not audit_log:
            findings.append(Finding(name, "skipped", "a search takes minutes; ask for it"))
        elif ask is None:
            findings.append(Finding(name, "skipped", "name an account to look at"))
        else:
            findings.append(_ask(tenant, name, ask))
        if step is not None:
            step(number, len(questions))
    needed = grants(features)
    graph = {grant.permission for grant in needed.graph}
    carried = set(held.get(Service.GRAPH.value, ()))
    missing = [name for name in sorted(graph) if not {name, name.replace(".Read.", ".ReadWrite.")} & carried]
    # A person who signed in is asked for their roles alone.
    missing += [EXCHANGE] if held.get(Service.EXCHANGE.value) == () else []
    everything = {grant.permission for grant in grants(Feature).graph} | graph
    return Report(
        findings=tuple(findings),
        held=held,
        roles=roles,
        missing=tuple(missing) if Service.GRAPH.value in held else (),
        excess=tuple(sorted(carried - everything)),
        errors=errors,
    )


def _questions(tenant: Microsoft365, now: datetime, user: str) -> list[tuple[str, Callable[[], object] | None]]:
    about: dict[str, Callable[[], object]] = {
        "restriction": lambda: tenant.restriction(Kind.MAILBOX, user),
        "user": lambda: tenant.user(user),
        "sign_in_methods": lambda: tenant.sign_in_methods(user),
        "mfa_requirement": lambda: tenant.mfa_requirement(tenant.user(user).value, tenant.sign_in_policies()),
        "sign_ins": lambda: tenant.sign_ins(user, now - _DAY),
        "consents": lambda: tenant.consents(user),
        "roles": lambda: tenant.roles(user),
        "inbox_rules": lambda: tenant.inbox_rules(user),
        "forwarding": lambda: tenant.forwarding(user),
        "delegates": lambda: tenant.delegates(user),
        "directory_audit": lambda: tenant.directory_audit(user, now - _DAY),
        "message_trace": lambda: tenant.message_trace(user, now - _DAY),
    }
    return [
        ("restricted mailboxes", lambda: tenant.restricted(Kind.MAILBOX)),
        ("restricted connectors", lambda: tenant.restricted(Kind.CONNECTOR)),
        ("audit_posture", tenant.audit_posture),
        ("alert_policies", tenant.alert_policies),
        ("sign_in_policies", tenant.sign_in_policies),
        *((name, ask if user else None) for name, ask in about.items()),
        ("audit_log", lambda: list(tenant.audit_log(("HygieneTenantEvents",), now - _DAY, now))),
    ]


def _ask(tenant: Microsoft365, name: str, ask: Callable[[], object]) -> Finding:
    seen: list[Seen] = []

    def watch(call: Call, reply: Reply) -> None:
        seen.append(Seen(call.name, reply.status, reply.read(call.name).request, shape(reply.data)))

    tenant.wire.watch = watch
    outcome, said = "answered", ""
    try:
        ask()
    except NotReadableError as error:
        outcome, said = "refused", str(error)
    except ProviderBusyError as error:
        outcome, said = "busy", str(error)
    except ProviderError as error:
        outcome, said = "failed", str(error)
    finally:
        tenant.wire.watch = None
    return Finding(name, outcome, anonymous(said), tuple(seen))


def _permissions(tenant: Microsoft365) -> tuple[dict[str, tuple[str, ...]], tuple[str, ...], dict[str, str]]:
    """Return the permissions and roles that tokens carry, and why there are none."""
    held: dict[str, tuple[str, ...]] = {}
    roles: set[str] = set()
    errors: dict[str, str] = {}
    for service in (Service.GRAPH, Service.EXCHANGE):
        try:
            claims = _claims(tenant.sign_in.token(service))
        except ProviderError as error:
            errors[service.value] = anonymous(str(error))
            continue
        scopes = str(claims.get("scp", "")).split()
        held[service.value] = tuple(sorted({*_words(claims.get("roles")), *scopes}))
        roles |= {_ROLES.get(role, role) for role in _words(claims.get("wids"))}
    return held, tuple(sorted(roles)), errors


def _words(value: object) -> list[str]:
    return [item[:100] for item in value if isinstance(item, str)] if isinstance(value, list) else []


def _claims(token: str) -> dict[str, Any]:
    """Return what a token says of itself; services check it, this only reads it."""
    part = token.partition(".")[2].partition(".")[0]
    try:
        found = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}
