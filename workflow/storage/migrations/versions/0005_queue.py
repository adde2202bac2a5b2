"""The queue of the workers, in a PostgreSQL schema of its own; SQLite has one worker and needs none.

The statements beside this file are procrastinate's own at the release they name, so that a database made today and one
made next year by the same revision are equal. A release with another schema gets a revision of its own here; a test
holds what the revisions make equal to what the installed library would make.

Whoever may write entries may use the queue: a role that does not own the tables needs no further grant. Everything in
the queue can be thrown away.
"""

from pathlib import Path

from alembic import op

from workflow.storage.migrations.grants import to_writers

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

GRANT = to_writers(
    "USAGE ON SCHEMA procrastinate",
    "SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA procrastinate",
    "USAGE ON ALL SEQUENCES IN SCHEMA procrastinate",
)


def upgrade() -> None:
    """Create it, on PostgreSQL."""
    connection = op.get_bind()
    if connection.dialect.name == "sqlite":
        return
    # Without parameters the driver takes several statements at once, and leaves a per cent sign alone.
    plain = connection.execution_options(no_parameters=True)
    plain.exec_driver_sql("CREATE SCHEMA procrastinate")
    plain.exec_driver_sql("SET LOCAL search_path = procrastinate, pg_temp")
    plain.exec_driver_sql(Path(__file__).with_suffix(".sql").read_text("utf-8"))
    plain.exec_driver_sql("SET LOCAL search_path = public, pg_temp")
    plain.exec_driver_sql(GRANT)
