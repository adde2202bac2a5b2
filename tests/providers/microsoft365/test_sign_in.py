"""Signing in: with a certificate, as the machine, as a person; and every way in which it fails."""

from __future__ import annotations

import base64
import json
import logging
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest

from tests.providers.microsoft365.certificates import write
from tests.providers.microsoft365.scripted import NOW, TENANT, Time
from workflow.errors import NotReachedError, ProviderBusyError, ProviderError, SettingsError
from workflow.providers.microsoft365 import password
from workflow.providers.microsoft365.connection import Cloud, Connection, Service
from workflow.providers.microsoft365.sign_in import SignIn
from workflow.providers.ways import Way

CLIENT = "99999999-2222-3333-4444-555555555555"
TOKEN: dict[str, Any] = {"access_token": "token-1", "expires_in": 3600, "token_type": "Bearer"}
PASSPHRASE = "opensesame"


@pytest.fixture
def pem(tmp_path: Path) -> Path:
    """An application's key and certificate."""
    return write(tmp_path / "app.pem")


class Entra:
    """Entra ID at one address."""

    def __init__(self, home: str = "https://login.microsoftonline.com", **answer: Any) -> None:
        """Answer with a token, or as told."""
        self.home = home
        self.answer: dict[str, Any] = answer or TOKEN
        self.status = 200 if "access_token" in self.answer else 400
        self.endpoint = f"{home}/{TENANT}/oauth2/v2.0/token"
        self.sent: list[httpx2.Request] = []
        self.forgetful = False
        self.headers: dict[str, str] = {}
        self.text = ""
        self.time = Time()

    def __call__(self, request: httpx2.Request) -> httpx2.Response:
        """Answer."""
        self.sent.append(request)
        if request.url.path.endswith("/openid-configuration"):
            return httpx2.Response(
                200,
                json={
                    "issuer": f"{self.home}/{TENANT}/v2.0",
                    "authorization_endpoint": f"{self.home}/{TENANT}/oauth2/v2.0/authorize",
                    "token_endpoint": self.endpoint,
                    "device_authorization_endpoint": f"{self.home}/{TENANT}/oauth2/v2.0/devicecode",
                },
            )
        if request.url.path.endswith("/devicecode"):
            said = {"device_code": "d", "user_code": "ABCD", "interval": 0, "expires_in": 60}
            return httpx2.Response(200, json=said | {"message": "Open https://microsoft.com/devicelogin, type ABCD"})
        if self.forgetful and b"grant_type=refresh_token" in request.content:
            return httpx2.Response(400, json={"error": "invalid_grant"})
        if self.text:
            return httpx2.Response(self.status, text=self.text)
        return httpx2.Response(self.status, json=self.answer, headers=self.headers)

    def sign_in(self, tell: Any = None, **settings: Any) -> SignIn:
        """Return a sign-in there."""
        connection = Connection(**{"tenant": TENANT, "client": CLIENT} | settings)
        return SignIn(connection, tell, httpx2.MockTransport(self), self.time.pace, lambda: NOW)


def test_a_certificate_gives_a_token(pem: Path) -> None:
    """Signed with SHA-256; kept until it runs out; made out to the service whose cloud it is."""
    entra = Entra()
    sign_in = entra.sign_in(certificate=pem)

    assert ["token-1"] * 2 == [sign_in.token(Service.EXCHANGE) for _ in range(2)]
    assert 2 == len(entra.sent)
    form = dict(httpx2.QueryParams(entra.sent[1].content.decode()))
    header = json.loads(base64.urlsafe_b64decode(form["client_assertion"].split(".")[0] + "=="))
    assert ("https://outlook.office365.com/.default", "PS256", True) == (
        form["scope"],
        header["alg"],
        "x5t#S256" in header,
    )
    assert "" == sign_in.user
    sign_in.token(Service.GRAPH)
    sign_in.token(Service.GRAPH, fresh=True)
    assert 5 == len(entra.sent)
    sign_in.close()


def test_an_encrypted_key(tmp_path: Path) -> None:
    """With its password it works, without it says so and shows nothing of it."""
    path = write(tmp_path / "app.pem", PASSPHRASE)

    assert "token-1" == Entra().sign_in(certificate=path, certificate_password=PASSPHRASE).token(Service.GRAPH)
    with pytest.raises(ProviderError) as caught:
        Entra().sign_in(certificate=path, certificate_password="wrongly").token(Service.GRAPH)
    assert "wrongly" not in str(caught.value)


def test_a_simulated_tenant_signs_in_over_http(pem: Path) -> None:
    """MSAL insists on https in every address; on this machine they are translated on the way."""
    home = "http://127.0.0.1:8400"
    entra = Entra(home)

    sign_in = entra.sign_in(certificate=pem, addresses=dict.fromkeys(Service, home))
    assert "token-1" == sign_in.token(Service.GRAPH)
    assert {"http"} == {request.url.scheme for request in entra.sent}
    assert "https://graph.microsoft.com/.default" in httpx2.QueryParams(entra.sent[1].content.decode()).values()


def test_another_cloud(pem: Path) -> None:
    """Its own addresses and audiences."""
    entra = Entra("https://login.microsoftonline.us")

    entra.sign_in(certificate=pem, cloud=Cloud.GCC_HIGH).token(Service.EXCHANGE)
    assert "https://outlook.office365.us/.default" in httpx2.QueryParams(entra.sent[1].content.decode()).values()


def test_entra_id_cannot_send_the_assertion_elsewhere(pem: Path) -> None:
    """Its own description of itself is not followed to another host."""
    entra = Entra()
    entra.endpoint = f"https://evil.example/{TENANT}/oauth2/v2.0/token"

    with pytest.raises(ProviderError, match="not its own"):
        entra.sign_in(certificate=pem).token(Service.GRAPH)
    assert 1 == len(entra.sent)


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (
            {"error": "invalid_client", "error_codes": [700027], "error_description": "AADSTS700027: x"},
            r"AADSTS700027: x .*upload it",
        ),
        ({"error": "unauthorized_client", "error_codes": [700016]}, "unauthorized_client There is no such application"),
        ({"error": "invalid_request", "error_codes": [1, "x"], "error_description": "assertion=eyJhbGciOiJub25l"}, "…"),
        ({"error": "x", "error_codes": "no"}, "refuses: x"),
        ({"something": "else"}, "no token and no reason"),
    ],
)
def test_a_refusal_says_what_to_do(pem: Path, answer: dict[str, Any], said: str) -> None:
    """In Microsoft's words and ours, with nothing secret in them."""
    with pytest.raises(ProviderError, match=said) as caught:
        Entra(**answer).sign_in(certificate=pem).token(Service.GRAPH)
    assert "eyJ" not in str(caught.value)


def test_entra_id_may_be_busy_or_away(pem: Path) -> None:
    """Busy is come back, an error of its own or no connection is not reached."""
    with pytest.raises(ProviderBusyError):
        Entra(error="temporarily_unavailable", error_description="later").sign_in(certificate=pem).token(Service.GRAPH)
    for said, wait in (("7", 7.0), ("soon", 60.0)):
        throttled = Entra(error="x")
        throttled.status, throttled.headers = 429, {"Retry-After": said}
        sign_in = throttled.sign_in(certificate=pem)
        for _ in range(2):
            with pytest.raises(ProviderBusyError) as caught:
                sign_in.token(Service.GRAPH)
            assert wait == caught.value.retry_after
    wordless = Entra(error="x")
    wordless.status, wordless.text = 429, "slow down"
    with pytest.raises(ProviderBusyError):
        wordless.sign_in(certificate=pem).token(Service.GRAPH)
    broken = Entra(error="x")
    broken.status = 500
    with pytest.raises(ProviderError, match="500"):
        broken.sign_in(certificate=pem).token(Service.GRAPH)

    def away(request: httpx2.Request) -> httpx2.Response:
        raise httpx2.ConnectError("down", request=request)

    connection = Connection(tenant=TENANT, client=CLIENT, certificate=pem)
    with pytest.raises(NotReachedError, match="cannot be reached"):
        SignIn(connection, None, httpx2.MockTransport(away)).token(Service.GRAPH)


def test_the_machines_own_identity(monkeypatch: pytest.MonkeyPatch) -> None:
    """The system's, or one that was assigned; its service is the machine's, not Entra ID's."""
    monkeypatch.delenv("IDENTITY_ENDPOINT", raising=False)
    asked: list[httpx2.URL] = []

    def machine(request: httpx2.Request) -> httpx2.Response:
        asked.append(request.url)
        return httpx2.Response(200, json=TOKEN | {"resource": "x", "expires_in": "3600"})

    for client in ("", CLIENT):
        connection = Connection(tenant=TENANT, client=client, way=Way.MANAGED_IDENTITY)
        assert "token-1" == SignIn(connection, None, httpx2.MockTransport(machine)).token(Service.EXCHANGE)
    assert [None, CLIENT] == [url.params.get("client_id") for url in asked]
    assert {"https://outlook.office365.com"} == {url.params["resource"] for url in asked}


@pytest.mark.parametrize("environment", [{}, {"IDENTITY_ENDPOINT": "http://127.0.0.1:41/msi", "IDENTITY_HEADER": "x"}])
def test_the_machines_identity_service_is_elsewhere(
    environment: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its address is a setting like every other; path and query stay as the library makes them."""
    monkeypatch.delenv("IDENTITY_ENDPOINT", raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    asked: list[str] = []

    def machine(request: httpx2.Request) -> httpx2.Response:
        asked.append(str(request.url).partition("?")[0])
        soon = str(int(time.time()) + 3600)
        return httpx2.Response(200, json=TOKEN | {"resource": "x", "expires_in": "3600", "expires_on": soon})

    for address in ("https://identity.example:8443/", "http://127.0.0.1:8365"):
        connection = Connection(tenant=TENANT, way=Way.MANAGED_IDENTITY, identity=address)
        assert "token-1" == SignIn(connection, None, httpx2.MockTransport(machine)).token(Service.GRAPH)
    path = "/msi" if environment else "/metadata/identity/oauth2/token"
    assert [f"https://identity.example:8443{path}", f"http://127.0.0.1:8365{path}"] == asked


def test_a_person_types_a_code() -> None:
    """They are told where; the second service is asked without them."""
    claims: dict[str, Any] = {
        "oid": "o",
        "tid": TENANT,
        "sub": "s",
        "preferred_username": "ana@contoso.example",
        "aud": CLIENT,
    }
    claims |= {"iss": "x", "exp": 4_000_000_000, "iat": 1}
    body = base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")
    info = base64.urlsafe_b64encode(json.dumps({"uid": "o", "utid": TENANT}).encode()).decode().rstrip("=")
    entra = Entra(**TOKEN, refresh_token="r", id_token=f"e30.{body}.x", client_info=info, scope="x")
    told: list[str] = []
    sign_in = entra.sign_in(told.append, way=Way.DEVICE_CODE)

    assert "token-1" == sign_in.token(Service.GRAPH)
    assert ["Open https://microsoft.com/devicelogin, type ABCD"] == told
    assert "ana@contoso.example" == sign_in.user
    assert [True, False] == [sign_in.goes_by(name, "") for name in ("Ana@contoso.example", "ServicePrincipal_1")]
    sign_in.token(Service.EXCHANGE)
    assert 1 == len(told)

    sign_in.token(Service.EXCHANGE, fresh=True)
    assert 1 == len(told)
    entra.forgetful = True
    sign_in.token(Service.COMPLIANCE)
    assert 2 == len(told)


def test_nobody_is_there_to_type_a_code() -> None:
    """That is said; so is a refusal to give one."""
    with pytest.raises(ProviderError, match="nobody is here"):
        Entra().sign_in(way=Way.DEVICE_CODE).token(Service.GRAPH)

    class Closed(Entra):
        def __call__(self, request: httpx2.Request) -> httpx2.Response:
            if request.url.path.endswith("/devicecode"):
                return httpx2.Response(400, json={"error": "unauthorized_client"})
            return super().__call__(request)

    with pytest.raises(ProviderError, match="unauthorized_client"):
        Closed().sign_in(print, way=Way.DEVICE_CODE).token(Service.GRAPH)


@pytest.mark.parametrize(
    ("text", "mode", "said"),
    [
        (None, 0o600, "cannot be read"),
        ("-----BEGIN PRIVATE KEY-----\n-----BEGIN CERTIFICATE-----", 0o640, "chmod 600"),
        ("-----BEGIN PRIVATE KEY-----", 0o600, "both a private key and its certificate"),
        ("-----BEGIN CERTIFICATE-----", 0o644, "has no private key. Name the file with key and certificate"),
    ],
)
def test_a_certificate_that_will_not_do(tmp_path: Path, text: str | None, mode: int, said: str) -> None:
    """Missing, open to others, or half."""
    path = tmp_path / "app.pem"
    if text is not None:
        path.write_text(text)
        path.chmod(mode)

    with pytest.raises(SettingsError, match=said):
        Entra().sign_in(certificate=path).token(Service.GRAPH)


def test_passwords_are_long_and_of_every_class() -> None:
    """24 characters, none of which is taken for another."""
    for _ in range(50):
        text = password.fresh().text
        assert 24 == len(text)
        assert not set("0O1lI") & set(text)
        assert any(letter.islower() for letter in text)
        assert any(letter.isupper() for letter in text)
        assert any(letter.isdigit() for letter in text)
        assert any(not letter.isalnum() for letter in text)


@pytest.mark.parametrize(
    ("client", "name", "app", "ours"),
    [
        (CLIENT, "ServicePrincipal_1", CLIENT.upper(), True),
        (CLIENT, "ServicePrincipal_1", "", True),
        (CLIENT, "ServicePrincipal_1", "another", False),
        ("", "ServicePrincipal_1", "another", True),
        (CLIENT, "ada@contoso.example", CLIENT, False),
    ],
)
def test_which_names_in_the_log_are_ours(pem: Path, client: str, name: str, app: str, ours: bool) -> None:  # noqa: FBT001 - a column of the table above
    """An application's, unless the record tells that it is another one."""
    way = {"way": Way.CERTIFICATE, "certificate": pem} if client else {"way": Way.MANAGED_IDENTITY}
    assert ours is Entra().sign_in(client=client, **way).goes_by(name, app)


@pytest.mark.parametrize(
    ("said", "wait"),
    [
        ("5", 5.0),
        ("0", 60.0),
        ("0000000009", 9.0),
        ("999999999999", 86_400.0),
        ("9" * 400, 86_400.0),
        ("Fri, 01 May 2026 09:05:00 GMT", 300.0),
        ("Fri, 31 Dec 9999 23:59:59 -2359", 60.0),
    ],
)
def test_how_long_entra_id_may_send_us_away(pem: Path, said: str, wait: float) -> None:
    """A day at most, as a number or a date; nonsense is a minute."""
    entra = Entra(error="x")
    entra.status, entra.headers = 429, {"Retry-After": said}

    with pytest.raises(ProviderBusyError) as caught:
        entra.sign_in(certificate=pem).token(Service.GRAPH)
    assert wait == caught.value.retry_after


@pytest.mark.parametrize("at", ["openid-configuration", "token"])
def test_who_is_sent_away_stays_away(pem: Path, at: str) -> None:
    """Whatever is asked for, nothing is called before the time is over; what is kept is given all the same."""

    class Closing(Entra):
        closed = False

        def __call__(self, request: httpx2.Request) -> httpx2.Response:
            if self.closed and request.url.path.endswith(at):
                self.sent.append(request)
                return httpx2.Response(429, json={"error": "x"}, headers={"Retry-After": "300"})
            return super().__call__(request)

    entra = Closing()
    entra.closed = True
    sign_in = entra.sign_in(certificate=pem)
    for _ in range(3):
        with pytest.raises(ProviderBusyError, match="300 seconds"):
            sign_in.token(Service.GRAPH)
    told = len(entra.sent)
    entra.closed = False
    entra.time.at += 299
    with pytest.raises(ProviderBusyError, match="Come back in 1 seconds"):
        sign_in.token(Service.EXCHANGE)
    assert told == len(entra.sent)
    entra.time.at += 2
    assert "token-1" == sign_in.token(Service.EXCHANGE)
    entra.closed = True
    assert "token-1" == sign_in.token(Service.EXCHANGE)


HOSTILE = [
    *(b"[]", b'"x"', b"5", b"null", b"true", b"", b"\xff\xfe\x00", b"[" * 100_000, b'{"a":' * 100_000, b"{}"),
    *(b'{"access_token":5}', b'{"access_token":["x"]}', b'{"access_token":""}'),
    *(b'{"access_token":"x","expires_in":%b}' % odd for odd in (b"{}", b'"abc"', b"Infinity", b"1e400", b"[]")),
    *(b'{"access_token":"%b","expires_in":3600}' % odd for odd in (b"h\xc3\xa9", rb"\ud800", rb"x\nEvil: 1", b"a b")),
    *(b'{"error":["x"],"error_codes":"x"}', b'{"error":{"a":1},"error_description":["x"]}', b'{"error":5}'),
]


@pytest.mark.parametrize("answer", HOSTILE)
@pytest.mark.parametrize("way", [Way.CERTIFICATE, Way.MANAGED_IDENTITY, Way.DEVICE_CODE])
def test_hostile_tokens(pem: Path, way: Way, answer: bytes) -> None:
    """Whatever stands where a token should, the error is the port's."""

    def hostile(request: httpx2.Request) -> httpx2.Response:
        if request.url.path.endswith(("openid-configuration", "devicecode")):
            return Entra()(request)
        return httpx2.Response(200, content=answer)

    connection = Connection(tenant=TENANT, client=CLIENT, way=way, certificate=pem)
    with pytest.raises(ProviderError, match="Signing in"):
        SignIn(connection, lambda _: None, httpx2.MockTransport(hostile), Time().pace).token(Service.GRAPH)


@pytest.mark.parametrize(
    "answer",
    [
        *(b"[]", b'"x"', b"5", b"null", b"", b"[" * 100_000, b"{}", b"\xff"),
        b'{"token_endpoint":5,"authorization_endpoint":5,"issuer":5}',
        b'{"token_endpoint":"\\ud800","authorization_endpoint":"x","issuer":"\\ud800"}',
    ],
)
@pytest.mark.parametrize("status", [200, 204, 302, 404, 503])
def test_hostile_descriptions(pem: Path, status: int, answer: bytes) -> None:
    """Nor is what Entra ID says of itself taken for granted."""

    def hostile(_: httpx2.Request) -> httpx2.Response:
        return httpx2.Response(status, content=answer)

    connection = Connection(tenant=TENANT, client=CLIENT, certificate=pem)
    with pytest.raises(ProviderError, match="Signing in"):
        SignIn(connection, None, httpx2.MockTransport(hostile), Time().pace).token(Service.GRAPH)


def test_a_token_that_cannot_be_sent_is_not_kept(pem: Path) -> None:
    """Else it would be given until it runs out, which may be never."""
    entra = Entra(**TOKEN | {"access_token": "h\xe9"})
    sign_in = entra.sign_in(certificate=pem)

    with pytest.raises(ProviderError, match="no header can carry"):
        sign_in.token(Service.GRAPH)
    entra.answer = TOKEN
    assert "token-1" == sign_in.token(Service.GRAPH)


def test_the_librarys_log_is_its_own(
    pem: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    """It repeats an answer that it cannot read, token and all, where nobody has set up logging on standard error."""
    entra = Entra()
    entra.text = '{"token_type":"Bearer","expires_in":3599,"access_token":"eyJ0eXAi.c2VjcmV0.c2ln'
    with caplog.at_level(logging.DEBUG), pytest.raises(ProviderError):
        entra.sign_in(certificate=pem).token(Service.GRAPH)
    monkeypatch.setattr(logging.getLogger(), "handlers", [])
    with pytest.raises(ProviderError) as caught:
        entra.sign_in(certificate=pem).token(Service.GRAPH)

    for said in (caplog.text, *capsys.readouterr(), str(caught.value)):
        assert "c2VjcmV0" not in said


def test_an_answer_of_entra_id_has_a_limit_and_an_end(pem: Path) -> None:
    """It is small; one that is not, or that drips, is given up."""
    time = Time()

    class Long(httpx2.SyncByteStream):
        def __iter__(self) -> Iterator[bytes]:
            for _ in range(2_000):
                yield b" " * 1_000

    class Drip(httpx2.SyncByteStream):
        def __iter__(self) -> Iterator[bytes]:
            while True:
                time.at += 60
                yield b" "

    connection = Connection(tenant=TENANT, client=CLIENT, certificate=pem)
    for stream, said in ((Long(), "too long"), (Drip(), "does not end")):
        answer = httpx2.Response(200, stream=stream)
        sign_in = SignIn(connection, None, httpx2.MockTransport(lambda _, answer=answer: answer), time.pace)
        with pytest.raises(NotReachedError, match=said):
            sign_in.token(Service.GRAPH)
