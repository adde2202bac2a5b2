"""Alembic's environment: always the connection it is handed, inside the transaction that is open on it."""

from alembic import context
from sqlmodel import SQLModel

from workflow.storage import tables  # noqa: F401 - registers the tables

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=SQLModel.metadata,
    transaction_per_migration=False,
)
with context.begin_transaction():
    context.run_migrations()
