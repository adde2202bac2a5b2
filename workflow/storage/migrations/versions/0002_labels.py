"""The labels of a case, beside what else a worklist needs to know of it.

The entry table is left alone (R2). SQLite puts the column behind the last one, in the words used here.
"""

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column; no case had labels before."""
    connection = op.get_bind()
    kind = "TEXT" if connection.dialect.name == "sqlite" else 'TEXT COLLATE "C"'
    connection.exec_driver_sql(f"""ALTER TABLE "case" ADD COLUMN labels {kind} DEFAULT '[]' NOT NULL""")
