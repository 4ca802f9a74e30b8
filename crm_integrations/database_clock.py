"""The one clock that all processes share: the database's (on SQLite, the host's).

Leases, due times and settle times are read against it, so that a worker whose own clock is wrong harms nobody.
"""

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from django.db import DatabaseError, connection
from django.utils import timezone

from crm_integrations.broken_connections import drop_connection

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
        self._answer: tuple[datetime, float] | None = None  # in one piece, since threads share it

    def __call__(self) -> datetime:
        """The present time, aware and in UTC."""
        counted, answer = time.monotonic(), self._answer
        if answer is None or counted - answer[1] >= self.ASKED_EVERY_S:
            answer = self._ask(answer)
        base, asked_at = answer
        return base + timedelta(seconds=counted - asked_at)

    def _ask(self, answer: tuple[datetime, float] | None) -> tuple[datetime, float]:
        """Begin anew from the database's time; while it is away, count on: an answer of the CRM must still be noted."""
        try:
            answer = self._answer = self._read(), time.monotonic()  # in this order: a slow answer puts nobody ahead
        except DatabaseError:
            drop_connection()
            if answer is None:
                raise
        return answer


_process_clock = SteadyClock()


def read_steady_clock() -> datetime:
    """The same time without a round trip, for what may be off by a moment: the age of what is shown, never a lease."""
    return _process_clock() if connection.vendor == "postgresql" else timezone.now()
