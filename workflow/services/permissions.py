"""Who can read and write what makes up an installation: its files and the folders they stand in."""

from __future__ import annotations

import os
import shlex
import stat
from dataclasses import dataclass
from typing import TYPE_CHECKING

from workflow.storage.database import Database
from workflow.storage.files import is_shared

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from workflow.settings import Settings

OK, WARN, FAIL = "ok", "warn", "fail"


@dataclass(frozen=True, slots=True)
class Finding:
    """What was looked at, how it is (ok, warn, fail), in words, what to do, and each thing that it is about."""

    what: str
    status: str
    said: str
    cure: str = ""
    names: tuple[str, ...] = ()


def examine(settings: Settings) -> Iterator[Finding]:
    """Look at each file and each folder once; what is not there is for others to miss."""
    places = {"key file": settings.key_file, "checkpoint file": settings.checkpoint_file}
    database = Database(settings.database_url.get_secret_value()).path
    if database is not None:
        places["database file"] = database
    places["settings file"] = settings.config_file
    folders: dict[Path, str] = {}
    for what, path in places.items():
        if path.exists():
            yield _judge(what, path, secret=what != "settings file" or bool(settings.alert_recipients))
        folders.setdefault(path.parent, f"folder of the {what}")
    for folder, what in folders.items():
        if folder.is_dir():
            yield _judge(what, folder, secret=False)


def readable(folder: Path) -> bool:
    """Say whether a folder can be listed."""
    return folder.is_dir() and os.access(folder, os.R_OK | os.X_OK)


def _judge(what: str, path: Path, *, secret: bool) -> Finding:
    """Say who besides the owner can get at a file or folder: nobody, its group where it is shared, or others."""
    if os.name != "posix":  # pragma: no cover - Windows keeps permissions of another kind
        return Finding(what, OK, f"{path}: permissions are not looked at on this system")
    found = path.stat()
    mode = stat.S_IMODE(found.st_mode)
    shared = is_shared(path if path.is_dir() else path.parent)
    write, read = stat.S_IWOTH, stat.S_IROTH
    if not shared:
        write, read = write | stat.S_IWGRP, read | stat.S_IRGRP
    where = shlex.quote(str(path))
    narrow = ("2770" if shared else "700") if path.is_dir() else ("660" if shared else "600")
    cure = f"chmod {narrow} {where}"
    if mode & write:
        return Finding(what, FAIL, f"{path} can be changed by other users (mode {mode:o})", cure)
    if secret and mode & read:
        return Finding(what, WARN, f"{path} can be read by other users (mode {mode:o})", cure)
    if not os.access(path, os.R_OK):
        return Finding(what, FAIL, f"{path} cannot be read by you", f"ls -l {where}")
    if not os.access(path, os.W_OK) and what != "settings file":
        return Finding(what, WARN, f"{path} can only be read by you", f"ls -ld {where}")
    owners = f"shared with group {found.st_gid}" if shared else "its owner's alone to change"
    return Finding(what, OK, f"{path}: {owners} (mode {mode:o})")
