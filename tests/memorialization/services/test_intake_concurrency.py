"""Several senders and sweeps at once, each on a connection of its own: everything happens once."""

import random
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection

from memorialization.models import Delivery, Interaction, InteractionEvent, RecordLane
from memorialization.services.event_folding import fold_all_events
from memorialization.services.intake import accept_events
from memorialization.services.planning import plan_due_interactions
from tests.engine import take_in
from tests.factories import make_configuration, make_mapping
from tests.memorialization.event_payloads import voice

NOW = datetime(2026, 11, 22, 16, 0, tzinfo=UTC)
SENDERS = 4
pytestmark = pytest.mark.django_db(transaction=True)


def at_once(work, count=SENDERS):
    """Run `work(number)` in threads that start together, and close their connections."""

    def run(number):
        try:
            return work(number)
        finally:
            connection.close()

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(run, range(count)))


@pytest.fixture
def configuration():
    found = make_configuration()
    make_mapping(found, {"ticket": [("subject", "voice", "skillName")]})
    return found


def test_the_same_arrays_from_several_senders_are_accepted_once_in_whatever_order(configuration):
    events = [
        voice(contactId=str(number % 5), fields={"skillName": "S"}, records=[{"entityType": "ticket", "id": "1"}])
        for number in range(20)
    ]

    def send(number):
        shuffled = list(events)
        random.Random(number).shuffle(shuffled)
        return accept_events(configuration=configuration, payloads=shuffled, received_at=NOW)

    results = at_once(send)
    at_once(lambda _number: fold_all_events(clock=lambda: NOW, most_s=60))
    accepted = Counter(event_id for result in results for event_id in result.accepted)
    duplicates = Counter(event_id for result in results for event_id in result.duplicates)
    assert set(accepted.values()) == {1} and len(accepted) == InteractionEvent.objects.count() == 20
    assert sum(duplicates.values()) == 20 * (SENDERS - 1)
    assert Interaction.objects.count() == Delivery.objects.count() == 5 and RecordLane.objects.count() == 1


def test_one_id_with_different_bodies_from_several_senders_is_accepted_once(configuration):
    def send(number):
        event = {**voice(contactId=f"contact {number}"), "eventId": "same"}
        return accept_events(configuration=configuration, payloads=[event], received_at=NOW)

    results = at_once(send)
    assert sum(len(result.accepted) for result in results) == 1
    assert sum(len(result.rejected) for result in results) == SENDERS - 1


def test_several_sweeps_at_once_plan_each_interaction_once(configuration):
    events = [
        voice(
            contactId=str(number),
            acwConfigured=True,
            fields={"skillName": "S"},
            records=[{"entityType": "ticket", "id": str(number)}],
        )
        for number in range(10)
    ]
    take_in(configuration, *events, now=NOW - timedelta(minutes=30))
    configuration.memorializationmappings.get().versions.update(created_at=NOW - timedelta(days=1))
    planned = at_once(lambda _number: plan_due_interactions(now=NOW, limit=100))
    assert sum(planned) == Delivery.objects.count() == 10
