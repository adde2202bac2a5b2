"""Backups are taken of the ledgers that the services are tested on."""

from tests.services.conftest import home, sqlite_ledger, sqlite_place

__all__ = ["home", "sqlite_ledger", "sqlite_place"]
