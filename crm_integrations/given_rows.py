"""Rows of values inside a statement, as a table of its own, given in the cheapest way that each database has.

PostgreSQL's driver writes every value into the statement by itself, which takes longer than all the rest of a bulk
write: there the rows travel as one JSON document, of which each value must be of its column's own kind (no 2.0 for a
whole number, no infinite one). SQLite takes values as they are.
"""

from collections.abc import Iterable, Sequence
from typing import Any

from django.db import connection

from crm_integrations.row_sql import Column, Convert, places_for
from crm_integrations.stored_json import encode_json

ROWS_PER_STATEMENT = 250  # times some 25 columns: far below the parameters SQLite takes (32,766)
TEXT_TYPES = ("varchar", "char")  # a cast to one of them would cut without a word what is too long


def write_values(rows: Sequence[list[Any]], writers: Iterable[tuple[int, Convert | None]]) -> None:
    """Change the values of rows to what the database takes, at each place that has a writer; None stays None."""
    for place, write in writers:
        if write is not None:
            for values in rows:
                if values[place] is not None:
                    values[place] = write(values[place])


def split_places(rows: Sequence[Sequence[Any]]) -> tuple[list[int], list[int]]:
    """The places of values that differ from row to row, and of those that are the same in all: these are said once."""
    own: list[int] = []
    shared: list[int] = []
    for place, values in enumerate(zip(*rows, strict=True)):
        (shared if values.count(values[0]) == len(values) else own).append(place)
    return own, shared


def given_rows(columns: Sequence[Column], count: int, *, vendor: str) -> str:
    """A SELECT of so many rows; their columns are `given_0`, `given_1` and so on, apart from a table's own names."""
    names = [f"given_{place}" for place in range(len(columns))]
    if vendor == "postgresql":
        values = [
            f"(document.value->>{place})::{cast_of(column)} AS {names[place]}" for place, column in enumerate(columns)
        ]
        return f"SELECT {', '.join(values)} FROM jsonb_array_elements(%s::jsonb) document"  # noqa: S608
    one = f"({places_for(columns)})"
    return f"WITH given ({', '.join(names)}) AS (VALUES {', '.join([one] * count)}) SELECT * FROM given"  # noqa: S608


def given_values(rows: Sequence[Sequence[Any]], *, vendor: str) -> list[Any]:
    """The parameters of `given_rows`: values as the database takes them."""
    return [encode_json(rows)] if vendor == "postgresql" else [value for row in rows for value in row]


def cast_of(column: Column) -> str:
    """The type by which PostgreSQL reads a value that stands alone."""
    kind = str(column.field.rel_db_type(connection))
    return "text" if kind.startswith(TEXT_TYPES) else kind
