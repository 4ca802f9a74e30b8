"""What was written: every applied change with its values, in the order it was applied, for whoever checks a run.

Kept in memory like the call log, at most `KEPT` writes; a restarted demo begins anew. Single calls and records of
bulk jobs are told apart by `method` (PUT, PATCH, POST, … or JOB) and `path` (a job's id is in its path).
"""

import hashlib
import json
from collections.abc import Callable, Collection
from datetime import datetime
from typing import Any, NamedTuple

KEPT = 100_000


class Write(NamedTuple):
    """`at` is the account's own time, `real_at` the machine's, both in seconds since 1970.

    `values` are what the record had after the write, by field; of `additional_tags` and `remove_tags` what was asked.
    `comment` is {"body", "public", "author_id", "metadata"}.
    """

    n: int
    real_at: float
    at: float
    method: str
    path: str
    kind: str
    key: Any
    user_id: int | None
    values: dict[str, Any]
    comment: dict[str, Any] | None


COLUMNS = ("n", "real_at", "at", "method", "path", "record", "user_id", "fields", "digest", "values", "comment")


class WriteLog:
    """Numbered from 1 and never renumbered while the demo runs."""

    def __init__(self, real_of: Callable[[datetime], float] = datetime.timestamp) -> None:
        self._real_of = real_of
        self._writes: list[Write] = []
        self.last = 0

    def append(self, *, at: datetime, **values: Any) -> None:
        """Keep one write."""
        self.last += 1
        self._writes.append(Write(n=self.last, at=at.timestamp(), real_at=self._real_of(at), **values))
        if len(self._writes) > KEPT:
            del self._writes[: KEPT // 10]

    def clear(self) -> None:
        """Forget the writes; the numbers go on."""
        self._writes = []

    def page(
        self, since: int, limit: int, *, record: str | None = None, texts: Collection[str] | None = None
    ) -> dict[str, Any]:
        """Rows of `COLUMNS` with n > since, oldest first; `texts` leaves only these fields' values beside the digest.

        `next` is the `since` of the next page, None at the end; `first` tells whether older ones were forgotten.
        """
        first = self._writes[0].n if self._writes else self.last + 1
        rest = self._writes[max(0, since + 1 - first) :]
        if record is not None:
            rest = [write for write in rest if name_of(write) == record]
        rows = [row_of(write, texts) for write in rest[:limit]]
        more = rest[limit - 1].n if len(rest) > limit else None
        return {"columns": COLUMNS, "writes": rows, "first": first, "last": self.last, "next": more}


def name_of(write: Write) -> str:
    """The record of a write as `tickets/12`."""
    return f"{write.kind}/{write.key}"


def row_of(write: Write, texts: Collection[str] | None) -> list[Any]:
    """A write as a row of `COLUMNS`."""
    values = write.values if texts is None else {name: write.values[name] for name in texts if name in write.values}
    told = [write.n, write.real_at, write.at, write.method, write.path, name_of(write), write.user_id]
    return [*told, list(write.values), digest_of(write), values, write.comment]


def digest_of(write: Write) -> str:
    """The same for the same values and the same comment."""
    text = json.dumps([write.values, write.comment], sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:16]
