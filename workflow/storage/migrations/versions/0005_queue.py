"""The queue of the workers, in a PostgreSQL schema of its own; SQLite has one worker and needs none.

The statements beside this file are procrastinate's own at the release they name, so that a database made today and one
made next year by the same revision are equal. A release with another schema gets a revision of its own here; a test
holds what the revisions make equal to what the installed library would make.

Whoever may write entries may use the queue: a role that does not own the tables needs no further grant. Everything in
the queue can be thrown away.
"""

from pathlib import Path

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

GRANT = """DO $$
DECLARE writer text;
BEGIN
    FOR writer IN
        SELECT CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_catalog.pg_get_userbyid(a.grantee)) END
        FROM pg_catalog.pg_class AS c, LATERAL pg_catalog.aclexplode(c.relacl) AS a
        WHERE c.oid = 'public.entry'::regclass AND a.privilege_type = 'INSERT' AND a.grantee <> c.relowner
    LOOP
        EXECUTE 'GRANT USAGE ON SCHEMA procrastinate TO ' || writer;
        EXECUTE 'GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA procrastinate TO ' || writer;
        EXECUTE 'GRANT USAGE ON ALL SEQUENCES IN SCHEMA procrastinate TO ' || writer;
    END LOOP;
END $$"""


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
