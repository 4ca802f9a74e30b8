"""Figures of data memorialization."""

from datetime import timedelta

import pytest
from django.utils import timezone

from memorialization.metrics import memorialization_metrics
from memorialization.models import Contact, Interaction, InteractionEvent
from tests.factories import make_configuration

pytestmark = pytest.mark.django_db


@pytest.fixture
def contact():
    return Contact.objects.create(configuration=make_configuration(), contact_id="1")


def samples():
    return {
        (sample.name, *sample.labels.values()): sample.value
        for family in memorialization_metrics()
        for sample in family.samples
    }


def add_event(contact, number, received_at):
    return InteractionEvent.objects.create(
        configuration=contact.configuration,
        contact=contact,
        event_id=str(number),
        type="interaction.ended",
        occurred_at=received_at,
        ordered_at=received_at,
        received_at=received_at,
        body={},
        body_hash="0",
    )


def test_every_state_has_a_figure_even_when_it_is_nought():
    figures = samples()
    assert figures[("agent_integrations_deliveries", "failed")] == 0
    assert figures[("agent_integrations_oldest_due_delivery_age_seconds",)] == 0
    assert figures[("agent_integrations_last_event_number",)] == 0


def test_interactions_that_wait_are_counted(contact):
    for segment, state in (("a", "waiting"), ("b", "planned")):
        Interaction.objects.create(
            configuration=contact.configuration, contact=contact, channel="voice", segment_id=segment, state=state
        )
    assert samples()[("agent_integrations_interactions_waiting",)] == 1


def test_only_events_of_the_last_minutes_count_as_recent(contact):
    now = timezone.now()
    add_event(contact, 1, now - timedelta(hours=1))
    newest = add_event(contact, 2, now)
    figures = samples()
    assert figures[("agent_integrations_events_last_5_minutes", "interaction.ended")] == 1
    assert figures[("agent_integrations_last_event_number",)] == newest.pk
