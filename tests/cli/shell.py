"""Running the command line inside the test's own process, with a clock of the test's."""

from __future__ import annotations

import contextlib
import io
import json
import shlex
import sys
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.services.tenant import Tenant
from workflow.cli.run import run
from workflow.providers.port import Provider

CONTAIN = "snapshot-taken password-reset mfa-enabled sessions-revoked"
VERIFY = (
    "audit-logging-on attacker-methods-removed app-consents-reviewed admin-roles-reviewed forwarding-reviewed "
    "inbox-rules-reviewed delegates-reviewed sign-ins-reviewed cause-decided"
)
NOT_SO = "--fact no-shared-mailbox --fact no-app-passwords --fact no-sign-in-disabled --fact no-methods-removed"


@dataclass(frozen=True)
class Ran:
    """What a command did."""

    code: int
    out: str
    err: str

    @property
    def data(self) -> Any:
        """Standard output as JSON."""
        return json.loads(self.out)


class Shell:
    """Types commands; a minute passes before each. ``tenant`` is what they are connected to, where it is set."""

    def __init__(self) -> None:
        self.now = datetime(2025, 6, 11, 12, 0, tzinfo=UTC)
        self.tenant: Provider | None = None

    def connect(self) -> Tenant:
        """Connect a tenant written by hand."""
        tenant = Tenant(lambda: self.now)
        self.tenant = tenant
        return tenant

    def later(self, **length: float) -> None:
        """Let time pass."""
        self.now += timedelta(**length)

    def __call__(self, line: str, *more: str, typed: bytes = b"") -> Ran:
        """Run ``holdfast`` with the words of a line, and more words as they are."""
        self.later(minutes=1)
        out, err, kept = io.StringIO(), io.StringIO(), sys.stdin
        sys.stdin = io.TextIOWrapper(io.BytesIO(typed))
        try:
            with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
                code = run([*shlex.split(line), *more], lambda: self.now, self.tenant)
        finally:
            sys.stdin = kept
        return Ran(int(code), out.getvalue(), err.getvalue())

    def ok(self, line: str, *more: str, typed: bytes = b"") -> Ran:
        """Run a command that has to succeed."""
        ran = self(line, *more, typed=typed)
        assert 0 == ran.code, ran
        return ran

    def view(self, number: int = 1) -> Any:
        """Return a case as JSON."""
        return self.ok(f"case view {number} --json").data

    def verify(self, number: int = 1) -> None:
        """Record, as ana, everything that stands between a mailbox's case and its unblock."""
        address = self.view(number)["entity"]
        self.ok(f"case identity {number} {shlex.quote(address)} {NOT_SO} --as ana")
        self.ok(f"case record {number} {CONTAIN} {VERIFY} --ref T-1 --as ana")

    def release(self, number: int = 1) -> None:
        """Take a verified case to released: ben asks, cleo approves, ben unblocks and looks."""
        self.ok(f"case request-unblock {number} --yes --as ben")
        self.ok(f"case approve {number} --yes --as cleo")
        self.ok(f"case unblock {number} --yes --as ben")
        self.ok(f"case observe {number} --restriction not-listed --ref list --as ben")
