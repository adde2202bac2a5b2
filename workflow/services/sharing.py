"""One host for several users of the operating system: folders and files that belong to a group.

Every member of the group can write every file, the signing key among them. That is the limit of it: any member can sign
another history. Against that only a checkpoint helps that is kept where the group cannot write.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from workflow.errors import InputError, StorageError
from workflow.settings import folders, load_settings

if TYPE_CHECKING:
    from pathlib import Path

    from workflow.settings import Settings

SHARED_FOLDER = 0o2770
"""Its owner and its group may do everything in it, others nothing, and what is made in it is the group's."""


def prepare(group: str) -> list[Path]:
    """Make the folders of a shared home, or hand them to the group, before ``init`` makes files in them.

    Returns the folders. The home is ``HOLDFAST_HOME``.

    Raises:
        InputError: there is no such group, you are not in it, or no home was named.
        StorageError: a folder cannot be made or handed over.
    """
    number = _member_of(group)
    if not os.environ.get("HOLDFAST_HOME"):
        message = "Say where the group's ledger is to be: export HOLDFAST_HOME=/srv/holdfast, for every member."
        raise InputError(message)
    places = list(folders().values())
    _refuse_elsewhere(load_settings(), places)
    made = [places[0].parent, *places]
    for folder in made:
        try:
            folder.mkdir(parents=True, exist_ok=True)
            os.chown(folder, -1, number)
            # After the owner, because changing that takes the bit away; and chmod knows no umask.
            folder.chmod(SHARED_FOLDER)
        except OSError as error:
            message = f"The folder {folder} cannot be given to the group {group}: {error.strerror}."
            raise StorageError(message) from error
    return made


def _member_of(group: str) -> int:
    """Return the number of a group that this user is in, or may give files to all the same."""
    try:
        import grp  # noqa: PLC0415 - POSIX only

        found = grp.getgrnam(group)
    except ImportError:  # pragma: no cover - Windows has no groups of this kind
        message = "Groups that share files are not to be had on this system."
        raise InputError(message) from None
    except KeyError:
        message = f"There is no group {group!r} here. Make one: groupadd {group}; usermod -aG {group} NAME"
        raise InputError(message) from None
    if os.geteuid() != 0 and found.gr_gid not in {os.getegid(), *os.getgroups()}:
        message = f"You are not in the group {group}: ask to be added (usermod -aG {group} NAME), then log in again."
        raise InputError(message)
    return found.gr_gid


def _refuse_elsewhere(settings: Settings, places: list[Path]) -> None:
    """Refuse settings that put a file outside the home: nothing there would be shared."""
    address = settings.database_url.get_secret_value()
    files = [settings.key_file.parent, settings.checkpoint_file.parent]
    if any(folder not in places for folder in files) or not address.startswith(f"sqlite:///{places[1]}/"):
        message = (
            "With --shared all files stand in HOLDFAST_HOME: take the settings database_url, key_file and "
            "checkpoint_file away."
        )
        raise InputError(message)
