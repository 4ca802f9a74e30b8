"""Deliveries as the ledger lists them, in a constant number of queries."""

from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from django.db.models import QuerySet
from django.http import Http404
from django.utils.functional import Promise

from crm_integrations.models import Configuration
from memorialization.models import Delivery
from memorialization.reasons import ReasonText
from memorialization.selectors.ledger_fields import FieldCount, field_counts, mapping_names
from memorialization.selectors.ledger_records import RecordName, RecordNames, record_names, with_configurations
from memorialization.selectors.ledger_states import DELIVERY_STATES, UNFINISHED, shown_reason, shown_state
from memorialization.services.replays import REPLAYABLE

UNREAD = ("interaction__values", "interaction__script_variables")  # they are long


@dataclass(frozen=True, slots=True)
class DeliveryRow:
    """One line of the list."""

    delivery: Delivery
    state: str
    state_label: str | Promise
    reason: ReasonText
    record: RecordName
    mappings: list[str]
    counts: list[FieldCount]
    is_replayable: bool

    @property
    def is_unfinished(self) -> bool:
        """Whether its state will change by itself."""
        return self.state in UNFINISHED

    @property
    def is_waiting_now(self) -> bool:
        """Whether it still waits, so that a replay is only an earlier try."""
        return self.delivery.state == Delivery.State.WAITING


def readable_deliveries(deliveries: QuerySet[Delivery]) -> QuerySet[Delivery]:
    """With everything a line shows; what many lines share is read once for all of them."""
    rows = deliveries.select_related("interaction__contact", "lane").prefetch_related("lane__account")
    return with_configurations(rows).defer(*UNREAD)


def delivery_or_404(pk: int) -> Delivery:
    """The delivery, unless its configuration is deleted."""
    present = Delivery.objects.exclude(configuration__state=Configuration.State.DELETED)
    delivery = readable_deliveries(present).filter(pk=pk).first()
    if delivery is None:
        raise Http404
    return delivery


def delivery_rows(deliveries: Iterable[Delivery]) -> list[DeliveryRow]:
    """The lines of these deliveries, in their order; they come from `readable_deliveries`."""
    deliveries = list(deliveries)
    names = record_names(deliveries)
    return [delivery_row(delivery, names) for delivery in deliveries]


def delivery_row(delivery: Delivery, names: RecordNames) -> DeliveryRow:
    """One line."""
    state = shown_state(delivery)
    return DeliveryRow(
        delivery=delivery,
        state=state,
        state_label=DELIVERY_STATES[state],
        reason=shown_reason(delivery),
        record=names.name_of(delivery),
        mappings=mapping_names(delivery.fields),
        counts=field_counts(delivery.fields, is_unfinished=state in UNFINISHED),
        is_replayable=is_replayable(delivery),
    )


def is_replayable(delivery: Delivery) -> bool:
    """Whether a replay has something to do (services.replays decides)."""
    has_values = any("rendered" in entry for entry in delivery.fields)
    return delivery.state in REPLAYABLE and bool(delivery.record_id) and has_values


def newest_deliveries(configuration_id: UUID, *, limit: int) -> list[DeliveryRow]:
    """The newest of one configuration."""
    rows = readable_deliveries(Delivery.objects.filter(configuration=configuration_id))
    return delivery_rows(rows.order_by("-pk")[:limit])
