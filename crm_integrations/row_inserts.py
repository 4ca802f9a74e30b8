"""Inserts many rows by few, cheap statements, for the paths that run with every event (row_sql).

Both databases insert the rows of a statement one by one and answer in that order, as Django relies on, too.
"""

from collections.abc import Sequence
from functools import cache, lru_cache
from operator import attrgetter
from typing import Any

from django.db import connection
from django.db.models import Model
from django.utils import timezone

from crm_integrations.given_rows import (
    ROWS_PER_STATEMENT,
    cast_of,
    given_rows,
    given_values,
    split_places,
    write_values,
)
from crm_integrations.row_sql import Column, Convert, columns_of, convert, places_for, read_values, table_of


def insert_rows(rows: Sequence[Model]) -> None:
    """Insert rows of one model and give them their ids."""
    if not rows:
        return
    layout = _layout(type(rows[0]), connection.vendor)
    inserted = _insert(layout, layout.values_of(rows), False, ("id",))
    for row, (pk,) in zip(rows, inserted, strict=True):
        row.pk = pk
        row._state.adding = False


def insert_values(
    model: type[Model],
    names: tuple[str, ...],
    records: Sequence[Sequence[Any]],
    *,
    returning: tuple[str, ...] = ("id",),
) -> list[tuple[Any, ...]]:
    """Insert records, given as values of these attributes, without making rows of them; the rest are defaults.

    Answers the `returning` columns, in the order of the records, as the database says them.
    """
    layout = _layout(model, connection.vendor, names)
    return _insert(layout, layout.values_with_defaults(records), False, returning)


def insert_missing(
    model: type[Model], names: tuple[str, ...], records: Sequence[Sequence[Any]], *, returning: tuple[str, ...]
) -> list[tuple[Any, ...]]:
    """Insert records that are not there yet, given as values of these attributes; the others get their defaults.

    Answers the `returning` columns of those inserted, as the database says them.
    """
    layout = _layout(model, connection.vendor, names)
    return _insert(layout, layout.values_with_defaults(records), True, returning)


class _Layout:
    """The columns that an insert of one model fills, the given ones first, and how their values are made."""

    def __init__(self, model: type[Model], columns: Sequence[Column], given: int) -> None:
        self.model, self.columns = model, columns
        self._read = attrgetter(*[column.attribute for column in columns])
        self._writers = [(place, each.write) for place, each in enumerate(columns) if each.write is not None]
        self._given_writers = [(place, write) for place, write in self._writers if place < given]
        self._automatic = [place for place, each in enumerate(columns) if each.is_automatic]
        self._now_writer = columns[self._automatic[0]].write if self._automatic else None
        self._defaults = [convert(each.write, each.field.get_default()) for each in columns[given:]]

    def values_of(self, rows: Sequence[Model]) -> list[list[Any]]:
        """What rows say; their automatic times are now."""
        return self._written([list(self._read(row)) for row in rows], self._writers)

    def values_with_defaults(self, records: Sequence[Sequence[Any]]) -> list[list[Any]]:
        """What records say, and the defaults of the rest."""
        return self._written([[*record, *self._defaults] for record in records], self._given_writers)

    def _written(self, rows: list[list[Any]], writers: Sequence[tuple[int, Convert]]) -> list[list[Any]]:
        now = convert(self._now_writer, timezone.now()) if self._automatic else None
        write_values(rows, writers)
        for values in rows:
            for place in self._automatic:
                values[place] = now
        return rows


@cache
def _layout(model: type[Model], vendor: str, names: tuple[str, ...] = ()) -> _Layout:
    columns = {column.attribute: column for column in columns_of(model, vendor)}
    given = [columns.pop(name) for name in names]
    return _Layout(model, [*given, *columns.values()], len(given))


def _insert(
    layout: _Layout, records: Sequence[Sequence[Any]], ignore_conflicts: bool, returning: tuple[str, ...]
) -> list[tuple[Any, ...]]:
    found: list[tuple[Any, ...]] = []
    vendor, ending = connection.vendor, _insert_ending(ignore_conflicts, returning)
    for start in range(0, len(records), ROWS_PER_STATEMENT):
        part = records[start : start + ROWS_PER_STATEMENT]
        if len(part) == 1:
            found += read_values(f"{_insert_of_one(layout)} {ending}", part[0])
            continue
        own, shared = split_places(part)
        own = own or [shared.pop()]  # rows that are all alike
        given = given_values([[record[place] for place in own] for record in part], vendor=vendor)
        statement = f"{_insert_of_many(layout, tuple(own), tuple(shared), len(part), vendor)} {ending}"
        found += read_values(statement, [*(part[0][place] for place in shared), *given])
    return found


@cache
def _insert_ending(ignore_conflicts: bool, returning: tuple[str, ...]) -> str:
    wanted = ", ".join(connection.ops.quote_name(name) for name in returning)
    return f"{'ON CONFLICT DO NOTHING ' if ignore_conflicts else ''}RETURNING {wanted}"


@cache
def _insert_of_one(layout: _Layout) -> str:
    names = ", ".join(column.name for column in layout.columns)
    return f"INSERT INTO {table_of(layout.model)} ({names}) VALUES ({places_for(layout.columns)})"  # noqa: S608


@lru_cache(maxsize=500)
def _insert_of_many(layout: _Layout, own: tuple[int, ...], shared: tuple[int, ...], count: int, vendor: str) -> str:
    """What all rows share is said once, before the rows."""
    said_once, differing = ([layout.columns[place] for place in places] for places in (shared, own))
    casts = [f"%s::{cast_of(column)}" if vendor == "postgresql" else "%s" for column in said_once]
    names = ", ".join(column.name for column in [*said_once, *differing])
    return (
        f"INSERT INTO {table_of(layout.model)} ({names}) "  # noqa: S608
        f"SELECT {', '.join([*casts, 'changed.*'])} FROM ({given_rows(differing, count, vendor=vendor)}) changed "
        "WHERE true"  # without a condition, SQLite takes ON for a join's
    )
