"""Signs of life that outlast the process that gave them: rounds, workers, and workers that started themselves again."""

from datetime import datetime, timedelta

from django.db.models import F

from memorialization.models import Heartbeat

WORKER = "worker:"  # and the worker's name: its timer's last round
RESTART = "restart:"  # and the worker's name: when its watchdog last started it again, and how often
FOLD = "fold"  # when events were last folded, to within some seconds
MATCH = "match"  # when somebody last took an interaction to look for its records, likewise
FORGET_AFTER = timedelta(days=1)  # a worker that was not seen for so long is not coming back under this name
NAME_LENGTH = Heartbeat._meta.get_field("name").max_length or 0


def note_heartbeat(*, name: str, now: datetime) -> None:
    """Write down that it happened."""
    name = name[:NAME_LENGTH]
    if not Heartbeat.objects.filter(name=name).update(at=now, count=F("count") + 1):
        Heartbeat.objects.bulk_create([Heartbeat(name=name, at=now, count=1)], ignore_conflicts=True)


def last_heartbeat(*, name: str) -> datetime | None:
    """When it last happened."""
    return Heartbeat.objects.filter(name=name[:NAME_LENGTH]).values_list("at", flat=True).first()


def forget_lost_workers(*, now: datetime) -> None:
    """Drop what workers of another day left; containers rarely come back under their old name."""
    Heartbeat.objects.filter(name__startswith=WORKER, at__lt=now - FORGET_AFTER).delete()
