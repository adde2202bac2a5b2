"""When each chore of the workers was last done, so that its rhythm outlives every process. It can be thrown away.

Whoever may write entries may use it, as with the queue.
"""

from alembic import op

from workflow.storage.migrations.grants import to_writers

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

TABLE = """CREATE TABLE chore (
    name {text} NOT NULL,
    done_at {text} NOT NULL,
    PRIMARY KEY (name)
){strict}"""


def upgrade() -> None:
    """Create it."""
    if op.get_bind().dialect.name == "sqlite":
        op.execute(TABLE.format(text="TEXT", strict=" STRICT"))
        return
    op.execute(TABLE.format(text='TEXT COLLATE "C"', strict=""))
    op.execute(to_writers("SELECT, INSERT, UPDATE ON public.chore"))
