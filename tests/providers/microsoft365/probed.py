"""A tenant whose tokens say what they carry, and whose answers about itself are there."""

from __future__ import annotations

import base64
import json
from typing import Any

import httpx2

from tests.providers.microsoft365.scripted import Scripted, one, rows

READ = (
    *("AuditLog.Read.All", "AuditLogsQuery-Entra.Read.All", "AuditLogsQuery-Exchange.Read.All", "Directory.Read.All"),
    "ExchangeMessageTrace.Read.All",
    *("Policy.Read.All", "RoleManagement.Read.Directory", "User.Read.All"),
    "UserAuthenticationMethod.ReadWrite.All",
)
GRAPH = {"roles": READ, "wids": ["f2ef992c-3afb-46b9-b7cf-a126ee74c451", "x"]}
EXCHANGE = {"roles": ["Exchange.ManageAsApp"]}
POLICY = {"Name": "User restricted from sending email", "Disabled": False}
CONFIG = {"UnifiedAuditLogIngestionEnabled": True}
BOX: dict[str, Any] = {
    "ForwardingAddress": None,
    "ForwardingSmtpAddress": None,
    "DeliverToMailboxAndForward": False,
    "GrantSendOnBehalfTo": [],
}
SENDER = {
    "SenderAddress": "ada@contoso.example",
    "CreatedDatetime@odata.type": "#DateTimeOffset",
    "TemporaryBlock": True,
}


class Probed(Scripted):
    """A tenant whose tokens say what they carry."""

    claims: tuple[Any, Any] = (GRAPH, EXCHANGE)

    def __call__(self, request: httpx2.Request) -> httpx2.Response:
        """Answer."""
        if request.url.path != "/metadata/identity/oauth2/token":
            return super().__call__(request)
        graph, exchange = self.claims
        said = graph if "graph" in request.url.params["resource"] else exchange
        if isinstance(said, dict) and "error" in said:
            return httpx2.Response(400, json=said)
        body = base64.urlsafe_b64encode(json.dumps(said).encode()).decode().rstrip("=")
        token = {
            "access_token": f"e30.{body}.x" if said != "opaque" else "opaque",
            "expires_in": "3600",
            "resource": "x",
        }
        return httpx2.Response(200, json=token)


def tenant_wide() -> list[httpx2.Response]:
    """Return the answers about the tenant itself."""
    policies = [rows(), one(isEnabled=True)]
    return [rows(SENDER), rows(), rows(CONFIG), rows({"AuditDisabled": False}), rows(POLICY), *policies]
