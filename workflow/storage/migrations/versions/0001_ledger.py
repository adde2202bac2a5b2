"""The ledger, its picture and its guards.

The texts are frozen: a later change is a revision of its own, and never rebuilds the entry table (R2).
"""

from alembic import op

from workflow.storage import guards, search_index

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

ENTRY_FIELDS = (
    ("id", "id"),
    ("type", "type"),
    ("tenant", "tenant"),
    ("case_id", "case"),
    ("sequence", "sequence"),
    ("recorded_at", "recorded_at"),
    ("state_after", "state_after"),
    ("request", "request"),
)

ENTRY = """CREATE TABLE entry (
    position {counter},
    body {text} NOT NULL,
    {fields},
    {counted}CONSTRAINT entry_id UNIQUE (id),
    CONSTRAINT entry_sequence UNIQUE (case_id, sequence),
    CONSTRAINT entry_position CHECK (position > 0)
){strict}"""

TABLES = (
    """CREATE TABLE leaf (
    "index" {big} NOT NULL,
    entry {big} NOT NULL,
    hash {blob} NOT NULL,
    PRIMARY KEY ("index"),
    CONSTRAINT leaf_entry UNIQUE (entry),
    CONSTRAINT leaf_hash CHECK (length(hash) = 32),
    FOREIGN KEY (entry) REFERENCES entry (position)
){strict}""",
    """CREATE TABLE node (
    "key" {big} NOT NULL,
    hash {blob} NOT NULL,
    PRIMARY KEY ("key"),
    CONSTRAINT node_hash CHECK (length(hash) = 32)
){strict}""",
    """CREATE TABLE checkpoint (
    size {big} NOT NULL,
    note {text} NOT NULL,
    PRIMARY KEY (size)
){strict}""",
    """CREATE TABLE unsealed (
    entry {big} NOT NULL,
    PRIMARY KEY (entry),
    FOREIGN KEY (entry) REFERENCES entry (position)
){strict}""",
    """CREATE TABLE "case" (
    id {text} NOT NULL,
    number INTEGER NOT NULL,
    tenant {text} NOT NULL,
    kind {text} NOT NULL,
    entity {text} NOT NULL,
    state {text} NOT NULL,
    recurrence INTEGER NOT NULL,
    version INTEGER NOT NULL,
    playbook {text} NOT NULL,
    missing {text} NOT NULL,
    assignee {text} NOT NULL,
    opened_at {text} NOT NULL,
    updated_at {text} NOT NULL,
    due_at {text} NOT NULL,
    due {text} NOT NULL,
    resolution {text} NOT NULL,
    restriction {text} NOT NULL,
    restricted_at {text},
    requested_at {text},
    intended_at {text},
    released_at {text},
    ended_at {text},
    linked {text} NOT NULL,
    PRIMARY KEY (id),
    CONSTRAINT case_number UNIQUE (number),
    CONSTRAINT case_standing UNIQUE (id, version, state)
){strict}""",
    """CREATE TABLE subject (
    position {counter},
    id {text} NOT NULL,
    salt {blob} NOT NULL,
    tenant {text} NOT NULL,
    kind {text} NOT NULL,
    identifier {text} NOT NULL,
    {counted}CONSTRAINT subject_id UNIQUE (id),
    CONSTRAINT subject_identifier UNIQUE (tenant, kind, identifier)
){strict}""",
    """CREATE TABLE opening (
    commitment {text} NOT NULL,
    salt {blob} NOT NULL,
    value {text} NOT NULL,
    case_id {text} NOT NULL,
    subject {text},
    PRIMARY KEY (commitment)
){keyed}""",
    """CREATE TABLE attachment (
    digest {text} NOT NULL,
    size INTEGER NOT NULL,
    content {blob} NOT NULL,
    PRIMARY KEY (digest)
){strict}""",
    """CREATE TABLE playbook (
    digest {text} NOT NULL,
    name {text} NOT NULL,
    version {text} NOT NULL,
    body {text} NOT NULL,
    PRIMARY KEY (digest)
){keyed}""",
)

STANDING = """CREATE TABLE standing (
    case_id TEXT NOT NULL,
    version INTEGER NOT NULL,
    state TEXT NOT NULL,
    PRIMARY KEY (case_id),
    CONSTRAINT standing_case FOREIGN KEY (case_id, version, state)
        REFERENCES "case" (id, version, state) DEFERRABLE INITIALLY DEFERRED
) WITHOUT ROWID, STRICT"""

INDEXES = (
    "CREATE INDEX entry_request ON entry (case_id, request)",
    """CREATE UNIQUE INDEX case_open ON "case" (tenant, kind, entity) WHERE state NOT IN ('closed', 'dismissed')""",
    'CREATE INDEX case_entity ON "case" (entity)',
    'CREATE INDEX case_number_page ON "case" (state, number, id)',
    'CREATE INDEX case_opened_at_page ON "case" (state, opened_at, id)',
    'CREATE INDEX case_updated_at_page ON "case" (state, updated_at, id)',
    'CREATE INDEX case_due_at_page ON "case" (state, due_at, id)',
    "CREATE INDEX opening_case ON opening (case_id)",
    "CREATE INDEX opening_subject ON opening (subject) WHERE subject IS NOT NULL",
)

SQLITE = {
    "text": "TEXT",
    "big": "INTEGER",
    "blob": "BLOB",
    "counter": "INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT",
    "counted": "",
    "strict": " STRICT",
    "keyed": " WITHOUT ROWID, STRICT",
}
POSTGRESQL = {
    "text": 'TEXT COLLATE "C"',
    "big": "BIGINT",
    "blob": "BYTEA",
    "counter": "BIGINT GENERATED ALWAYS AS IDENTITY",
    "counted": "PRIMARY KEY (position),\n    ",
    "strict": "",
    "keyed": "",
}


def _field(column: str, field: str, *, sqlite: bool) -> str:
    number = field == "sequence"
    if sqlite:
        kind = "INTEGER" if number else "TEXT"
        return f"{column} {kind} NOT NULL GENERATED ALWAYS AS (json_extract(body, '$.{field}')) VIRTUAL"
    text = f"((body)::jsonb ->> '{field}'::text)"
    if number:
        return f"{column} INTEGER GENERATED ALWAYS AS (({text})::integer) STORED NOT NULL"
    return f'{column} TEXT COLLATE "C" GENERATED ALWAYS AS ({text}) STORED NOT NULL'


def upgrade() -> None:
    """Create everything."""
    connection = op.get_bind()
    sqlite = connection.dialect.name == "sqlite"
    words = SQLITE if sqlite else POSTGRESQL
    fields = ",\n    ".join(_field(column, field, sqlite=sqlite) for column, field in ENTRY_FIELDS)
    statements = [ENTRY.format(fields=fields, **words), *(table.format(**words) for table in TABLES)]
    statements += [STANDING] if sqlite else []
    statements += [*INDEXES, *(guards.sqlite() if sqlite else guards.postgresql())]
    for statement in statements:
        connection.exec_driver_sql(statement)
    search_index.create(connection)
