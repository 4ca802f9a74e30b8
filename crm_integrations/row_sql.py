"""Rows in and out of the database with few, cheap statements, for the paths that run with every event.

Django builds a statement anew each time, which costs several times what the databases take for it. Here the text is
made once per model and database; what is written and read is the same.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from typing import Any, Generic, TypeVar
from uuid import UUID

from django.db import DEFAULT_DB_ALIAS, connection
from django.db.models import Field, JSONField, Model
from django.db.models.base import ModelState

from crm_integrations.stored_json import decode_json, encode_json

Row = TypeVar("Row", bound=Model)
Convert = Callable[[Any], Any]
OFFSET_LENGTH = len("+00:00")


class JSONText(str):
    """A value that is JSON already and is stored as it is."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a model. `write` and `read` are None when the value passes as it is."""

    field: "Field[Any, Any]"
    attribute: str
    name: str
    is_automatic: bool  # a time that the row gets when it is stored
    write: Convert | None
    read: Convert | None


def update_row(row: Model, names: Sequence[str]) -> None:
    """Write some fields of a stored row."""
    chosen = [column for column in columns_of(type(row), connection.vendor) if column.field.name in names]
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

    def __init__(self, model: type[Row], columns: Sequence[Column], alias: str) -> None:
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
    columns = {each.attribute: each for each in columns_of(model, vendor, is_read=True)}
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


def among(ids: Sequence[int]) -> tuple[str, list[Any]]:
    """What follows a column that is to be one of these ids, and the parameters of that.

    PostgreSQL's driver writes each into the statement by itself; as the text of an array they cost a tenth.
    """
    if connection.vendor == "postgresql":
        return "= ANY(%s::bigint[])", [f"{{{','.join(map(str, ids))}}}"]
    return f"IN ({places_for(ids)})", list(ids)


def as_uuid(value: UUID) -> Any:
    """A UUID as a parameter."""
    return value.hex if connection.vendor == "sqlite" else value


def as_time(moment: datetime) -> Any:
    """A moment as a parameter."""
    return _to_sqlite_time(moment) if connection.vendor == "sqlite" else moment


def _written(row: Model, column: Column) -> Any:
    return convert(column.write, getattr(row, column.attribute))


def convert(change: Convert | None, value: Any) -> Any:
    """A value on its way in or out; None stays None."""
    return value if value is None or change is None else change(value)


def _read_values(columns: Sequence[Column], values: Sequence[Any]) -> Iterator[Any]:
    for column, value in zip(columns, values, strict=True):
        yield value if column.read is None or value is None else column.read(value)


def table_of(model: type[Model]) -> str:
    """The quoted name of a model's table."""
    return connection.ops.quote_name(model._meta.db_table)


@cache
def columns_of(model: type[Model], vendor: str, is_read: bool = False) -> tuple[Column, ...]:
    """The columns of a model; the id, which the database gives, only to read it or to find rows by it."""
    fields = [each for each in model._meta.concrete_fields if is_read or not each.primary_key or each.name != "id"]
    return tuple(_column(each, vendor) for each in fields)


@cache
def _columns_by_attribute(model: type[Model], vendor: str) -> dict[str, Column]:
    return {column.attribute: column for column in columns_of(model, vendor, is_read=True)}


def columns_named(model: type[Model], attributes: Sequence[str]) -> list[Column]:
    """The columns of these attributes, in their order."""
    known = _columns_by_attribute(model, connection.vendor)
    return [known[name] for name in attributes]


def _column(field: "Field[Any, Any]", vendor: str) -> Column:
    quoted = connection.ops.quote_name(str(field.column))
    kind: Any = field
    while kind.remote_field is not None:
        kind = kind.target_field
    if hasattr(field, "from_db_value") and not isinstance(field, JSONField):
        return Column(field, field.attname, quoted, False, _refuse, _refuse)
    write, read = CONVERSIONS[vendor].get(kind.get_internal_type(), (None, None))
    is_automatic = bool(getattr(field, "auto_now", False) or getattr(field, "auto_now_add", False))
    return Column(field, field.attname, quoted, is_automatic, write, read)


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
