"""Calls counted by minute, for the charts; what is older than a day is forgotten."""

from collections import Counter
from collections.abc import Mapping
from datetime import datetime, timedelta

from django.db import connection

from crm_integrations.models import CallMinute

KEPT = timedelta(hours=24)
ADD = """
INSERT INTO crm_integrations_callminute (account_id, limit_class, minute, calls, limited, failed)
VALUES {rows}
ON CONFLICT (account_id, limit_class, minute) DO UPDATE SET
    calls = crm_integrations_callminute.calls + excluded.calls,
    limited = crm_integrations_callminute.limited + excluded.limited,
    failed = crm_integrations_callminute.failed + excluded.failed
"""
ROW = "(%s, %s, %s, %s, %s, %s)"

MinuteCounts = Mapping[tuple[str, datetime], Counter[str]]
"""(limit class, minute) → how many `calls`, `limited` and `failed`."""


def begin_of_minute(moment: datetime) -> datetime:
    """The minute that a moment belongs to."""
    return moment.replace(second=0, microsecond=0)


def add_call_minutes(*, account_id: int, counts: MinuteCounts) -> None:
    """Add to what was counted so far, in one statement."""
    if not counts:
        return
    values: list[int | str | None] = []
    for (limit_class, minute), counted in sorted(counts.items()):
        at = connection.ops.adapt_datetimefield_value(minute)
        values += [account_id, limit_class, at, counted["calls"], counted["limited"], counted["failed"]]
    with connection.cursor() as cursor:
        cursor.execute(ADD.format(rows=", ".join([ROW] * len(counts))), values)


def prune_call_minutes(*, now: datetime) -> int:
    """Forget what is older than a day; returns how many rows."""
    deleted, _by_table = CallMinute.objects.filter(minute__lt=now - KEPT).delete()
    return deleted
