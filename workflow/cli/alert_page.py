"""How alert policies are shown: ours, and the tenant's own beside them."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from workflow.cli.output import fields, say, table
from workflow.cli.text import visible
from workflow.domain.alerts import STANDARD

if TYPE_CHECKING:
    from collections.abc import Mapping

    from workflow.domain.alerts import Policy, Rule
    from workflow.services.alert_policies import TenantPolicy, TenantView


def policy_data(rule: Rule, theirs: TenantView | None) -> dict[str, Any]:
    """Return a policy as plain values, the tenant's policy of the same name beside it."""
    own = theirs.named(STANDARD[rule.policy].title) if theirs is not None else None
    return {
        **rule.to_data(),
        "daily_limit": rule.daily_limit,
        "title": STANDARD[rule.policy].title,
        "notified": list(rule.told),
        "log_entry": rule.changed or None,
        "tenant": None if own is None else _plain(own),
    }


def tenant_data(theirs: TenantView | None) -> dict[str, Any] | None:
    """Return the tenant's side as plain values, None where nothing was read."""
    from workflow.services.alert_policies import PORTAL

    if theirs is None:
        return None
    return {
        **{key: list(value) if isinstance(value, tuple) else value for key, value in asdict(theirs).items()},
        "policies": [_plain(item) for item in theirs.policies],
        "portal": PORTAL,
    }


def _plain(item: TenantPolicy) -> dict[str, Any]:
    return {key: list(value) if isinstance(value, tuple) else value for key, value in asdict(item).items()}


def show_policies(found: Mapping[Policy, Rule]) -> None:
    """Print the policies as a table."""
    table(
        ("policy", "what", "severity", "on", "opted in", "recipients", "daily limit"),
        [
            (
                rule.policy.value,
                STANDARD[rule.policy].title,
                rule.severity.value,
                _yes(rule.on),
                _yes(rule.opted_in),
                ", ".join(rule.recipients) or "none",
                _limit(rule.daily_limit),
            )
            for rule in found.values()
        ],
        flexible=(1, 5),
    )


def show_policy(rule: Rule, theirs: TenantView | None) -> None:
    """Print one policy in full."""
    say(f"{rule.policy.value}: {STANDARD[rule.policy].title}", bold=True)
    told = ", ".join(rule.told) or "nobody"
    fields(
        [
            ("on", _yes(rule.on)),
            ("opted in", _yes(rule.opted_in)),
            ("severity", rule.severity.value),
            ("recipients", ", ".join(rule.recipients) or "none configured"),
            ("daily limit", _limit(rule.daily_limit)),
            ("told now", told),
            ("what to do", STANDARD[rule.policy].advice),
            ("log entry", str(rule.changed) if rule.changed else "none: it stands as it came"),
        ],
        "  ",
    )
    own = theirs.named(STANDARD[rule.policy].title) if theirs is not None else None
    if own is not None:
        say("The tenant's own policy of this name:")
        _show_own([own])
    elif theirs is not None:
        show_tenant(theirs)


def show_tenant(theirs: TenantView) -> None:
    """Print the tenant's own policies, what drifted and whether the tenant is audited."""
    from workflow.services.alert_policies import PORTAL

    say()
    say("The tenant's own alert policies", bold=True)
    if theirs.policies:
        _show_own(theirs.policies)
    for title in theirs.missing if theirs.policies else ():
        say(f"  not found: {title}")
    if theirs.audit_log is not None:
        say(f"  audit logging: {'on' if theirs.audit_log else 'OFF: nothing can be proven from the tenant'}")
    if theirs.mailbox_auditing is not None:
        say(f"  mailbox auditing: {'on' if theirs.mailbox_auditing else 'OFF'}")
    for why in theirs.unread:
        say(f"  not readable: {visible(why)}")
    if any(item.drift for item in theirs.policies):
        say(f"  No cmdlet edits a default policy; set it right in the portal: {PORTAL}")


def _show_own(own: tuple[TenantPolicy, ...] | list[TenantPolicy]) -> None:
    table(
        ("tenant's policy", "severity", "on", "opted in", "recipients", "daily limit", "drift"),
        [
            (
                item.name,
                item.severity,
                _yes(item.on),
                _yes(item.notifies),
                len(item.recipients),
                _limit(item.daily_limit),
                "; ".join(item.drift) or "none",
            )
            for item in own
        ],
        flexible=(0, 6),
    )


def _yes(value: bool) -> str:
    return "yes" if value else "no"


def _limit(limit: int | None) -> str:
    return "none" if limit is None else str(limit)
