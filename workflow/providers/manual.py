"""The default filling: it calls nothing. A person looks, a person acts, and attests it on the ledger."""

from __future__ import annotations

from typing import Any, NoReturn

from workflow.errors import NotReadableError

_RECORDED = {
    **dict.fromkeys(("restricted", "restriction"), "case observe"),
    "unblock": "case unblock --outcome",
}
"""With which command a person says what the restriction was; every other operation answers a prerequisite."""


class Manual:
    """No tenant: every operation says that a person does this."""

    name = "manual"
    acts = False

    def __getattr__(self, operation: str) -> Any:
        """Return an operation that refuses; only those of the port exist."""
        from workflow.providers.operations import OPERATIONS  # noqa: PLC0415 - only a refusal needs the table

        known = OPERATIONS.get(operation)
        if known is None:
            raise AttributeError(operation)

        def by_hand(*_: object, **__: object) -> NoReturn:
            message = (
                f"No tenant is connected, so a person does this: {known.title}. Record what was seen or done with "
                f"'holdfast {_RECORDED.get(operation, 'case record')}'; connect one with HOLDFAST_PROVIDER."
            )
            raise NotReadableError(message)

        return by_hand

    def share(self, workers: int) -> None:
        """Do nothing; nothing is called."""

    def close(self) -> None:
        """Do nothing; nothing was opened."""
