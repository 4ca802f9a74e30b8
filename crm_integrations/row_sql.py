"""Rows in and out of the database with few, cheap statements, for the paths that run with every event.

Django builds a statement anew each time, which costs several times what the databases take for it. Here the text is
made once per model and database; what is written and read is the same.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache, lru_cache
from operator import attrgetter
from typing import Any, Generic, TypeVar
from uuid import UUID

from django.db import DEFAULT_DB_ALIAS, connection
from django.db.models import Field, JSONField, Model
from django.db.models.base import ModelState
from django.utils import timezone

from crm_integrations.stored_json import decode_json, encode_json

ROWS_PER_STATEMENT = 250  # times some 25 columns: far below the parameters SQLite takes (32,766)
Row = TypeVar("Row", bound=Model)
Convert = Callable[[Any], Any]
OFFSET_LENGTH = len("+00:00")


class JSONText(str):
    """A value that is JSON already and is stored as it is."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class _Column:
    """One column of a model. `write` and `read` are None when the value passes as it is."""

    field: "Field[Any, Any]"
    attribute: str
    name: str
    is_automatic: bool  # a time that the row gets when it is stored
    write: Convert | None
    read: Convert | None


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


def update_row(row: Model, names: Sequence[str]) -> None:
    """Write some fields of a stored row."""
    chosen = [column for column in _columns(type(row), connection.vendor) if column.field.name in names]
    places = ", ".join(f"{column.name} = %s" for column in chosen)
    values = [_written(row, column) for column in chosen]
    with connection.cursor() as cursor:
        cursor.execute(f"UPDATE {table_of(type(row))} SET {places} WHERE id = %s", [*values, row.pk])  # noqa: S608


def read_rows(model: type[Row], condition: str, parameters: Sequence[Any]) -> list[Row]:
    """The rows under an SQL condition, which may end in an order."""
    chosen = selection(model, connection.vendor)
    found = read_values(f"SELECT {chosen.names} FROM {table_of(model)} stored WHERE {condition}", parameters)  # noqa: S608
    return [chosen.build(values) for values in found]


def read_values(statement: str, parameters: Sequence[Any]) -> list[tuple[Any, ...]]:
    """What a statement answers, as the database says it."""
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        return list(cursor.fetchall())


def change_rows(statement: str, parameters: Sequence[Any]) -> int:
    """How many rows a statement changed."""
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        return int(cursor.rowcount)


class Selection(Generic[Row]):
    """Columns of a model in a statement, where it is called `alias`, and the way back from their values to a row."""

    def __init__(self, model: type[Row], columns: Sequence[_Column], alias: str) -> None:
        self._model, self._columns = model, columns
        self._attributes = [column.attribute for column in columns]
        self._readers = [(column.attribute, column.read) for column in columns if column.read is not None]
        self.names = ", ".join(f"{alias}.{column.name}" for column in columns)

    def __len__(self) -> int:
        return len(self._columns)

    def read(self, values: Sequence[Any]) -> tuple[Any, ...]:
        """What the database says, as a row would say it."""
        return tuple(_read_values(self._columns, values))

    def build(self, values: Sequence[Any]) -> Row:
        """The row; what was not chosen is read when it is asked for."""
        row = self._model.__new__(self._model)
        state = ModelState()
        state.adding, state.db = False, DEFAULT_DB_ALIAS
        stored = vars(row)
        stored.update(zip(self._attributes, values, strict=True), _state=state)
        for attribute, read in self._readers:
            if stored[attribute] is not None:
                stored[attribute] = read(stored[attribute])
        return row


@cache
def selection(model: type[Row], vendor: str, alias: str = "stored", only: tuple[str, ...] = ()) -> Selection[Row]:
    """All columns of a model, or some attributes in the order given, made once for each database."""
    columns = {each.attribute: each for each in _columns(model, vendor, is_read=True)}
    return Selection(model, [columns[name] for name in only or columns], alias)


def row_lock() -> str:
    """What ends a SELECT that locks its rows; SQLite has one writer at a time and needs none."""
    return " FOR UPDATE" if connection.features.has_select_for_update else ""


def soft_row_lock() -> str:
    """The same for rows that others may refer to meanwhile."""
    return " FOR NO KEY UPDATE" if connection.features.has_select_for_no_key_update else ""


def planner_fence() -> str:
    """What ends a sub-select that PostgreSQL is to answer by itself, from the index that its own conditions have.

    Its statistics are of some time ago: what was counted when nothing waited would have it read a whole backlog for
    each row of the statement around it. SQLite, without statistics, takes the index that has more columns.
    """
    return " OFFSET 0" if connection.vendor == "postgresql" else ""


def places_for(values: Sequence[Any]) -> str:
    """As many placeholders as there are values, for IN (…)."""
    return ", ".join(["%s"] * len(values))


def as_uuid(value: UUID) -> Any:
    """A UUID as a parameter."""
    return value.hex if connection.vendor == "sqlite" else value


def as_time(moment: datetime) -> Any:
    """A moment as a parameter."""
    return _to_sqlite_time(moment) if connection.vendor == "sqlite" else moment


class _Layout:
    """The columns that an insert of one model fills, the given ones first, and how their values are made."""

    def __init__(self, model: type[Model], columns: Sequence[_Column], given: int) -> None:
        self.model, self.columns = model, columns
        self._read = attrgetter(*[column.attribute for column in columns])
        self._writers = [(place, each.write) for place, each in enumerate(columns) if each.write is not None]
        self._given_writers = [(place, write) for place, write in self._writers if place < given]
        self._automatic = [place for place, each in enumerate(columns) if each.is_automatic]
        self._now_writer = columns[self._automatic[0]].write if self._automatic else None
        self._defaults = [_convert(each.write, each.field.get_default()) for each in columns[given:]]

    def values_of(self, rows: Sequence[Model]) -> list[list[Any]]:
        """What rows say; their automatic times are now."""
        return self._written([list(self._read(row)) for row in rows], self._writers)

    def values_with_defaults(self, records: Sequence[Sequence[Any]]) -> list[list[Any]]:
        """What records say, and the defaults of the rest."""
        return self._written([[*record, *self._defaults] for record in records], self._given_writers)

    def _written(self, rows: list[list[Any]], writers: Sequence[tuple[int, Convert]]) -> list[list[Any]]:
        now = _convert(self._now_writer, timezone.now()) if self._automatic else None
        for values in rows:
            for place, write in writers:
                if values[place] is not None:
                    values[place] = write(values[place])
            for place in self._automatic:
                values[place] = now
        return rows


@cache
def _layout(model: type[Model], vendor: str, names: tuple[str, ...] = ()) -> _Layout:
    columns = {column.attribute: column for column in _columns(model, vendor)}
    given = [columns.pop(name) for name in names]
    return _Layout(model, [*given, *columns.values()], len(given))


def _insert(
    layout: _Layout, records: Sequence[Sequence[Any]], ignore_conflicts: bool, returning: tuple[str, ...]
) -> list[tuple[Any, ...]]:
    found: list[tuple[Any, ...]] = []
    for start in range(0, len(records), ROWS_PER_STATEMENT):
        part = records[start : start + ROWS_PER_STATEMENT]
        statement = _insert_statement(layout, len(part), ignore_conflicts, returning)
        found += read_values(statement, [value for record in part for value in record])
    return found


@lru_cache(maxsize=500)
def _insert_statement(layout: _Layout, count: int, ignore_conflicts: bool, returning: tuple[str, ...]) -> str:
    names = ", ".join(column.name for column in layout.columns)
    places = ", ".join([f"({places_for(layout.columns)})"] * count)
    otherwise = "ON CONFLICT DO NOTHING " if ignore_conflicts else ""
    wanted = ", ".join(connection.ops.quote_name(name) for name in returning)
    return f"INSERT INTO {table_of(layout.model)} ({names}) VALUES {places} {otherwise}RETURNING {wanted}"  # noqa: S608


def _written(row: Model, column: _Column) -> Any:
    return _convert(column.write, getattr(row, column.attribute))


def _convert(convert: Convert | None, value: Any) -> Any:
    return value if value is None or convert is None else convert(value)


def _read_values(columns: Sequence[_Column], values: Sequence[Any]) -> Iterator[Any]:
    for column, value in zip(columns, values, strict=True):
        yield value if column.read is None or value is None else column.read(value)


def table_of(model: type[Model]) -> str:
    """The quoted name of a model's table."""
    return connection.ops.quote_name(model._meta.db_table)


@cache
def _columns(model: type[Model], vendor: str, is_read: bool = False) -> tuple[_Column, ...]:
    """The columns of a model; the id, which the database gives, only for reading."""
    fields = [each for each in model._meta.concrete_fields if is_read or not each.primary_key or each.name != "id"]
    return tuple(_column(each, vendor) for each in fields)


@cache
def _columns_by_attribute(model: type[Model], vendor: str) -> dict[str, _Column]:
    return {column.attribute: column for column in _columns(model, vendor)}


def columns_named(model: type[Model], attributes: Sequence[str]) -> list[_Column]:
    """The columns of these attributes, in their order."""
    known = _columns_by_attribute(model, connection.vendor)
    return [known[name] for name in attributes]


def _column(field: "Field[Any, Any]", vendor: str) -> _Column:
    quoted = connection.ops.quote_name(str(field.column))
    kind: Any = field
    while kind.remote_field is not None:
        kind = kind.target_field
    if hasattr(field, "from_db_value") and not isinstance(field, JSONField):
        return _Column(field, field.attname, quoted, False, _refuse, _refuse)
    write, read = CONVERSIONS[vendor].get(kind.get_internal_type(), (None, None))
    is_automatic = bool(getattr(field, "auto_now", False) or getattr(field, "auto_now_add", False))
    return _Column(field, field.attname, quoted, is_automatic, write, read)


def _to_json(value: Any) -> str:
    return str(value) if type(value) is JSONText else encode_json(value)


def _refuse(_value: Any) -> Any:
    raise TypeError("This column has conversions of its own, such as encryption: use the ORM.")


def _to_sqlite_time(moment: datetime) -> str:
    """In UTC, without saying so, as Django writes it."""
    in_utc = moment if moment.tzinfo is UTC else moment.astimezone(UTC)
    return in_utc.isoformat(" ")[:-OFFSET_LENGTH]


def _from_sqlite_time(moment: datetime) -> datetime:
    """Django has the driver read the column's type, which knows no zone."""
    return moment.replace(tzinfo=UTC)


CONVERSIONS: dict[str, dict[str, tuple[Convert | None, Convert | None]]] = {
    "sqlite": {
        "JSONField": (_to_json, decode_json),
        "DateTimeField": (_to_sqlite_time, _from_sqlite_time),
        "UUIDField": (lambda value: value.hex, UUID),
    },
    "postgresql": {"JSONField": (_to_json, decode_json)},
}
"""How values of each kind of field travel; kinds that are not named pass as they are."""
