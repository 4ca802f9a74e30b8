"""The file behind the demo: every record of every account as one JSON document in SQLite.

The accounts live in memory; each change is written here before it is answered, so a kill -9
loses nothing that was acknowledged.
"""

import json
import sqlite3
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

SCHEMA = """
CREATE TABLE IF NOT EXISTS documents (
    account TEXT NOT NULL, kind TEXT NOT NULL, id TEXT NOT NULL, body TEXT NOT NULL,
    PRIMARY KEY (account, kind, id)
) WITHOUT ROWID
"""
DELETE = "DELETE FROM documents WHERE account = ? AND kind = ? AND id = ?"
# records are trees: looking for circles would only take time
ENCODER = json.JSONEncoder(check_circular=False, separators=(",", ":"))
MARKS = "CREATE TABLE IF NOT EXISTS marks (name TEXT PRIMARY KEY, body TEXT NOT NULL) WITHOUT ROWID"

StoredChange = tuple[str, str, dict[str, Any] | None]  # kind, id, the record, or None when it is gone


class Storage:
    """One SQLite connection shared by all threads; without a path everything stays in memory."""

    def __init__(self, path: str | None) -> None:
        if path:
            Path(path).parent.mkdir(parents=True, exist_ok=True)
        self._lock = threading.Lock()
        self._connection = sqlite3.connect(path or ":memory:", check_same_thread=False, isolation_level=None)
        self._connection.execute("PRAGMA journal_mode=WAL")
        # what is committed outlives the process, which is what is promised; only a dying machine would need more
        self._connection.execute("PRAGMA synchronous=OFF")
        self._connection.execute(SCHEMA)
        self._connection.execute(MARKS)

    def accounts(self) -> list[str]:
        """The subdomains that have records."""
        with self._lock:
            rows = self._connection.execute("SELECT DISTINCT account FROM documents ORDER BY account").fetchall()
        return [row[0] for row in rows]

    def read(self, account: str) -> Iterator[tuple[str, str, dict[str, Any]]]:
        """All records of an account as (kind, id, record)."""
        with self._lock:
            rows = self._connection.execute(
                "SELECT kind, id, body FROM documents WHERE account = ?", (account,)
            ).fetchall()
        for kind, key, body in rows:
            yield kind, key, json.loads(body)

    def write(self, account: str, changes: Sequence[StoredChange]) -> None:
        """Store the changes in one transaction: all of them or none."""
        puts = [(account, kind, key, ENCODER.encode(body)) for kind, key, body in changes if body is not None]
        gone = [(account, kind, key) for kind, key, body in changes if body is None]
        with self._lock:
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                self._connection.executemany("INSERT OR REPLACE INTO documents VALUES (?, ?, ?, ?)", puts)
                if gone:
                    self._connection.executemany(DELETE, gone)
                self._connection.execute("COMMIT")
            except BaseException:
                self._connection.execute("ROLLBACK")
                raise

    def read_mark(self, name: str) -> dict[str, Any] | None:
        """Something about the demo as a whole."""
        with self._lock:
            row = self._connection.execute("SELECT body FROM marks WHERE name = ?", (name,)).fetchone()
        found: dict[str, Any] | None = json.loads(row[0]) if row else None
        return found

    def write_mark(self, name: str, value: dict[str, Any]) -> None:
        """Keep something about the demo as a whole."""
        with self._lock:
            self._connection.execute("INSERT OR REPLACE INTO marks VALUES (?, ?)", (name, json.dumps(value)))

    def forget(self, account: str) -> None:
        """Delete an account with everything in it."""
        with self._lock:
            self._connection.execute("DELETE FROM documents WHERE account = ?", (account,))

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._connection.close()
