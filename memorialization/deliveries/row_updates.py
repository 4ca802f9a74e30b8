"""Changes many rows by one statement, each to values of its own; the same SQL on both databases.

Django's `bulk_update` writes one CASE per column and row, which costs more than everything else a bulk write does.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from django.db import connection
from django.db.models import Model


def update_rows(
    model: type[Model], rows: Mapping[int, Mapping[str, Any]], *, guard: str = "", guard_values: Sequence[Any] = ()
) -> int:
    """Set columns by primary key (all rows the same columns); answers how many rows there were.

    `guard`: a condition in SQL on the table's own columns that a row must still meet, with `guard_values`.
    """
    if not rows:
        return 0
    key = model._meta.pk
    assert key is not None
    names = list(next(iter(rows.values())))
    fields = [model._meta.get_field(name) for name in names]
    columns = [key.column, *(field.column for field in fields)]
    values: list[Any] = []
    for pk, row in rows.items():
        values.append(pk)
        values += [field.get_db_prep_save(row[name], connection) for name, field in zip(names, fields, strict=True)]
    statement = _build(model._meta.db_table, columns, [key, *fields], len(rows), guard)
    with connection.cursor() as cursor:
        cursor.execute(statement, [*values, *guard_values])
        return int(cursor.rowcount)


def _build(table: str, columns: Sequence[str], fields: Sequence[Any], count: int, guard: str) -> str:
    """PostgreSQL takes the types of all rows from the first, so that one says them; SQLite needs none."""
    plain = "(" + ", ".join(["%s"] * len(columns)) + ")"
    typed = "(" + ", ".join(f"%s::{field.rel_db_type(connection)}" for field in fields) + ")"
    first = typed if connection.vendor == "postgresql" else plain
    rows = ", ".join([first, *[plain] * (count - 1)])
    names = ", ".join(f"new_{column}" for column in columns)  # apart from the table's own, which the guard names
    setters = ", ".join(f"{column} = changed.new_{column}" for column in columns[1:])
    condition = f"{table}.{columns[0]} = changed.new_{columns[0]}" + (f" AND {guard}" if guard else "")
    return (
        f"WITH changed ({names}) AS (VALUES {rows}) "  # noqa: S608 - names of our own models only
        f"UPDATE {table} SET {setters} FROM changed WHERE {condition}"
    )


def upsert_rows(model: type[Model], rows: Sequence[Mapping[str, Any]], *, unique: Sequence[str]) -> None:
    """Insert rows, or replace the other columns where one with the same `unique` columns stands already."""
    if not rows:
        return
    fields = [model._meta.get_field(name) for name in rows[0]]
    keys = [model._meta.get_field(name).column for name in unique]
    columns = [field.column for field in fields]
    one = "(" + ", ".join(["%s"] * len(columns)) + ")"
    setters = ", ".join(f"{column} = excluded.{column}" for column in columns if column not in keys)
    statement = (
        f"INSERT INTO {model._meta.db_table} ({', '.join(columns)}) VALUES {', '.join([one] * len(rows))} "  # noqa: S608
        f"ON CONFLICT ({', '.join(keys)}) DO UPDATE SET {setters}"
    )
    values = [
        field.get_db_prep_save(row[name], connection) for row in rows for name, field in zip(row, fields, strict=True)
    ]
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
