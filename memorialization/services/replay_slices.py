"""A slice of a replay run: some hundred deliveries queued again with few statements, whatever their number.

Runs in the caller's transaction. Contacts are locked before lanes, and lanes before deliveries, each in the order of
their ids, as planners and workers do.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import F, Max, Min, OuterRef, Subquery, Value
from django.db.models.functions import Least

from crm_integrations.row_inserts import insert_rows
from memorialization.deliveries.outcome_reasons import DeliveryReason
from memorialization.models import Contact, Delivery, Interaction, RecordLane, ReplayRun, ReplayStep
from memorialization.selectors.ledger_slices import Branches, find_ids
from memorialization.services.delivery_storage import store_deliveries
from memorialization.services.hints import wake_on_commit
from memorialization.services.lanes import make_lanes_due
from memorialization.services.replay_choices import has_replay
from memorialization.services.replays import build_replay, refusal_of
from memorialization.services.working_configurations import working_configurations

State = Delivery.State
RecordKey = tuple[int, str, str]  # interaction, entity type, record: what revisions are counted in


@dataclass(frozen=True, slots=True)
class SliceMember:
    """A delivery as it was found, with what has to be locked before it is looked at."""

    pk: int
    contact_id: int
    lane_id: int | None


def find_members(branches: Branches[Delivery], *, after: int, limit: int) -> list[SliceMember]:
    """The next deliveries by id."""
    found = Delivery.objects.filter(pk__in=find_ids(branches, after=after, limit=limit)).order_by("pk")
    return [SliceMember(*row) for row in found.values_list("pk", "interaction__contact_id", "lane_id")]


def replay_slice(*, run: ReplayRun, members: Sequence[SliceMember], now: datetime) -> list[ReplayStep]:
    """Queue these again and note what became of each."""
    accounts = _lock(members)
    deliveries = _read(members)
    unlinks = _read_unlinks(deliveries)
    refused = {each.pk: why for each in deliveries if (why := _refusal(each, unlinks.get(each.interaction_id, ())))}
    accepted = [each for each in deliveries if each.pk not in refused]
    waiting = [each for each in accepted if each.state == State.WAITING]
    replays = _store_replays([each for each in accepted if each.state != State.WAITING], accounts, now)
    _bring_forward(waiting, accounts, now)
    queued = {each.replay_of_id: each.pk for each in replays} | {each.pk: each.pk for each in waiting}
    steps = [
        ReplayStep(run_id=run.pk, delivery_id=each.pk, replay_id=queued.get(each.pk), refused=refused.get(each.pk, ""))
        for each in deliveries
    ]
    insert_rows(steps)
    return steps


def take_back_slice(*, steps: Sequence[ReplayStep], now: datetime) -> int:
    """Skip what these steps queued and nobody has sent; how many. What was brought forward only is left as it is."""
    queued = Delivery.objects.filter(pk__in=[step.replay_id for step in steps], lane__isnull=False)
    lane_ids = sorted(set(queued.values_list("lane_id", flat=True)))  # one that is being sent may wait by then
    unsent = queued.filter(state=State.WAITING, must_look_first=False)
    lanes = RecordLane.objects.filter(pk__in=lane_ids)
    list(lanes.select_for_update().order_by("pk").values_list("pk"))
    count = unsent.update(
        state=State.SKIPPED, reason=DeliveryReason.TAKEN_BACK, reason_params={}, next_attempt_at=None, finished_at=now
    )
    first = Delivery.objects.filter(lane=OuterRef("pk"), state=State.WAITING).order_by().values("lane")
    lanes.update(next_due_at=Subquery(first.annotate(first=Min("next_attempt_at")).values("first")))
    return count


def _lock(members: Sequence[SliceMember]) -> dict[int, int]:
    """Lock their contacts and lanes; the account of each lane."""
    contact_ids = {each.contact_id for each in members}
    list(Contact.objects.select_for_update().filter(pk__in=contact_ids).order_by("pk").values_list("pk"))
    lane_ids = {each.lane_id for each in members if each.lane_id is not None}
    lanes = RecordLane.objects.select_for_update().filter(pk__in=lane_ids).order_by("pk")
    return dict(lanes.values_list("pk", "account_id"))


def _read(members: Sequence[SliceMember]) -> list[Delivery]:
    """The deliveries as they are now that nobody can change them, in order of precedence.

    Joins would make an object of each row's configuration, and most rows share one.
    """
    rows = Delivery.objects.filter(pk__in=[each.pk for each in members])
    rows = rows.annotate(was_replayed=has_replay(), erased_at=F("interaction__contact__erased_at"))
    deliveries: list[Delivery] = list(rows.order_by("segment_ended_at", "segment_key", "revision", "pk"))
    configurations = working_configurations().in_bulk({each.configuration_id for each in deliveries})
    for delivery in deliveries:
        delivery.configuration = configurations[delivery.configuration_id]
    return deliveries


def _read_unlinks(deliveries: Sequence[Delivery]) -> dict[int, list[dict[str, str]]]:
    """The records that people untied from these interactions; of most there are none."""
    interactions = Interaction.objects.filter(pk__in={each.interaction_id for each in deliveries})
    return dict(interactions.exclude(unlinks=[]).values_list("pk", "unlinks"))


def _refusal(delivery: Delivery, unlinks: Sequence[Mapping[str, str]]) -> str:
    was_replayed: bool = delivery.was_replayed  # type: ignore[attr-defined]
    if was_replayed and delivery.state != State.WAITING:
        return "replayed"
    is_erased: bool = delivery.erased_at is not None  # type: ignore[attr-defined]
    return "erased" if is_erased else refusal_of(delivery, unlinks=unlinks)


def _store_replays(deliveries: Sequence[Delivery], accounts: Mapping[int, int], now: datetime) -> list[Delivery]:
    """A new revision of each, in the lane that is locked already; one that never had a lane enters one."""
    revisions = _latest_revisions(deliveries)
    replays, laneless = [], defaultdict(list)
    for delivery in deliveries:
        key = delivery.interaction_id, delivery.entity_type, delivery.record_id
        revisions[key] += 1
        replay = build_replay(delivery, revision=revisions[key], now=now)
        replay.lane_id = delivery.lane_id
        replays.append(replay)
        if delivery.lane_id is None:
            laneless[_account_of(delivery)].append(replay)
    for account_id, without_lane in sorted(laneless.items()):
        store_deliveries(deliveries=without_lane, account_id=account_id, now=now)
        wake_on_commit(account_id=account_id)
    with_lane = [replay for replay in replays if replay.pk is None]
    insert_rows(with_lane)
    _wake_lanes({replay.lane_id for replay in with_lane if replay.lane_id is not None}, accounts, now)
    return replays


def _account_of(delivery: Delivery) -> int:
    authentication = delivery.configuration.authentication
    assert authentication is not None  # `refusal_of` has looked
    return authentication.account_id


def _latest_revisions(deliveries: Sequence[Delivery]) -> dict[RecordKey, int]:
    interactions = {each.interaction_id for each in deliveries}
    rows = Delivery.objects.filter(interaction__in=interactions).order_by()
    found = rows.values_list("interaction", "entity_type", "record_id").annotate(latest=Max("revision"))
    return {(interaction, entity_type, record): latest for interaction, entity_type, record, latest in found}


def _bring_forward(waiting: Sequence[Delivery], accounts: Mapping[int, int], now: datetime) -> None:
    """Have what waits tried now."""
    if waiting:
        present = Delivery.objects.filter(pk__in=[each.pk for each in waiting], state=State.WAITING)
        present.update(next_attempt_at=Least(F("next_attempt_at"), Value(now)))
        _wake_lanes({each.lane_id for each in waiting if each.lane_id is not None}, accounts, now)


def _wake_lanes(lane_ids: set[int], accounts: Mapping[int, int], now: datetime) -> None:
    """Make lanes due that this transaction has locked."""
    make_lanes_due(lane_ids=lane_ids, due_at=now)
    for account_id in sorted({accounts[lane_id] for lane_id in lane_ids}):
        wake_on_commit(account_id=account_id)
