"""Replays: a delivery is sent again as a new revision, in the order of its record and within all limits.

The marks on the record decide as always: a replay never puts an older value over a newer one.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Max, QuerySet

from crm_integrations.models import User
from crm_integrations.services.audit import record_audit
from memorialization.models import Contact, Delivery
from memorialization.services.hints import wake_on_commit
from memorialization.services.lanes import find_lane, make_lane_due

SETTLED_BY_PUSH = ("result", "reason", "params", "sent", "shown", "planned")
REPLAYABLE = (
    Delivery.State.FAILED,
    Delivery.State.PARTIAL,
    Delivery.State.SKIPPED,
    Delivery.State.DELIVERED,
    Delivery.State.WAITING,
)


class ReplayRefused(Exception):
    """There is nothing to send again; `reason` says why: sending, no_record, nothing_to_write, not_authenticated."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Replay:
    """What became of one delivery of a replay of many; `refused` is a reason of ReplayRefused, or empty."""

    delivery: Delivery
    refused: str = ""


def replay_delivery(*, delivery: Delivery, actor: User | None, now: datetime) -> Delivery:
    """Send a delivery again: a new revision, or the same one at once when it still waits. Raises ReplayRefused."""
    with transaction.atomic():
        Contact.objects.select_for_update().get(pk=delivery.interaction.contact_id)  # as planners do for revisions
        delivery.refresh_from_db()
        replayed = _make_due(delivery, now) if delivery.state == Delivery.State.WAITING else _revise(delivery, now)
        assert replayed.lane is not None  # the database's own rule for waiting deliveries
        record_audit(
            actor=actor,
            action="delivery_replayed",
            subject=delivery,
            configuration=delivery.configuration,
            details={"delivery": delivery.pk, "as": replayed.pk},
        )
        wake_on_commit(account_id=replayed.lane.account_id)
    return replayed


def replay_many(*, deliveries: QuerySet[Delivery], actor: User | None, now: datetime) -> Iterator[Replay]:
    """Replay one after the other, each in a transaction of its own, so that stopping half-way harms nothing."""
    for delivery_id in list(deliveries.order_by("pk").values_list("pk", flat=True)):
        delivery = Delivery.objects.select_related("interaction", "configuration").get(pk=delivery_id)
        try:
            yield Replay(replay_delivery(delivery=delivery, actor=actor, now=now))
        except ReplayRefused as error:
            yield Replay(delivery, error.reason)


def find_replayable(
    *, since: datetime | None = None, until: datetime | None = None, state: str = "", configuration_id: str = ""
) -> QuerySet[Delivery]:
    """Deliveries to replay; without a state, those that failed. One that was replayed already is not found again."""
    found = Delivery.objects.filter(state=state or Delivery.State.FAILED, replays__isnull=True)
    if since is not None:
        found = found.filter(created_at__gte=since)
    if until is not None:
        found = found.filter(created_at__lt=until)
    return found.filter(configuration_id=configuration_id) if configuration_id else found


def _make_due(delivery: Delivery, now: datetime) -> Delivery:
    """Try a waiting delivery now instead of later."""
    assert delivery.lane_id is not None
    make_lane_due(lane_id=delivery.lane_id, due_at=now)  # the lane first, as workers do: they wait, nobody deadlocks
    if not Delivery.objects.filter(pk=delivery.pk, state=Delivery.State.WAITING).update(next_attempt_at=now):
        raise ReplayRefused("sending")
    return delivery


def _revise(delivery: Delivery, now: datetime) -> Delivery:
    """A new revision with the same values; what the plan itself left out stays left out."""
    if delivery.state not in REPLAYABLE:
        raise ReplayRefused("sending")
    if not delivery.record_id:
        raise ReplayRefused("no_record")
    fields = [_as_planned(entry) for entry in delivery.fields]
    if not any("rendered" in entry and not entry.get("result") for entry in fields):
        raise ReplayRefused("nothing_to_write")
    authentication = delivery.configuration.authentication
    if authentication is None:
        raise ReplayRefused("not_authenticated")
    lane = delivery.lane or find_lane(
        account_id=authentication.account_id, entity_type=delivery.entity_type, record_id=delivery.record_id
    )
    make_lane_due(lane_id=lane.pk, due_at=now)
    return Delivery.objects.create(
        configuration=delivery.configuration,
        interaction=delivery.interaction,
        lane=lane,
        entity_type=delivery.entity_type,
        record_id=delivery.record_id,
        revision=_next_revision(delivery),
        fields=fields,
        target_rule=delivery.target_rule,
        segment_ended_at=delivery.segment_ended_at,
        segment_key=delivery.segment_key,
        replay_of=delivery,
        next_attempt_at=now,
    )


def _as_planned(entry: dict[str, Any]) -> dict[str, Any]:
    """A field as the plan made it, without what the push added; what was never to be sent keeps its result."""
    if "rendered" not in entry:
        return entry
    kept = {key: value for key, value in entry.items() if key not in SETTLED_BY_PUSH}
    planned: dict[str, Any] = entry.get("planned", {})  # what the plan did to the value, e.g. shortened it
    return kept | planned


def _next_revision(delivery: Delivery) -> int:
    same_record = Delivery.objects.filter(
        interaction=delivery.interaction, entity_type=delivery.entity_type, record_id=delivery.record_id
    )
    latest: int = same_record.aggregate(latest=Max("revision"))["latest"] or 0
    return latest + 1
