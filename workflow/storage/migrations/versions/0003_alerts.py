"""The outbox of alerts, the log of their delivery, and how far the ledger was looked at for causes.

What was on the ledger before is not told any more. The entry table is left alone (R2).
"""

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

TABLES = (
    """CREATE TABLE alert (
    id {text} NOT NULL,
    cause {text} NOT NULL,
    policy {text} NOT NULL,
    severity {text} NOT NULL,
    recipient {text} NOT NULL,
    case_id {text} NOT NULL,
    sequence INTEGER NOT NULL,
    raised_at {text} NOT NULL,
    due_at {text} NOT NULL,
    attempts INTEGER NOT NULL,
    state {text} NOT NULL,
    settled_at {text} NOT NULL,
    message {text} NOT NULL,
    detail {text} NOT NULL,
    PRIMARY KEY (id),
    CONSTRAINT alert_cause UNIQUE (cause, recipient)
){strict}""",
    """CREATE TABLE alert_attempt (
    position {counter},
    alert {text} NOT NULL,
    number INTEGER NOT NULL,
    at {text} NOT NULL,
    outcome {text} NOT NULL,
    detail {text} NOT NULL,
    {counted}CONSTRAINT alert_attempt_number UNIQUE (alert, number)
){strict}""",
    """CREATE TABLE alert_cursor (
    id INTEGER NOT NULL,
    leaves {big} NOT NULL,
    PRIMARY KEY (id),
    CONSTRAINT alert_cursor_one CHECK (id = 1)
){strict}""",
)

INDEXES = (
    "CREATE INDEX alert_due ON alert (due_at) WHERE due_at <> ''",
    "CREATE INDEX alert_raised ON alert (raised_at, id)",
    "CREATE INDEX alert_told ON alert (policy, recipient, settled_at)",
    "INSERT INTO alert_cursor (id, leaves) SELECT 1, count(*) FROM leaf",
)

SQLITE = {
    "text": "TEXT",
    "big": "INTEGER",
    "counter": "INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT",
    "counted": "",
    "strict": " STRICT",
}
POSTGRESQL = {
    "text": 'TEXT COLLATE "C"',
    "big": "BIGINT",
    "counter": "BIGINT GENERATED ALWAYS AS IDENTITY",
    "counted": "PRIMARY KEY (position),\n    ",
    "strict": "",
}


def upgrade() -> None:
    """Create them."""
    connection = op.get_bind()
    words = SQLITE if connection.dialect.name == "sqlite" else POSTGRESQL
    for statement in (*TABLES, *INDEXES):
        connection.exec_driver_sql(statement.format(**words))
