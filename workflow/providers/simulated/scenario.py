"""How a simulated tenant behaves: what is in it, what goes wrong with it, and how late it is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

NEVER = -1.0


@dataclass(frozen=True, slots=True)
class Fate:
    """What becomes of one restricted mailbox, counted from 1 in the order of the list.

    Args:
        leaves_after: seconds from the unblock until the row is gone; -1 for never, None for what the scenario draws.
        portal_after: seconds from the start after which an administrator unblocks it in the portal; 0 for never.
        returns_after: seconds from the release after which the attacker comes back; 0 for never.
    """

    leaves_after: float | None = None
    portal_after: float = 0.0
    returns_after: float = 0.0


@dataclass(frozen=True, slots=True)
class App:
    """A registered application: whether it has ``Exchange.ManageAsApp``, its directory roles, its Graph permissions."""

    exchange: bool = True
    roles: tuple[str, ...] = ("Exchange Administrator", "Privileged Authentication Administrator")
    permissions: tuple[str, ...] = ("*",)


@dataclass(frozen=True, slots=True)
class FaultRule:
    """A fault that is switched on.

    Args:
        fault: its name (:mod:`workflow.providers.simulated.faults`).
        on: ``any``, a service (``exchange``, ``graph``, ``sign-in``), a cmdlet, or method and path such as
            ``GET /users/{id}``.
        chance: how likely each call that fits meets it.
        skip: how many calls that fit are let through first.
        times: how many calls it meets at most; 0 for no limit.
        seconds: what ``Retry-After`` says (5 where it is 0), or how long an answer is held back.
    """

    fault: str
    on: str = "any"
    chance: float = 1.0
    skip: int = 0
    times: int = 0
    seconds: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """One tenant to simulate. Pairs are the least and the most of what is drawn, in seconds.

    Args:
        name: what it is called.
        about: one sentence about it.
        users: how many accounts there are.
        restricted: how many of them are restricted at the start.
        connectors: how many blocked connectors there are.
        starts_at: the first present; None for the present of the machine.
        leaves_after: from an unblock until the row is gone.
        late, overdue, never: how often that takes 2 to 20 hours, 25 to 40 hours, or for ever.
        fates: what becomes of single mailboxes.
        directory_lag: until a change of an account shows up in reads.
        audit_lag: until a record of an audit log can be found.
        audit_twice: how often a record is found twice.
        audit_query: how long an audit search runs.
        skew: how many seconds the audit log's clock differs at most.
        unblock_limit: successful unblocks per mailbox; 0 for no limit, -1 for none at all.
        not_listed: ``error`` or ``nothing``: how unblocking what is not listed is answered.
        restricts_again: whether a released mailbox that an attacker still uses is restricted again after midnight.
        returns: how often an attacker comes back within two days after a release.
        portal: how often an administrator unblocks in the portal within two days.
        new_per_day: how many mailboxes become restricted a day.
        premium: whether the tenant has an Entra ID P1 licence.
        cloud: ``public`` or ``gcc-high``.
        mfa: what requires multifactor authentication: ``conditional-access``, ``security-defaults``, ``per-user`` or
            ``none``.
        audited: whether the unified audit log is on.
        alerting: whether the policy "User restricted from sending email" is on.
        limits: whether calls are limited.
        budgets: limits that differ, calls per window, by family (:mod:`workflow.providers.simulated.limits`).
        apps: registered applications by id; without any, every application may do everything.
        faults: what goes wrong.
        call_seconds: how long a call takes while the clock stands still.
        page: rows of a page where the caller does not say.
    """

    name: str = "calm"
    about: str = ""
    users: int = 50
    restricted: int = 12
    connectors: int = 1
    starts_at: datetime | None = None
    leaves_after: tuple[float, float] = (300.0, 2400.0)
    late: float = 0.0
    overdue: float = 0.0
    never: float = 0.0
    fates: Mapping[int, Fate] = field(default_factory=dict)
    directory_lag: tuple[float, float] = (0.0, 0.0)
    audit_lag: tuple[float, float] = (60.0, 600.0)
    audit_twice: float = 0.0
    audit_query: tuple[float, float] = (0.0, 0.0)
    skew: float = 0.0
    unblock_limit: int = 3
    not_listed: str = "error"
    restricts_again: bool = True
    returns: float = 0.0
    portal: float = 0.0
    new_per_day: float = 0.0
    premium: bool = True
    cloud: str = "public"
    mfa: str = "conditional-access"
    audited: bool = True
    alerting: bool = True
    limits: bool = False
    budgets: Mapping[str, int] = field(default_factory=dict)
    apps: Mapping[str, App] = field(default_factory=dict)
    faults: tuple[FaultRule, ...] = ()
    call_seconds: float = 0.05
    page: int = 100

    def app(self, name: str) -> App:
        """Return what an application may do: everything where none is registered, nothing where others are."""
        return self.apps.get(name, App(exchange=False, roles=(), permissions=())) if self.apps else App()


_CALM = Scenario(about="Everything works, at once; a row leaves the list 5 to 40 minutes after an unblock.")
_ORDINARY = replace(
    _CALM,
    name="ordinary",
    about="A weekday: reads lag, audit records come late and sometimes twice, calls are limited and now and then fail.",
    directory_lag=(2.0, 45.0),
    audit_lag=(120.0, 5400.0),
    audit_twice=0.02,
    audit_query=(30.0, 240.0),
    skew=20.0,
    late=0.03,
    limits=True,
    faults=(
        FaultRule("throttled", chance=0.01, seconds=2),
        FaultRule("unavailable", chance=0.005),
        FaultRule("warnings", "exchange", chance=0.02),
    ),
)
_ROUGH = replace(
    _ORDINARY,
    name="rough",
    about="Everything that is known to go wrong goes wrong: lost answers, broken pages, restrictions that come back.",
    audit_twice=0.1,
    skew=60.0,
    late=0.08,
    overdue=0.03,
    never=0.01,
    returns=0.1,
    portal=0.05,
    new_per_day=20.0,
    faults=(
        FaultRule("throttled", chance=0.02, seconds=1),
        FaultRule("throttled-silently", chance=0.01),
        FaultRule("concurrency", "exchange", chance=0.01),
        FaultRule("unavailable", chance=0.01, seconds=1),
        FaultRule("gateway-timeout", chance=0.005),
        FaultRule("bad-gateway", chance=0.005),
        FaultRule("lost-answer", chance=0.01),
        FaultRule("lost-request", chance=0.005),
        FaultRule("cut-short", chance=0.003),
        FaultRule("expired-page", "exchange", chance=0.02),
        FaultRule("forbidden", "exchange", chance=0.003),
        FaultRule("warnings", "exchange", chance=0.05),
        FaultRule("unauthorized", "graph", chance=0.003),
    ),
)
_WAVE = replace(
    _CALM,
    name="wave",
    about="200 restricted mailboxes: one slow, one overdue, one unblocked in the portal, one attacker who returns.",
    users=400,
    restricted=200,
    leaves_after=(120.0, 1500.0),
    fates={
        3: Fate(leaves_after=2400.0),
        7: Fate(leaves_after=30 * 3600.0),
        11: Fate(portal_after=1800.0),
        13: Fate(returns_after=6 * 3600.0),
    },
)
_NO_PREMIUM = replace(
    _CALM,
    name="no-premium",
    about="No Entra ID P1 licence: sign-ins and reports are refused.",
    premium=False,
)
_GCC_HIGH = replace(
    _CALM,
    name="gcc-high",
    about="Alert policies only over Security & Compliance.",
    cloud="gcc-high",
)
_LIMIT = replace(
    _CALM,
    name="limit",
    about="Every mailbox was unblocked too often: only Microsoft Support helps.",
    unblock_limit=-1,
)
_UNSAFE = replace(
    _CALM,
    name="unsafe",
    about="No audit log, no alerts, and nothing requires multifactor authentication.",
    audited=False,
    alerting=False,
    mfa="none",
)
NAMED = {item.name: item for item in (_CALM, _ORDINARY, _ROUGH, _WAVE, _NO_PREMIUM, _GCC_HIGH, _LIMIT, _UNSAFE)}
"""The scenarios that ship with the product, by name."""
