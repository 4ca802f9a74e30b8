"""Interactions as the ledger lists them, in a constant number of queries."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from uuid import UUID

from django.db.models import QuerySet
from django.http import Http404
from django.utils.functional import Promise

from crm_integrations.models import Configuration
from memorialization.models import Delivery, Interaction
from memorialization.rules import RULES
from memorialization.selectors.ledger_fields import value_text
from memorialization.selectors.ledger_records import with_configurations
from memorialization.selectors.ledger_states import DELIVERY_STATES, shown_state

STATE_COLUMNS = (  # what a delivery's shown state is made of
    "interaction",
    "state",
    "lane__account",
    "configuration__state",
    "configuration__authentication__state",
    "configuration__authentication__account",
)


@dataclass(frozen=True, slots=True)
class StateCount:
    """How many deliveries of an interaction are in one state."""

    state: str
    label: str | Promise
    count: int


@dataclass(frozen=True, slots=True)
class InteractionRow:
    """One line of the list."""

    interaction: Interaction
    agent: str
    rule: str | Promise
    deliveries: list[StateCount]


def readable_interactions(interactions: QuerySet[Interaction]) -> QuerySet[Interaction]:
    """With everything a line shows."""
    return with_configurations(interactions.select_related("contact"))


def interaction_or_404(pk: int) -> Interaction:
    """The interaction, unless its configuration is deleted."""
    present = Interaction.objects.exclude(configuration__state=Configuration.State.DELETED)
    interaction = readable_interactions(present).filter(pk=pk).first()
    if interaction is None:
        raise Http404
    return interaction


def interaction_rows(interactions: Iterable[Interaction]) -> list[InteractionRow]:
    """The lines of these interactions, in their order."""
    interactions = list(interactions)
    counts = _delivery_counts([interaction.pk for interaction in interactions])
    return [
        InteractionRow(
            interaction,
            agent_name(interaction),
            RULES.get(interaction.verdict_rule, ""),
            [StateCount(state, label, counts[interaction.pk, state]) for state, label in DELIVERY_STATES.items()
             if counts[interaction.pk, state]],
        )
        for interaction in interactions
    ]  # fmt: skip


def newest_interactions(configuration_id: UUID, *, limit: int) -> list[InteractionRow]:
    """The newest of one configuration."""
    rows = readable_interactions(Interaction.objects.filter(configuration=configuration_id))
    return interaction_rows(rows.order_by("-pk")[:limit])


def agent_name(interaction: Interaction) -> str:
    """The agent's name when a source told it, else the id."""
    named = interaction.values.get("agentName")
    return value_text(named["value"]) if named else interaction.agent_id


def _delivery_counts(interaction_ids: Sequence[int]) -> Counter[tuple[int, str]]:
    """Deliveries by interaction and shown state."""
    found = Delivery.objects.filter(interaction__in=interaction_ids)
    rows = found.select_related("lane", "configuration__authentication").only(*STATE_COLUMNS)
    return Counter((delivery.interaction_id, shown_state(delivery)) for delivery in rows)
