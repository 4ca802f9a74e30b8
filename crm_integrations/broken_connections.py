"""A connection to the database that broke in the middle of long work.

Django looks at connections between requests and tasks alone; until then a broken one would fail for ever.
"""

from django.db import connection


def drop_connection() -> None:
    """After an error: the next statement opens a new connection. Inside a transaction whoever opened it decides."""
    if not connection.in_atomic_block:
        connection.close()
