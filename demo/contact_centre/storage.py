"""The contact centre's file: what is still to be sent, what was answered, the targets and the settings.

A play is stored whole before its first call goes out and each answer before the next call, so a restart goes on where
the process stopped; what was sent without its answer being stored is sent again with the same ids.
"""

import json
import sqlite3
import threading
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from demo.contact_centre.story import Play
from demo.contact_centre.targets import Target

SCHEMA = """
CREATE TABLE IF NOT EXISTS settings (name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS targets (
    id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL, events_url TEXT NOT NULL, intake_key TEXT NOT NULL,
    product_url TEXT NOT NULL, desk_url TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS plays (
    id INTEGER PRIMARY KEY AUTOINCREMENT, played_at REAL NOT NULL, scenario TEXT NOT NULL, seed INTEGER NOT NULL,
    target_id INTEGER NOT NULL, contact_ids TEXT NOT NULL, customer TEXT NOT NULL, origin TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS sends (
    play_id INTEGER NOT NULL REFERENCES plays ON DELETE CASCADE, n INTEGER NOT NULL, due_at REAL NOT NULL,
    path TEXT NOT NULL, body TEXT NOT NULL, state TEXT NOT NULL DEFAULT 'waiting', tries INTEGER NOT NULL DEFAULT 0,
    answer TEXT NOT NULL DEFAULT '{}', PRIMARY KEY (play_id, n)
);
CREATE INDEX IF NOT EXISTS sends_waiting ON sends (due_at) WHERE state = 'waiting';
"""
WAITING, DONE, REFUSED = "waiting", "done", "refused"
PLAYS_KEPT = 200  # finished ones; what waits is kept whatever its age

READY = """
SELECT s.play_id, s.n, s.path, s.body, s.tries, p.target_id, p.played_at FROM sends s JOIN plays p ON p.id = s.play_id
WHERE s.state = 'waiting' AND s.due_at <= ?
  AND NOT EXISTS (SELECT 1 FROM sends e WHERE e.play_id = s.play_id AND e.n < s.n AND e.state = 'waiting')
  AND p.id NOT IN (SELECT value FROM json_each(?)) AND p.target_id NOT IN (SELECT value FROM json_each(?))
ORDER BY s.due_at LIMIT 1
"""
PRUNE = """
DELETE FROM plays WHERE id <= (SELECT MAX(id) FROM plays) - ?
  AND NOT EXISTS (SELECT 1 FROM sends WHERE play_id = plays.id AND state = 'waiting')
"""


@dataclass(frozen=True, slots=True)
class WaitingSend:
    """One call whose turn it is."""

    play_id: int
    n: int
    path: str
    body: Any
    tries: int
    target_id: int
    played_at: float


class Storage:
    """One SQLite connection shared by all threads; without a path everything stays in memory."""

    def __init__(self, path: str | None) -> None:
        if path:
            _make_private(path)
        self._lock = threading.RLock()
        self._connection = sqlite3.connect(path or ":memory:", check_same_thread=False, isolation_level=None)
        self._connection.row_factory = sqlite3.Row
        self._connection.execute("PRAGMA journal_mode=WAL")
        self._connection.execute("PRAGMA foreign_keys=ON")
        self._connection.executescript(SCHEMA)
        self.version = 0

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with self._lock:
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield self._connection
                self._connection.execute("COMMIT")
            except BaseException:
                self._connection.execute("ROLLBACK")
                raise
            self.version += 1

    def _rows(self, sql: str, values: Sequence[Any] = ()) -> list[sqlite3.Row]:
        with self._lock:
            return self._connection.execute(sql, values).fetchall()

    def setting(self, name: str) -> str | None:
        """A stored setting."""
        found = self._rows("SELECT value FROM settings WHERE name = ?", (name,))
        return found[0]["value"] if found else None

    def store_setting(self, name: str, value: str) -> None:
        """Keep a setting."""
        with self._transaction() as connection:
            connection.execute("INSERT OR REPLACE INTO settings VALUES (?, ?)", (name, value))

    def take_seed(self) -> int:
        """The next seed; no two plays get the same one."""
        with self._transaction() as connection:
            connection.execute("INSERT OR IGNORE INTO settings VALUES ('seed', '0')")
            row = connection.execute(
                "UPDATE settings SET value = CAST(value AS INTEGER) + 1 WHERE name = 'seed' RETURNING value"
            ).fetchone()
        return int(row["value"])

    def targets(self) -> list[Target]:
        """The targets typed in."""
        return [Target(**dict(row)) for row in self._rows("SELECT * FROM targets ORDER BY id")]

    def store_target(self, target: Target) -> int:
        """Keep a target, in the place of an earlier one for the same address; answers its id."""
        columns = (target.name, target.intake_key, target.product_url, target.desk_url, target.events_url)
        with self._transaction() as connection:
            changed = connection.execute(
                "UPDATE targets SET name = ?, intake_key = ?, product_url = ?, desk_url = ? WHERE events_url = ?"
                " RETURNING id",
                columns,
            ).fetchall()
            if not changed:
                changed = connection.execute(
                    "INSERT INTO targets (name, intake_key, product_url, desk_url, events_url) VALUES (?, ?, ?, ?, ?)"
                    " RETURNING id",
                    columns,
                ).fetchall()
        return int(changed[0]["id"])

    def remove_target(self, target_id: int) -> None:
        """Forget a target with its key and whatever still waits for it."""
        with self._transaction() as connection:
            connection.execute("DELETE FROM plays WHERE target_id = ?", (target_id,))
            connection.execute("DELETE FROM targets WHERE id = ?", (target_id,))

    def add_play(self, play: Play, *, target_id: int, origin: str, now: float) -> int:
        """Store a play and all its calls in one transaction; answers its number."""
        head = (now, play.scenario, play.seed, target_id, json.dumps(play.contact_ids), play.customer, origin)
        with self._transaction() as connection:
            play_id = connection.execute(
                "INSERT INTO plays (played_at, scenario, seed, target_id, contact_ids, customer, origin)"
                " VALUES (?, ?, ?, ?, ?, ?, ?)",
                head,
            ).lastrowid
            connection.executemany(
                "INSERT INTO sends (play_id, n, due_at, path, body) VALUES (?, ?, ?, ?, ?)",
                [
                    (play_id, n, now + send.delay_s, send.path, json.dumps(send.body))
                    for n, send in enumerate(play.sends)
                ],
            )
            connection.execute(PRUNE, (PLAYS_KEPT,))
        return int(play_id or 0)

    def find_ready(
        self, now: float, *, busy_plays: Collection[int], paused_targets: Collection[int]
    ) -> WaitingSend | None:
        """A call that is due and first in its play; the calls of one play go out one after the other."""
        found = self._rows(READY, (now, json.dumps(list(busy_plays)), json.dumps(list(paused_targets))))
        if not found:
            return None
        row = dict(found[0])
        return WaitingSend(**{**row, "body": json.loads(row["body"])})

    def store_answer(self, send: WaitingSend, *, state: str, answer: Mapping[str, Any], due_at: float) -> None:
        """What came of a call; a call to be repeated stays waiting, due again at `due_at`."""
        with self._transaction() as connection:
            connection.execute(
                "UPDATE sends SET state = ?, tries = tries + 1, answer = ?, due_at = ? WHERE play_id = ? AND n = ?",
                (state, json.dumps(answer), due_at, send.play_id, send.n),
            )

    def count_waiting(self) -> int:
        """How many calls are still to be made."""
        return int(self._rows("SELECT COUNT(*) AS n FROM sends WHERE state = 'waiting'")[0]["n"])

    def log(self, limit: int) -> list[dict[str, Any]]:
        """The latest plays with their calls, newest first."""
        plays = self._rows("SELECT * FROM plays ORDER BY id DESC LIMIT ?", (limit,))
        return [self._with_calls(row) for row in plays]

    def find_play(self, play_id: int) -> dict[str, Any] | None:
        """One play with its calls; None when it is not kept any more."""
        found = self._rows("SELECT * FROM plays WHERE id = ?", (play_id,))
        return self._with_calls(found[0]) if found else None

    def _with_calls(self, row: sqlite3.Row) -> dict[str, Any]:
        sends = self._rows("SELECT * FROM sends WHERE play_id = ? ORDER BY n", (row["id"],))
        calls = [
            {**dict(send), "body": json.loads(send["body"]), "answer": json.loads(send["answer"])} for send in sends
        ]
        return {**dict(row), "contact_ids": json.loads(row["contact_ids"]), "sends": calls}

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._connection.close()


def _make_private(path: str) -> None:
    """The file holds intake keys: nobody else may read it, nor the files that SQLite puts beside it."""
    file = Path(path)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.touch(mode=0o600)
    file.chmod(0o600)
