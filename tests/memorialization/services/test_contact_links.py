"""The core's view of links: records of a contact, also before an interaction of it is known."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection

from crm_integrations.contact_links import RecordReference, contact_links
from crm_integrations.models import Configuration
from crm_integrations.row_sql import as_time, as_uuid, read_values
from memorialization.models import Contact, Interaction, InteractionEvent
from memorialization.services.contact_links import CONTACT_QUERY, EventLinks, LinkRefused
from memorialization.services.intake import accept_events
from tests.engine import take_in
from tests.factories import make_configuration
from tests.memorialization.event_payloads import digital, link, voice

NOW = datetime(2026, 11, 22, 15, 0, tzinfo=UTC)
CONTACT = "415203958123"
TICKET = RecordReference("ticket", "35436")
USER = RecordReference("user", "7")
pytestmark = pytest.mark.django_db


def linked(configuration: Configuration, contact_id: str = CONTACT) -> list[RecordReference]:
    return list(EventLinks().read_contact(configuration=configuration, contact_id=contact_id, now=NOW).linked)


def put(configuration: Configuration, record: RecordReference = TICKET, after_s: float = 0, **keys: str) -> None:
    now = NOW + timedelta(seconds=after_s)
    EventLinks().link(
        configuration=configuration,
        contact_id=keys.pop("contact_id", CONTACT),
        record=record,
        origin="workflow",
        now=now,
        **keys,
    )


def take(configuration: Configuration, record: RecordReference = TICKET, after_s: float = 1) -> None:
    now = NOW + timedelta(seconds=after_s)
    EventLinks().unlink(configuration=configuration, contact_id=CONTACT, record=record, origin="person", now=now)


def test_the_keeper_is_registered_with_the_core():
    assert isinstance(contact_links(), EventLinks)


def test_a_record_can_be_linked_before_anything_was_heard_of_the_contact():
    configuration = make_configuration()
    put(configuration)
    put(configuration, USER, after_s=1)
    assert linked(configuration) == [TICKET, USER] and not Interaction.objects.exists()
    take(configuration, after_s=2)
    assert linked(configuration) == [USER]


def test_what_was_linked_before_belongs_to_the_first_segment_that_comes():
    configuration = make_configuration()
    put(configuration)
    take_in(configuration, voice("started", "15:00:10"), now=NOW + timedelta(seconds=10))
    assert Interaction.objects.get().links == [{"entity_type": "ticket", "id": "35436"}]
    assert linked(configuration) == [TICKET]


def test_links_are_those_of_the_latest_segment():
    configuration = make_configuration()
    events = [
        digital("started", "14:00:00", agent="A"),
        digital("transferred", "14:10:00", agent="A", records=[{"entityType": "ticket", "id": "1"}]),
        digital("started", "14:20:00", agent="B"),
    ]
    take_in(configuration, *events, now=NOW)
    assert linked(configuration, "507345195372") == []
    put(configuration, contact_id="507345195372")
    assert linked(configuration, "507345195372") == [TICKET]


def test_waiting_events_are_folded_before_links_are_read_or_changed():
    configuration = make_configuration()
    accept_events(configuration=configuration, payloads=[voice("started"), link("15:00:01")], received_at=NOW)
    assert linked(configuration) == [TICKET]
    take(configuration)
    assert linked(configuration) == []


def test_with_an_event_id_a_link_is_made_once():
    configuration = make_configuration()
    put(configuration, event_id="creation-1")
    take(configuration)
    put(configuration, after_s=5, event_id="creation-1")
    assert linked(configuration) == []
    assert InteractionEvent.objects.filter(type="records.linked", origin="workflow").count() == 1


def test_unlinking_from_a_contact_that_nobody_heard_of_leaves_no_trace():
    configuration = make_configuration()
    take(configuration)
    assert linked(configuration) == [] and not Contact.objects.exists()


def test_a_record_without_a_usable_name_is_refused_with_the_reason():
    with pytest.raises(LinkRefused, match=r"\S"):
        put(make_configuration(), RecordReference("ticket", ""))


def test_a_contact_is_live_from_its_start_to_its_end():
    configuration = make_configuration()

    def is_live():
        return EventLinks().read_contact(configuration=configuration, contact_id=CONTACT, now=NOW).is_live

    assert not is_live()
    put(configuration)
    assert not is_live()
    take_in(configuration, voice("started", "15:00:10"), now=NOW)
    assert is_live()
    take_in(configuration, voice("ended", "15:02:00"), now=NOW)
    assert not is_live()


def test_a_look_at_a_contact_is_one_statement_also_before_it_has_a_segment(django_assert_num_queries):
    configuration = make_configuration()
    with django_assert_num_queries(1):
        assert linked(configuration) == []
    put(configuration)
    with django_assert_num_queries(1):
        assert linked(configuration) == [TICKET]
    take_in(configuration, voice("started", "15:00:10"), now=NOW)
    with django_assert_num_queries(1):
        assert linked(configuration) == [TICKET]


def test_contacts_of_other_configurations_are_not_looked_at():
    configuration, other = make_configuration(), make_configuration()
    put(configuration)
    take_in(configuration, voice("started", "15:00:10"), now=NOW)
    accept_events(configuration=configuration, payloads=[link("15:00:20", record="9")], received_at=NOW)
    reading = EventLinks().read_contact(configuration=other, contact_id=CONTACT, now=NOW)
    assert (reading.linked, reading.is_live) == ((), False)


def test_a_look_at_a_contact_reads_no_whole_table():
    configuration = make_configuration()
    contacts = Contact.objects.bulk_create(
        Contact(configuration=configuration, contact_id=str(number)) for number in range(2000)
    )
    Interaction.objects.bulk_create(
        Interaction(configuration=configuration, contact=contact, channel="voice", started_at=NOW)
        for contact in contacts[1:]
    )
    moments = {"occurred_at": NOW, "ordered_at": NOW, "received_at": NOW}
    InteractionEvent.objects.bulk_create(
        InteractionEvent(configuration=configuration, contact=contact, event_id=contact.contact_id, body={}, **moments)
        for contact in contacts
    )
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    pk = as_uuid(configuration.pk)
    way = "QUERY PLAN " if connection.vendor == "sqlite" else ""
    for contact in contacts[:2]:
        parameters = [pk, contact.contact_id, as_time(NOW), pk, contact.contact_id]
        plan = " ".join(str(line[-1]) for line in read_values(f"EXPLAIN {way}{CONTACT_QUERY}", parameters))
        of_tables = plan.replace("SCAN CONSTANT ROW", "").replace("SCAN always", "")
        assert "Seq Scan" not in of_tables and "SCAN" not in of_tables, plan
