"""A new password: random, long enough for any policy, easy to read out, and nobody's to keep."""

from __future__ import annotations

import secrets

from workflow.providers.shapes import Secret

_CLASSES = ("abcdefghijkmnpqrstuvwxyz", "ABCDEFGHJKLMNPQRSTUVWXYZ", "23456789", "-+=?!@#%")
"""Four classes without the letters that are taken for one another; Entra ID asks for three of them."""

_LENGTH = 24


def fresh() -> Secret:
    """Return a password of 24 characters in which every class occurs."""
    every = "".join(_CLASSES)
    while True:
        text = "".join(secrets.choice(every) for _ in range(_LENGTH))
        if all(set(text) & set(kind) for kind in _CLASSES):
            return Secret(text)
