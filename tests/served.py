"""``holdfast tenant serve`` in a process of its own: whoever else is killed, it keeps what was done to it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import urllib.request
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from pathlib import Path

PATIENCE = 60.0  # seconds
FAMILIES = ("directory", "reports", "policies", "audit", "exchange")


class ServedTenant:
    """A simulated tenant at an address: a context manager that starts it and stops it.

    Args:
        folder: where its scenario is written.
        factor: seconds of its clock to one of ours.
        scenario: what differs from a calm one.
    """

    def __init__(self, folder: Path, factor: float = 1.0, **scenario: Any) -> None:
        """Start it, and wait until it answers."""
        path = folder / "scenario.json"
        path.write_text(json.dumps({"base": "calm", **scenario}))
        command = [sys.executable, "-m", "workflow", "tenant", "serve", "--port", "0", "--scenario", str(path)]
        self._process = subprocess.Popen(
            [*command, "--time-factor", str(factor), "--json"],
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "HOLDFAST_HOME": str(folder)},
        )
        assert self._process.stdout is not None
        said = ""
        while not said.endswith("}\n"):
            line = self._process.stdout.readline()
            assert line, "the simulated tenant did not start"
            said += line
        about = json.loads(said)
        self.url, self.id = about["url"], about["tenant"]

    def __enter__(self) -> Self:
        """Be served."""
        return self

    def __exit__(self, *_: object) -> None:
        """Stop serving."""
        self._process.kill()
        self._process.communicate(timeout=PATIENCE)

    def settings(self) -> dict[str, Any]:
        """Return the settings that connect to it, with no limit of our own on calls."""
        return {
            "provider": "microsoft365",
            "m365_tenant_id": self.id,
            "m365_sign_in": "managed-identity",
            "m365_url": self.url,
            "m365_limits": dict.fromkeys(FAMILIES, "900000/10"),
        }

    def ask(self, path: str, given: dict[str, Any] | None = None) -> dict[str, Any]:
        """Call the control API."""
        body = None if given is None else json.dumps(given).encode()
        with urllib.request.urlopen(f"{self.url}/simulator/{path}", body, PATIENCE) as answer:  # noqa: S310 - its own
            found: dict[str, Any] = json.load(answer)
        return found

    def pages(self, path: str) -> list[dict[str, Any]]:
        """Return everything of a list, page by page."""
        found: list[dict[str, Any]] = []
        while True:
            page = self.ask(f"{path}?after={len(found)}")
            found += page[path]
            if not page["more"]:
                return found
