"""The simulated tenant's only sockets: HTTP/1.1 on 127.0.0.1, and nowhere else."""

from __future__ import annotations

import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import parse_qsl, unquote, urlsplit

from workflow.errors import InputError
from workflow.providers.simulated.messages import Request

if TYPE_CHECKING:
    from workflow.providers.simulated.messages import Reply
    from workflow.providers.simulated.simulator import Simulator

HOST = "127.0.0.1"
PORT = 8365
MAX_BODY = 1 << 20
_LOCAL = ("127.0.0.1", "localhost")
_IDLE = 30.0


class _Handler(BaseHTTPRequestHandler):
    """One connection. Answers are written in one piece: two small writes would wait for each other on the wire."""

    protocol_version = "HTTP/1.1"
    timeout = _IDLE
    server: Server

    def version_string(self) -> str:
        """Return what stands in the Server header."""
        return "holdfast-simulated-tenant"

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the library's name.
        """Say nothing: the log of effects is what counts."""

    def handle_one_request(self) -> None:
        """Take a connection that the client has closed as its end."""
        try:
            super().handle_one_request()
        except ConnectionError:
            self.close_connection = True

    def _answer(self) -> None:
        host = self.headers.get("Host", "")
        length = self.headers.get("Content-Length", "0")
        if host.partition(":")[0] not in _LOCAL or not length.isdecimal() or int(length) > MAX_BODY:
            # A page of a browser that reaches this server by another name has nothing to do here.
            self.close_connection = True
            self.send_error(400)
            return
        body = self.rfile.read(int(length))
        url = urlsplit(self.path)
        request = Request(
            method=self.command,
            path=unquote(url.path),
            base=f"http://{host}",
            query=dict(parse_qsl(url.query, keep_blank_values=True)),
            headers={name.casefold(): value for name, value in self.headers.items()},
            body=body,
        )
        self._send(self.server.ask(request))

    do_GET = do_POST = do_PATCH = do_DELETE = do_PUT = _answer  # noqa: N815 - the library's names.

    def _send(self, reply: Reply) -> None:
        if reply.hold:
            self.server.hold(reply.hold)
        if reply.lost:
            self.close_connection = True
            return
        headers = {**reply.headers, "Content-Length": str(len(reply.body))}
        self.send_response_only(reply.status)
        for name, value in headers.items():
            self.send_header(name, "".join(sign if " " <= sign <= "~" else "?" for sign in value))
        if reply.short:
            self.close_connection = True
        self.end_headers_with(reply.body[: len(reply.body) // 2] if reply.short else reply.body)

    def end_headers_with(self, body: bytes) -> None:
        """Send the headers and the body at once."""
        kept: list[bytes] = self._headers_buffer  # type: ignore[attr-defined]
        self.wfile.write(b"".join([*kept, b"\r\n", body]))
        kept.clear()


class Server(ThreadingHTTPServer):
    """Serves one simulated tenant, one question at a time, to as many connections as come.

    Args:
        simulator: the tenant.
        port: 0 for any that is free.

    Raises:
        InputError: the port is taken.
    """

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, simulator: Simulator, port: int = 0) -> None:
        self.simulator = simulator
        self.waiter = threading.Event()
        self._one_at_a_time = threading.Lock()
        try:
            super().__init__((HOST, port), _Handler)
        except OSError as error:
            raise InputError(
                f"Port {port} of {HOST} cannot be used: {error.strerror}. Choose another with --port."
            ) from None

    @property
    def url(self) -> str:
        """The address to call."""
        return f"http://{HOST}:{self.server_address[1]}"

    def ask(self, request: Request) -> Reply:
        """Return the simulator's answer."""
        with self._one_at_a_time:
            return self.simulator.answer(request)

    def hold(self, seconds: float) -> None:
        """Keep an answer back for so long."""
        self.waiter.wait(seconds)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of connections that broke; the client knows. Anything else is a mistake of ours."""
        if not isinstance(sys.exception(), (OSError, TimeoutError)):
            super().handle_error(request, client_address)

    def __enter__(self) -> Self:
        """Serve in the background until the block ends."""
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop, and let nobody wait for a held answer."""
        self.waiter.set()
        self.shutdown()
        self.server_close()
