"""No index for idempotency keys: who has one looks through the few entries of one case, and every entry paid for it."""

from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Drop it."""
    op.execute("DROP INDEX entry_request")
