"""Generated columns: one definition of "this column is that field of the body", written by each database its own way.

An entry's facts stand once, in its body. The columns that queries need are computed by the database from that text,
so no column can say anything else than what was hashed.
"""

from typing import Any

from sqlalchemy import Computed, Text
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.elements import ColumnElement

# Text compares by code point on both databases, so that times, ids and keyset pages sort the same everywhere.
TEXT = Text(collation="C").with_variant(Text(), "sqlite")


class BodyField(ColumnElement[Any]):
    """One field of the JSON text in the column ``body``; a whole number where ``number`` is true."""

    inherit_cache = True

    def __init__(self, name: str, *, number: bool = False) -> None:
        self.name = name
        self.number = number


@compiles(BodyField, "sqlite")
def _for_sqlite(element: BodyField, _compiler: SQLCompiler, **_options: Any) -> str:
    return f"json_extract(body, '$.{element.name}')"


@compiles(BodyField, "postgresql")
def _for_postgresql(element: BodyField, _compiler: SQLCompiler, **_options: Any) -> str:
    text = f"((body)::jsonb ->> '{element.name}'::text)"
    return f"({text})::integer" if element.number else text


class FromBody(Computed):
    """A column computed from the body: VIRTUAL on SQLite, where it costs nothing, STORED on PostgreSQL.

    PostgreSQL 18 would make it VIRTUAL unless told, and then refuse UNIQUE on it.
    """

    def __init__(self, name: str, *, number: bool = False) -> None:
        super().__init__(BodyField(name, number=number), persisted=True)
        self._name = name
        self._number = number

    def _copy(self, **_options: Any) -> "FromBody":
        return FromBody(self._name, number=self._number)


@compiles(FromBody, "sqlite")
def _virtual(element: FromBody, compiler: Any, **options: Any) -> str:
    return f"GENERATED ALWAYS AS ({compiler.sql_compiler.process(element.sqltext, **options)}) VIRTUAL"
