"""Microsoft Graph: addresses, pages and refusals of version 1.0, and of beta where 1.0 has nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode

from workflow.errors import NotReadableError, ProviderError
from workflow.providers.microsoft365.connection import Family, Service
from workflow.providers.microsoft365.pages import Pages
from workflow.providers.microsoft365.refusal import refusal, sure
from workflow.providers.microsoft365.tolerant import child, text
from workflow.providers.microsoft365.values import Row
from workflow.providers.microsoft365.wire import Call

if TYPE_CHECKING:
    from collections.abc import Mapping

    from workflow.providers.microsoft365.connection import Connection
    from workflow.providers.microsoft365.wire import Reply, Wire
    from workflow.providers.shapes import Read

_MISSING = 404
_NO_LICENCE = "Authentication_RequestFromNonPremiumTenantOrB2CTenant"


class Graph:
    """Calls to Graph. Paths hold their identifiers encoded; ``names`` of calls hold none."""

    def __init__(self, wire: Wire, connection: Connection) -> None:
        """Bind the wire."""
        self.wire = wire
        self._home = connection.address(Service.GRAPH)

    def get(
        self,
        operation: str,
        name: str,
        path: str,
        query: Mapping[str, str] | None = None,
        family: Family = Family.DIRECTORY,
        version: str = "v1.0",
    ) -> tuple[Row, Read]:
        """Return one object.

        Raises:
            NotReadableError: it is not there, not allowed, or not licensed.
        """
        call = self._call(name, "GET", f"{self._home}/{version}{path}{_query(query)}", family)
        reply = self.wire.send(call)
        if not reply.good:
            raise _refused(operation, name, reply)
        return Row(name, reply.data), reply.read(name)

    def pages(
        self,
        operation: str,
        name: str,
        path: str,
        query: Mapping[str, str] | None = None,
        family: Family = Family.DIRECTORY,
    ) -> tuple[list[Row], Read]:
        """Return every object of a collection, page after page.

        Raises:
            NotReadableError: it is not there, not allowed, or not licensed.
            ProviderError: it could not be read to its end, and a part is not given for the whole.
        """
        pages = Pages(name, self._home)
        url = f"{self._home}/v1.0{path}{_query(query)}"
        while True:
            reply = self.wire.send(self._call(name, "GET", url, family))
            if not reply.good:
                raise _refused(operation, name, reply)
            url = pages.take(reply)
            if not url:
                return pages.rows, reply.read(name)

    def change(
        self, operation: str, name: str, method: str, path: str, body: Any = None, *, repeatable: bool = True
    ) -> tuple[Reply, Read]:
        """Change something, once. What is to be deleted and is gone already is done.

        Raises:
            ProviderRefusedError: the service refuses; nothing was changed.
            OutcomeUnknownError: no answer came.
        """
        url = f"{self._home}/v1.0{path}"
        call = self._call(name, method, url, Family.DIRECTORY, body, changes=True, repeatable=repeatable)
        reply = self.wire.send(call)
        # A proxy's page, or a wrong address, says 404 too.
        gone = method == "DELETE" and reply.status == _MISSING and bool(child(reply.data, "error"))
        if not reply.good and not gone:
            raise _refused(operation, name, reply)
        return reply, reply.read(name)

    def ask(self, operation: str, name: str, path: str, body: Any, family: Family) -> tuple[Row, Read]:
        """Post something that only asks, such as a search, and return the answer."""
        reply = self.wire.send(self._call(name, "POST", f"{self._home}/v1.0{path}", family, body))
        if not reply.good:
            raise _refused(operation, name, reply)
        return Row(name, reply.data), reply.read(name)

    def _call(
        self,
        name: str,
        method: str,
        url: str,
        family: Family,
        body: Any = None,
        *,
        changes: bool = False,
        repeatable: bool = True,
    ) -> Call:
        return Call(
            name=name,
            service=Service.GRAPH,
            family=family,
            method=method,
            url=url,
            body=body,
            changes=changes,
            repeatable=repeatable,
        )


def segment(name: str) -> str:
    """Return an identifier as one segment of a path; the ``#`` of guests' names is encoded.

    Raises:
        ProviderRefusedError: it is none.
    """
    return quote(sure(name), safe="@")


def literal(value: str) -> str:
    """Return an identifier as OData writes it in a filter.

    Raises:
        ProviderRefusedError: it is none.
    """
    return "'" + sure(value).replace("'", "''") + "'"


def _query(query: Mapping[str, str] | None) -> str:
    return f"?{urlencode(query, safe='$,', quote_via=quote)}" if query else ""


def _refused(operation: str, name: str, reply: Reply) -> ProviderError:
    error = child(reply.data, "error")
    code, said = text(error, "code"), text(error, "message")
    if code == _NO_LICENCE:
        return NotReadableError(f"{name}: the tenant has no licence for this (Entra ID P1). Look in the portal.")
    return refusal(operation, name, reply, ": ".join(part for part in (code, said) if part))
