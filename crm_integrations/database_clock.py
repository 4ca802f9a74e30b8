"""The one clock that all processes share: the database's (on SQLite, the host's).

Leases, due times and settle times are read against it, so that a worker whose own clock is wrong harms nobody.
"""

from collections.abc import Callable
from datetime import UTC, datetime

from django.db import connection
from django.utils import timezone

Clock = Callable[[], datetime]


def read_database_clock() -> datetime:
    """The present time by the database's clock, aware and in UTC."""
    if connection.vendor != "postgresql":
        return timezone.now()
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        moment: datetime = cursor.fetchone()[0]
    return moment.astimezone(UTC)
