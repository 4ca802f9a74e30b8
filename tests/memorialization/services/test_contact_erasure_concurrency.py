"""Erasing beside folders and workers, each on a connection of its own: no text slips through, and nobody deadlocks."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import connection, transaction

from memorialization.models import BulkWrite, Contact, Delivery, Interaction, InteractionEvent, MappingVersion
from memorialization.services.contact_erasure import erase_contact
from memorialization.services.due_work import BULK_FROM
from memorialization.services.event_folding import fold_all_events
from memorialization.services.intake import accept_events
from tests.engine import (
    LONG_S,
    NOW,
    FakeClock,
    account_of,
    make_delivery,
    push_all,
    take_in,
    wait_for_somebody_who_waits_for_us,
)
from tests.factories import make_configuration, make_mapping
from tests.memorialization.event_payloads import voice

COUNT = 20
TEXT = "Jeanne"
pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("memory_crm")]


def call(number, type_="ended"):
    record = {"entityType": "ticket", "id": str(number % 5)}
    fields = {"customerName": f"{TEXT} {number}"}
    return voice(type_, "2026-01-15T15:00:00Z", contactId=str(number), fields=fields, records=[record])


@pytest.fixture
def configuration():
    found = make_configuration()
    make_mapping(found, {"ticket": [("subject", "voice", "customerName")]})
    MappingVersion.objects.update(created_at=NOW - timedelta(days=1))
    return found


def at_once(*works):
    def run(work):
        try:
            return work()
        finally:
            connection.close()

    with ThreadPoolExecutor(len(works)) as pool:
        return list(pool.map(run, works))


def test_whoever_is_first_no_text_is_left_and_nothing_waits(configuration):
    take_in(configuration, *[call(number) for number in range(0, COUNT, 2)])
    late = [call(number, "updated") for number in range(COUNT)] + [call(number) for number in range(1, COUNT, 2)]

    def report():
        for event in late:
            accept_events(configuration=configuration, payloads=[event], received_at=NOW)
            fold_all_events(clock=lambda: NOW, most_s=LONG_S)

    def push():
        for _turn in range(5):
            push_all(configuration, FakeClock())

    def erase(is_reversed=False):
        keys = [(configuration.pk, str(number)) for number in range(COUNT)]
        return [erase_contact(key, now=NOW) for key in (reversed(keys) if is_reversed else keys)]

    at_once(erase, lambda: erase(is_reversed=True), report, push)
    fold_all_events(clock=lambda: NOW, most_s=LONG_S)
    again = erase()  # as the command says when something was still being sent
    assert not sum(each["under_way"] for each in again)
    assert InteractionEvent.objects.count() == len(late) + COUNT // 2
    assert Contact.objects.filter(erased_at__isnull=False).count() == COUNT
    for model in (InteractionEvent, Interaction, Delivery):
        assert not [row for row in model.objects.values() if TEXT in str(row)]
    assert not Delivery.objects.filter(state__in=["waiting", "sending"]).exists()


def test_two_erasures_at_once_leave_no_words_about_the_records_of_one_bulk_write(configuration):
    clock = FakeClock()
    refused = {("ticket", number): ("RecordInvalid", f"{TEXT} {number}") for number in ("1", "2")}
    account_of(configuration).refused_in_bulk = refused
    made = [make_delivery(configuration, record_id=str(number)) for number in range(BULK_FROM)]
    for _turn in range(4):
        push_all(configuration, clock)
        clock.move(seconds=30)
    bulk = BulkWrite.objects.get()
    assert (bulk.state, set(bulk.refusals)) == ("concluded", {"1", "2"})
    first, second = ((configuration.pk, made[number].interaction.contact.contact_id) for number in (1, 2))

    def erase_other():
        erase_contact(second, now=NOW)
        connection.close()

    other = threading.Thread(target=erase_other)
    with transaction.atomic():
        erase_contact(first, now=NOW)
        other.start()
        wait_for_somebody_who_waits_for_us()
    other.join()
    bulk.refresh_from_db()
    assert bulk.refusals == {"1": ["RecordInvalid", ""], "2": ["RecordInvalid", ""]}
