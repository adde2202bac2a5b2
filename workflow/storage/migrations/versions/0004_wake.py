"""When a worker has something to do in a case, and what, beside what else a worklist needs to know of it.

The rows are drawn anew by whoever upgrades, in the same transaction. The entry table is left alone (R2).
"""

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns and the index behind a worker's question."""
    connection = op.get_bind()
    kind = "TEXT" if connection.dialect.name == "sqlite" else 'TEXT COLLATE "C"'
    for statement in (
        f'ALTER TABLE "case" ADD COLUMN wake_at {kind}',
        f"""ALTER TABLE "case" ADD COLUMN wake {kind} DEFAULT '' NOT NULL""",
        'CREATE INDEX case_wake ON "case" (wake_at) WHERE wake_at IS NOT NULL',
    ):
        connection.exec_driver_sql(statement)
