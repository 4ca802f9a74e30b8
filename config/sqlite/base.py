"""SQLite as Django speaks to it, but that writers take turns (`config.sqlite.turns`) from BEGIN to COMMIT or ROLLBACK.

A statement that stands alone takes a turn for itself.
"""

from functools import partial
from pathlib import Path
from typing import Any

from django.db import OperationalError
from django.db.backends.sqlite3 import base

from config.sqlite.turns import Turn

SUFFIX = "-turns"  # of the file beside the database
BEGIN = "BEGIN"
LONGEST_WORD = len("SAVEPOINT")
READERS = frozenset({"SELECT", "PRAGMA", "EXPLAIN", "ROLLBACK", "SAVEPOINT", "RELEASE"})
CHANGES = ("INSERT ", "UPDATE ", "DELETE ")  # in a statement that begins by WITH


class DatabaseWrapper(base.DatabaseWrapper):
    """See django.db.backends.sqlite3."""

    _turn: Turn | None = None

    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        """A connection, and a place in the queue of the database's writers."""
        if not self.is_in_memory_db():
            self._turn = Turn(Path(f"{conn_params['database']}{SUFFIX}"), timeout_s=conn_params.get("timeout", 5.0))
        return super().get_new_connection(conn_params)

    def create_cursor(self, name: str | None = None) -> Any:
        """A cursor whose statements wait for their turn."""
        if self._turn is None:
            return super().create_cursor(name)
        return self.connection.cursor(factory=partial(_Cursor, turn=self._turn))

    def commit(self) -> None:
        """End the transaction, and the turn. One whose commit fails goes on to its rollback."""
        super().commit()
        self._give_back()

    def rollback(self) -> None:
        """End the transaction, and the turn. One whose rollback fails is ended with its connection, by Django."""
        super().rollback()
        self._give_back()

    def close(self) -> None:
        """End the connection, its transaction and its turn."""
        try:
            super().close()
        finally:
            self._give_back()

    def _give_back(self) -> None:
        if self._turn is not None:
            self._turn.give_back()


class _Cursor(base.SQLiteCursorWrapper):
    """Takes a turn with BEGIN, and for each statement outside a transaction that may write."""

    def __init__(self, connection: Any, *, turn: Turn) -> None:
        super().__init__(connection)
        self._turn = turn

    def execute(self, query: str, params: Any = None) -> Any:
        if self._turn.is_taken:
            return super().execute(query, params)
        word = query.lstrip()[:LONGEST_WORD].split(None, 1)[0].upper()
        if word in READERS or (word == "WITH" and not any(change in query for change in CHANGES)):
            return super().execute(query, params)
        self._take()
        is_begun = False
        try:
            answer = super().execute(query, params)
            is_begun = word == BEGIN
        finally:
            if not is_begun:
                self._turn.give_back()
        return answer

    def executemany(self, query: str, param_list: Any) -> Any:
        if self._turn.is_taken:
            return super().executemany(query, param_list)
        self._take()
        try:
            return super().executemany(query, param_list)
        finally:
            self._turn.give_back()

    def _take(self) -> None:
        try:
            is_taken = self._turn.take()
        except OSError as error:
            raise OperationalError(str(error)) from error
        if not is_taken:
            raise OperationalError("database is locked")
