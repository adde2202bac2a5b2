"""The token endpoints: what they refuse."""

from __future__ import annotations

import base64
import json
from dataclasses import replace
from typing import Any
from urllib.parse import urlencode

import pytest

from tests.providers.simulated.client import Client
from workflow.providers.simulated.messages import Reply
from workflow.providers.simulated.scenario import NAMED, App

ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
DEVICE = "urn:ietf:params:oauth:grant-type:device_code"


def part(value: Any) -> str:
    """Return one part of a JWT."""
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


def assertion(app: str = "app-1", **members: Any) -> str:
    """Return a certificate's assertion, unsigned: the simulator looks at its shape."""
    header = {"alg": "PS256", "x5t#S256": "abc", **members.pop("header", {})}
    claims = {"iss": app, "sub": app, "aud": "https://127.0.0.1:8365/t/oauth2/v2.0/token", **members}
    return f"{part(header)}.{part(claims)}.c2ln"


def token(client: Client, **form: str) -> Reply:
    """Ask the token endpoint."""
    return client.ask("POST", f"/{client.tenant.id}/oauth2/v2.0/token", urlencode(form).encode())


def credentials(client: Client, **form: str) -> Reply:
    """Ask for a token for an application."""
    whole = {
        "grant_type": "client_credentials",
        "client_id": "app-1",
        "client_assertion_type": ASSERTION,
        "client_assertion": assertion(),
        "scope": "https://graph.microsoft.com/.default",
    }
    return token(client, **(whole | form))


def test_an_application_with_a_certificate() -> None:
    """It gets a bearer token for an hour."""
    reply = credentials(Client())

    assert (200, "Bearer", 3599) == (
        reply.status,
        json.loads(reply.body)["token_type"],
        json.loads(reply.body)["expires_in"],
    )


@pytest.mark.parametrize(
    ("form", "code"),
    [
        ({"client_id": ""}, 700016),
        ({"client_assertion_type": ""}, 7000216),
        ({"client_assertion": "x"}, 50027),
        ({"client_assertion": assertion(header={"alg": "none"})}, 50027),
        ({"client_assertion": assertion(sub="another")}, 50027),
        ({"client_assertion": assertion(aud="https://127.0.0.1/other")}, 700023),
        ({"scope": "https://evil.example/.default"}, 70011),
        ({"grant_type": "password"}, 70003),
    ],
)
def test_what_is_refused(form: dict[str, str], code: int) -> None:
    """Each refusal has Microsoft's number, in the list and in the text."""
    body = json.loads(credentials(Client(), **form).body)

    assert [code] == body["error_codes"]
    assert body["error_description"].startswith(f"AADSTS{code}: ")


def test_applications_that_are_not_registered() -> None:
    """Where the scenario names applications, others get nothing."""
    client = Client(replace(NAMED["calm"], apps={"app-2": App()}))

    assert 400 == credentials(client).status
    assert 400 == client.ask("POST", f"/{client.tenant.id}/oauth2/v2.0/devicecode", b"client_id=app-1").status


def test_the_configuration_says_https() -> None:
    """MSAL takes nothing else; its client maps it back."""
    client = Client()
    found = json.loads(client.ask("GET", f"/{client.tenant.id}/v2.0/.well-known/openid-configuration").body)
    instance = json.loads(client.ask("GET", "/common/discovery/instance").body)

    assert f"https://127.0.0.1:8365/{client.tenant.id}/oauth2/v2.0/token" == found["token_endpoint"]
    assert instance["tenant_discovery_endpoint"].startswith("https://127.0.0.1:8365/")
    assert 400 == client.ask("GET", f"/{client.tenant.id}/oauth2/v2.0/token").status


def test_a_device_that_nobody_touches() -> None:
    """Pending at first; then the administrator has signed in, and the code is used up."""
    client = Client()
    asked = client.ask("POST", f"/{client.tenant.id}/oauth2/v2.0/devicecode", b"client_id=app-1&scope=openid")
    code = json.loads(asked.body)["device_code"]
    replies = [token(client, grant_type=DEVICE, device_code=code) for _ in range(3)]

    assert ["authorization_pending", None, "expired_token"] == [
        json.loads(reply.body).get("error") for reply in replies
    ]
    granted = json.loads(replies[1].body)
    again = token(
        client,
        grant_type="refresh_token",
        refresh_token=granted["refresh_token"],
        scope="https://outlook.office365.com/x",
    )
    assert "outlook.office365.com" in json.loads(again.body)["scope"]
    assert 400 == token(client, grant_type="refresh_token", refresh_token="a.b.c").status


def test_a_machine() -> None:
    """The metadata service wants its header, and a resource that exists."""
    client = Client()
    path, resource = "/metadata/identity/oauth2/token", "https://graph.microsoft.com"

    assert 400 == client.ask("GET", path, resource=resource).status
    assert 400 == client.ask("GET", path, None, {"metadata": "true"}, resource="https://evil.example").status
    assert 200 == client.ask("GET", path, None, {"metadata": "true"}, resource=resource).status
