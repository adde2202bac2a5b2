"""Posting to a receiver on this machine."""

from __future__ import annotations

import socket
import threading
import time
from http.client import HTTPConnection

import pytest

from tests.messages.receivers import Receiver
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
