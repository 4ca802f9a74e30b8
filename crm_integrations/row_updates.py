"""Changes or replaces many rows by one statement, each to values of its own; the same SQL on both databases.

Django's `bulk_update` writes one CASE per column and row, which costs more than everything else a bulk write does.
"""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

from django.db import connection
from django.db.models import Model

from crm_integrations.given_rows import ROWS_PER_STATEMENT, given_rows, given_values, split_places, write_values
from crm_integrations.row_sql import among, change_rows, columns_named, table_of


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
        written = _write_rows(model, names, [values for _pk, values in part])
        own, shared = split_places(written)  # as they are stored: True and 1 are the same before
        said_once = [written[0][place] for place in shared]
        if own:
            given = [[pk, *[row[place] for place in own]] for (pk, _values), row in zip(part, written, strict=True)]
            chosen = given_values(given, vendor=connection.vendor)
            setters, rows_sql = _given_changes(model, _pick(names, own), len(part), connection.vendor)
        else:
            condition, chosen = among([pk for pk, _values in part])
            setters, rows_sql = "", f"WHERE id {condition}"
        statement = _update_statement(model, setters, rows_sql, _pick(names, shared), guard, connection.vendor)
        changed += change_rows(statement, [*said_once, *chosen, *guarded_by])
    return changed


def _write_rows(model: type[Model], names: tuple[str, ...], rows: Sequence[Sequence[Any]]) -> list[list[Any]]:
    """Values as the database takes them."""
    written = [list(values) for values in rows]
    write_values(written, enumerate(column.write for column in columns_named(model, names)))
    return written


def _pick(values: Sequence[str], places: Sequence[int]) -> tuple[str, ...]:
    return tuple([values[place] for place in places])


@lru_cache(maxsize=1_000)
def _given_changes(model: type[Model], own: tuple[str, ...], count: int, vendor: str) -> tuple[str, str]:
    """What is set of each row by itself, and the rows to say it."""
    columns = columns_named(model, ("id", *own))
    setters = ", ".join(f"{column.name} = given_{place}" for place, column in enumerate(columns) if place)
    return setters, f"FROM ({given_rows(columns, count, vendor=vendor)}) changed WHERE {table_of(model)}.id = given_0"


@lru_cache(maxsize=1_000)
def _update_statement(
    model: type[Model], setters: str, rows_sql: str, shared: tuple[str, ...], guard: str, vendor: str
) -> str:
    """Begins with UPDATE, or Python's driver of SQLite would not count the rows."""
    said_once = [f"{column.name} = %s" for column in columns_named(model, shared)]
    every = ", ".join([*said_once, *filter(None, [setters])])
    return f"UPDATE {table_of(model)} SET {every} {rows_sql}{f' AND {guard}' if guard else ''}"  # noqa: S608


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
    for start in range(0, len(rows), ROWS_PER_STATEMENT):
        part = rows[start : start + ROWS_PER_STATEMENT]
        statement = _upsert_statement(
            model, (*names, crossed_name), len(part), len(crossed_values), unique, connection.vendor
        )
        given = given_values(_write_rows(model, names, part), vendor=connection.vendor)
        change_rows(statement, [*given, *crossed_values])


@lru_cache(maxsize=1_000)
def _upsert_statement(
    model: type[Model], names: tuple[str, ...], count: int, times: int, unique: tuple[str, ...], vendor: str
) -> str:
    """The last of `names` is the one that is crossed with the rows of the others."""
    columns, keys = columns_named(model, names), [column.name for column in columns_named(model, unique)]
    setters = ", ".join(f"{column.name} = excluded.{column.name}" for column in columns if column.name not in keys)
    return (
        f"INSERT INTO {table_of(model)} ({', '.join(column.name for column in columns)}) "  # noqa: S608
        f"SELECT * FROM ({given_rows(columns[:-1], count, vendor=vendor)}) changed "
        f"CROSS JOIN (VALUES {', '.join(['(%s)'] * times)}) crossed "
        f"WHERE true "  # without a condition, SQLite takes ON for a join's
        f"ON CONFLICT ({', '.join(keys)}) DO UPDATE SET {setters}"
    )
