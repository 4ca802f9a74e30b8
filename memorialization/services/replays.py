"""Replays: a delivery is sent again as a new revision, in the order of its record and within all limits.

The marks on the record decide as always: a replay never puts an older value over a newer one. Thousands at once are
`replay_runs`' business; what a replay is, is decided here for both.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from django.core.exceptions import ObjectDoesNotExist
from django.db import transaction
from django.db.models import F, Max, Value
from django.db.models.functions import Least

from crm_integrations.models import User
from crm_integrations.services.audit import record_audit
from memorialization.deliveries.outcome_reasons import DeliveryReason
from memorialization.models import Contact, Delivery
from memorialization.services.delivery_storage import store_deliveries
from memorialization.services.hints import wake_on_commit
from memorialization.services.lanes import make_lanes_due

PRUNED = "pruned"
SETTLED_BY_PUSH = ("result", "reason", "params", "sent", "shown", "planned")
REPLAYABLE = (
    Delivery.State.FAILED,
    Delivery.State.PARTIAL,
    Delivery.State.SKIPPED,
    Delivery.State.DELIVERED,
    Delivery.State.WAITING,
)


class ReplayRefused(Exception):
    """There is nothing to send again; `reason` is one of `refusal_of`, or PRUNED when it is not there any more."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def replay_delivery(
    *, delivery: Delivery, actor: User | None, now: datetime, only: Collection[str] | None = None
) -> Delivery:
    """Send a delivery again: a new revision, or the same one at once when it still waits. Raises ReplayRefused.

    `only`: the CRM fields that are sent again, all of them without it.
    """
    with transaction.atomic():
        contacts = Contact.objects.select_for_update()  # as planners do for revisions
        try:
            contact = contacts.get(pk=delivery.interaction.contact_id)
            delivery.refresh_from_db()
        except ObjectDoesNotExist:  # pruned since it was looked at
            raise ReplayRefused(PRUNED) from None
        if contact.erased_at is not None:
            raise ReplayRefused("erased")
        replayed = (
            _make_due(delivery, now) if delivery.state == Delivery.State.WAITING else _revise(delivery, now, only)
        )
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


def refusal_of(delivery: Delivery, *, unlinks: Sequence[Mapping[str, str]]) -> str:
    """Why it cannot go again, or nothing: sending, erased, no_record, unlinked, nothing_to_write, not_authenticated.

    `unlinks` are its interaction's. The configuration is read only when nothing else speaks against a replay.
    """
    if delivery.state == Delivery.State.WAITING:
        return ""
    if delivery.state not in REPLAYABLE:
        return "sending"
    if delivery.reason == DeliveryReason.ERASED:
        return "erased"
    if not delivery.record_id:
        return "no_record"
    if {"entity_type": delivery.entity_type, "id": delivery.record_id} in unlinks:
        return "unlinked"
    if not any("rendered" in entry and not entry.get("planned", {}).get("result") for entry in delivery.fields):
        return "nothing_to_write"
    return "" if delivery.configuration.authentication_id is not None else "not_authenticated"


def build_replay(delivery: Delivery, *, revision: int, now: datetime, only: Collection[str] | None = None) -> Delivery:
    """The same values once more, not stored yet; what the plan itself left out stays left out."""
    fields = [entry for entry in delivery.fields if only is None or entry["crm_field"] in only]
    return Delivery(
        configuration_id=delivery.configuration_id,
        interaction_id=delivery.interaction_id,
        channel=delivery.channel,
        entity_type=delivery.entity_type,
        record_id=delivery.record_id,
        revision=revision,
        fields=[_as_planned(entry) for entry in fields],
        target_rule=delivery.target_rule,
        segment_ended_at=delivery.segment_ended_at,
        segment_key=delivery.segment_key,
        replay_of_id=delivery.pk,
        next_attempt_at=now,
    )


def _make_due(delivery: Delivery, now: datetime) -> Delivery:
    """Try a waiting delivery now, or when its record has rested; and all that waits for it, since they go in order."""
    assert delivery.lane_id is not None
    # The lane first, as workers do: they wait, nobody deadlocks.
    make_lanes_due(lane_ids=[delivery.lane_id], due_at=now)
    waiting = Delivery.objects.filter(lane=delivery.lane_id, state=Delivery.State.WAITING)
    if not waiting.filter(pk=delivery.pk).exists():
        raise ReplayRefused("sending")
    waiting.update(next_attempt_at=Least(F("next_attempt_at"), Value(now)))
    return delivery


def _revise(delivery: Delivery, now: datetime, only: Collection[str] | None) -> Delivery:
    """A new revision with the same values."""
    reason = refusal_of(delivery, unlinks=delivery.interaction.unlinks)
    if reason:
        raise ReplayRefused(reason)
    replay = build_replay(delivery, revision=_next_revision(delivery), now=now, only=only)
    authentication = delivery.configuration.authentication
    assert authentication is not None  # `refusal_of` has looked
    account_id = delivery.lane.account_id if delivery.lane is not None else authentication.account_id
    store_deliveries(deliveries=[replay], account_id=account_id, now=now)
    return replay


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
