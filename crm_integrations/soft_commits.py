"""Commits that nobody waits for the disk for: what they store is worth nothing once the machine has lost its power.

A lease whose commit was lost is missed by its fence before anything is sent; a call that was not counted is counted by
the CRM, whose next answer says so. Every later commit that must last takes the ones before it along.
https://www.sqlite.org/pragma.html#pragma_synchronous (NORMAL keeps the database whole, too),
https://www.postgresql.org/docs/current/wal-async-commit.html
"""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection, transaction

SOFT = {"sqlite": "PRAGMA synchronous = NORMAL", "postgresql": "SET LOCAL synchronous_commit = off"}
LASTING = "PRAGMA synchronous = FULL"


@contextmanager
def soft_commit() -> Iterator[None]:
    """Have the commits of the block return before they are on the disk; inside a transaction it changes nothing.

    On PostgreSQL the block is one transaction, so that whoever shares the connection behind a pool is not concerned.
    """
    if connection.in_atomic_block:
        yield
    elif connection.vendor == "postgresql":
        with transaction.atomic():
            _execute(SOFT["postgresql"])
            yield
    else:
        with _soft_connection():
            yield


@contextmanager
def _soft_connection() -> Iterator[None]:
    _execute(SOFT["sqlite"])
    try:
        yield
    finally:
        try:
            _execute(LASTING)
        except BaseException:
            connection.close()  # none that is left so may be used for what must last
            raise


def _execute(statement: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement)
