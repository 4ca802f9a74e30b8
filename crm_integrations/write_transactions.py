"""Transactions of writers that come in numbers: on the embedded database they wait for each other in short naps.

SQLite lets one connection write and has the others look again after ever longer naps, up to 100 ms; under load most of
the time goes into naps, and the unlucky wait longest. A millisecond at a time loses little, and everybody's chances
are the same. The wait ends where SQLite's own would.
"""

import sqlite3
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from django.db import OperationalError, connection, transaction

NAP_S = 0.001


@contextmanager
def write_transaction() -> Iterator[None]:
    """`transaction.atomic()`; raises OperationalError when the database stays busy."""
    with ExitStack() as stack:
        if connection.vendor == "sqlite" and not connection.in_atomic_block:
            _begin(stack)
        else:
            stack.enter_context(transaction.atomic())
        yield


def _begin(stack: ExitStack) -> None:
    patience_s = float(connection.settings_dict["OPTIONS"].get("timeout", 5))
    deadline = time.monotonic() + patience_s
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA busy_timeout = 0")
        try:
            while not _has_begun(stack, is_last_try=time.monotonic() >= deadline):
                time.sleep(NAP_S)
        finally:
            cursor.execute(f"PRAGMA busy_timeout = {int(1000 * patience_s)}")


def _has_begun(stack: ExitStack, *, is_last_try: bool) -> bool:
    try:
        stack.enter_context(transaction.atomic())
    except OperationalError as error:
        if is_last_try or getattr(error.__cause__, "sqlite_errorcode", None) != sqlite3.SQLITE_BUSY:
            raise
        return False
    return True
