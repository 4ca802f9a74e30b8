"""What became of a test event, as far as is known."""

from dataclasses import dataclass

from crm_integrations.models import Configuration
from memorialization.models import Delivery, Interaction, InteractionEvent
from memorialization.selectors.ledger_deliveries import DeliveryRow, delivery_rows, readable_deliveries
from memorialization.selectors.ledger_details import is_unfinished
from memorialization.selectors.ledger_interactions import InteractionRow, interaction_rows, readable_interactions

DELIVERIES_SHOWN = 20


@dataclass(frozen=True, slots=True)
class SampleOutcome:
    """Where the test event of a contact stands. `row` is None until it was folded into an interaction."""

    contact_id: str
    row: InteractionRow | None
    deliveries: list[DeliveryRow]
    is_over: bool


def sample_outcome(configuration: Configuration, contact_id: str) -> SampleOutcome | None:
    """The outcome; None when the configuration knows no such event."""
    known = Interaction.objects.filter(configuration=configuration, contact__contact_id=contact_id)
    interaction = readable_interactions(known).order_by("-pk").first()
    if interaction is None:
        is_stored = InteractionEvent.objects.filter(
            configuration=configuration, event_id__startswith=contact_id
        ).exists()
        return SampleOutcome(contact_id, None, [], is_over=False) if is_stored else None
    deliveries = readable_deliveries(Delivery.objects.filter(interaction=interaction)).order_by("pk")
    rows = delivery_rows(deliveries[:DELIVERIES_SHOWN])
    is_over = not is_unfinished(interaction, [row.delivery for row in rows])
    return SampleOutcome(contact_id, interaction_rows([interaction])[0], rows, is_over)
