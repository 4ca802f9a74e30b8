"""Changes or replaces many rows by one statement, each to values of its own; the same SQL on both databases.

Django's `bulk_update` writes one CASE per column and row, which costs more than everything else a bulk write does.
"""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

from django.db import connection
from django.db.models import Model

from crm_integrations.row_sql import Convert, columns_named, convert, table_of

ROWS_PER_STATEMENT = 250  # times a dozen columns: far below the parameters that SQLite takes (32,766)


def update_rows(
    model: type[Model],
    rows: Mapping[int, Sequence[Any]],
    names: tuple[str, ...],
    *,
    guard: str = "",
    guarded_by: Sequence[Any] = (),
) -> int:
    """Set the attributes `names` by id, values in that order; answers how many rows there were.

    `guard`: a condition in SQL on the table's own columns that a row must still meet, `guarded_by` its parameters.
    """
    changed, records = 0, list(rows.items())
    for start in range(0, len(records), ROWS_PER_STATEMENT):
        part = records[start : start + ROWS_PER_STATEMENT]
        own, shared = _split_places([values for _pk, values in part])
        written = _write_columns(model, names, own, part)
        said_once = _write_columns(model, names, shared, part[:1])[0][1:]
        statement = _update_statement(
            model, _pick(names, own), _pick(names, shared), len(part), guard, connection.vendor
        )
        parameters = [value for row in written for value in row]
        with connection.cursor() as cursor:
            cursor.execute(statement, [*said_once, *parameters, *guarded_by])
            changed += int(cursor.rowcount)
    return changed


def _split_places(rows: Sequence[Sequence[Any]]) -> tuple[list[int], list[int]]:
    """The places of values that differ from row to row, and of those that are the same in all: these are said once."""
    own: list[int] = []
    shared: list[int] = []
    for place, value in enumerate(rows[0]):
        (shared if all(row[place] == value for row in rows) else own).append(place)
    return own, shared


def _write_columns(
    model: type[Model], names: tuple[str, ...], places: Sequence[int], rows: Sequence[tuple[int, Sequence[Any]]]
) -> list[list[Any]]:
    """Of each row its id and the values at these places, as the database takes them."""
    written = [[pk, *[values[place] for place in places]] for pk, values in rows]
    for position, column in enumerate(columns_named(model, _pick(names, places)), start=1):
        if column.write is not None:
            for row in written:
                if row[position] is not None:
                    row[position] = column.write(row[position])
    return written


def _pick(values: Sequence[str], places: Sequence[int]) -> tuple[str, ...]:
    return tuple([values[place] for place in places])


def upsert_crossed_rows(
    model: type[Model],
    rows: Sequence[Sequence[Any]],
    names: tuple[str, ...],
    crossed: tuple[str, Sequence[Any]],
    *,
    unique: tuple[str, ...],
) -> None:
    """Insert each row of the attributes `names` once with every value of `crossed`, an attribute and its values.

    Where one with the same `unique` stands already, its other columns are replaced.
    """
    crossed_name, crossed_values = crossed
    writers = [column.write for column in columns_named(model, names)]
    for start in range(0, len(rows), ROWS_PER_STATEMENT):
        part = rows[start : start + ROWS_PER_STATEMENT]
        parameters = [value for row in part for value in _written(row, writers)]
        statement = _upsert_statement(
            model, (*names, crossed_name), len(part), len(crossed_values), unique, connection.vendor
        )
        with connection.cursor() as cursor:
            cursor.execute(statement, [*parameters, *crossed_values])


def _written(values: Sequence[Any], writers: Sequence[Convert | None]) -> list[Any]:
    return [convert(write, value) for value, write in zip(values, writers, strict=True)]


@lru_cache(maxsize=1_000)
def _update_statement(
    model: type[Model], own: tuple[str, ...], shared: tuple[str, ...], count: int, guard: str, vendor: str
) -> str:
    """PostgreSQL takes the types of all rows from the first, so that one says them; SQLite needs none."""
    table, columns = table_of(model), columns_named(model, own)
    said_once = [f"{column.name} = %s" for column in columns_named(model, shared)]
    if not own:
        condition = f"id IN ({', '.join(['%s'] * count)})" + (f" AND {guard}" if guard else "")
        return f"UPDATE {table} SET {', '.join(said_once)} WHERE {condition}"  # noqa: S608
    plain = "(" + ", ".join(["%s"] * (len(columns) + 1)) + ")"
    types = ["bigint", *(column.field.rel_db_type(connection) for column in columns)]
    typed = "(" + ", ".join(f"%s::{kind}" for kind in types) + ")"
    rows = ", ".join([typed if vendor == "postgresql" else plain, *[plain] * (count - 1)])
    new = ", ".join(["new_id", *(f"new_{place}" for place in range(len(columns)))])  # apart from the table's own names
    setters = [*said_once, *(f"{column.name} = changed.new_{place}" for place, column in enumerate(columns))]
    condition = f"{table}.id = changed.new_id" + (f" AND {guard}" if guard else "")
    # Begins with UPDATE, or Python's driver of SQLite would not count the rows.
    return (
        f"UPDATE {table} SET {', '.join(setters)} "  # noqa: S608
        f"FROM (WITH given ({new}) AS (VALUES {rows}) SELECT * FROM given) changed WHERE {condition}"
    )


@lru_cache(maxsize=1_000)
def _upsert_statement(
    model: type[Model], names: tuple[str, ...], count: int, times: int, unique: tuple[str, ...], vendor: str
) -> str:
    """The last of `names` is the one that is crossed with the rows of the others."""
    columns, keys = columns_named(model, names), [column.name for column in columns_named(model, unique)]
    types = [column.field.rel_db_type(connection) for column in columns]
    one = ["%s"] * (len(columns) - 1)
    typed = [f"%s::{kind}" for kind in types[:-1]] if vendor == "postgresql" else one
    rows = ", ".join(f"({', '.join(each)})" for each in [typed, *[one] * (count - 1)])
    setters = ", ".join(f"{column.name} = excluded.{column.name}" for column in columns if column.name not in keys)
    return (
        f"WITH given ({', '.join(column.name for column in columns[:-1])}) AS (VALUES {rows}), "  # noqa: S608
        f"crossed ({columns[-1].name}) AS (VALUES {', '.join(['(%s)'] * times)}) "
        f"INSERT INTO {table_of(model)} ({', '.join(column.name for column in columns)}) "
        f"SELECT * FROM given CROSS JOIN crossed WHERE true "  # without a condition, SQLite takes ON for a join's
        f"ON CONFLICT ({', '.join(keys)}) DO UPDATE SET {setters}"
    )
