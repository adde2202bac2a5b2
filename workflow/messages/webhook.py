"""Posting JSON to one address: TLS, no redirects, no proxies, a few kilobytes and seconds at most."""

from __future__ import annotations

import json
import socket
import ssl
from contextlib import suppress
from http.client import HTTPConnection, HTTPException
from threading import Timer
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from workflow.errors import DeliveryError
from workflow.messages import guard

if TYPE_CHECKING:
    from workflow.messages.guard import Resolver

WITHIN: Final = 20.0
"""Seconds for connecting, sending and being answered, all together."""
MOST_ANSWER: Final = 16 * 1024
"""Bytes of an answer that are read at most; only its status counts."""
SECURE_PORT, PLAIN_PORT = 443, 80


class _Pinned(HTTPConnection):
    """A connection to an address that was judged, under the name that its certificate has to carry."""

    def __init__(self, host: str, port: int, address: str, secure: ssl.SSLContext | None, within: float) -> None:
        super().__init__(host, port, timeout=within)
        self._address = address
        self._secure = secure

    def connect(self) -> None:
        """Connect to the address, not to whatever the name says now."""
        self.sock = socket.create_connection((self._address, self.port), self.timeout)
        if self._secure is not None:
            # The handshake comes last, so that it too can be cut.
            self.sock = self._secure.wrap_socket(self.sock, server_hostname=self.host, do_handshake_on_connect=False)
            self.sock.do_handshake()


def post(
    url: str,
    data: dict[str, Any],
    *,
    message: str,
    loopback: bool = False,
    within: float = WITHIN,
    resolver: Resolver = guard.look_up,
) -> None:
    """Post JSON, once.

    Args:
        url: where; it has been read (:mod:`workflow.messages.recipient`).
        data: what.
        message: the message's id, which goes along as a header.
        loopback: whether a receiver on this very machine is allowed, without TLS too.
        within: seconds.
        resolver: looks names up.

    Raises:
        DeliveryError: it was not accepted, or must not be sent there.
    """
    parts = urlsplit(url)
    host, secure = parts.hostname or "", parts.scheme == "https"
    port = parts.port or (SECURE_PORT if secure else PLAIN_PORT)
    found = guard.addresses(host, port, loopback=loopback, resolver=resolver)
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    body = json.dumps(data).encode()
    headers = {"Content-Type": "application/json", "User-Agent": "holdfast", "X-Holdfast-Alert": message}
    context = ssl.create_default_context() if secure else None
    connection = _Pinned(host, port, found[0], context, within)
    # The limit of a socket counts from one byte to the next; this one ends even an answer that drips.
    clock = Timer(within, _cut, (connection,))
    clock.daemon = True
    clock.start()
    try:
        connection.request("POST", target, body, headers)
        answer = connection.getresponse()
        answer.read(MOST_ANSWER)
        status = answer.status
    except ssl.SSLError:
        raise DeliveryError("No secure connection to the receiver: its certificate does not hold.") from None
    except (OSError, HTTPException, ValueError):
        raise DeliveryError("The receiver could not be reached, or did not answer in time.") from None
    finally:
        clock.cancel()
        connection.close()
    if not HTTP_OK <= status < HTTP_REDIRECT:
        told = "redirects, which is not followed" if HTTP_REDIRECT <= status < HTTP_REFUSED else "did not accept it"
        raise DeliveryError(f"The receiver {told} (HTTP {status}).")


HTTP_OK, HTTP_REDIRECT, HTTP_REFUSED = 200, 300, 400


def _cut(connection: HTTPConnection) -> None:
    """End a connection from outside."""
    sock = connection.sock
    if sock is not None:
        with suppress(OSError):
            sock.shutdown(socket.SHUT_RDWR)
