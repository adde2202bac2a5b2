"""Races run on the ledgers that the services are tested on."""

from tests.services.conftest import (
    home,
    place,
    postgres_ledger,
    postgres_place,
    sqlite_ledger,
    sqlite_place,
)

__all__ = ["home", "place", "postgres_ledger", "postgres_place", "sqlite_ledger", "sqlite_place"]
