"""Grants that a revision on PostgreSQL makes to whoever may write entries, so that roles need no further care."""

_DO = """DO $$
DECLARE writer text;
BEGIN
    FOR writer IN
        SELECT CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_catalog.pg_get_userbyid(a.grantee)) END
        FROM pg_catalog.pg_class AS c, LATERAL pg_catalog.aclexplode(c.relacl) AS a
        WHERE c.oid = 'public.entry'::regclass AND a.privilege_type = 'INSERT' AND a.grantee <> c.relowner
    LOOP
        {grants}
    END LOOP;
END $$"""


def to_writers(*grants: str) -> str:
    """Return the statement that grants each of these, such as ``SELECT ON public.chore``, to every writer."""
    return _DO.format(grants="\n        ".join(f"EXECUTE 'GRANT {grant} TO ' || writer;" for grant in grants))
