"""The cmdlets of the gateway: their closed parameter sets, and the registry that they stand in."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from workflow.providers.simulated.messages import Json
from workflow.providers.simulated.refusals import CmdletError, not_found
from workflow.providers.simulated.stamp import zulu
from workflow.providers.simulated.state import Account, By
from workflow.providers.simulated.tenant import Tenant

_GUID = re.compile(r"^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$")
_BINDING = "Microsoft.Exchange.AdminApi.CommandInvocation.ParameterBindingException"


@dataclass(slots=True)
class Call:
    """One call of a cmdlet.

    Args:
        tenant: where.
        given: the parameters, checked.
        by: who calls.
        at: when.
        audience: ``exchange`` or ``compliance``.
        warnings: what the cmdlet warns of, filled by it.
    """

    tenant: Tenant
    given: Json
    by: By
    at: datetime
    audience: str = "exchange"
    warnings: list[str] = field(default_factory=list)

    def text(self, name: str) -> str:
        """Return a parameter as text, "" where it was not given or is null."""
        value = self.given.get(name)
        return "" if value is None else str(value)

    def mailbox(self, name: str = "Identity") -> Account:
        """Return the account whose mailbox a parameter names.

        Raises:
            CmdletError: there is none.
        """
        account = self.tenant.find_mailbox(self.text(name))
        if account is None:
            raise not_found(self.text(name))
        return account


@dataclass(frozen=True, slots=True)
class Cmdlet:
    """One cmdlet.

    Args:
        run: what it does; it returns rows.
        parameters: their kinds by name, ``!`` in front of those it needs.
        writes: whether it changes the tenant.
        compliance: whether Security & Compliance answers it.
    """

    run: Callable[[Call], list[Json]]
    parameters: Json
    writes: bool
    compliance: bool


Run = Callable[[Call], list[Json]]
CMDLETS: dict[str, Cmdlet] = {}
"""Every cmdlet by name."""


def cmdlet(name: str, *, writes: bool = False, compliance: bool = False, **parameters: str) -> Callable[[Run], Run]:
    """Register a cmdlet with the kinds of its parameters, as :func:`_fits` knows them."""

    def register(run: Run) -> Run:
        CMDLETS[name] = Cmdlet(run, parameters, writes, compliance)
        return run

    return register


def bind(found: Cmdlet, given: Json) -> Json:
    """Return the parameters of a call, checked as closed sets are.

    Raises:
        CmdletError: one is unknown, of the wrong kind, or missing.
    """
    for name, value in given.items():
        if name.endswith("@odata.type"):
            continue
        kind = found.parameters.get(name)
        if kind is None:
            text = (
                "Parameter set cannot be resolved using the specified named parameters. "
                f"Invalid cmdlet parameters specified. {name}"
            )
            ambiguous = "Microsoft.Exchange.AdminApi.CommandInvocation.AmbiguousParameterSetException"
            raise CmdletError(text, ambiguous, ran=False)
        if not _fits(kind.lstrip("!"), value):
            raise CmdletError(f"Cannot process argument transformation on parameter '{name}'.", _BINDING, ran=False)
    for name, kind in found.parameters.items():
        if kind.startswith("!") and given.get(name) in {None, ""}:
            text = f"Cannot process command because of one or more missing mandatory parameters: {name}."
            raise CmdletError(text, _BINDING, ran=False)
    return given


def _fits(kind: str, value: Any) -> bool:
    if kind == "any":
        return True
    if kind == "flag":
        return isinstance(value, bool)
    if kind == "number":
        return (isinstance(value, int) and not isinstance(value, bool)) or value == "Unlimited" or value is None
    if kind == "guid":
        return isinstance(value, str) and _GUID.match(value) is not None
    if kind == "texts":
        return isinstance(value, list) and all(isinstance(item, str) for item in value)
    if kind == "change":
        return value is None or isinstance(value, dict | list)
    return value is None or isinstance(value, str)


def guid(name: str, value: str) -> Json:
    """Return a member with the annotations that the gateway puts beside a GUID."""
    return {f"{name}@data.type": "System.Guid", f"{name}@odata.type": "#Guid", name: value}


def moment(name: str, at: datetime) -> Json:
    """Return a member with the annotations beside a time."""
    return {f"{name}@data.type": "System.DateTime", f"{name}@odata.type": "#DateTimeOffset", name: zulu(at)}


def texts(name: str, values: list[str]) -> Json:
    """Return a member with the annotation beside a list of texts."""
    return {f"{name}@odata.type": "#Collection(String)", name: values}
