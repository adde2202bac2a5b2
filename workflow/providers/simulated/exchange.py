"""The Exchange gateway: ``InvokeCommand``, its envelopes, its pages, and who may call what."""

from __future__ import annotations

from collections import OrderedDict
from datetime import datetime, timedelta
from typing import TYPE_CHECKING
from urllib.parse import quote

# The cmdlets register themselves.
from workflow.providers.simulated import cmdlets_blocking, cmdlets_mailbox, cmdlets_posture  # noqa: F401
from workflow.providers.simulated.cmdlets import CMDLETS, Call, bind
from workflow.providers.simulated.faults import expired_page
from workflow.providers.simulated.messages import Caller, Json, RefusedError, Reply, Request, as_json
from workflow.providers.simulated.refusals import CmdletError, cmdlet_refusal, nul_bytes

if TYPE_CHECKING:
    from workflow.providers.simulated.scenario import App
    from workflow.providers.simulated.state import By
    from workflow.providers.simulated.tenant import Tenant

PAGE = 1000
_CONTEXT = "$metadata#Collection(Exchange.GenericHashTable)"
_PAGES_KEPT = 200
_PAGE_LIVES = timedelta(minutes=30)
_WRITERS = frozenset({"Exchange Administrator", "Global Administrator", "Organization Management"})
_READERS = _WRITERS | {
    "Global Reader",
    "Security Reader",
    "Security Administrator",
    "Compliance Administrator",
    "Exchange Recipient Administrator",
    "Helpdesk Administrator",
}
_TRACED = frozenset({"Get-MessageTraceV2"})


def named(request: Request) -> str:
    """Return the name of the cmdlet that a request calls, "" where it names none."""
    try:
        given = request.json().get("CmdletInput")
    except RefusedError:
        return ""
    name = given.get("CmdletName") if isinstance(given, dict) else None
    return name if isinstance(name, str) else ""


def family(cmdlet: str) -> str:
    """Return the budget that a cmdlet takes from."""
    return "message-trace" if cmdlet in _TRACED else "exchange"


class Gateway:
    """The gateway of one tenant."""

    def __init__(self, tenant: Tenant) -> None:
        self._tenant = tenant
        self._dice = tenant.dice.stream("gateway")
        self._pages: OrderedDict[str, tuple[datetime, list[Json]]] = OrderedDict()

    def answer(self, request: Request, caller: Caller, app: App, by: By, warning: str = "") -> Reply:
        """Return the answer to one call of a cmdlet.

        Args:
            request: as it came.
            caller: who the token speaks for.
            app: what that application may do.
            by: the same, for the logs.
            warning: one that the cmdlet gives beside its own.
        """
        name = named(request)
        refused = self._may(name, caller, app)
        if refused is not None:
            return refused
        try:
            call = self._call(request, caller, by)
            rows = self._continued(request) if "$skiptoken" in request.query else CMDLETS[name].run(call)
            return self._envelope(request, rows, [*call.warnings, *([warning] if warning else [])])
        except CmdletError as error:
            return cmdlet_refusal(error)

    def _may(self, name: str, caller: Caller, app: App) -> Reply | None:
        """Return the refusal, or None: without app role 401, without directory role and for unknown cmdlets 403."""
        if caller.audience not in {"exchange", "compliance"} or not app.exchange:
            return Reply(401, b"", {"WWW-Authenticate": 'Bearer error="invalid_token"'})
        known = CMDLETS.get(name)
        roles = set(app.roles)
        if known is None or not roles & (_WRITERS if known.writes or name == "Get-InboxRule" else _READERS):
            return nul_bytes()
        elsewhere = self._tenant.scenario.cloud == "gcc-high" and name.endswith("ProtectionAlert")
        if (caller.audience == "compliance" and not known.compliance) or (caller.audience == "exchange" and elsewhere):
            return nul_bytes()
        return None

    def _call(self, request: Request, caller: Caller, by: By) -> Call:
        if not request.headers.get("x-anchormailbox"):
            raise CmdletError("The X-AnchorMailbox header is missing.", "System.ArgumentException", ran=False)
        given = request.json()
        inner = given["CmdletInput"]
        unknown = (set(given) - {"CmdletInput"}) | (set(inner) - {"CmdletName", "Parameters"})
        parameters = inner.get("Parameters", {})
        if unknown or not isinstance(parameters, dict):
            raise CmdletError("The request body is invalid.", "System.ArgumentException", ran=False)
        bound = bind(CMDLETS[inner["CmdletName"]], parameters)
        return Call(self._tenant, bound, by, self._tenant.now(), caller.audience)

    def _continued(self, request: Request) -> list[Json]:
        kept = self._pages.get(request.query["$skiptoken"])
        if kept is None or self._tenant.now() - kept[0] > _PAGE_LIVES:
            raise expired_page()
        return kept[1]

    def _envelope(self, request: Request, rows: list[Json], warnings: list[str]) -> Reply:
        size = _page_size(request)
        body: Json = {
            "@odata.context": f"{request.base}/adminapi/beta/{self._tenant.id}/{_CONTEXT}",
            "adminapi.warnings@odata.type": "#Collection(String)",
            "@adminapi.warnings": warnings,
        }
        if len(rows) > size:
            token = self._dice.token()
            self._pages[token] = (self._tenant.now(), rows[size:])
            while len(self._pages) > _PAGES_KEPT:
                self._pages.popitem(last=False)
            select = f"%24select={quote(request.query['$select'])}&" if "$select" in request.query else ""
            body["@odata.nextLink"] = f"{request.base}{request.path}?{select}%24skiptoken={token}"
        body["value"] = _selected(rows[:size], request.query.get("$select", ""))
        return as_json(200, body, {"X-Warnings": "; ".join(warnings)} if warnings else {})


def _page_size(request: Request) -> int:
    _, _, asked = request.headers.get("prefer", "").partition("odata.maxpagesize=")
    digits = asked.split(",")[0].strip()
    return max(1, min(int(digits), PAGE)) if digits.isdecimal() else PAGE


def _selected(rows: list[Json], names: str) -> list[Json]:
    wanted = {item.strip() for item in names.split(",") if item.strip()}
    if not wanted:
        return rows
    return [{key: value for key, value in row.items() if key.partition("@")[0] in wanted} for row in rows]
