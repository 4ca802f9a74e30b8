"""Erasing a contact: no text of a customer's is left, nothing is sent any more, and nothing happens twice."""

import json
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from django.core.serializers.json import DjangoJSONEncoder
from django.urls import reverse

from crm_integrations.models import AuditEntry, FoundRecord, RecordCreation
from crm_integrations.permissions import VIEW_CONFIGURATIONS
from crm_integrations.providers.errors import RecordGone, RetryLater
from crm_integrations.row_inserts import insert_missing
from memorialization.models import (
    Attempt,
    BulkWrite,
    Contact,
    Delivery,
    Interaction,
    InteractionEvent,
    MappingVersion,
    RecordLane,
    ReplayRun,
)
from memorialization.selectors.ledger_slices import Branch
from memorialization.services import contact_erasure, contact_search
from memorialization.services.contact_erasure import count_stored, erase_contact, note_erasure
from memorialization.services.contact_search import find_contacts
from memorialization.services.event_folding import fold_all_events
from memorialization.services.intake import accept_events
from memorialization.services.planning import plan_due_interactions
from memorialization.services.replay_slices import find_members, replay_slice
from memorialization.services.replays import ReplayRefused, replay_delivery
from tests.engine import FakeClock, match_all, push_all, take_in
from tests.factories import make_configuration, make_mapping, make_user
from tests.memorialization.event_payloads import voice
from tests.memory_provider import MemoryConnection, MemoryProvider

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("memory_crm")]
NOW = datetime(2026, 1, 15, 16, 0, tzinfo=UTC)
TICKET = {"records": [{"entityType": "ticket", "id": "35"}]}
TEXT = "Jeanne Tremblay"
TABLES = (Contact, InteractionEvent, Interaction, Delivery, Attempt, BulkWrite, FoundRecord, RecordCreation)


@pytest.fixture
def clock():
    return FakeClock(NOW)


@pytest.fixture
def configuration():
    found = make_configuration()
    rows = [("subject", "voice", "customerName"), ("comment", "voice", "dispositionNotes")]
    make_mapping(found, {"ticket": rows})
    MappingVersion.objects.update(created_at=NOW - timedelta(days=1))
    MemoryProvider.accounts["acme"].records["ticket", "35"] = {}
    return found


def call(contact_id="1", type_="ended", **keys):
    fields = {"customerName": TEXT, "dispositionNotes": f"{TEXT} is ill", "ani": "+1 514 555-0123"}
    variables = {"mail": "Jeanne.Tremblay@example.org"}
    return voice(
        type_,
        "2026-01-15T15:00:00Z",
        **{"contactId": contact_id, "fields": fields, "scriptVariables": variables, **TICKET, **keys},
    )


def erase(configuration, contact_id="1", now=NOW):
    return erase_contact((configuration.pk, contact_id), now=now)


def stored():
    """Everything that any table says."""
    rows = [row for model in TABLES for row in model.objects.values()]
    return json.dumps(rows, cls=DjangoJSONEncoder, ensure_ascii=False, default=str).casefold()


def is_text_left():
    return any(word in stored() for word in ("jeanne", "tremblay", "555-0123", "is ill"))


def notes():
    return MemoryProvider.accounts["acme"].comments["ticket", "35"]


def test_of_a_call_that_was_written_no_text_is_left(configuration, clock):
    take_in(configuration, call(), now=NOW)
    push_all(configuration, clock)
    Attempt.objects.update(message=TEXT, answer={"said": TEXT})
    Interaction.objects.update(targets={"ticket": {"rule": "search", "ids": ["35"], "candidates": [{"title": TEXT}]}})
    FoundRecord.objects.create(
        configuration=configuration, contact_id="1", entity_type="ticket", record_id="35", found_at=NOW
    )
    RecordCreation.objects.create(
        configuration=configuration, entity_type="user", key="contact:1", contact_id="1", own_id=TEXT, finished_at=NOW
    )
    assert is_text_left()
    erased = erase(configuration)
    assert not is_text_left()
    assert erased["events"] == erased["interactions"] == erased["deliveries"] == 1 and not erased["skipped"]
    assert Delivery.objects.get().state == "delivered" and not FoundRecord.objects.exists()
    assert "contact_erased" in Interaction.objects.get().flags


@pytest.mark.parametrize("is_written", [True, False])
def test_the_pages_of_an_erased_contact_open_and_say_why(configuration, clock, client, is_written):
    take_in(configuration, call(), now=NOW)
    if is_written:
        push_all(configuration, clock)
    erase(configuration)
    client.force_login(make_user(VIEW_CONFIGURATIONS))
    interaction = client.get(reverse("interaction_detail", args=[Interaction.objects.get().pk]))
    delivery = client.get(reverse("delivery_detail", args=[Delivery.objects.get().pk]))
    assert (interaction.status_code, delivery.status_code) == (200, 200)
    assert "nothing is written for it any more" in interaction.content.decode()
    assert ("was erased before this was sent" in delivery.content.decode()) is not is_written
    assert "jeanne" not in (interaction.content + delivery.content).decode().casefold()


def test_the_crms_words_about_its_record_in_a_bulk_write_go_too(configuration, clock):
    take_in(configuration, call(), now=NOW)
    push_all(configuration, clock)
    bulk = BulkWrite.objects.create(
        account=configuration.authentication.account,
        entity_type="ticket",
        size=2,
        state="concluded",
        lease="00000000-0000-0000-0000-000000000001",
        created_at=NOW,
        progressed_at=NOW,
        refusals={"35": ["ValueRefused", TEXT], "36": ["ValueRefused", "other"]},
    )
    Attempt.objects.update(bulk_write=bulk)
    erase(configuration)
    bulk.refresh_from_db()
    assert bulk.refusals == {"35": ["ValueRefused", ""], "36": ["ValueRefused", "other"]}


def test_other_contacts_keep_what_they_have(configuration, clock):
    take_in(configuration, call("1"), call("2"), now=NOW)
    erase(configuration)
    assert "jeanne" in stored()
    assert Delivery.objects.get(interaction__contact__contact_id="2").state == "waiting"


def test_what_waits_is_skipped_with_its_reason_and_never_sent(configuration, clock):
    take_in(configuration, call(), now=NOW)
    assert erase(configuration)["skipped"] == 1
    delivery = Delivery.objects.get()
    assert (delivery.state, delivery.reason) == ("skipped", "erased")
    assert RecordLane.objects.get().next_due_at is None and not is_text_left()
    push_all(configuration, clock)
    assert notes() == []
    with pytest.raises(ReplayRefused):
        replay_delivery(delivery=delivery, actor=None, now=NOW)


def test_a_repeated_event_has_no_second_effect_and_no_second_note(configuration, clock):
    """Semantics §6.28."""
    event = call()
    take_in(configuration, event, now=NOW)
    push_all(configuration, clock)
    erase(configuration)
    assert take_in(configuration, event, now=NOW).duplicates == (event["eventId"],)
    take_in(configuration, call(), now=NOW)
    push_all(configuration, clock)
    assert len(notes()) == 1 and Delivery.objects.count() == 1


def test_late_events_are_accepted_and_kept_without_text(configuration):
    take_in(configuration, call(), now=NOW)
    erase(configuration)
    late = call(type_="updated", custom=TEXT)
    assert take_in(configuration, late, now=NOW).accepted
    assert not is_text_left() and InteractionEvent.objects.count() == 2
    assert Interaction.objects.get().values.keys() == {"contactId"}
    assert take_in(configuration, late, now=NOW).duplicates


def test_events_that_nobody_folded_yet_are_erased_too(configuration, clock):
    accept_events(configuration=configuration, payloads=[call()], received_at=NOW)
    assert erase(configuration)["events"] == 1
    assert not is_text_left() and fold_all_events(clock=clock, most_s=60) == 0
    assert not Delivery.objects.exists()


def test_an_interaction_that_had_not_ended_never_falls_due(configuration):
    take_in(configuration, call(acwConfigured=True), now=NOW - timedelta(minutes=30))
    due_at = Interaction.objects.get().due_at
    assert due_at == NOW
    erase(configuration)
    assert plan_due_interactions(now=due_at, limit=10) == 0
    take_in(configuration, call(type_="acw_completed"), now=NOW)
    assert not Delivery.objects.exists() and Interaction.objects.get().state == "planned"


def test_what_is_being_sent_is_left_to_its_worker_and_skipped_when_it_comes_back(configuration, clock, monkeypatch):
    take_in(configuration, call(), now=NOW)
    erased = []

    def refuse(self, *_arguments, **_keys):
        erased.append(erase(configuration))
        raise RetryLater("Later.", retry_after_s=1)

    with monkeypatch.context() as patched:
        patched.setattr(MemoryConnection, "update_record", refuse)
        push_all(configuration, clock)
    assert (erased[0]["under_way"], erased[0]["events"]) == (1, 0)
    delivery = Delivery.objects.get()
    assert (delivery.state, delivery.reason) == ("skipped", "erased")
    found = find_contacts("514-555-0123", report=lambda _count: None)
    assert found.by_phone == {(configuration.pk, "1")}, "it must be found again until nothing is left"
    assert erase(configuration)["under_way"] == 0 and not is_text_left()
    clock.move(days=1)
    push_all(configuration, clock)
    assert notes() == []


def test_a_record_that_is_gone_is_not_looked_for_again_for_an_erased_contact(configuration, clock, monkeypatch):
    take_in(configuration, call(), now=NOW)
    Delivery.objects.update(target_rule="search")

    def refuse(self, *_arguments, **_keys):
        erase(configuration)
        raise RecordGone("Gone.")

    monkeypatch.setattr(MemoryConnection, "update_record", refuse)
    push_all(configuration, clock)
    assert Delivery.objects.get().reason == "record_gone" and Interaction.objects.get().match_due_at is None


def test_a_search_under_way_loses_its_lease_and_a_rework_its_mark(configuration):
    take_in(configuration, call(), now=NOW)
    Interaction.objects.update(match_due_at=NOW, match_lease="00000000-0000-0000-0000-000000000001")
    Delivery.objects.update(state="skipped", reason="follow_up_due", next_attempt_at=None)
    erase(configuration)
    interaction = Interaction.objects.get()
    assert interaction.match_due_at is None and interaction.match_lease is None
    assert Delivery.objects.get().reason == "erased"


def test_erasing_again_changes_nothing(configuration, clock):
    take_in(configuration, call(), now=NOW)
    erase(configuration)
    before = stored()
    erase(configuration, now=NOW + timedelta(days=1))
    assert stored() == before


def test_contacts_are_found_by_id_address_and_number_however_these_are_written(configuration):
    fields = {"masterContactId": "900", "ani": "(514) 555-0123", "customerName": "J"}
    take_in(configuration, call("1", fields=fields, scriptVariables={"mail": "<Jeanne@Example.org>"}), now=NOW)
    other = {"ani": "+15145550199", "agentName": "jeanne@example.org", "dnis": "+15145550123"}
    take_in(configuration, call("2", fields=other, scriptVariables={"note": "call +1 514 555 0123 back"}), now=NOW)
    accept_events(configuration=configuration, payloads=[call("3", fields={"ani": "15145550123"})], received_at=NOW)

    def ids(key):
        found = find_contacts(key, report=lambda _count: None)
        return [[name for _pk, name in sorted(by)] for by in (found.by_id, found.by_email, found.by_phone)]

    assert ids("1") == [["1"], [], []]
    assert ids("3") == [["3"], [], []]
    assert ids("900") == [["1"], [], []]
    assert ids("jeanne@EXAMPLE.org") == [[], ["1"], []]
    assert ids("+15145550123") == ids("514.555.0123") == [[], [], ["1", "3"]]
    assert ids("4165550000") == ids("nobody@example.org") == ids("nonsense") == [[], [], []]


def test_it_is_counted_what_there_is(configuration):
    take_in(configuration, call("1"), now=NOW)
    accept_events(configuration=configuration, payloads=[call("1")], received_at=NOW)
    counts = count_stored([(configuration.pk, "1")])
    assert counts == {"contacts": 1, "interactions": 1, "deliveries": 1, "unsent": 1, "events": 2}


def test_the_audit_trail_tells_that_it_was_done_and_not_for_whom(configuration):
    for key in ("+15145550123", " +15145550123"):
        note_erasure(key=key, erased={"contacts": 1})
    note_erasure(key="other", erased={})
    subjects = list(AuditEntry.objects.order_by("id").values_list("subject", flat=True))
    assert subjects[0] == subjects[1] != subjects[2] and "5145550123" not in str(subjects)


def test_who_only_mentions_a_person_is_not_that_person(configuration):
    texts = ["jeanne@example.org, my neighbour, is ill", "Please call 514-555-0123.", "(" * 50_000]
    for contact_id, text in enumerate(texts):
        take_in(configuration, call(str(contact_id), fields={"dispositionNotes": text}, scriptVariables={}), now=NOW)
    assert not find_contacts("jeanne@example.org", report=lambda _count: None).every
    assert not find_contacts("514-555-0123", report=lambda _count: None).every


def test_a_number_without_its_area_is_nobodys(configuration):
    for contact_id, number in enumerate(("555-0123", "555-0123 ext. 7", "+15145550123")):
        take_in(configuration, call(str(contact_id), fields={"ani": number}), now=NOW)
    assert not find_contacts("555-0123", report=lambda _count: None).every


def test_events_are_read_some_at_a_time_and_none_is_passed_over(configuration, monkeypatch):
    monkeypatch.setattr(contact_search, "EVENTS_PER_READ", 2)
    monkeypatch.setattr(contact_search, "REPORT_EVERY", 4)
    take_in(configuration, *[call(str(number)) for number in range(5)], now=NOW)
    told = []
    assert len(find_contacts("514-555-0123", report=told.append).by_phone) == 5
    assert told == [4]


def test_what_was_written_while_it_was_erased_is_not_replayed(configuration, clock):
    """Its text stays until the erasure is repeated; until then nobody may send it a second time."""
    take_in(configuration, call(), now=NOW)
    Delivery.objects.update(state="sending")
    assert erase(configuration)["under_way"] == 1
    Delivery.objects.update(state="failed", reason="gave_up", next_attempt_at=None)
    with pytest.raises(ReplayRefused):
        replay_delivery(delivery=Delivery.objects.get(), actor=None, now=NOW)
    members = find_members([Branch(Delivery.objects.all())], after=0, limit=10)
    run = ReplayRun.objects.create(key=uuid4(), actor_name="x", last_id=members[0].pk, started_at=NOW, moved_at=NOW)
    assert [step.refused for step in replay_slice(run=run, members=members, now=NOW)] == ["erased"]
    assert Delivery.objects.count() == 1


def test_a_search_that_was_made_due_while_it_was_erased_asks_nobody_anything(configuration, clock):
    configuration.searches_records = configuration.creates_cases = True
    configuration.save()
    take_in(configuration, call(records=[]), now=NOW)
    assert Interaction.objects.get().match_due_at is not None
    erase(configuration)
    Interaction.objects.update(match_due_at=NOW)
    match_all(configuration, clock)
    assert Interaction.objects.get().match_due_at is None and not RecordCreation.objects.exists()
    assert not MemoryProvider.accounts["acme"].calls


def test_a_contact_that_is_pruned_just_before_it_is_locked_is_marked_all_the_same(configuration, monkeypatch):
    take_in(configuration, call(), now=NOW)
    asked = []

    def prune_first(*arguments, **keys):
        made = insert_missing(*arguments, **keys)
        if not asked:
            Contact.objects.all().delete()
        asked.append(made)
        return made

    monkeypatch.setattr(contact_erasure, "insert_missing", prune_first)
    assert erase(configuration)["contacts"] == 1 and Contact.objects.get().erased_at == NOW


def test_the_id_that_a_script_gave_a_record_goes_unless_the_record_has_to_be_found_by_it(configuration):
    for number, columns in enumerate(({}, {"may_exist": True}, {"lease_until": NOW}, {"finished_at": NOW})):
        RecordCreation.objects.create(
            configuration=configuration,
            entity_type="user",
            key=f"key:{number}",
            external_id=str(number),
            contact_id="1",
            own_id=TEXT,
            **columns,
        )
    erase(configuration)
    assert list(RecordCreation.objects.order_by("key").values_list("own_id", flat=True)) == ["", TEXT, TEXT, ""]
