"""Posting to a receiver on this machine."""

from __future__ import annotations

import socket
import threading
import time
from datetime import UTC, datetime, timedelta
from http.client import HTTPConnection
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.messages.receivers import Receiver, http_receiver
from workflow.errors import DeliveryError
from workflow.messages import webhook


def test_it_is_posted_once_with_its_id(hook: Receiver) -> None:
    """The body is JSON, and the id goes along as a header."""
    webhook.post(hook.hook, {"a": "ü"}, message="alert_1", loopback=True)
    assert [{"a": "ü"}] == hook.posted
    assert ("/hook?token=hush", "alert_1") == (hook.headers[0]["path"], hook.headers[0]["X-Holdfast-Alert"])


def test_the_address_that_was_judged_is_connected_to(hook: Receiver) -> None:
    """What a name says the second time changes nothing: it is asked once."""
    asked = []

    def rebinding(host: str, _port: int) -> list[str]:
        asked.append(host)
        return ["127.0.0.1"] if len(asked) == 1 else ["127.0.0.2"]

    url = f"http://localhost:{hook.port}/"
    webhook.post(url, {}, message="x", loopback=True, resolver=rebinding)
    assert (["localhost"], 1) == (asked, len(hook.posted))


def test_nothing_goes_to_this_machine_unasked(hook: Receiver) -> None:
    """Without the setting not even a connection is made."""
    with pytest.raises(DeliveryError, match="public Internet"):
        webhook.post(hook.hook, {}, message="x")
    assert [] == hook.posted


@pytest.mark.parametrize(("status", "words"), [(302, "redirects"), (404, "did not accept"), (500, "HTTP 500")])
def test_other_answers_are_failures(hook: Receiver, status: int, words: str) -> None:
    """A redirect is not followed, and a refusal is none's delivery."""
    hook.status, hook.location = status, f"http://127.0.0.1:{hook.port}/elsewhere"
    with pytest.raises(DeliveryError, match=words):
        webhook.post(hook.hook, {}, message="x", loopback=True)
    assert 1 == len(hook.posted)


def test_plain_text_behind_https_is_no_secure_connection(hook: Receiver) -> None:
    """Whoever does not speak TLS, or whose certificate does not hold, gets nothing."""
    with pytest.raises(DeliveryError, match="secure"):
        webhook.post(f"https://127.0.0.1:{hook.port}/", {}, message="x", loopback=True)


def test_a_certificate_has_to_carry_the_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The connection goes to an address; whose it is the certificate says, by the name of the settings."""
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate(tmp_path / "receiver.pem")))
    with http_receiver(tmp_path / "receiver.pem") as secure:
        webhook.post(f"https://localhost:{secure.port}/x", {"a": 1}, message="x", loopback=True)
        with pytest.raises(DeliveryError, match="certificate"):
            webhook.post(f"https://127.0.0.1:{secure.port}/x", {"a": 2}, message="x", loopback=True)
    assert [{"a": 1}] == secure.posted


def certificate(path: Path) -> Path:
    """Write a key and a certificate for ``localhost`` that vouches for itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem, plain = serialization.Encoding.PEM, serialization.NoEncryption()
    secret = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, plain)
    path.write_bytes(secret + made.public_bytes(pem))
    return path


def test_nobody_there() -> None:
    """A closed port says so at once."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port = sock.getsockname()[1]
    with pytest.raises(DeliveryError, match="reached"):
        webhook.post(f"http://127.0.0.1:{port}", {}, message="x", loopback=True)


def test_an_answer_that_drips_is_cut() -> None:
    """A receiver that sends a byte now and then does not hold anybody up."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def drip() -> None:
            sock, _ = server.accept()
            with sock:
                try:
                    while True:
                        sock.sendall(b"H")
                        time.sleep(0.02)
                except OSError:
                    return

        thread = threading.Thread(target=drip)
        thread.start()
        begun = time.monotonic()
        with pytest.raises(DeliveryError, match="in time"):
            webhook.post(f"http://127.0.0.1:{server.getsockname()[1]}/", {}, message="x", loopback=True, within=0.3)
        assert time.monotonic() - begun < 5
        thread.join()


def test_cutting_what_is_not_connected() -> None:
    """Time may run out before there is anything to cut."""
    connection = HTTPConnection("127.0.0.1")
    webhook._cut(connection)
    assert connection.sock is None
