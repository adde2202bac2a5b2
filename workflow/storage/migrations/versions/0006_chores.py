"""When each chore of the workers was last done, so that its rhythm outlives every process. It can be thrown away.

Whoever may write entries may use it, as with the queue.
"""

from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

TABLE = """CREATE TABLE chore (
    name {text} NOT NULL,
    done_at {text} NOT NULL,
    PRIMARY KEY (name)
){strict}"""

GRANT = """DO $$
DECLARE writer text;
BEGIN
    FOR writer IN
        SELECT CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_catalog.pg_get_userbyid(a.grantee)) END
        FROM pg_catalog.pg_class AS c, LATERAL pg_catalog.aclexplode(c.relacl) AS a
        WHERE c.oid = 'public.entry'::regclass AND a.privilege_type = 'INSERT' AND a.grantee <> c.relowner
    LOOP
        EXECUTE 'GRANT SELECT, INSERT, UPDATE ON public.chore TO ' || writer;
    END LOOP;
END $$"""


def upgrade() -> None:
    """Create it."""
    if op.get_bind().dialect.name == "sqlite":
        op.execute(TABLE.format(text="TEXT", strict=" STRICT"))
        return
    op.execute(TABLE.format(text='TEXT COLLATE "C"', strict=""))
    op.execute(GRANT)
