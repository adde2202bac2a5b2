"""Tenants as people type them: one name in one spelling."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from workflow.cli.text import visible
from workflow.domain.subject import tenant_name
from workflow.errors import InputError

if TYPE_CHECKING:
    from typing import Any


def folded(_ctx: click.Context, _param: click.Parameter, value: Any) -> Any:
    """Return the name that was typed as every case carries it; for the ``callback`` of an option."""
    try:
        return tenant_name(value) if isinstance(value, str) else value
    except InputError as error:
        raise click.BadParameter(visible(error)) from None
