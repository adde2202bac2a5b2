"""A service's *no*, said so that a person can do something about it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from workflow.errors import NotReadableError, ProviderError, ProviderRefusedError
from workflow.providers.microsoft365.redaction import redacted
from workflow.providers.operations import EXCHANGE, OPERATIONS

if TYPE_CHECKING:
    from workflow.providers.microsoft365.wire import Reply

_FORBIDDEN = frozenset({401, 403})
_LONGEST = 320


def refusal(operation: str, name: str, reply: Reply, said: str) -> ProviderError:
    """Return the error for an answer that refuses.

    Args:
        operation: the port's operation.
        name: the call, as evidence names it.
        reply: the answer.
        said: what the service gave as its reason, "" for nothing.

    A read that is refused is *not readable*; a change that is refused was not made.
    """
    row = OPERATIONS[operation]
    why = redacted(said) or f"status {reply.status}"
    message = f"Cannot {row.title}: {name} was refused ({why})."
    if reply.status in _FORBIDDEN:
        of_exchange = f" and a role with {name}" if EXCHANGE in row.permissions else ""
        needed = f"{', '.join(row.permissions)}{of_exchange}"
        message += f" It takes {needed}; 'holdfast tenant permissions' prints how to grant that."
    return ProviderRefusedError(message) if row.changes else NotReadableError(message)


def sure(text: str) -> str:
    """Return a name that goes into an address or a cmdlet, as it is.

    Most names are the tenant's own, so that one that cannot be asked for is an answer of its: whoever looks goes on.

    Raises:
        ProviderRefusedError: it is empty, too long, or holds something that no such name has.
    """
    if not text or len(text) > _LONGEST or not text.isprintable() or text.strip(".") == "" or text != text.strip():
        raise ProviderRefusedError(f"{redacted(text)[:60]!r} is no name of an account, mailbox or connector.")
    return text
