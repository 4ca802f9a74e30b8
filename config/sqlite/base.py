"""SQLite as Django speaks to it, but that writers take turns (`config.sqlite.turns`), transaction by transaction.

A statement that stands alone takes a turn for itself. One of these with RETURNING is committed as its rows are fetched,
so whoever is next may meet it for a moment, and waits by SQLite's own means.
"""

from functools import partial
from pathlib import Path
from sqlite3 import ProgrammingError
from typing import Any

from django.db import OperationalError
from django.db.backends.sqlite3 import base

from config.sqlite.turns import Turn

LONGEST_WORD = len("SAVEPOINT")
READERS = frozenset({"SELECT", "PRAGMA", "EXPLAIN", "COMMIT", "ROLLBACK", "SAVEPOINT", "RELEASE"})
CHANGES = ("INSERT ", "UPDATE ", "DELETE ")  # in a statement that begins by WITH


class DatabaseWrapper(base.DatabaseWrapper):
    """See django.db.backends.sqlite3."""

    _turn: Turn | None = None

    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        """A connection, and a place in the queue of the database's writers."""
        if not self.is_in_memory_db():
            self._turn = Turn(Path(conn_params["database"]), timeout_s=conn_params.get("timeout", 5.0))
        return super().get_new_connection(conn_params)

    def create_cursor(self, name: str | None = None) -> Any:
        """A cursor whose statements wait for their turn."""
        if self._turn is None:
            return super().create_cursor(name)
        return self.connection.cursor(factory=partial(_Cursor, turn=self._turn))

    def commit(self) -> None:
        """End the transaction, and the turn. One whose commit fails goes on to its rollback."""
        try:
            super().commit()
        finally:
            _end_turn(self._turn, self.connection)

    def rollback(self) -> None:
        """End the transaction, and the turn. One whose rollback fails is ended with its connection, by Django."""
        try:
            super().rollback()
        finally:
            _end_turn(self._turn, self.connection)

    def set_autocommit(self, autocommit: bool, force_begin_transaction_with_broken_autocommit: bool = False) -> None:
        """Switched on, the driver commits what is open."""
        try:
            super().set_autocommit(autocommit, force_begin_transaction_with_broken_autocommit)
        finally:
            _end_turn(self._turn, self.connection)

    def close(self) -> None:
        """End the connection, its transaction and its turn."""
        try:
            super().close()
        finally:
            if self._turn is not None:
                self._turn.give_back()


class _Cursor(base.SQLiteCursorWrapper):
    """Takes a turn for each statement that may write, and keeps it while a transaction is open."""

    def __init__(self, connection: Any, *, turn: Turn) -> None:
        super().__init__(connection)
        self._turn = turn

    def execute(self, query: str, params: Any = None) -> Any:
        if not self._turn.is_taken and _may_write(query):
            self._take()
        try:
            return super().execute(query, params)
        finally:
            _end_turn(self._turn, self.connection)

    def executemany(self, query: str, param_list: Any) -> Any:
        if not self._turn.is_taken:
            self._take()
        try:
            return super().executemany(query, param_list)
        finally:
            _end_turn(self._turn, self.connection)

    def _take(self) -> None:
        try:
            is_taken = self._turn.take()
        except (OSError, RuntimeError) as error:  # no more files or threads
            raise OperationalError(str(error)) from error
        if not is_taken:
            raise OperationalError("database is locked")


def _end_turn(turn: Turn | None, connection: Any) -> None:
    """Give the turn back, unless a transaction is open."""
    if turn is not None and turn.is_taken and not _is_in_transaction(connection):
        turn.give_back()


def _may_write(query: str) -> bool:
    """Whether a statement waits for a turn; in doubt it does."""
    words = query.lstrip()[:LONGEST_WORD].split(None, 1)
    word = words[0].upper() if words else ""
    return word not in READERS and (word != "WITH" or any(change in query for change in CHANGES))


def _is_in_transaction(connection: Any) -> bool:
    try:
        return connection is not None and connection.in_transaction
    except ProgrammingError:  # closed
        return False
