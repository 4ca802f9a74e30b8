"""The clock that all processes share, and how it is counted on in between."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db import OperationalError
from django.utils import timezone

from crm_integrations import database_clock
from crm_integrations.database_clock import SteadyClock, read_database_clock

NOW = datetime(2026, 1, 15, 15, 0, tzinfo=UTC)


@pytest.mark.django_db
def test_the_databases_time_is_aware_and_about_ours():
    assert abs(read_database_clock() - timezone.now()) < timedelta(minutes=1)


def test_a_steady_clock_goes_on_and_asks_again_after_a_minute(monkeypatch):
    counted, asked = [100.0], []

    def read():
        asked.append(counted[0])
        return NOW + timedelta(seconds=2 * len(asked))  # jumps, as a clock that was set does

    monkeypatch.setattr(database_clock.time, "monotonic", lambda: counted[0])
    clock, told = SteadyClock(read), []
    for seconds in (0.0, 30.0, 59.0, 60.0, 61.0):
        counted[0] = 100.0 + seconds
        told.append((clock() - NOW).total_seconds())
    assert told == [2, 32, 61, 4, 5]
    assert asked == [100.0, 160.0]


def test_a_steady_clock_goes_on_while_the_database_is_away_but_does_not_begin_without_it(monkeypatch):
    counted, times = [100.0], [NOW, OperationalError("gone"), NOW]

    def read():
        found = times.pop(0)
        if isinstance(found, Exception):
            raise found
        return found

    monkeypatch.setattr(database_clock.time, "monotonic", lambda: counted[0])
    clock = SteadyClock(read)
    assert clock() == NOW
    counted[0] = 170.0
    assert clock() == NOW + timedelta(seconds=70)
    assert clock() == NOW  # asked again as soon as it answers
    times[:] = [OperationalError("gone")]
    with pytest.raises(OperationalError):
        SteadyClock(read)()
