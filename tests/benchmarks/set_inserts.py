"""Fills tables by one statement each: what a million rows are made with, in the words of either database."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection, models


class Dialect:
    """The few words in which the two databases differ."""

    def __init__(self, start: datetime) -> None:
        self.is_postgres = connection.vendor == "postgresql"
        self.start = start

    def moment(self, seconds: str) -> str:
        """Seconds after the start as a time."""
        if self.is_postgres:
            return f"(TIMESTAMPTZ '{self.start.isoformat()}' + ({seconds}) * INTERVAL '1 second')"
        return f"datetime({int(self.start.timestamp())} + ({seconds}), 'unixepoch')"

    def json(self, text: str) -> str:
        """A text expression as JSON."""
        return f"CAST({text} AS jsonb)" if self.is_postgres else f"({text})"

    def uuid(self, value: UUID) -> str:
        """A UUID as it is stored."""
        return f"CAST('{value}' AS uuid)" if self.is_postgres else f"'{value.hex}'"

    def numbers(self, count: int) -> str:
        """A table `numbers(n)` with 1 to `count`."""
        if self.is_postgres:
            return f"SELECT CAST(n AS bigint) AS n FROM generate_series(1, {count}) AS n"
        return (
            f"WITH RECURSIVE counted(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM counted WHERE n < {count}) "
            "SELECT n FROM counted"
        )


def insert_from(dialect: Dialect, model: type[models.Model], columns: Mapping[str, str], source: str) -> None:
    """Insert a row for each of `source`; columns that are not given get their defaults."""
    defaults = {
        field.column: quote(field.get_db_prep_save(field.get_default(), connection))
        for field in model._meta.local_concrete_fields
        if field.column not in columns
    }
    for field in model._meta.local_concrete_fields:
        if field.column in defaults and isinstance(field, models.JSONField):
            defaults[field.column] = dialect.json("'[]'" if field.get_default() == [] else "'{}'")
    wanted = {**columns, **defaults}
    names = ", ".join(connection.ops.quote_name(name) for name in wanted)
    run(f"INSERT INTO {model._meta.db_table} ({names}) SELECT {', '.join(wanted.values())} FROM {source}")


def run(statement: str) -> None:
    """Run a statement."""
    with connection.cursor() as cursor:
        cursor.execute(statement)


def quote(value: Any) -> str:
    """A value of ours as a literal; nothing here comes from outside."""
    if value is None:
        return "NULL"
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, int):
        return str(value)
    return "'" + str(value).replace("'", "''") + "'"


def drop_indexes(tables: Sequence[type[models.Model]]) -> list[tuple[type[models.Model], models.Index]]:
    """Indexes are made at the end: quicker than keeping them through a million inserts."""
    found = [(model, index) for model in tables for index in model._meta.indexes]
    with connection.schema_editor() as editor:
        for model, index in found:
            editor.remove_index(model, index)
    return found


def make_indexes(dropped: list[tuple[type[models.Model], models.Index]]) -> None:
    """Make them again."""
    with connection.schema_editor() as editor:
        for model, index in dropped:
            editor.add_index(model, index)


def keep_up() -> None:
    """What a database does by itself sooner or later; rows of an open transaction it would take for none."""
    is_open = connection.in_atomic_block
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("ANALYZE" if is_open else "VACUUM ANALYZE")
        elif not is_open:
            cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
