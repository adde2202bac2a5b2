"""What the tenant wrote down itself: the unified audit log, searched through Graph, the directory's own, and mail."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from workflow.errors import NotReadableError, ProviderBusyError, ProviderError
from workflow.providers.microsoft365 import tolerant
from workflow.providers.microsoft365.connection import Family
from workflow.providers.microsoft365.graph import Graph, literal, segment
from workflow.providers.microsoft365.identity import account, object_id
from workflow.providers.microsoft365.values import Row, child, iso, rows, text
from workflow.providers.shapes import Answer, AuditEvent, Traced

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime

    from workflow.providers.microsoft365.sign_in import SignIn

_QUERIES = "/security/auditLog/queries"
_RUNNING = frozenset({"notStarted", "running"})
_LOOKS = 60
_PAUSE = 10.0
_DIRECTORY = "/auditLogs/directoryAudits"
_TRACES = "/admin/exchange/tracing/messageTraces"
_TRACES_KEPT, _TRACES_A_CALL = timedelta(days=90), timedelta(days=10)


@dataclass(frozen=True, slots=True)
class _Search:
    """A search of the audit log that was begun, and of which the end was not seen yet."""

    since: datetime
    until: datetime
    path: str


class Audit:
    """The tenant's logs."""

    _graph: Graph
    _clock: Callable[[], datetime]
    _searches: dict[tuple[str, ...], _Search]
    sign_in: SignIn

    def audit_log(self, operations: tuple[str, ...], since: datetime, until: datetime) -> Iterator[AuditEvent]:
        """Yield records of these operations in the unified audit log; a search takes minutes.

        Raises:
            ProviderBusyError: the search has not ended after ten minutes. Whoever asks for the same stretch of time
                again is told what came of it.
        """
        if not operations:  # Without names a search would return everything that anybody did.
            return
        path, status = self._search(operations, since, until)
        try:
            self._wait(path, status)
            records, _ = self._graph.pages(
                "audit_log", f"GET {_QUERIES}/{{query}}/records", f"{path}/records", {"$top": "999"}, Family.AUDIT
            )
        except NotReadableError:
            # It ended badly, or is gone: only another one can do better.
            self._searches.pop(operations, None)
            raise
        self._searches.pop(operations, None)
        for row in records:
            found = _record(row)
            yield replace(found, own=self.sign_in.goes_by(found.actor, text(child(row, "auditData"), "AppId")))

    def _search(self, operations: tuple[str, ...], since: datetime, until: datetime) -> tuple[str, str]:
        """Return the path of the search for just this, and its status where it was begun now."""
        known = self._searches.get(operations)
        if known is not None and (known.since, known.until) == (since, until):
            return known.path, ""
        asked = {
            "displayName": "Holdfast",
            "filterStartDateTime": iso(since),
            "filterEndDateTime": iso(until),
            "operationFilters": list(operations),
        }
        begun, _ = self._graph.ask("audit_log", f"POST {_QUERIES}", _QUERIES, asked, Family.AUDIT)
        path = f"{_QUERIES}/{segment(text(begun, 'id'))}" if text(begun, "id") else ""
        if not path:
            raise ProviderError(f"POST {_QUERIES}: the answer does not name the search.")
        self._searches[operations] = _Search(since, until, path)
        return path, text(begun, "status")

    def _wait(self, path: str, status: str) -> None:
        name = f"GET {_QUERIES}/{{query}}"
        for _ in range(_LOOKS):
            if status and status not in _RUNNING:
                break
            self._graph.wire.pace.wait(_PAUSE)
            row, _ = self._graph.get("audit_log", name, path, family=Family.AUDIT)
            status = text(row, "status")
        if status in _RUNNING:
            raise ProviderBusyError("The search of the audit log takes long; ask again later.", _PAUSE * _LOOKS)
        if status != "succeeded":
            raise NotReadableError(f"The search of the audit log ended as {status or 'nothing'}.")

    def directory_audit(self, user: str, since: datetime) -> Answer[tuple[AuditEvent, ...]]:
        """Return what the directory says was done to a user since a time."""
        id_ = object_id(self._graph, "directory_audit", user)
        whose = f"targetResources/any(t: t/id eq {literal(id_)})"
        query = {"$filter": f"{whose} and activityDateTime ge {iso(since)}", "$top": "500"}
        found, read = self._graph.pages("directory_audit", f"GET {_DIRECTORY}", _DIRECTORY, query, Family.REPORTS)
        return Answer(tuple(map(_directory, found)), read)

    def message_trace(self, mailbox: str, since: datetime) -> Answer[tuple[Traced, ...]]:
        """Return what a mailbox sent since a time, the newest first; a tenant knows of 90 days.

        Mail is traced by the address that it was sent from, which need not be the name that somebody signs in with.
        """
        until = self._clock()
        # A call that reaches further back than the tenant knows is refused, and so is one of more than ten days.
        begin = max(since, until - _TRACES_KEPT)
        known = account(self._graph, "message_trace", mailbox)
        sent: dict[Traced, None] = {}
        read = known.read
        for address in {item.casefold(): item for item in (known.value.name, known.value.address) if item}.values():
            start = begin
            while start < until:
                end = min(start + _TRACES_A_CALL, until)
                when = f"receivedDateTime ge {iso(start)} and receivedDateTime le {iso(end)}"
                query = {"$filter": f"senderAddress eq {literal(address)} and {when}", "$top": "5000"}
                found, read = self._graph.pages("message_trace", f"GET {_TRACES}", _TRACES, query, Family.TRACE)
                # What was sent in the very second in which one call ends and the next begins is answered by both.
                sent |= dict.fromkeys(map(_traced, found))
                start = end
        return Answer(tuple(sorted(sent, key=lambda item: item.at, reverse=True)), read)


def _record(row: Row) -> AuditEvent:
    data = child(row, "auditData")
    at = tolerant.moment(row, "createdDateTime") or tolerant.moment(data, "CreationTime")
    # Of a release it is concluded from: among the details one of another type would be passed over.
    text(data, "Event")
    return AuditEvent(
        id=_said("audit log", text(row, "id") or text(data, "Id")),
        at=_dated("audit log", at),
        operation=text(row, "operation") or text(data, "Operation"),
        actor=text(row, "userPrincipalName", "userId") or text(data, "UserId"),
        target=text(data, "EventValue") or text(row, "objectId") or text(data, "ObjectId"),
        details=_details(data),
    )


def _details(data: Row) -> tuple[tuple[str, str], ...]:
    """Return what a record says in plain values, and the parameters of a cmdlet, by name; one that clears is empty."""
    plain = [(name, _plain(value)) for name, value in data.items() if isinstance(value, (str, int, float, bool))]
    parameters = [
        (tolerant.text(item, "Name"), _plain(item.get("Value"))) for item in tolerant.rows(data, "Parameters")
    ]
    told = [*((name, value) for name, value in plain if value), *parameters]
    return tuple((name, value) for name, value in told if name and "@" not in name)


def _plain(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else "" if value is None else str(value)


def _directory(row: Row) -> AuditEvent:
    by = child(row, "initiatedBy", "user")
    app = child(row, "initiatedBy", "app")
    targets = rows(row, "targetResources")
    changes = [change for target in targets for change in tolerant.rows(target, "modifiedProperties")]
    return AuditEvent(
        id=_said("directory audit", text(row, "id")),
        at=_dated("directory audit", tolerant.moment(row, "activityDateTime")),
        operation=text(row, "activityDisplayName"),
        actor=text(by, "userPrincipalName", "id") or text(app, "displayName", "servicePrincipalId", "appId"),
        target=text(targets[0], "userPrincipalName", "displayName", "id") if targets else "",
        details=tuple(
            (name, value)
            for name, value in [
                ("result", tolerant.text(row, "result")),
                ("correlation", tolerant.text(row, "correlationId")),
                *((tolerant.text(change, "displayName"), tolerant.text(change, "newValue")) for change in changes),
            ]
            if name and value
        ),
    )


def _traced(row: Row) -> Traced:
    return Traced(
        id=_said("message trace", text(row, "id")),
        at=_dated("message trace", tolerant.moment(row, "receivedDateTime")),
        sender=tolerant.text(row, "senderAddress"),
        recipient=tolerant.text(row, "recipientAddress"),
        subject=tolerant.text(row, "subject"),
        status=tolerant.text(row, "status"),
        address=tolerant.text(row, "fromIP"),
    )


def _said(what: str, value: str) -> str:
    if not value:
        raise ProviderError(f"{what}: a record without an id.")
    return value


def _dated(what: str, at: datetime | None) -> datetime:
    if at is None:
        raise ProviderError(f"{what}: a record without a time.")
    return at
