"""${message}.

The entry table is never rebuilt (R2): no batch mode here. Revises: ${down_revision | comma,n}.
"""

import sqlmodel  # noqa: F401
from alembic import op

revision = ${repr(up_revision)}
down_revision = ${repr(down_revision)}
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    ${upgrades if upgrades else "pass"}
