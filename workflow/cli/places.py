"""Tenants as people type them: one name in one spelling."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from workflow.domain.subject import tenant_name

if TYPE_CHECKING:
    from typing import Any


def folded(_ctx: click.Context, _param: click.Parameter, value: Any) -> Any:
    """Return the name that was typed as every case carries it; for the ``callback`` of an option."""
    return tenant_name(value) if isinstance(value, str) else value
