"""How Holdfast signs in to a tenant."""

from __future__ import annotations

from enum import StrEnum


class Way(StrEnum):
    """How Holdfast signs in: as an application, by its machine's own identity, or as a person with a code."""

    CERTIFICATE = "certificate"
    MANAGED_IDENTITY = "managed-identity"
    DEVICE_CODE = "device-code"
