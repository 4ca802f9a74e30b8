"""A queue for writers of the embedded database, so that they take turns instead of knocking at its door.

SQLite lets one connection write and has the others look again after ever longer naps, up to 100 ms; under load most of
the time goes into naps, and the unlucky wait longest. Here they wait for a file's lock, which wakes them at once. It
only shortens the wait: who does not queue, or when the file cannot be locked, is still kept apart by the database.
"""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django.db import connection

SUFFIX = ".writers"


@contextmanager
def writers_turn() -> Iterator[None]:
    """Wait for the turn to write; at once on other databases, and inside a transaction, which has its turn already."""
    database = Path(str(connection.settings_dict["NAME"]))
    if connection.vendor != "sqlite" or connection.in_atomic_block or not database.is_absolute():
        yield
        return
    with database.with_name(database.name + SUFFIX).open("a") as queue:
        fcntl.flock(queue, fcntl.LOCK_EX)  # ends with the file, and so with the process
        yield
