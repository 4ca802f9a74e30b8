"""Commits that nobody waits for the disk for: what they store is worth nothing once the machine has lost its power.

A lease whose commit was lost is missed by its fence before anything is sent; a call that was not counted is counted by
the CRM, whose next answer says so. Every later commit that must last takes the ones before it along.
https://www.sqlite.org/pragma.html#pragma_synchronous (NORMAL keeps the database whole, too),
https://www.postgresql.org/docs/current/wal-async-commit.html
"""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection

SOFT = {"sqlite": "PRAGMA synchronous = NORMAL", "postgresql": "SET synchronous_commit = off"}
LASTING = {"sqlite": "PRAGMA synchronous = FULL", "postgresql": "RESET synchronous_commit"}


@contextmanager
def soft_commit() -> Iterator[None]:
    """Have the commits of the block return before they are on the disk; inside a transaction it changes nothing."""
    if connection.in_atomic_block:
        yield
        return
    _execute(SOFT)
    try:
        yield
    finally:
        try:
            _execute(LASTING)
        except BaseException:
            connection.close()  # none that is left so may be used for what must last
            raise


def _execute(statements: dict[str, str]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statements[connection.vendor])
