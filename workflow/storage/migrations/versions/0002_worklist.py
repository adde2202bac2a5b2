"""The labels of a case and whether an approval broke the glass, beside what else a worklist needs to know of it.

The entry table is left alone (R2). SQLite puts each column behind the last one, in the words used here.
"""

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns; no case had labels or such an approval before."""
    connection = op.get_bind()
    kind = "TEXT" if connection.dialect.name == "sqlite" else 'TEXT COLLATE "C"'
    for column, value in (("labels", "[]"), ("break_glass", "")):
        connection.exec_driver_sql(f"""ALTER TABLE "case" ADD COLUMN {column} {kind} DEFAULT '{value}' NOT NULL""")
