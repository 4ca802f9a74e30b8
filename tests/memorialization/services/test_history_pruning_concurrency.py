"""Pruning beside everything else, each on a connection of its own: nothing that arrives meanwhile is lost."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import connection

from memorialization.models import Contact, Delivery, Interaction, InteractionEvent, MappingVersion
from memorialization.services import history_pruning
from memorialization.services.history_pruning import prune_history
from tests.engine import NOW, FakeClock, push_all, take_in
from tests.factories import make_configuration, make_mapping
from tests.memorialization.event_payloads import voice

COUNT = 30
LATER = NOW + timedelta(days=40)
BEFORE = LATER - timedelta(days=30)
AT = "2026-01-15T15:00:00Z"
pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("memory_crm")]


def call(number, type_="ended", **fields):
    record = {"entityType": "ticket", "id": str(number % 7)}
    return voice(type_, AT, contactId=str(number), fields={"skillName": "S", **fields}, records=[record])


@pytest.fixture
def configuration(monkeypatch):
    monkeypatch.setattr(history_pruning, "CONTACTS_PER_TRANSACTION", 3)
    found = make_configuration()
    make_mapping(found, {"ticket": [("subject", "voice", "skillName")]})
    MappingVersion.objects.update(created_at=NOW - timedelta(days=1))
    take_in(found, *[call(number) for number in range(COUNT)])
    push_all(found, FakeClock())
    for model in (Contact, Interaction, Delivery):
        model.objects.update(created_at=NOW)
    return found


def at_once(*works):
    def run(work):
        try:
            return work()
        finally:
            connection.close()

    with ThreadPoolExecutor(len(works)) as pool:
        return list(pool.map(run, works))


def prune():
    return sum(step["contacts"] for step in prune_history(before=BEFORE))


def test_two_at_once_delete_everything_once(configuration):
    assert sum(at_once(prune, prune)) <= COUNT
    prune()
    assert not Contact.objects.exists() and not Delivery.objects.exists()


def test_late_events_of_the_same_contacts_are_all_folded_whoever_is_first(configuration):
    late = [call(number, "updated") for number in range(COUNT)]

    def report():
        for event in late:
            take_in(configuration, event, now=LATER)

    at_once(prune, report)
    stored = InteractionEvent.objects.filter(event_id__in=[event["eventId"] for event in late])
    assert stored.count() == COUNT and not stored.filter(contact__isnull=True).exists()
    whole = set(InteractionEvent.objects.filter(type="interaction.ended").values_list("contact_id", flat=True))
    written = set(Delivery.objects.values_list("interaction__contact_id", flat=True))
    assert written == whole  # a contact was deleted with all it had, or not at all
