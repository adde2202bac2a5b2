"""The server: over real HTTP, on this machine only, with MSAL as a client."""

from __future__ import annotations

import base64
import json
import socket
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx2
import msal
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID

from tests.providers.simulated.client import EXCHANGE, START
from workflow.errors import InputError
from workflow.providers.simulated.scenario import NAMED
from workflow.providers.simulated.server import Server
from workflow.providers.simulated.simulator import Simulator


@pytest.fixture
def server() -> Iterator[Server]:
    """A served tenant whose clock stands still between calls."""
    with Server(Simulator(NAMED["calm"], 1, START)) as running:
        yield running


@pytest.fixture
def client(server: Server) -> Iterator[httpx2.Client]:
    """An HTTP client of it."""
    with httpx2.Client(base_url=server.url, timeout=10, trust_env=False) as opened:
        yield opened


class Plain:
    """The HTTP client that MSAL is given: it maps https on this machine back to http."""

    def __init__(self, client: httpx2.Client) -> None:
        self._client = client

    def post(self, url: str, params: Any = None, data: Any = None, headers: Any = None, **_: Any) -> httpx2.Response:
        """Send a form, in which MSAL leaves its assertion as bytes."""
        data = {name: value.decode() if isinstance(value, bytes) else value for name, value in (data or {}).items()}
        return self._client.post(url.replace("https://", "http://"), params=params, data=data, headers=headers)

    def get(self, url: str, params: Any = None, headers: Any = None, **_: Any) -> httpx2.Response:
        """Fetch."""
        return self._client.get(url.replace("https://", "http://"), params=params, headers=headers)

    def close(self) -> None:
        """Nothing to close: the client is the test's."""


def certificate() -> dict[str, str]:
    """Return a new certificate with its key, as MSAL takes it."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "test")])
    now = datetime.now(UTC)
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    dated = builder.serial_number(1).not_valid_before(now).not_valid_after(now + timedelta(days=1))
    signed = dated.sign(key, hashes.SHA256())
    pem = serialization.Encoding.PEM
    private = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return {"private_key": private.decode(), "public_certificate": signed.public_bytes(pem).decode()}


def test_msal_gets_tokens_with_a_certificate(server: Server, client: httpx2.Client) -> None:
    """The token opens the gateway, and Graph only with its own."""
    tenant = server.simulator.tenant.id
    app = msal.ConfidentialClientApplication(
        "11111111-1111-4111-8111-111111111111",
        authority=f"{server.url.replace('http', 'https')}/{tenant}",
        client_credential=certificate(),
        instance_discovery=False,
        http_client=Plain(client),
    )
    got = app.acquire_token_for_client(["https://outlook.office365.com/.default"])
    assert "access_token" in got, got
    headers = {"Authorization": f"Bearer {got['access_token']}", "X-AnchorMailbox": "APP:SystemMailbox"}
    body = {"CmdletInput": {"CmdletName": "Get-BlockedSenderAddress", "Parameters": {}}}

    listed = client.post(f"/adminapi/beta/{tenant}/InvokeCommand", json=body, headers=headers)
    assert (200, 12) == (listed.status_code, len(listed.json()["value"]))
    refused = client.get("/v1.0/users", headers=headers)
    assert (401, "InvalidAuthenticationToken") == (refused.status_code, refused.json()["error"]["code"])


def test_msal_signs_a_person_in_by_device_code(server: Server, client: httpx2.Client) -> None:
    """Whoever entered the code is who the token speaks for."""
    authority = f"{server.url.replace('http', 'https')}/{server.simulator.tenant.id}"
    app = msal.PublicClientApplication(
        "app-2", authority=authority, instance_discovery=False, http_client=Plain(client)
    )
    flow = app.initiate_device_flow(["https://graph.microsoft.com/.default"])
    who = server.simulator.tenant.accounts[5]
    entered = client.post("/simulator/device", json={"user_code": flow["user_code"], "user": who.upn})
    got = app.acquire_token_by_device_flow(flow)

    assert {"signed_in": who.id} == entered.json()
    claims = json.loads(base64.urlsafe_b64decode(got["access_token"].split(".")[1] + "=="))
    assert who.id == claims["oid"]
    assert app.get_accounts()


def test_msal_uses_a_managed_identity(server: Server, client: httpx2.Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """The instance metadata service hands a token to a machine."""
    monkeypatch.setenv("AZURE_POD_IDENTITY_AUTHORITY_HOST", server.url)
    machine = msal.ManagedIdentityClient(msal.SystemAssignedManagedIdentity(), http_client=Plain(client))
    got = machine.acquire_token_for_client(resource="https://graph.microsoft.com")

    assert "access_token" in got, got


def test_connections_are_kept(server: Server, client: httpx2.Client) -> None:
    """Many calls over one connection take no time to speak of."""
    with socket.create_connection(server.server_address[:2]) as raw:  # type: ignore[arg-type]
        raw.settimeout(5)
        for _ in range(3):
            raw.sendall(b"GET /simulator/clock HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
            assert raw.recv(65536).startswith(b"HTTP/1.1 200")
    assert 200 == client.get("/simulator/").status_code


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "evil.example"},
        {"Host": "127.0.0.1", "Content-Length": "99999999"},
        {"Host": "127.0.0.1", "Content-Length": "x"},
    ],
)
def test_strange_requests_are_refused(server: Server, headers: dict[str, str]) -> None:
    """A page that reaches the server by another name, or a body without end, gets nothing."""
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    with socket.create_connection(server.server_address[:2]) as raw:  # type: ignore[arg-type]
        raw.settimeout(5)
        raw.sendall(f"POST /simulator/clock HTTP/1.1\r\n{lines}\r\n".encode())
        assert raw.recv(65536).startswith(b"HTTP/1.1 400")


def test_only_this_machine_can_call(server: Server) -> None:
    """It listens on the loopback address alone."""
    assert "127.0.0.1" == server.server_address[0]


def test_a_port_that_is_taken(server: Server) -> None:
    """The message names the option that helps."""
    with pytest.raises(InputError, match="--port"):
        Server(server.simulator, server.server_address[1])


@pytest.mark.parametrize("fault", ["lost-answer", "lost-request", "cut-short"])
def test_connections_that_break(server: Server, client: httpx2.Client, fault: str) -> None:
    """The client learns nothing; whether it was done stands in the tenant."""
    simulator = server.simulator
    upn = simulator.tenant.accounts[1].upn
    client.post("/simulator/faults", json={"faults": [{"fault": fault, "on": "Remove-BlockedSenderAddress"}]})
    token = simulator.doorkeeper.token("app-1", EXCHANGE)
    body = {"CmdletInput": {"CmdletName": "Remove-BlockedSenderAddress", "Parameters": {"SenderAddress": upn}}}
    headers = {"Authorization": f"Bearer {token}", "X-AnchorMailbox": "x"}
    with pytest.raises(httpx2.RemoteProtocolError):
        client.post(f"/adminapi/beta/{simulator.tenant.id}/InvokeCommand", json=body, headers=headers)

    done = [item for item in simulator.tenant.effects if item.what == "unblocked"]
    assert (fault != "lost-request") == bool(done)


def test_an_answer_that_comes_late(server: Server, client: httpx2.Client) -> None:
    """A client that gives up does not know that it was done."""
    simulator = server.simulator
    client.post("/simulator/faults", json={"faults": [{"fault": "slow", "seconds": 20}]})
    token = simulator.doorkeeper.token("app-1", "graph.microsoft.com")
    account = simulator.tenant.accounts[1]
    with pytest.raises(httpx2.ReadTimeout):
        client.post(
            f"/v1.0/users/{account.id}/revokeSignInSessions", headers={"Authorization": f"Bearer {token}"}, timeout=0.3
        )

    assert "session" not in account.foothold


def test_time_that_runs() -> None:
    """With a factor the clock runs by itself, and waits are said in the client's seconds."""
    seconds = iter([0.0, 0.0, 10.0, 10.0, 10.0, 10.0])
    simulator = Simulator(NAMED["calm"], 1, START, 60.0, lambda: next(seconds, 10.0))

    assert START + timedelta(minutes=10) == simulator.tenant.now()
    assert 2.0 == simulator.tenant.clock.client_seconds(120.0)
