"""Salted commitments: what an entry says about a value that must be able to disappear.

An entry holds ``SHA-256(salt ‖ canonical(value))``; salt and value stand apart, erasable. Without the 32
random bytes the hash tells nothing about the value, however short; with them anybody can check that this was
the value.
"""

import hashlib
import hmac
from typing import Any

from workflow.errors import InputError
from workflow.ledger import canonical

SALT_BYTES = 32


def commit(value: Any, salt: bytes) -> str:
    """Return the commitment to a JSON value as 64 hexadecimal digits.

    Raises:
        InputError: the salt is not 32 bytes, or the value has no canonical form.
    """
    if len(salt) != SALT_BYTES:
        raise InputError("a commitment takes a salt of 32 random bytes")
    return hashlib.sha256(salt + canonical.encode(value)).hexdigest()


def matches(commitment: str, salt: bytes, value: Any) -> bool:
    """Tell whether salt and value open this commitment; what cannot be encoded opens nothing."""
    try:
        opened = commit(value, salt)
    except InputError:
        return False
    return hmac.compare_digest(opened.encode(), commitment.encode(errors="replace"))
