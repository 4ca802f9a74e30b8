"""Changes or replaces many rows by one statement, each to values of its own; the same SQL on both databases.

Django's `bulk_update` writes one CASE per column and row, which costs more than everything else a bulk write does.
"""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

from django.db import connection
from django.db.models import Model

from crm_integrations.row_sql import Convert, columns_named, table_of

ROWS_PER_STATEMENT = 250  # times a dozen columns: far below the parameters that SQLite takes (32,766)


def update_rows(
    model: type[Model], rows: Mapping[int, Sequence[Any]], names: tuple[str, ...], *, guard: str = ""
) -> int:
    """Set the attributes `names` by id, values in that order; answers how many rows there were.

    `guard`: a condition in SQL on the table's own columns that a row must still meet.
    """
    writers = [column.write for column in columns_named(model, names)]
    changed, ids = 0, list(rows)
    for start in range(0, len(ids), ROWS_PER_STATEMENT):
        part = ids[start : start + ROWS_PER_STATEMENT]
        values = [value for pk in part for value in (pk, *_written(rows[pk], writers))]
        with connection.cursor() as cursor:
            cursor.execute(_update_statement(model, names, len(part), guard, connection.vendor), values)
            changed += int(cursor.rowcount)
    return changed


def upsert_rows(
    model: type[Model], rows: Sequence[Sequence[Any]], names: tuple[str, ...], *, unique: tuple[str, ...]
) -> None:
    """Insert rows of the attributes `names`, or replace the others where one with the same `unique` stands already."""
    writers = [column.write for column in columns_named(model, names)]
    for start in range(0, len(rows), ROWS_PER_STATEMENT):
        part = rows[start : start + ROWS_PER_STATEMENT]
        values = [value for row in part for value in _written(row, writers)]
        with connection.cursor() as cursor:
            cursor.execute(_upsert_statement(model, names, len(part), unique, connection.vendor), values)


def _written(values: Sequence[Any], writers: Sequence[Convert | None]) -> list[Any]:
    return [
        value if write is None or value is None else write(value) for value, write in zip(values, writers, strict=True)
    ]


@lru_cache(maxsize=1_000)
def _update_statement(model: type[Model], names: tuple[str, ...], count: int, guard: str, vendor: str) -> str:
    """PostgreSQL takes the types of all rows from the first, so that one says them; SQLite needs none."""
    table, columns = table_of(model), columns_named(model, names)
    plain = "(" + ", ".join(["%s"] * (len(columns) + 1)) + ")"
    types = [column.field.rel_db_type(connection) for column in columns]
    typed = "(%s::bigint, " + ", ".join(f"%s::{kind}" for kind in types) + ")"
    rows = ", ".join([typed if vendor == "postgresql" else plain, *[plain] * (count - 1)])
    new = ", ".join(["new_id", *(f"new_{place}" for place in range(len(columns)))])  # apart from the table's own names
    setters = ", ".join(f"{column.name} = changed.new_{place}" for place, column in enumerate(columns))
    condition = f"{table}.id = changed.new_id" + (f" AND {guard}" if guard else "")
    return f"WITH changed ({new}) AS (VALUES {rows}) UPDATE {table} SET {setters} FROM changed WHERE {condition}"  # noqa: S608


@lru_cache(maxsize=1_000)
def _upsert_statement(
    model: type[Model], names: tuple[str, ...], count: int, unique: tuple[str, ...], _vendor: str
) -> str:
    columns, keys = columns_named(model, names), [column.name for column in columns_named(model, unique)]
    one = "(" + ", ".join(["%s"] * len(columns)) + ")"
    setters = ", ".join(f"{column.name} = excluded.{column.name}" for column in columns if column.name not in keys)
    return (
        f"INSERT INTO {table_of(model)} ({', '.join(column.name for column in columns)}) "  # noqa: S608
        f"VALUES {', '.join([one] * count)} ON CONFLICT ({', '.join(keys)}) DO UPDATE SET {setters}"
    )
