"""Deliveries that wait, and a clock to push them by: what tests of the delivery engine start from."""

import itertools
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import connection, transaction

from crm_integrations.models import Configuration
from crm_integrations.services.budget_books import open_book
from memorialization.models import Contact, Delivery, Interaction, RecordLane
from memorialization.services.account_turn import Turn
from memorialization.services.claims import LaneHold, claim_lanes
from memorialization.services.draining import drain_account
from memorialization.services.due_work import BULK_FROM
from memorialization.services.event_folding import fold_all_events
from memorialization.services.intake import IntakeResult, accept_events
from memorialization.services.lanes import make_lanes_due
from memorialization.services.matching import MatchReport, match_interactions
from tests.memory_provider import MemoryAccount, MemoryJob, MemoryProvider

NOW = datetime(2026, 1, 15, 15, 0, tzinfo=UTC)  # before any real token of a test ends
_numbers = itertools.count(1)
LONG_S = 60.0  # more than any test needs, on whatever machine


class FakeClock:
    """Stands still until it is moved."""

    def __init__(self, now: datetime = NOW) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now

    def move(self, **duration: float) -> None:
        self.now += timedelta(**duration)


def take_in(configuration: Configuration, *payloads: Any, now: datetime = NOW) -> IntakeResult:
    """Have events accepted, and folded as the next worker would."""
    result = accept_events(configuration=configuration, payloads=list(payloads), received_at=now)
    fold_all_events(clock=lambda: now, most_s=LONG_S)
    return result


def make_entry(crm_field: str, rendered: Any, *, type: str = "text", **keys: Any) -> dict[str, Any]:
    """A field that waits to be sent."""
    return {
        "crm_field": crm_field,
        "type": type,
        "label": crm_field,
        "channel": "voice",
        "source": "agentName",
        "value": rendered,
        "rendered": rendered,
        "occurred_at": keys.pop("occurred_at", NOW).isoformat(),
        **keys,
    }


def make_interaction(configuration: Configuration, *, ended_at: datetime = NOW, segment_id: str = "") -> Interaction:
    """A planned segment of a contact of its own."""
    contact = Contact.objects.create(configuration=configuration, contact_id=f"contact-{next(_numbers)}")
    return Interaction.objects.create(
        configuration=configuration,
        contact=contact,
        channel="voice",
        segment_id=segment_id,
        ended_at=ended_at,
        state=Interaction.State.PLANNED,
    )


def make_delivery(
    configuration: Configuration,
    *fields: dict[str, Any],
    record_id: str = "35",
    entity_type: str = "ticket",
    ended_at: datetime = NOW,
    interaction: Interaction | None = None,
    has_record: bool = True,
    **columns: Any,
) -> Delivery:
    """A delivery that is due, of a segment that ended at `ended_at`, to a record that exists."""
    account = configuration.authentication.account
    if has_record:
        MemoryProvider.accounts[account.address].records.setdefault((entity_type, record_id), {})
    interaction = interaction or make_interaction(configuration, ended_at=ended_at)
    columns.setdefault("revision", interaction.deliveries.count() + 1)
    columns.setdefault("next_attempt_at", ended_at)
    columns.setdefault("channel", interaction.channel)
    columns.setdefault("segment_key", f"{interaction.contact.contact_id}/{interaction.segment_id}")
    lane, _created = RecordLane.objects.get_or_create(account=account, entity_type=entity_type, record_id=record_id)
    delivery = Delivery.objects.create(
        configuration=configuration,
        interaction=interaction,
        lane=lane,
        entity_type=entity_type,
        record_id=record_id,
        fields=list(fields) or [make_entry("subject", "Call")],
        segment_ended_at=ended_at,
        **columns,
    )
    make_lanes_due(lane_ids=[lane.pk], due_at=columns["next_attempt_at"])
    return delivery


def push_all(configuration: Configuration, clock: FakeClock) -> Turn:
    """One turn on the configuration's account."""
    return drain_account(account_id=configuration.authentication.account_id, clock=clock, turn_s=LONG_S)


def give_up_job(configuration: Configuration, clock: FakeClock) -> MemoryJob:
    """A bulk write of V1 to the subjects of ten records that was given up; calls of their own wrote it then."""
    account = account_of(configuration)
    account.stuck_jobs = 1
    for number in range(BULK_FROM):
        make_delivery(configuration, make_entry("subject", "V1"), record_id=str(number))
    push_all(configuration, clock)
    for _look in range(3):
        clock.move(seconds=settings.BULK_PATIENCE_S + 5)
        push_all(configuration, clock)
    [job] = account.jobs.values()
    return job


def match_all(configuration: Configuration, clock: Callable[[], datetime]) -> MatchReport:
    """Look for the records of everything that is due on the configuration's account, and push nothing."""
    turn = Turn(configuration.authentication.account, clock, time.monotonic() + LONG_S)
    try:
        return match_interactions(turn=turn, most_s=LONG_S)
    finally:
        turn.close()


def claim_due(configuration: Configuration, *, now: datetime = NOW, limit: int = 10) -> list[LaneHold]:
    """Lease due lanes of tickets of the configuration's account."""
    account_id = configuration.authentication.account_id
    return claim_lanes(account_id=account_id, entity_type="ticket", goes_alone=False, limit=limit, now=now)


def shut_limit(account_id: int, limit_class: str, *, seconds: float | None, reason: str = "") -> datetime:
    """Have the CRM refuse this limit for so long; the end."""
    with transaction.atomic():
        book = open_book(account_id=account_id)
        until = book.block(limit_class, seconds=seconds, reason=reason, now=NOW)
        book.save()
    return until


def account_of(configuration: Configuration) -> MemoryAccount:
    """The state of the configuration's account in the CRM."""
    return MemoryProvider.accounts[configuration.authentication.account.address]


def calls_of(configuration: Configuration, name: str) -> list[Any]:
    """What the CRM was asked under that name."""
    return [details for called, details in account_of(configuration).calls if called == name]


def result_of(delivery: Delivery, crm_field: str = "subject") -> tuple[str | None, str]:
    """Result and reason of one field, read again."""
    delivery.refresh_from_db()
    entry = next(entry for entry in delivery.fields if entry["crm_field"] == crm_field)
    return entry.get("result"), entry.get("reason", "")


def lane_of(delivery: Delivery) -> RecordLane:
    """The lane, read again."""
    return RecordLane.objects.get(pk=delivery.lane_id)


def wait_for_somebody_who_waits_for_us() -> None:
    """On PostgreSQL; on SQLite whoever writes waits for the whole transaction."""
    waiting = 0
    while connection.vendor == "postgresql" and not waiting:
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM pg_locks WHERE NOT granted")
            (waiting,) = cursor.fetchone()
