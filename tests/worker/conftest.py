"""Workers run on the ledgers that the services are tested on."""

from tests.services.conftest import home, postgres_ledger, postgres_place

__all__ = ["home", "postgres_ledger", "postgres_place"]
