"""Old history goes contact by contact, and nothing that is still owed or still needed goes with it."""

from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest

from crm_integrations.models import RecordCreation
from memorialization.models import (
    Attempt,
    Contact,
    Delivery,
    FieldMark,
    Interaction,
    InteractionEvent,
    MappingVersion,
    RecordLane,
    ReplayRun,
    ReplayStep,
)
from memorialization.services import history_pruning
from memorialization.services.contact_erasure import erase_contact
from memorialization.services.history_pruning import count_history, prune_history
from tests.engine import FakeClock, push_all, take_in
from tests.factories import make_configuration, make_mapping
from tests.memorialization.event_payloads import link, voice
from tests.memory_provider import MemoryProvider

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("memory_crm")]
LONG_AGO = datetime(2026, 1, 15, 16, 0, tzinfo=UTC)
NOW = LONG_AGO + timedelta(days=31)
BEFORE = NOW - timedelta(days=30)
TICKET = {"records": [{"entityType": "ticket", "id": "35"}]}


@pytest.fixture
def clock():
    return FakeClock(LONG_AGO)


@pytest.fixture
def configuration():
    found = make_configuration()
    rows = [("subject", "voice", "skillName"), ("comment", "voice", "dispositionNotes")]
    make_mapping(found, {"ticket": rows})
    MappingVersion.objects.update(created_at=LONG_AGO - timedelta(days=1))
    MemoryProvider.accounts["acme"].records["ticket", "35"] = {}
    return found


def call(contact_id="1", at="2026-01-15T15:00:00Z", **keys):
    keys.setdefault("fields", {"skillName": f"Skill {contact_id}"})
    return voice(at=at, contactId=contact_id, **{**TICKET, **keys})


def make_old(configuration, clock, *contact_ids):
    """Calls that were written long ago, as if their rows had been made then."""
    take_in(configuration, *[call(contact_id) for contact_id in contact_ids], now=LONG_AGO)
    push_all(configuration, clock)
    age()


def age():
    for model in (Contact, Interaction, Delivery):
        model.objects.update(created_at=LONG_AGO)


def prune(before=BEFORE):
    total = Counter()
    for step in prune_history(before=before):
        total.update(step)
    return +total


def contacts():
    return sorted(Contact.objects.values_list("contact_id", flat=True))


def test_a_call_that_was_written_long_ago_goes_with_all_that_belongs_to_it(configuration, clock):
    make_old(configuration, clock, "1")
    assert prune() == {"contacts": 1, "interactions": 1, "deliveries": 1, "attempts": 1, "events": 1}
    for model in (Contact, Interaction, Delivery, Attempt, InteractionEvent):
        assert not model.objects.exists()
    assert prune() == {}


def test_the_dry_run_counts_the_same_and_deletes_nothing(configuration, clock):
    make_old(configuration, clock, "1", "2")
    total = sum(count_history(before=BEFORE), Counter())
    assert total == {"contacts": 2, "interactions": 2, "deliveries": 2, "events": 2}
    assert Contact.objects.count() == 2


def test_more_contacts_than_one_transaction_or_one_page_takes_all_go(configuration, clock, monkeypatch):
    monkeypatch.setattr(history_pruning, "PAGE", 3)
    monkeypatch.setattr(history_pruning, "CONTACTS_PER_TRANSACTION", 2)
    monkeypatch.setattr(history_pruning, "ROWS_PER_STATEMENT", 2)
    make_old(configuration, clock, *map(str, range(8)))
    assert prune()["contacts"] == 8 and not Attempt.objects.exists()


def test_what_was_cut_off_goes_on_where_it_was(configuration, clock, monkeypatch):
    monkeypatch.setattr(history_pruning, "CONTACTS_PER_TRANSACTION", 1)
    make_old(configuration, clock, "1", "2")
    next(prune_history(before=BEFORE))
    assert contacts() == ["2"]
    assert prune()["contacts"] == 1


@pytest.mark.parametrize("state", ["waiting", "sending"])
def test_pruning_never_deletes_an_unfinished_delivery_or_its_events(configuration, clock, state):
    """Semantics §6.28."""
    take_in(configuration, call(), now=LONG_AGO)
    age()
    Delivery.objects.update(state=state)
    assert prune() == {} and InteractionEvent.objects.count() == 1


@pytest.mark.parametrize("reason", ["follow_up_due", "look_again_due"])
def test_a_delivery_whose_record_is_still_looked_after_is_unfinished(configuration, clock, reason):
    make_old(configuration, clock, "1")
    Delivery.objects.update(state="skipped", reason=reason)
    assert prune() == {}


def test_pruning_never_deletes_an_event_id_younger_than_the_time(configuration, clock):
    """Semantics §6.28: whenever it happened, the time of its receipt counts; a case goes as a whole or not at all."""
    make_old(configuration, clock, "1")
    late = call(type_="updated", fields={})
    take_in(configuration, late, now=BEFORE)
    age()
    assert prune() == {} and InteractionEvent.objects.count() == 2
    assert take_in(configuration, late, now=NOW).duplicates == (late["eventId"],)
    assert prune(BEFORE + timedelta(seconds=1))["events"] == 2


def test_what_was_finished_or_replayed_lately_stays(configuration, clock):
    make_old(configuration, clock, "1")
    Delivery.objects.update(finished_at=BEFORE)
    assert prune() == {}
    Delivery.objects.update(finished_at=LONG_AGO, created_at=BEFORE)
    assert prune() == {}


def test_what_has_not_ended_or_is_still_looked_for_stays(configuration, clock):
    take_in(configuration, call("1", type_="started"), now=LONG_AGO)
    make_old(configuration, clock, "2")
    Interaction.objects.filter(contact__contact_id="2").update(match_due_at=LONG_AGO)
    assert prune() == {} and contacts() == ["1", "2"]


def test_a_contact_with_an_event_that_nobody_folded_stays(configuration, clock):
    make_old(configuration, clock, "1")
    update = call(type_="updated", fields={})
    take_in(configuration, update, now=LONG_AGO)
    age()
    InteractionEvent.objects.filter(event_id=update["eventId"]).update(contact=None)
    assert prune() == {}


def test_an_early_link_that_no_interaction_ever_followed_goes(configuration):
    take_in(configuration, link(contactId="7"), now=LONG_AGO)
    age()
    assert not Interaction.objects.exists()
    assert prune() == {"contacts": 1, "events": 1}


def test_a_younger_contact_of_the_same_record_keeps_its_delivery_and_the_try_they_shared(configuration, clock):
    take_in(configuration, call("1"), now=LONG_AGO)
    take_in(configuration, call("2", at="2026-01-15T15:01:00Z"), now=LONG_AGO)
    push_all(configuration, clock)
    age()
    assert Attempt.objects.get().deliveries.count() == 2
    Delivery.objects.filter(interaction__contact__contact_id="2").update(finished_at=NOW)
    assert prune()["contacts"] == 1 and contacts() == ["2"]
    assert Attempt.objects.get().deliveries.count() == 1


def test_marks_stay_so_that_an_older_value_that_comes_late_never_overwrites_a_newer_one(configuration, clock):
    """Product §7."""
    make_old(configuration, clock, "9")
    prune()
    mark = FieldMark.objects.get()
    assert mark.delivery_id is None and RecordLane.objects.count() == 1
    older = call("5", at="2026-01-15T14:00:00Z", fields={"skillName": "Older"})
    take_in(configuration, older, now=NOW)
    push_all(configuration, FakeClock(NOW))
    assert MemoryProvider.accounts["acme"].records["ticket", "35"]["subject"] == "Skill 9"
    entry = Delivery.objects.get().fields[0]
    assert (entry["result"], entry["params"]) == ("superseded", {})


def test_of_an_erased_contact_the_id_stays_so_that_what_comes_late_loses_its_text(configuration, clock):
    make_old(configuration, clock, "1")
    erase_contact((configuration.pk, "1"), now=LONG_AGO)
    Delivery.objects.update(finished_at=LONG_AGO)
    assert +sum(count_history(before=BEFORE), Counter()) == {"interactions": 1, "deliveries": 1, "events": 1}
    assert prune() == {"interactions": 1, "deliveries": 1, "attempts": 1, "events": 1}
    take_in(configuration, call(fields={"customerName": "Jeanne"}), now=NOW)
    assert contacts() == ["1"] and "fields" in InteractionEvent.objects.get().body
    assert "Jeanne" not in str(InteractionEvent.objects.values()) and not Interaction.objects.exists()


def test_late_data_of_a_pruned_call_writes_nothing(configuration, clock):
    make_old(configuration, clock, "1")
    prune()
    take_in(configuration, call(type_="updated", fields={"dispositionNotes": "Late"}), now=NOW)
    assert Interaction.objects.get().state == "open" and not Delivery.objects.exists()


def test_what_was_created_once_for_a_contact_stays(configuration, clock):
    make_old(configuration, clock, "1")
    RecordCreation.objects.create(
        configuration=configuration,
        entity_type="ticket",
        key="contact:1",
        contact_id="1",
        external_id="x",
        state="created",
        record_id="35",
        finished_at=LONG_AGO,
    )
    assert prune()["contacts"] == 1 and RecordCreation.objects.count() == 1


def test_replays_and_the_lines_of_replay_runs_go_with_their_deliveries_and_runs_stay(configuration, clock):
    make_old(configuration, clock, "1")
    first = Delivery.objects.get()
    replay = Delivery.objects.get()
    replay.pk, replay.revision, replay.replay_of = None, 2, first
    replay.save()
    age()
    run = ReplayRun.objects.create(
        key="00000000-0000-0000-0000-000000000001", last_id=first.pk, replayed=1, started_at=NOW, moved_at=NOW
    )
    ReplayStep.objects.create(run=run, delivery=first, replay=replay)
    assert prune()["deliveries"] == 2
    run.refresh_from_db()
    assert run.replayed == 1 and not ReplayStep.objects.exists()
