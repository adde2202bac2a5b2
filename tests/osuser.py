"""Being another user of the operating system for a while, which only root can."""

import os
import stat
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

SOMEBODY, SOMEBODY_ELSE = 61_001, 61_002
"""User ids that nobody has."""


@contextmanager
def acting_as(user: int, place: Path, groups: Sequence[int] = ()) -> Iterator[None]:
    """Be this user, in these groups and one of its own, with a way to ``place`` through folders of the tests' own.

    Whatever is imported meanwhile may come from folders that this user cannot read: do a thing once before.
    """
    if not hasattr(os, "geteuid") or os.geteuid() != 0:
        pytest.skip("only root can be another user for a while")
    for folder in place.parents:
        if folder.name.startswith(("pytest-", "popen-", "test_")):
            folder.chmod(stat.S_IMODE(folder.stat().st_mode) | stat.S_IXGRP | stat.S_IXOTH)
    before = os.getgroups()
    os.setgroups([user, *groups])
    os.setresgid(user, user, 0)
    os.setresuid(user, user, 0)
    try:
        yield
    finally:
        os.setresuid(0, 0, 0)
        os.setresgid(0, 0, 0)
        os.setgroups(before)
