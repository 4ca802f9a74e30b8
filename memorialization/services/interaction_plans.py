"""Planning: what is due becomes deliveries, and what arrives later becomes further revisions of them.

Runs in the caller's transaction, with the interactions' contacts locked. Everything is worked out first and then
stored with few statements, so that a hundred interactions cost little more than one. The rules: semantics §3.12,
§4.13–16, §5.17.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from crm_integrations.models import Configuration
from crm_integrations.new_rows import new_row
from memorialization.deliveries.outcome_reasons import DeliveryReason
from memorialization.deliveries.plan import (
    Entry,
    InteractionValues,
    Rows,
    build_entries,
    changed_entries,
    is_sent,
    ranked_above,
)
from memorialization.events.schema import RecordLink
from memorialization.models import Delivery, Interaction
from memorialization.services.delivery_storage import lock_lanes_of, resolve_skipped, skip_unsent, store_deliveries
from memorialization.services.frozen_mappings import FrozenMappings
from memorialization.services.frozen_targets import current_targets, read_links, read_targeting, settle_targets
from memorialization.targeting import LINKED, Target

State = Interaction.State
PLAN_COLUMNS = ("state", "flags", "planned_at", "planned_versions", "targets", "match_due_at")
NO_MAPPING_FLAGS = ("no_active_mapping", "no_row_for_channel")


@dataclass(frozen=True, slots=True)
class InteractionPlan:
    """What planning came to. `store` once the interactions themselves are stored."""

    planner: "_Planner | None" = None
    account_id: int = 0

    def store(self) -> None:
        """Write everything down."""
        if self.planner is not None:
            self.planner.store(self.account_id)


@dataclass(frozen=True, slots=True)
class PlanSubject:
    """An interaction to plan: when it fell due (None: now), and whether a record is linked that was unlinked before."""

    interaction: Interaction
    fell_due_at: datetime | None = None
    is_linked_again: bool = False


def plan_interactions(
    *, configuration: Configuration, subjects: Sequence[PlanSubject], now: datetime
) -> InteractionPlan:
    """Plan what is due and what is new of interactions planned before.

    Changes PLAN_COLUMNS of the interactions, which the caller saves before it stores the plan; new ones need no id
    until then. Without an account nothing is planned; the interactions stay due.
    """
    concerned = [each for each in subjects if each.interaction.state in {State.DUE, State.PLANNED}]
    if configuration.authentication is None or not concerned:
        return InteractionPlan()
    planner = _Planner(configuration, concerned, now)
    for subject in concerned:
        planner.plan(subject.interaction, subject.fell_due_at)
    return InteractionPlan(planner, configuration.authentication.account_id)


class _Planner:
    """Works out the deliveries of some interactions of one configuration."""

    def __init__(self, configuration: Configuration, subjects: Sequence[PlanSubject], now: datetime) -> None:
        self.configuration = configuration
        self.now = now
        self.time_zone = ZoneInfo(configuration.time_zone)
        self.settings = read_targeting(configuration)
        self.mappings = FrozenMappings(configuration)
        self.earlier = _read_deliveries(subjects)
        self.planned: list[Delivery] = []
        self.unwanted: list[Delivery] = []
        self.resolved: list[Delivery] = []

    def plan(self, interaction: Interaction, fell_due_at: datetime | None) -> None:
        """Freeze the mappings at the first plan, then plan every record of every type they name."""
        is_first = interaction.state == State.DUE
        rows = self._freeze(interaction, fell_due_at if is_first else None)
        if is_first:
            interaction.state, interaction.planned_at = State.PLANNED, self.now
        entries = {entity_type: build_entries(found, self._values(interaction)) for entity_type, found in rows.items()}
        for entity_type, target in self._targets(interaction, rows).items():
            self._plan_type(interaction, entity_type, entries[entity_type], target)
        unlinks = read_links(interaction.unlinks)
        self.unwanted += [
            delivery
            for delivery in self.earlier[interaction.pk]
            if RecordLink(delivery.entity_type, delivery.record_id) in unlinks
        ]

    def store(self, account_id: int) -> None:
        """Write everything down."""
        for delivery in self.planned:
            delivery.interaction_id = delivery.interaction.pk  # of a new one it is known only now
        store_deliveries(deliveries=self.planned, account_id=account_id, now=self.now, unwanted=self.unwanted)
        skip_unsent(deliveries=self.unwanted, reason=DeliveryReason.UNLINKED, now=self.now)
        resolve_skipped(deliveries=self.resolved)

    def _freeze(self, interaction: Interaction, at: datetime | None) -> Rows:
        """The rows of the frozen versions; as long as there was no mapping, nothing is frozen."""
        if not interaction.planned_versions:
            interaction.planned_versions = list(self.mappings.active_ids(at=at))
        rows = self.mappings.rows(interaction.planned_versions, channel=interaction.channel)
        flags = [flag for flag in interaction.flags if flag not in NO_MAPPING_FLAGS]
        if not interaction.planned_versions:
            flags.append("no_active_mapping")
        elif not rows:
            flags.append("no_row_for_channel")
        interaction.flags = flags
        return rows

    def _values(self, interaction: Interaction) -> InteractionValues:
        withheld = frozenset(interaction.withheld)
        return InteractionValues(interaction.values, interaction.script_variables, withheld, self.time_zone)

    def _targets(self, interaction: Interaction, rows: Rows) -> dict[str, Target]:
        """The records of every type that is settled; for the others matching is due, and no network is used here."""
        is_open = settle_targets(interaction, rows, self.settings)
        if is_open and interaction.match_due_at is None:
            interaction.match_due_at = self.now
        return current_targets(interaction, rows, self.settings)

    def _plan_type(self, interaction: Interaction, entity_type: str, entries: list[Entry], target: Target) -> None:
        earlier = [each for each in self.earlier[interaction.pk] if each.entity_type == entity_type]
        recordless = [each for each in earlier if not each.record_id]
        if not target.ids:
            if not earlier:
                self._add(interaction, entity_type, "", entries, 1, target)
            return
        for record_id in target.ids:
            self._plan_record(interaction, entity_type, record_id, entries, target)
        self.resolved += [each for each in recordless if each.reason != "resolved_by_link"]

    def _plan_record(
        self, interaction: Interaction, entity_type: str, record_id: str, entries: list[Entry], target: Target
    ) -> None:
        """A full delivery for a record that has none, a revision with what changed for one that has."""
        earlier = [
            each
            for each in self.earlier[interaction.pk]
            if (each.entity_type, each.record_id) == (entity_type, record_id)
        ]
        revision = max((each.revision for each in earlier), default=0) + 1
        counting = [each for each in earlier if each.reason != DeliveryReason.UNLINKED and each.replay_of_id is None]
        if counting:
            entries = changed_entries(entries, [each.fields for each in counting])
        if entries:
            entries = ranked_above(entries, [each.fields for each in earlier])
            self._add(interaction, entity_type, record_id, entries, revision, target)

    def _add(
        self,
        interaction: Interaction,
        entity_type: str,
        record_id: str,
        entries: list[Entry],
        revision: int,
        target: Target,
    ) -> None:
        delivery = new_row(
            Delivery,
            configuration=self.configuration,
            interaction=interaction,
            channel=interaction.channel,
            entity_type=entity_type,
            record_id=record_id,
            revision=revision,
            fields=entries,
            target_rule=self._rule_of(interaction, RecordLink(entity_type, record_id), target),
            **self._precedence(interaction),
        )
        if record_id and is_sent(entries):
            delivery.state, delivery.next_attempt_at = Delivery.State.WAITING, self.now
        else:
            reason = "nothing_to_write" if record_id else target.reason
            params = {} if record_id else dict(target.params)
            delivery.state, delivery.reason, delivery.reason_params = Delivery.State.SKIPPED, reason, params
            delivery.finished_at = self.now
        self.planned.append(delivery)

    def _precedence(self, interaction: Interaction) -> dict[str, Any]:
        """The segment's end and key. An end or name that becomes known late must not put it behind itself."""
        earlier = self.earlier[interaction.pk]
        ends = [*([interaction.ended_at] if interaction.ended_at else []), *(each.segment_ended_at for each in earlier)]
        ended_at = max(ends) if ends else _last_heard(interaction) or interaction.due_at or self.now
        key = f"{interaction.channel}:{interaction.contact.contact_id}:{interaction.segment_id}"
        return {
            "segment_ended_at": ended_at,
            "segment_key": earlier[0].segment_key if earlier else key,
        }

    def _rule_of(self, interaction: Interaction, record: RecordLink, target: Target) -> str:
        """The rule that named the record: what was linked later was found by its link."""
        is_linked = self.settings.uses_linked_records and record in read_links(interaction.links)
        return LINKED if is_linked else target.rule


def _last_heard(interaction: Interaction) -> datetime | None:
    """When anything happened in it last: the end of a segment whose end nobody reported, whenever it is planned."""
    stored = [*interaction.values.values(), *interaction.script_variables.values()]
    return max((datetime.fromisoformat(each["occurred_at"]) for each in stored), default=None)


def _read_deliveries(subjects: Sequence[PlanSubject]) -> Mapping[int, list[Delivery]]:
    """The deliveries that interactions planned before have, oldest first.

    Of a record that is linked again the lane comes first: a worker that comes back with a delivery skips it as long as
    it is unlinked, so what is read before could be owed by nobody then. The lanes of the others are locked with it:
    later they would be out of order.
    """
    found: dict[int, list[Delivery]] = defaultdict(list)
    planned = [each.interaction.pk for each in subjects if each.interaction.state == State.PLANNED]
    if planned:
        if any(each.is_linked_again for each in subjects):
            lock_lanes_of(interaction_ids=planned)
        for delivery in Delivery.objects.filter(interaction__in=planned).order_by("revision", "pk"):
            found[delivery.interaction_id].append(delivery)
    return found
