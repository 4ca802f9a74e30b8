"""Taking events in: stored once, folded, judged and planned, all or nothing."""

import itertools
import random
from datetime import UTC, datetime, timedelta

import pytest
from django.db import DatabaseError, connection
from django.test.utils import CaptureQueriesContext

from memorialization.models import Contact, Delivery, Interaction, InteractionEvent
from memorialization.services import intake
from memorialization.services.intake import accept_events
from tests.engine import take_in
from tests.factories import make_configuration, make_mapping
from tests.memorialization.event_payloads import digital, link, voice

NOW = datetime(2026, 11, 22, 16, 0, tzinfo=UTC)
pytestmark = pytest.mark.django_db
ROWS = {
    "ticket": [
        ("subject", "voice", "skillName"),
        ("subject", "digital", "channelName"),
        ("contact_id", "voice", "contactId"),
        ("contact_id", "digital", "contactId"),
    ]
}
TICKET = {"records": [{"entityType": "ticket", "id": "35436"}]}


@pytest.fixture
def configuration():
    found = make_configuration()
    make_mapping(found, ROWS)
    return found


def store(configuration, *payloads):
    """Intake alone."""
    return accept_events(configuration=configuration, payloads=list(payloads), received_at=NOW)


def count_statements(queries):
    """Without those that begin and end transactions."""
    return sum(1 for query in queries if "SAVEPOINT" not in query["sql"])


def accept(configuration, *payloads, now=NOW):
    return take_in(configuration, *payloads, now=now)


def test_an_event_is_accepted_once_and_a_duplicate_afterwards(configuration):
    event = voice(**TICKET)
    assert accept(configuration, event).accepted == (event["eventId"],)
    again = accept(configuration, dict(reversed(event.items())))
    assert (again.accepted, again.duplicates, again.rejected) == ((), (event["eventId"],), ())
    assert InteractionEvent.objects.count() == Delivery.objects.count() == 1


def test_the_same_id_with_another_body_is_rejected_and_the_first_stands(configuration):
    event = voice(fields={"skillName": "first"}, **TICKET)
    accept(configuration, event)
    result = accept(configuration, {**event, "fields": {"skillName": "second"}})
    assert result.rejected[0].errors[0].field == "eventId"
    assert Interaction.objects.get().values["skillName"]["value"] == "first"


def test_the_same_id_for_another_contact_is_rejected_too(configuration):
    event = voice()
    accept(configuration, event)
    assert accept(configuration, {**event, "contactId": "other"}).rejected
    assert not Interaction.objects.filter(contact__contact_id="other").exists()


def test_within_one_array_the_first_of_an_id_stands(configuration):
    event = voice()
    result = accept(configuration, event, event, {**event, "endedBy": "agent"})
    assert (len(result.accepted), len(result.duplicates), [each.index for each in result.rejected]) == (1, 1, [2])


def test_event_ids_are_unique_per_configuration(configuration):
    event = voice()
    other = make_configuration(address="globex")
    assert accept(configuration, event).accepted and accept(other, event).accepted


def test_rejected_ids_are_not_remembered(configuration):
    event = voice()
    assert accept(configuration, {**event, "occurredAt": "now"}).rejected
    assert accept(configuration, event).accepted


def test_what_is_wrong_in_an_array_is_named_by_its_place_and_the_rest_is_accepted(configuration):
    good = voice()
    result = accept(configuration, {"eventId": 7}, good, "text")
    assert result.accepted == (good["eventId"],)
    assert [(each.index, each.event_id) for each in result.rejected] == [(0, "7"), (2, None)]


def test_unknown_keys_are_reported_as_ignored_and_kept(configuration):
    event = voice(fields={"mood": "good"})
    assert accept(configuration, event).ignored == {event["eventId"]: ("fields.mood",)}
    stored = InteractionEvent.objects.get()
    assert stored.body["fields"]["mood"] == "good" and stored.ignored_keys == ["fields.mood"]


def test_large_numbers_and_every_character_survive_storage(configuration):
    event = voice(contactId=2**70, fields={"customerName": "Zoé 😀 \u2028"}, extra=2**70)
    accept(configuration, event)
    assert InteractionEvent.objects.get().body["extra"] == 2**70
    assert Contact.objects.get().contact_id == str(2**70)
    assert accept(configuration, event).duplicates


def test_a_future_time_is_flagged_on_event_and_interaction(configuration):
    accept(configuration, voice("ended", "17:00:00"))
    assert InteractionEvent.objects.get().ordered_at == NOW
    assert Interaction.objects.get().flags == ["future_time"] and Interaction.objects.get().ended_at == NOW


def test_nothing_is_stored_when_the_transaction_fails(configuration, monkeypatch):
    def fail(*_arguments):
        raise DatabaseError("lost")

    monkeypatch.setattr(intake, "_sort_out", fail)
    with pytest.raises(DatabaseError):
        accept(configuration, voice(), voice(contactId="2"))
    assert not InteractionEvent.objects.exists()


def test_an_id_taken_by_another_contact_at_the_same_moment_is_rejected_not_lost(configuration, monkeypatch):
    first, second = voice(contactId="1"), voice(contactId="2")
    second["eventId"] = first["eventId"]
    accept(configuration, first)
    monkeypatch.setattr(intake, "_known_hashes", lambda *_arguments: {})  # as if the other had not committed yet
    result = accept(configuration, second)
    assert result.accepted == () and result.rejected[0].event_id == first["eventId"]


def test_a_worker_is_woken_on_commit_when_something_is_new(configuration, monkeypatch):
    woken = []
    monkeypatch.setattr(intake, "wake_on_commit", lambda *, account_id: woken.append(account_id))
    event = voice("ended", **TICKET)
    accept(configuration, event)
    assert woken == [configuration.authentication.account_id]
    accept(configuration, event)
    assert len(woken) == 1


def test_events_are_stored_by_one_statement_however_many_there_are(configuration):
    for count in (1, 100):
        events = [voice(contactId=str(number), **TICKET) for number in range(count)]
        with CaptureQueriesContext(connection) as queries:
            assert len(store(configuration, *events).accepted) == count
        assert count_statements(queries) == 1


def test_a_repeated_array_costs_only_the_look_at_it(configuration):
    events = [voice(contactId=str(number)) for number in range(50)]
    store(configuration, *events)
    with CaptureQueriesContext(connection) as queries:
        assert len(store(configuration, *events).duplicates) == 50
    assert count_statements(queries) == 2


STORY = [
    digital("started", "10:00:00", fields={"channelName": "chat"}),
    link("10:01:00", contactId="507345195372"),
    digital("ended", "10:05:00", agent=None, endedBy="contact", fields={"status": "closed"}),
    digital("unassigned", "10:06:00", fields={"dispositionName": "late"}),
    digital("started", "10:20:00", agent="B", fields={"startTime": "2026-11-22T05:19:00-05:00"}),
    digital("transferred", "10:30:00", agent="B"),
]


def state_of(configuration):
    columns = ("segment_id", "agent_id", "started_at", "ended_at", "ended_by", "state", "values", "links", "withheld")
    return sorted(Interaction.objects.filter(configuration=configuration).values_list(*columns), key=str)


@pytest.mark.parametrize("seed", range(6))
def test_any_order_of_arrival_one_by_one_leaves_the_same_interactions(seed):
    together, apart = make_configuration(), make_configuration()
    accept(together, *STORY)
    order = STORY + STORY[:3]
    random.Random(seed).shuffle(order)
    for event in order:
        accept(apart, event)
    assert state_of(apart) == state_of(together)


def test_a_segment_that_a_late_start_time_renames_keeps_its_row_and_is_not_planned_twice(configuration):
    closing = digital("unassigned", "10:06:00", fields={"channelName": "chat"}, **TICKET)
    accept(configuration, closing)
    before = Interaction.objects.get()
    assert before.segment_id == "A@2026-11-22T10:06:00Z" and before.deliveries.count() == 1
    accept(configuration, digital("started", "10:00:00", fields={"startTime": "2026-11-22T10:00:00Z"}))
    after = Interaction.objects.get()
    assert (after.pk, after.segment_id, after.deliveries.count()) == (before.pk, "A@2026-11-22T10:00:00Z", 1)


def test_the_contacts_end_that_becomes_known_only_after_the_plan_undoes_nothing_and_is_said(configuration):
    accept(configuration, digital("started", "10:00:00"), digital("unassigned", "10:10:00", **TICKET))
    accept(configuration, digital("ended", "10:05:00", agent=None, endedBy="contact"))
    interaction = Interaction.objects.get()
    assert "contact_end_known_late" in interaction.flags and interaction.verdict_rule == "digital_unassigned"
    assert "status" in interaction.withheld and interaction.deliveries.count() == 1


def test_deliveries_are_planned_though_the_authentication_holds_them(configuration):
    configuration.authentication.state = "reauthenticate"
    configuration.authentication.save()
    accept(configuration, voice(**TICKET))
    assert Delivery.objects.get().state == "waiting"


def test_ids_and_the_agent_can_be_searched_for(configuration):
    accept(configuration, voice(fields={"agentName": "Tyler H", "masterContactId": 415203958100}))
    assert Interaction.objects.get().search_text == "415203958123 415203958100 tyler h"


def test_a_stored_event_that_an_older_version_accepted_stops_nobody(configuration, caplog):
    accept(configuration, voice("started"))
    InteractionEvent.objects.update(body={"no": "event"})
    assert accept(configuration, voice("ended")).accepted
    assert "left out" in caplog.text


def test_times_are_compared_across_offsets(configuration):
    accept(
        configuration,
        voice(at="2026-11-22T10:00:00-05:00", fields={"skillName": "later"}),
        voice("updated", "2026-11-22T14:59:00+00:00", fields={"skillName": "earlier"}),
    )
    assert Interaction.objects.get().values["skillName"]["value"] == "later"
    assert Interaction.objects.get().ended_at == NOW - timedelta(hours=1)


def test_segments_of_two_agents_are_two_interactions_with_their_own_deliveries(configuration):
    accept(configuration, *itertools.chain(STORY))
    first, second = Interaction.objects.order_by("started_at")
    assert (first.verdict_rule, second.verdict_rule) == ("digital_contact_ended", "digital_transferred")
    assert first.deliveries.get().record_id == "35436"
    assert second.match_due_at is not None and not second.deliveries.exists()  # the first one's record may carry its id


def test_what_a_body_no_longer_says_of_its_script_variables_is_still_flagged(configuration):
    accept(configuration, voice(scriptVariables={"AccountId": "1", "accountid": "2"}))
    assert Interaction.objects.get().flags == ["script_variable_repeated"]


def test_a_closing_event_without_an_agent_keeps_its_row_when_an_earlier_start_becomes_known(configuration):
    accept(configuration, digital("transferred", "10:01:00", agent=None, **TICKET))
    before = Interaction.objects.get()
    accept(configuration, digital("started", "10:00:00", agent=None))
    after = Interaction.objects.get()
    assert (after.pk, after.segment_id, after.deliveries.count()) == (before.pk, "@2026-11-22T10:00:00Z", 1)


def test_a_call_whose_own_segment_id_becomes_known_late_keeps_its_row_and_is_not_planned_twice(configuration):
    accept(configuration, voice("ended", "10:05:00", fields={"skillName": "S"}, **TICKET))
    accept(configuration, voice("started", "10:00:00", segmentId="own"))
    interaction = Interaction.objects.get()
    assert (interaction.segment_id, interaction.deliveries.count()) == ("own", 1)
