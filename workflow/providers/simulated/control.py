"""The control API under ``/simulator/``: for tests and demonstrations, never for the provider."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from typing import TYPE_CHECKING, Any

from workflow.errors import InputError
from workflow.providers.simulated.attack import MOVES
from workflow.providers.simulated.blocking import CONNECTOR, MAILBOX, LimitReachedError, NotListedError
from workflow.providers.simulated.founding import PORTAL, portal_unblock
from workflow.providers.simulated.messages import Json, RefusedError, Reply, Request, as_json
from workflow.providers.simulated.scenario_file import fault_rules
from workflow.providers.simulated.stamp import parsed
from workflow.providers.simulated.state import SYNC, By

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Callable

    from workflow.providers.simulated.faults import Faults
    from workflow.providers.simulated.limits import Limits
    from workflow.providers.simulated.sign_in import Doorkeeper
    from workflow.providers.simulated.state import Account, Row
    from workflow.providers.simulated.tenant import Tenant

_MOST = 1000
_LONGEST = 3650 * 86_400.0


class NotThereError(Exception):
    """No such thing in this tenant."""


class Control:
    """What may be looked at and done behind the tenant's back."""

    def __init__(
        self,
        tenant: Tenant,
        seed: int,
        doorkeeper: Doorkeeper,
        faults: Faults,
        limits: Limits,
        calls: Counter[tuple[str, int]],
    ) -> None:
        self._tenant = tenant
        self._seed = seed
        self._doorkeeper = doorkeeper
        self._fault_rules = faults
        self._limits = limits
        self._counts = calls
        self._routes: dict[tuple[str, str], Callable[[Request], Any]] = {
            ("GET", ""): self._summary,
            ("GET", "clock"): self._clock,
            ("POST", "clock"): self._advance,
            ("GET", "effects"): self._effects,
            ("GET", "calls"): self._calls,
            ("GET", "restricted"): self._restricted,
            ("GET", "users"): self._users,
            ("GET", "user"): self._user,
            ("GET", "audit"): self._audit,
            ("GET", "faults"): self._faults,
            ("POST", "faults"): self._add_faults,
            ("DELETE", "faults"): self._clear_faults,
            ("POST", "restrict"): self._restrict,
            ("POST", "portal/unblock"): self._portal,
            ("POST", "portal/sign-in"): self._portal_sign_in,
            ("POST", "attacker"): self._attacker,
            ("POST", "owner/password"): self._owner_password,
            ("POST", "on-premises/password"): self._premises_password,
            ("POST", "device"): self._device,
        }

    def answer(self, request: Request) -> Reply:
        """Return the answer; a page of a browser is refused, whoever wrote it."""
        if "origin" in request.headers:
            return as_json(403, {"error": "Not for browsers."})
        path = request.path.removeprefix("/simulator").strip("/")
        run = self._routes.get((request.method, path))
        if run is None:
            return as_json(
                404,
                {
                    "error": f"No {request.method} {request.path}.",
                    "known": [f"{m} /simulator/{p}" for m, p in self._routes],
                },
            )
        try:
            return as_json(200, run(request))
        except NotThereError as error:
            return as_json(404, {"error": str(error)})
        except (RefusedError, InputError) as error:
            return as_json(400, {"error": str(error)})

    def _account(self, who: Any) -> Account:
        account = self._tenant.find_mailbox(str(who))
        if account is None:
            raise NotThereError(f"There is no account {str(who)[:80]!r}.")
        return account

    def _summary(self, _request: Request) -> Json:
        tenant, scenario = self._tenant, self._tenant.scenario
        return {
            "tenant": tenant.id,
            "scenario": scenario.name,
            "about": scenario.about,
            "seed": self._seed,
            "now": tenant.now().isoformat(),
            "users": len(tenant.accounts),
            "restricted": len(tenant.restrictions.rows),
            "effects": len(tenant.effects),
            "called_early": self._fault_rules.early + self._limits.early,
        }

    def _clock(self, _request: Request) -> Json:
        coming = self._tenant.schedule.next()
        return {"now": self._tenant.now().isoformat(), "next_event_at": coming.isoformat() if coming else None}

    def _advance(self, request: Request) -> Json:
        given = request.json()
        if "to" in given:
            seconds = (parsed(str(given["to"])) - self._tenant.now()).total_seconds()
        else:
            seconds = _number(given.get("advance_seconds"))
        if not 0 <= seconds <= _LONGEST:
            raise RefusedError("The clock moves forward, and at most ten years at once.")
        self._tenant.clock.advance(seconds)
        self._tenant.settle()
        return self._clock(request)

    def _effects(self, request: Request) -> Json:
        after = _whole(request.query.get("after", "0"))
        page = self._tenant.effects[after : after + _MOST]
        more = after + len(page) < len(self._tenant.effects)
        return {"effects": [_plain(asdict(item)) for item in page], "next_after": after + len(page), "more": more}

    def _calls(self, _request: Request) -> Json:
        counts = self._counts
        rows = [
            {"operation": operation, "status": status, "calls": count}
            for (operation, status), count in sorted(counts.items())
        ]
        return {"calls": rows, "total": sum(counts.values())}

    def _restricted(self, _request: Request) -> Json:
        return {"restricted": [_row(item) for item in self._tenant.restrictions.rows.values()]}

    def _users(self, request: Request) -> Json:
        after = _whole(request.query.get("after", "0"))
        page = self._tenant.accounts[after : after + _MOST]
        rows = [
            {
                "id": item.id,
                "upn": item.upn,
                "mail": item.mailbox.address,
                "synced": item.synced,
                "attacked": item.attacked,
            }
            for item in page
        ]
        return {"users": rows, "next_after": after + len(page), "more": after + len(page) < len(self._tenant.accounts)}

    def _user(self, request: Request) -> Json:
        account = self._account(request.query.get("user", ""))
        described: Json = _plain({
            "id": account.id,
            "upn": account.upn,
            "enabled": account.enabled.true,
            "password_number": account.password,
            "password_at": account.password_at.true,
            "sessions_from": account.sessions_from.true,
            "synced": account.synced,
            "per_user_mfa": account.per_user_mfa,
            "methods": [asdict(item) for item in account.methods.true],
            "consents": [asdict(item) for item in account.consents],
            "roles": [asdict(item) for item in account.roles],
            "mailbox": asdict(account.mailbox),
            "foothold": sorted(account.foothold),
            "attacked": account.attacked,
        })  # fmt: skip
        return described

    def _audit(self, request: Request) -> Json:
        log = self._tenant.audit
        logs = {"unified": log.unified, "directory": log.directory, "sign-ins": log.sign_ins}
        name = request.query.get("log", "unified")
        if name not in logs:
            raise RefusedError(f"Logs: {', '.join(logs)}.")
        after = _whole(request.query.get("after", "0"))
        page = logs[name][after : after + _MOST]
        more = after + len(page) < len(logs[name])
        rows = [
            {"at": item.at.isoformat(), "shows_at": item.shows_at.isoformat(), "record": item.data} for item in page
        ]
        return {"records": rows, "next_after": after + len(page), "more": more}

    def _faults(self, _request: Request) -> Json:
        faults = self._fault_rules
        return {"faults": [{**asdict(rule), "met": met} for rule, met in zip(faults.rules, faults.met, strict=True)]}

    def _add_faults(self, request: Request) -> Json:
        for rule in fault_rules(request.json().get("faults")):
            self._fault_rules.add(rule)
        return self._faults(request)

    def _clear_faults(self, request: Request) -> Json:
        self._fault_rules.clear()
        return self._faults(request)

    def _restrict(self, request: Request) -> Json:
        given = request.json()
        kind, temporary = _kind(given), bool(given.get("temporary"))
        if kind == MAILBOX:
            key = self._account(given.get("identifier", "")).upn
        else:
            key = str(given.get("identifier", ""))
            if key not in {item.id for item in self._tenant.connectors}:
                raise NotThereError(f"There is no connector {key[:80]!r}.")
        shape = "limit" if temporary else "spam"
        reason = str(given.get("reason") or self._tenant.restrictions.reason(shape))
        ends = "midnight" if temporary else ""
        return _row(
            self._tenant.restrictions.restrict(kind, key, reason, self._tenant.now(), ends=ends, temporary=temporary)
        )

    def _portal(self, request: Request) -> Json:
        given = request.json()
        key = str(given.get("identifier", ""))
        try:
            portal_unblock(self._tenant, _kind(given), key, self._tenant.now())
        except NotListedError:
            raise NotThereError(f"{key[:80]!r} is not restricted.") from None
        except LimitReachedError:
            raise RefusedError(f"{key[:80]!r} was unblocked too often.") from None
        return self._restricted(request)

    def _portal_sign_in(self, request: Request) -> Json:
        given = request.json()
        account = self._account(given.get("user", ""))
        self._tenant.set_enabled(account, PORTAL, self._tenant.now(), enabled=bool(given.get("enabled")))
        return {"upn": account.upn, "enabled": account.enabled.true}

    def _attacker(self, request: Request) -> Json:
        given = request.json()
        account, moves = self._account(given.get("user", "")), given.get("moves") or ["sign-in", "rule"]
        if not isinstance(moves, list) or not set(map(str, moves)) <= set(MOVES):
            raise RefusedError(f"Moves: {', '.join(MOVES)}.")
        self._tenant.attacker.does(account, moves, self._tenant.now())
        return {"upn": account.upn, "foothold": sorted(account.foothold), "attacked": account.attacked}

    def _owner_password(self, request: Request) -> Json:
        account = self._account(request.json().get("user", ""))
        self._tenant.change_password(account, By("owner", account.upn), self._tenant.now())
        return {"upn": account.upn, "password_number": account.password}

    def _premises_password(self, request: Request) -> Json:
        account = self._account(request.json().get("user", ""))
        if not account.synced:
            raise RefusedError(f"{account.upn} is not synchronised from on premises.")
        self._tenant.reset_password(account, SYNC, self._tenant.now())
        return {"upn": account.upn, "password_number": account.password}

    def _device(self, request: Request) -> Json:
        given = request.json()
        device = self._doorkeeper.devices.get(self._doorkeeper.codes.get(str(given.get("user_code")), ""))
        if device is None:
            raise NotThereError("There is no such code, or it was used.")
        device.user = self._account(given.get("user", "")).id
        return {"signed_in": device.user}


def _kind(given: Json) -> str:
    kind = str(given.get("kind", MAILBOX))
    if kind not in {MAILBOX, CONNECTOR}:
        raise RefusedError(f"kind: {MAILBOX} or {CONNECTOR}.")
    return kind


def _number(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) <= _LONGEST:
        raise RefusedError("advance_seconds: a number is needed, and at most ten years.")
    return float(value)


def _whole(text: str) -> int:
    if not text.isdecimal():
        raise RefusedError("after: a whole number is needed.")
    return int(text)


def _row(row: Row) -> Json:
    return {
        "kind": row.kind,
        "identifier": row.key,
        "reason": row.reason,
        "created_at": row.created_at.isoformat(),
        "temporary": row.temporary,
        "ends": row.ends,
        "leaving_at": row.leaving_at.isoformat() if row.leaving_at else None,
    }


def _plain(value: Any) -> Any:
    """Return plain JSON values: times as text, whatever is inside."""
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value.isoformat() if isinstance(value, datetime) else value
