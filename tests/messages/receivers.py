"""Receivers on this machine: an HTTP server and a mail server that keep what they get."""

from __future__ import annotations

import json
import socketserver
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any


@dataclass
class Receiver:
    """What a receiver got, and how it answers: an HTTP status, or whether mail is accepted."""

    port: int = 0
    status: int = 200
    location: str = ""
    refuses: bool = False
    posted: list[dict[str, Any]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    mails: list[EmailMessage] = field(default_factory=list)
    envelopes: list[list[str]] = field(default_factory=list)
    before: Callable[[], None] = lambda: None

    @property
    def hook(self) -> str:
        """The address of the webhook."""
        return f"http://127.0.0.1:{self.port}/hook?token=hush"

    def mailbox(self, *addresses: str) -> str:
        """The address of settings for mail to these."""
        return f"mailto://127.0.0.1:{self.port}/?from=desk@contoso.example&to={','.join(addresses)}"

    def texts(self) -> list[str]:
        """The bodies of the mails."""
        return [mail.get_content() for mail in self.mails]


@contextmanager
def _served(server: socketserver.TCPServer) -> Iterator[None]:
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@contextmanager
def http_receiver(certificate: Path | None = None) -> Iterator[Receiver]:
    """Serve HTTP until the block is left, over TLS with a file of key and certificate."""
    found = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            found.before()
            body = self.rfile.read(int(self.headers["Content-Length"]))
            found.posted.append(json.loads(body))
            found.headers.append({"path": self.path, **dict(self.headers.items())})
            self.send_response(found.status)
            if found.location:
                self.send_header("Location", found.location)
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            """Print nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    found.port = server.server_address[1]
    if certificate is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        # The handshake belongs to the thread of a request, where a failed one disturbs nobody.
        server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    with _served(server):
        yield found


class _Mail(socketserver.StreamRequestHandler):
    receiver: Receiver

    def handle(self) -> None:
        self.envelope: list[str] = []
        self.say("220 here")
        for line in self.rfile:
            if self.answer(line.decode().strip()):
                return

    def say(self, text: str) -> None:
        self.wfile.write(f"{text}\r\n".encode())

    def answer(self, word: str) -> bool:
        verb = word[:4].upper()
        if verb == "RCPT":
            if self.receiver.refuses:
                self.say("550 not here")
                return False
            self.envelope.append(word.partition("<")[2].partition(">")[0])
        if verb == "DATA":
            self.say("354 go on")
            self.receiver.before()
            self.receiver.mails.append(self.mail())
            self.receiver.envelopes.append(self.envelope)
        self.say("221 bye" if verb == "QUIT" else "250 fine")
        return verb == "QUIT"

    def mail(self) -> EmailMessage:
        lines = []
        while (line := self.rfile.readline()) not in {b".\r\n", b""}:
            lines.append(line.removeprefix(b"."))
        return message_from_bytes(b"".join(lines), policy=policy.default)


@contextmanager
def mail_receiver() -> Iterator[Receiver]:
    """Serve SMTP (RFC 5321, as much of it as a sender needs) until the block is left."""
    found = Receiver()

    class Handler(_Mail):
        receiver = found

    class Server(socketserver.ThreadingTCPServer):
        allow_reuse_address = True
        daemon_threads = True

    server = Server(("127.0.0.1", 0), Handler)
    found.port = server.server_address[1]
    with _served(server):
        yield found
