"""The gateway of Exchange Online: cmdlets over HTTP, as Microsoft's own module calls them.

There is no published contract for it. What is believed is written down in the project's contract tests; unknown fields
of what comes back are left alone, and what does not look as believed is an error, never an empty list.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from workflow.errors import InputError, ProviderError
from workflow.providers.microsoft365.connection import Family, Service
from workflow.providers.microsoft365.pages import Pages
from workflow.providers.microsoft365.refusal import refusal
from workflow.providers.microsoft365.tolerant import child, rows, text
from workflow.providers.microsoft365.values import Row
from workflow.providers.microsoft365.wire import Call
from workflow.providers.operations import OPERATIONS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from workflow.providers.microsoft365.connection import Connection
    from workflow.providers.microsoft365.wire import Reply, Wire
    from workflow.providers.shapes import Read

_SYSTEM_MAILBOX = "SystemMailbox{bb558c35-97f1-4cb9-8ff7-d53741dc928c}"
_EXPIRED = "pagination request"
_FORBIDDEN = 403
_REFUSED = frozenset({400, 404})
_MISSING = "ManagementObjectNotFoundException"


class CmdletError(Exception):
    """A cmdlet failed. ``said`` is its own message, ``kind`` the .NET type of what it threw."""

    def __init__(self, reply: Reply) -> None:
        """Find the message where the gateway hides it; the outermost one is always the same."""
        self.reply = reply
        self.said, self.kind = _reason(reply)
        super().__init__(self.said)

    def lacks(self, name: str) -> bool:
        """Say whether it is this object that there is none of: the same error comes for a mailbox on the way to it."""
        told = f"'{name.casefold()}'" in self.said.casefold()
        return self.kind.endswith(_MISSING) and self.reply.status in _REFUSED and told


class Exchange:
    """Cmdlets. ``user`` returns the person who signed in, "" for an application."""

    def __init__(self, wire: Wire, connection: Connection, user: Callable[[], str]) -> None:
        """Bind the wire."""
        self._wire = wire
        self._connection = connection
        self._user = user

    def run(
        self,
        operation: str,
        cmdlet: str,
        parameters: Mapping[str, Any] | None = None,
        *,
        mailbox: str = "",
        service: Service = Service.EXCHANGE,
    ) -> tuple[list[Row], Read]:
        """Run a cmdlet and return its rows, all of them; one that changes something has none.

        Args:
            operation: the port's operation, whose row says whether this changes anything.
            cmdlet: its name.
            parameters: its parameters; switches are True. An undeclared one makes the gateway refuse.
            mailbox: the mailbox it is about, so that the gateway finds the right server.
            service: Exchange, or Security & Compliance.

        Raises:
            NotReadableError, ProviderRefusedError: it was refused.
            OutcomeUnknownError: it changes something, and no answer came.
            ProviderError: a list could not be read to its end.
        """
        try:
            return self.attempt(operation, cmdlet, parameters, mailbox=mailbox, service=service)
        except CmdletError as error:
            raise refused(operation, cmdlet, error) from None

    def attempt(
        self,
        operation: str,
        cmdlet: str,
        parameters: Mapping[str, Any] | None = None,
        *,
        mailbox: str = "",
        service: Service = Service.EXCHANGE,
    ) -> tuple[list[Row], Read]:
        """Run a cmdlet as :meth:`run` does, for a caller who knows what to make of its refusals.

        Raises:
            CmdletError: it was refused.
        """
        row = OPERATIONS[operation]
        home = self._connection.address(service)
        url = f"{home}/adminapi/beta/{self._connection.tenant}/InvokeCommand"
        pages = Pages(cmdlet, home)
        while True:
            reply = self._wire.send(
                Call(
                    name=cmdlet,
                    service=service,
                    family=Family.EXCHANGE,
                    method="POST",
                    url=url,
                    body={"CmdletInput": {"CmdletName": cmdlet, "Parameters": dict(parameters or {})}},
                    headers={"X-AnchorMailbox": self._anchor(mailbox), "Prefer": "odata.maxpagesize=1000"},
                    changes=row.changes,
                    repeatable=row.repeatable,
                )
            )
            if not reply.good:
                error = CmdletError(reply)
                if pages.rows and _EXPIRED in error.said:
                    raise ProviderError(
                        f"{cmdlet}: the list is longer than one page, and the service lost the next one "
                        f"({len(pages.rows)} rows were read). It is not given out as a whole; try again."
                    )
                raise error
            if row.changes:
                return [], reply.read(cmdlet)
            url = pages.take(reply)
            if not url:
                return list(map(_plain, pages.rows)), reply.read(cmdlet)

    def _anchor(self, mailbox: str) -> str:
        anchor = mailbox or self._user()
        if anchor and anchor.isascii() and "@" in anchor:
            return f"UPN:{anchor}"
        return f"APP:{_SYSTEM_MAILBOX}@{self._connection.tenant}"


def refused(operation: str, cmdlet: str, error: CmdletError) -> ProviderError:
    """Return the error of a cmdlet's refusal for the caller of the port."""
    said = error.said
    if not said and error.reply.status == _FORBIDDEN:
        said = "no role for it, or no such cmdlet here"
    return refusal(operation, cmdlet, error.reply, said)


def changed(action: str, *values: str) -> dict[str, Any]:
    """Return a hashtable that adds to, or removes from, a property that holds several values."""
    if action not in {"add", "remove"}:
        raise InputError(f"{action!r}: a property's values are added or removed.")
    return {"@odata.type": "#Exchange.GenericHashTable", action: list(values)}


def _plain(row: Row) -> Row:
    """Return a row without the type annotations that stand beside its values."""
    return Row(row.call, {name: value for name, value in row.items() if "@" not in name})


def _reason(reply: Reply) -> tuple[str, str]:
    """Return what the cmdlet said and the type of what it threw."""
    error = child(reply.data, "error")
    for detail in rows(error, "details"):
        said, kind = _detail(text(detail, "message"))
        if said:
            return said, kind
    inner = child(error, "innererror", "internalexception")
    said = text(inner, "message") or text(error, "message")
    if not said and b"\0" not in reply.body:
        said = reply.body[:2_000].decode("utf-8", "replace")
    return said, text(inner, "type")


def _detail(message: str) -> tuple[str, str]:
    """Take ``<id>|<type>|<text>`` apart, or the JSON object that some tenants write instead."""
    if message.startswith("{"):
        try:
            found = json.loads(message)
        except (ValueError, RecursionError):
            found = None
        if isinstance(found, dict):
            return text(found, "Message"), text(found, "TypeName")
    parts = message.split("|", 2)
    return (parts[-1], parts[1]) if len(parts) > 2 else (message, "")  # noqa: PLR2004 - id, type and text
