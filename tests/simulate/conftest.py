"""Lives are lived on the ledger that the services are tested on."""

from tests.services.conftest import home, sqlite_ledger

__all__ = ["home", "sqlite_ledger"]
