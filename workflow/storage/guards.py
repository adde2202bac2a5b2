"""What the databases themselves refuse: the rules R1 and R2 as triggers.

R1: a case row must say what its newest state-bearing entry says, and an entry that bears state must have moved its
case row by the time the transaction commits. R2: entries, leaves, nodes, checkpoints and playbooks are only added to;
what may be erased may not be changed. The texts are part of revision 0001: a change here is a new revision.
"""

from collections.abc import Iterator, Sequence
from typing import Final

NEWEST: Final = (
    "SELECT sequence, state_after FROM entry WHERE case_id = {id} AND state_after <> '' ORDER BY sequence DESC LIMIT 1"
)

# Which values make a row of an append-only or erase-only table the same row again. REPLACE deletes such a row without
# a word while recursive_triggers is off, so that the insert has to be refused.
_KEPT: Final = {"entry": (), "leaf": (), "node": ("key",), "checkpoint": (), "playbook": ("digest",)}
_ERASABLE: Final = {
    "subject": ("position", "id", "tenant, kind, identifier"),
    "opening": ("commitment",),
    "attachment": ("digest",),
}


def sqlite() -> Iterator[str]:
    """Yield the triggers for SQLite."""
    for table, keys in (_KEPT | _ERASABLE).items():
        yield _refusal(f"{table}_update", f"BEFORE UPDATE ON {table}", "", f"R2: {table} is never changed")
        if table in _KEPT:
            yield _refusal(f"{table}_delete", f"BEFORE DELETE ON {table}", "", f"R2: {table} is never deleted from")
        if keys:
            same = " OR ".join(_exists(table, key.split(", ")) for key in keys)
            yield _refusal(f"{table}_insert", f"BEFORE INSERT ON {table}", same, f"R2: this {table} exists already")
    yield from _sqlite_entry()
    yield _refusal(
        "leaf_insert",
        "BEFORE INSERT ON leaf",
        'NEW."index" IS NOT (SELECT coalesce(max("index"), -1) + 1 FROM leaf)'
        " OR EXISTS (SELECT 1 FROM leaf WHERE entry = NEW.entry)",
        "R2: a leaf follows the last one, once per entry",
    )
    yield _refusal(
        "checkpoint_insert",
        "BEFORE INSERT ON checkpoint",
        'NEW.size IS NOT (SELECT max("index") + 1 FROM leaf)'
        " OR EXISTS (SELECT 1 FROM checkpoint WHERE size = NEW.size)",
        "R2: a checkpoint covers every leaf, once",
    )
    yield _refusal("unsealed_update", "BEFORE UPDATE ON unsealed", "", "R2: the queue is never changed")
    yield _refusal(
        "unsealed_delete",
        "BEFORE DELETE ON unsealed",
        "NOT EXISTS (SELECT 1 FROM leaf WHERE entry = OLD.entry)",
        "R2: this entry is not in the tree yet",
    )
    yield from _sqlite_case()


def _exists(table: str, key: Sequence[str]) -> str:
    return f"EXISTS (SELECT 1 FROM {table} WHERE {' AND '.join(f'{part} = NEW.{part}' for part in key)})"


def _refusal(name: str, event: str, when: str, message: str) -> str:
    condition = f"\nWHEN {when}" if when else ""
    return f"CREATE TRIGGER {name} {event}{condition}\nBEGIN SELECT RAISE(ABORT, '{message}'); END"


def _sqlite_entry() -> Iterator[str]:
    # SQLite gives an unset rowid as -1 here. Requiring the next sequence also refuses an existing (case, sequence).
    yield _refusal(
        "entry_insert",
        "BEFORE INSERT ON entry",
        "(NEW.position > 0 AND NEW.position <= (SELECT max(position) FROM entry))"
        " OR EXISTS (SELECT 1 FROM entry WHERE id = NEW.id)"
        " OR json_type(NEW.body, '$.sequence') IS NOT 'integer'"
        " OR NEW.sequence IS NOT (SELECT coalesce(max(sequence), 0) + 1 FROM entry WHERE case_id = NEW.case_id)",
        "R2: an entry follows the last one of its case, once",
    )
    yield (
        "CREATE TRIGGER entry_queue AFTER INSERT ON entry\n"
        "BEGIN INSERT INTO unsealed (entry) VALUES (NEW.position); END"
    )
    yield (
        "CREATE TRIGGER entry_stand AFTER INSERT ON entry\nWHEN NEW.state_after <> ''\nBEGIN "
        "INSERT INTO standing (case_id, version, state) VALUES (NEW.case_id, NEW.sequence, NEW.state_after) "
        "ON CONFLICT (case_id) DO UPDATE SET version = excluded.version, state = excluded.state; END"
    )


def _sqlite_case() -> Iterator[str]:
    for table, key in (("case", "id"), ("standing", "case_id")):
        newest = NEWEST.format(id=f"NEW.{key}")
        for event in ("INSERT", "UPDATE"):
            moved = f" OR NEW.{key} IS NOT OLD.{key}" if event == "UPDATE" else ""
            yield _refusal(
                f"{table}_{event.lower()}",
                f'BEFORE {event} ON "{table}"',
                f"((NEW.version, NEW.state) = ({newest})) IS NOT TRUE{moved}",
                f"R1: {table} follows the newest entry",
            )
    yield _refusal("standing_delete", "BEFORE DELETE ON standing", "", "R1: standing is never deleted from")


def postgresql() -> Iterator[str]:
    """Yield the functions and triggers for PostgreSQL; ENABLE ALWAYS holds them in the replica role too."""
    yield _function(
        "holdfast_refuse",
        "RAISE EXCEPTION USING ERRCODE = 'HF002', "
        "MESSAGE = 'R2: ' || TG_OP || ' on ' || TG_TABLE_NAME || ' is refused';",
    )
    for table in _KEPT:
        yield from _refuse(table, "UPDATE OR DELETE OR TRUNCATE")
    for table in _ERASABLE:
        yield from _refuse(table, "UPDATE OR TRUNCATE")
    yield from _refuse("unsealed", "UPDATE OR TRUNCATE")
    yield from _refuse("case", "TRUNCATE")
    yield _function(
        "holdfast_entry",
        "IF NEW.sequence < 1 OR (NEW.sequence > 1 AND NOT EXISTS (SELECT 1 FROM public.entry AS e "
        "WHERE e.case_id = NEW.case_id AND e.sequence = NEW.sequence - 1)) THEN "
        "RAISE EXCEPTION USING ERRCODE = 'HF002', MESSAGE = 'R2: an entry follows the last one of its case'; END IF; "
        "INSERT INTO public.unsealed (entry) VALUES (NEW.position); RETURN NULL;",
    )
    yield from _trigger("entry", "entry_queue", "AFTER INSERT ON public.entry FOR EACH ROW", "holdfast_entry")
    yield _function(
        "holdfast_unsealed",
        "IF NOT EXISTS (SELECT 1 FROM public.leaf AS l WHERE l.entry = OLD.entry) THEN "
        "RAISE EXCEPTION USING ERRCODE = 'HF002', MESSAGE = 'R2: this entry is not in the tree yet'; END IF; "
        "RETURN OLD;",
    )
    yield from _trigger(
        "unsealed", "unsealed_delete", "BEFORE DELETE ON public.unsealed FOR EACH ROW", "holdfast_unsealed"
    )
    yield from _postgresql_case()


def _postgresql_case() -> Iterator[str]:
    newest = (
        "SELECT e.sequence, e.state_after FROM public.entry AS e WHERE e.case_id = {id} "
        "AND e.state_after <> '' ORDER BY e.sequence DESC LIMIT 1"
    )
    refused = "RAISE EXCEPTION USING ERRCODE = 'HF001', MESSAGE = 'R1: case follows the newest entry'; END IF;"
    yield _function(
        "holdfast_case",
        f"IF ((NEW.version, NEW.state) = ({newest.format(id='NEW.id')})) IS NOT TRUE "
        f"OR (TG_OP = 'UPDATE' AND NEW.id IS DISTINCT FROM OLD.id) THEN {refused} RETURN NEW;",
    )
    yield from _trigger(
        "case", "case_follows", 'BEFORE INSERT OR UPDATE ON public."case" FOR EACH ROW', "holdfast_case"
    )
    standing = 'SELECT 1 FROM public."case" AS c WHERE c.id = {id} AND (c.version, c.state) = (' + newest + ")"
    yield _function(
        "holdfast_moved",
        f"IF NOT EXISTS ({standing.format(id='NEW.case_id')}) THEN {refused} RETURN NULL;",
    )
    deferred = "DEFERRABLE INITIALLY DEFERRED FOR EACH ROW"
    yield from _trigger(
        "entry",
        "entry_moved",
        f"AFTER INSERT ON public.entry {deferred} WHEN (NEW.state_after <> '')",
        "holdfast_moved",
    )
    yield _function(
        "holdfast_kept",
        "IF EXISTS (SELECT 1 FROM public.entry AS e WHERE e.case_id = OLD.id) "
        f"AND NOT EXISTS ({standing.format(id='OLD.id')}) THEN {refused} RETURN NULL;",
    )
    yield from _trigger("case", "case_kept", f'AFTER DELETE ON public."case" {deferred}', "holdfast_kept")


def _function(name: str, body: str) -> str:
    return (
        f"CREATE FUNCTION public.{name}() RETURNS trigger LANGUAGE plpgsql "
        f"SET search_path = pg_catalog, public, pg_temp AS $$ BEGIN {body} END $$"
    )


def _refuse(table: str, events: str) -> Iterator[str]:
    yield from _trigger(
        table, f"{table}_kept_as_written", f'BEFORE {events} ON public."{table}" FOR EACH STATEMENT', "holdfast_refuse"
    )


def _trigger(table: str, name: str, event: str, function: str) -> Iterator[str]:
    constraint = "CONSTRAINT " if "DEFERRED" in event else ""
    yield f"CREATE {constraint}TRIGGER {name} {event} EXECUTE FUNCTION public.{function}()"
    yield f'ALTER TABLE public."{table}" ENABLE ALWAYS TRIGGER {name}'
