"""The one clock that all processes share: the database's (on SQLite, the host's).

Leases, due times and settle times are read against it, so that a worker whose own clock is wrong harms nobody.
"""

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from django.db import DatabaseError, connection
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


class SteadyClock:
    """The database's clock, asked once a minute and counted on in between: for whoever needs the time at every call."""

    ASKED_EVERY_S = 60.0

    def __init__(self, read: Clock = read_database_clock) -> None:
        self._read = read
        self._asked_at: float | None = None
        self._base = datetime.min.replace(tzinfo=UTC)

    def __call__(self) -> datetime:
        """The present time, aware and in UTC."""
        counted = time.monotonic()
        if self._asked_at is None or counted - self._asked_at >= self.ASKED_EVERY_S:
            self._ask(counted)
        return self._base + timedelta(seconds=counted - (self._asked_at or counted))

    def _ask(self, counted: float) -> None:
        """Begin anew from the database's time; while it is away, count on: an answer of the CRM must still be noted."""
        try:
            self._base, self._asked_at = self._read(), counted
        except DatabaseError:
            if self._asked_at is None:
                raise
