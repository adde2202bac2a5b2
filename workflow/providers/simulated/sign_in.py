"""The token endpoints: openid configuration, client credentials by certificate, device code, managed identity.

Tokens look as Microsoft's do and are signed with nothing but the seed: they open this simulated tenant alone. They do
not run out, because the tenant's time may jump and the client's does not.
"""

from __future__ import annotations

import base64
import hashlib
import json
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

from workflow.providers.operations import EXCHANGE, OPERATIONS
from workflow.providers.simulated.messages import Caller, Json, Reply, Request, as_json
from workflow.providers.simulated.refusals import sign_in_refusal

if TYPE_CHECKING:
    from workflow.providers.simulated.tenant import Tenant

_LIVES = 3599
_ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
_DEVICE = "urn:ietf:params:oauth:grant-type:device_code"
_AUDIENCES = {
    "graph.microsoft.com": "graph",
    "graph.microsoft.us": "graph",
    "dod-graph.microsoft.us": "graph",
    "microsoftgraph.chinacloudapi.cn": "graph",
    "outlook.office365.com": "exchange",
    "outlook.office365.us": "exchange",
    "outlook-dod.office365.us": "exchange",
    "outlook.office365.cn": "exchange",
    "ps.compliance.protection.outlook.com": "compliance",
    "ps.compliance.protection.office365.us": "compliance",
}
_PATIENCE = 2
"""How often a device's owner lets the client ask before the sign-in is done, unless it is done by hand."""


@dataclass(slots=True)
class Device:
    """A device code: who asked, for what, and who signed in ("" while nobody has)."""

    app: str
    scope: str
    asked: int = 0
    user: str = ""


class Doorkeeper:
    """Hands tokens out and knows them again."""

    def __init__(self, tenant: Tenant, seed: int) -> None:
        self._tenant = tenant
        self._dice = tenant.dice.stream("sign-in")
        self._key = hashlib.blake2b(f"{seed}".encode()).digest()
        self.devices: dict[str, Device] = {}
        self.codes: dict[str, str] = {}

    def caller(self, request: Request) -> Caller | None:
        """Return who a request's token speaks for, None for a token that is not ours."""
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        payload, _, mark = token.rpartition(".")
        if scheme.casefold() != "bearer" or mark != self._mark(payload):
            return None
        return _caller(payload)

    def _mark(self, payload: str) -> str:
        return hashlib.blake2b(payload.encode(), key=self._key, digest_size=24).hexdigest()

    def token(self, app: str, resource: str, user: str = "") -> str:
        """Return a token; ``resource`` is one that :func:`audience` knows."""
        now = int(self._tenant.now().timestamp())
        claims = {
            "aud": f"https://{resource}",
            "iss": f"https://sts.windows.net/{self._tenant.id}/",
            "iat": now,
            "exp": now + _LIVES,
            "appid": app,
            "tid": self._tenant.id,
            "audience": _AUDIENCES[resource],
            **({"oid": user} if user else self._carried(app, _AUDIENCES[resource])),
        }
        payload = f"{_coded({'typ': 'JWT', 'alg': 'none'})}.{_coded(claims)}"
        return f"{payload}.{self._mark(payload)}"

    def _carried(self, app: str, audience: str) -> dict[str, list[str]]:
        """Return the permissions that an application's token carries, as clients read them there."""
        known = self._tenant.scenario.app(app)
        if audience != "graph":
            return {"roles": [EXCHANGE]} if known.exchange else {}
        every = {name for row in OPERATIONS.values() for name in row.permissions} - {EXCHANGE}
        carried = {name for each in known.permissions for name in (every if each == "*" else {each})}
        return {"roles": sorted(carried)} if carried else {}

    def answer(self, request: Request) -> Reply:
        """Return the answer of one of the endpoints."""
        path = request.path
        if path.endswith("/.well-known/openid-configuration"):
            return self._configuration(request)
        if path == "/common/discovery/instance":
            endpoint = f"{_secure(request)}/{self._tenant.id}/v2.0/.well-known/openid-configuration"
            return as_json(200, {"tenant_discovery_endpoint": endpoint})
        if path == "/metadata/identity/oauth2/token":
            return self._managed(request)
        form = {name: values[-1] for name, values in parse_qs(request.body.decode(errors="replace")).items()}
        if request.method != "POST":
            return self._refused(400, "invalid_request", 900144, "The request must be a POST.")
        if path.endswith("/devicecode"):
            return self._device_code(request, form)
        grant = form.get("grant_type", "")
        if grant == "client_credentials":
            return self._credentials(form)
        if grant == _DEVICE:
            return self._polled(form)
        if grant == "refresh_token":
            return self._refreshed(form)
        return self._refused(400, "unsupported_grant_type", 70003, "The app requested an unsupported grant type.")

    def _refused(self, status: int, error: str, code: int, text: str) -> Reply:
        return sign_in_refusal(status, error, code, text, self._dice.guid())

    def _configuration(self, request: Request) -> Reply:
        """Answer where the endpoints are: with https, because MSAL takes nothing else; a client maps it back."""
        base = f"{_secure(request)}/{self._tenant.id}"
        return as_json(200, {
            "token_endpoint": f"{base}/oauth2/v2.0/token",
            "token_endpoint_auth_methods_supported": ["private_key_jwt"],
            "jwks_uri": f"{base}/discovery/v2.0/keys",
            "issuer": f"{base}/v2.0",
            "authorization_endpoint": f"{base}/oauth2/v2.0/authorize",
            "device_authorization_endpoint": f"{base}/oauth2/v2.0/devicecode",
            "tenant_region_scope": "EU",
            "cloud_instance_name": "microsoftonline.com",
        })  # fmt: skip

    def _known(self, app: str) -> bool:
        return bool(app) and (not self._tenant.scenario.apps or app in self._tenant.scenario.apps)

    def _credentials(self, form: dict[str, str]) -> Reply:
        app = form.get("client_id", "")
        if not self._known(app):
            return self._refused(400, "unauthorized_client", 700016, "Application was not found in the directory.")
        if form.get("client_assertion_type") != _ASSERTION:
            return self._refused(
                401, "invalid_client", 7000216, "'client_assertion' is required: sign in with a certificate."
            )
        assertion = form.get("client_assertion", "")
        header, claims = (_segment(part) for part in [*assertion.split("."), "", ""][:2])
        named = header.get("alg") in {"RS256", "PS256"} and (header.get("x5t") or header.get("x5t#S256"))
        if assertion.count(".") != 2 or not named or not claims.get("iss") == claims.get("sub") == app:  # noqa: PLR2004 - a JWT.
            return self._refused(401, "invalid_client", 50027, "JWT token is invalid or malformed.")
        if urlsplit(str(claims.get("aud", ""))).path.partition("/oauth2/")[2] != "v2.0/token":
            return self._refused(
                401, "invalid_client", 700023, "Client assertion audience claim does not match the endpoint."
            )
        resource = audience(form.get("scope", ""))
        if resource is None:
            return self._refused(400, "invalid_scope", 70011, "The provided value for scope is not valid.")
        return as_json(200, self._granted(app, resource))

    def _granted(self, app: str, resource: str, user: str = "") -> Json:
        body: Json = {
            "token_type": "Bearer",
            "expires_in": _LIVES,
            "ext_expires_in": _LIVES,
            "access_token": self.token(app, resource, user),
        }
        if user:
            body["refresh_token"] = self.token(app, resource, user)
            body["scope"] = f"https://{resource}/.default"
            body["client_info"] = _coded({"uid": user, "utid": self._tenant.id})
        return body

    def _device_code(self, request: Request, form: dict[str, str]) -> Reply:
        if not self._known(form.get("client_id", "")):
            return self._refused(400, "unauthorized_client", 700016, "Application was not found in the directory.")
        code, shown = self._dice.token(), self._dice.token(4).upper()
        self.devices[code] = Device(form["client_id"], form.get("scope", ""))
        self.codes[shown] = code
        page = f"{request.base}/simulator/device"
        return as_json(200, {
            "user_code": shown,
            "device_code": code,
            "verification_uri": page,
            "expires_in": 900,
            "interval": 1,
            "message": f"To sign in, open the page {page} and enter the code {shown} to authenticate.",
        })  # fmt: skip

    def _polled(self, form: dict[str, str]) -> Reply:
        device = self.devices.get(form.get("device_code", ""))
        if device is None:
            return self._refused(400, "expired_token", 70020, "The device code has expired.")
        device.asked += 1
        if not device.user and device.asked >= _PATIENCE:
            device.user = self._tenant.accounts[0].id
        if not device.user:
            return self._refused(400, "authorization_pending", 70016, "Authorization is pending. Continue polling.")
        resource = audience(device.scope) or "graph.microsoft.com"
        del self.devices[form["device_code"]]
        return as_json(200, self._granted(device.app, resource, device.user))

    def _refreshed(self, form: dict[str, str]) -> Reply:
        known = self.caller(
            Request("GET", "", "", headers={"authorization": f"Bearer {form.get('refresh_token', '')}"})
        )
        if known is None or not known.user:
            return self._refused(400, "invalid_grant", 700082, "The refresh token has expired.")
        resource = audience(form.get("scope", "")) or "graph.microsoft.com"
        return as_json(200, self._granted(known.app, resource, known.user))

    def _managed(self, request: Request) -> Reply:
        if request.headers.get("metadata", "").casefold() != "true":
            return as_json(
                400, {"error": "invalid_request", "error_description": "Required metadata header not specified"}
            )
        resource = audience(request.query.get("resource", ""))
        if resource is None:
            return as_json(
                400, {"error": "invalid_resource", "error_description": "AADSTS500011: The resource was not found."}
            )
        app = request.query.get("client_id", "") or next(iter(self._tenant.scenario.apps), "managed-identity")
        body = {
            "access_token": self.token(app, resource),
            "expires_in": str(_LIVES),
            "resource": f"https://{resource}",
            "token_type": "Bearer",
        }
        return as_json(200, body)


@lru_cache(maxsize=64)
def _caller(payload: str) -> Caller:
    """Read a token of ours, which comes with every call of an hour."""
    claims = _segment(payload.partition(".")[2])
    return Caller(claims["appid"], claims.get("oid", ""), claims["audience"])


def audience(scope: str) -> str | None:
    """Return the host of the resource that a scope or resource names, None for one that is not Microsoft's."""
    for part in scope.split():
        host = urlsplit(part).hostname or ""
        if host in _AUDIENCES:
            return host
    return None


def _secure(request: Request) -> str:
    return "https://" + request.base.partition("://")[2]


def _coded(value: Json) -> str:
    return base64.urlsafe_b64encode(json.dumps(value, separators=(",", ":")).encode()).decode().rstrip("=")


def _segment(text: str) -> dict[str, Any]:
    """Return one part of a JWT, an empty object for what is none."""
    try:
        value = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}
