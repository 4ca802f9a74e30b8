"""Closed cases and vanished records: what the configuration says, once."""

import pytest

from crm_integrations.models import Configuration, RecordCreation
from crm_integrations.providers.errors import CRMUnavailable, ValueRefused
from memorialization.models import Delivery, Interaction, InteractionEvent
from memorialization.services.match_reworks import follow_up_key
from memorialization.services.replays import replay_delivery
from memorialization.services.sweeping import sweep_once
from tests.engine import FakeClock, calls_of, match_all, push_all
from tests.memorialization.matching_scene import (
    IDS,
    NOW,
    call,
    configured,
    crm,
    matched,
    outcome,
    person,
    steps,
    ticket,
)

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("memory_crm")]
CLOSED = {"records": [{"entityType": "ticket", "id": "1"}]}


@pytest.fixture
def clock():
    return FakeClock(NOW)


@pytest.fixture(autouse=True)
def matching_first(monkeypatch):
    """Records are looked for before deliveries are pushed, in every turn."""
    monkeypatch.setattr("memorialization.services.draining.random.random", lambda: 0.0)


def closed_call(**columns):
    configuration = configured(**columns)
    ticket(configuration, "1", status="closed")
    crm(configuration).closed.add(("ticket", "1"))
    return configuration, call(configuration, **CLOSED)


def deliveries():
    found = Delivery.objects.order_by("pk").values_list("record_id", "state", "reason")
    return [tuple(each) for each in found]


def test_a_closed_ticket_follows_its_policy_skip_with_the_reason(clock):
    configuration, interaction = closed_call()
    push_all(configuration, clock)
    assert outcome(interaction) == ("1", "linked", "skipped", "record_closed")
    crm(configuration).closed.clear()
    crm(configuration).records["ticket", "1"]["status"] = "open"
    replay_delivery(delivery=Delivery.objects.get(), actor=None, now=NOW)
    push_all(configuration, clock)
    assert outcome(interaction)[2] == "delivered"


def test_a_closed_ticket_follows_its_policy_follow_up_ticket(clock):
    configuration, interaction = closed_call(closed_case_policy="follow_up")
    push_all(configuration, clock)
    push_all(configuration, clock)
    creation = RecordCreation.objects.get()
    assert creation.key == "follow_up:1:C1"
    assert deliveries() == [("1", "skipped", "continued_in_follow_up"), (creation.record_id, "delivered", "")]
    assert Delivery.objects.first().reason_params == {"record": creation.record_id}
    interaction.refresh_from_db()
    assert {"entity_type": "ticket", "id": creation.record_id} in interaction.links
    assert InteractionEvent.objects.get(type="records.linked").origin == "rule"
    request, _key = calls_of(configuration, "create_record")[0]
    assert request.details["follows"] == "1"


def test_it_is_made_once_also_for_the_next_part_and_when_links_are_not_used(clock):
    configuration, _interaction = closed_call(closed_case_policy="follow_up", uses_linked_records=False)
    assert deliveries() == [("", "skipped", "no_record")]
    variable = {"scriptVariables": {"memory_ticket_id": "1"}}
    call(configuration, "C2", **variable)
    for _turn in range(3):
        push_all(configuration, clock)
    made = RecordCreation.objects.get().record_id
    assert deliveries()[1:] == [("1", "skipped", "continued_in_follow_up"), (made, "delivered", "")]


def test_a_follow_up_that_the_crm_refuses_is_a_skip_with_the_reason(clock):
    configuration, interaction = closed_call(closed_case_policy="follow_up")
    push_all(configuration, clock)
    crm(configuration).faults.append(ValueRefused("no", status=422))
    push_all(configuration, clock)
    assert outcome(interaction)[2:] == ("skipped", "record_closed")
    interaction.refresh_from_db()
    assert interaction.match_due_at is None


def test_a_follow_up_waits_for_a_crm_that_is_away(clock):
    configuration, interaction = closed_call(closed_case_policy="follow_up")
    push_all(configuration, clock)
    crm(configuration).faults.append(CRMUnavailable("away", may_have_applied=False))
    match_all(configuration, clock)
    assert outcome(interaction)[2:] == ("skipped", "follow_up_due")
    clock.move(minutes=1)
    push_all(configuration, clock)
    assert deliveries()[0][2] == "continued_in_follow_up"


def test_a_follow_up_that_cannot_be_made_for_three_days_is_given_up_for_good(clock):
    configuration, interaction = closed_call(closed_case_policy="follow_up")
    push_all(configuration, clock)
    Interaction.objects.update(match_backoff_s=72 * 3600)
    crm(configuration).faults.append(CRMUnavailable("away", may_have_applied=False))
    match_all(configuration, clock)
    assert outcome(interaction)[2:] == ("skipped", "record_closed")
    sweep_once(clock=clock)
    interaction.refresh_from_db()
    assert interaction.match_due_at is None and not RecordCreation.objects.exists()


def test_a_mark_whose_worker_died_is_found_by_the_sweep(clock):
    configuration, interaction = closed_call(closed_case_policy="follow_up")
    push_all(configuration, clock)
    Interaction.objects.update(match_due_at=None)
    sweep_once(clock=clock)
    push_all(configuration, clock)
    assert deliveries()[0][2] == "continued_in_follow_up" and outcome(interaction)[2] == "delivered"


def test_a_record_that_a_search_named_and_that_is_gone_is_looked_for_once_more(clock):
    configuration = configured(searches_records=True)
    person(configuration)
    ticket(configuration, "1", owner="7", hours_ago=1)
    interaction = matched(configuration)
    crm(configuration).records.pop(("ticket", "1"))
    ticket(configuration, "2", owner="7", hours_ago=2)
    push_all(configuration, clock)
    push_all(configuration, clock)
    assert deliveries() == [("1", "skipped", "found_again"), ("2", "delivered", "")]
    interaction.refresh_from_db()
    assert interaction.targets["ticket"]["ids"] == ["2"]


def test_and_fails_when_there_is_no_other(clock):
    configuration = configured(IDS, uses_written_records=True)
    ticket(configuration, "1", contact_id="C1")
    interaction = matched(configuration)
    crm(configuration).records.pop(("ticket", "1"))
    push_all(configuration, clock)
    push_all(configuration, clock)
    assert outcome(interaction) == ("1", "written", "failed", "record_gone")
    interaction.refresh_from_db()
    assert steps(interaction) == [("written", "found"), ("written", "nothing")]
    assert interaction.match_due_at is None


def test_a_linked_record_that_is_gone_fails_at_once(clock):
    configuration = configured(searches_records=True)
    interaction = call(configuration, records=[{"entityType": "ticket", "id": "404"}])
    push_all(configuration, clock)
    assert outcome(interaction) == ("404", "linked", "failed", "record_gone")


def test_the_key_of_a_follow_up_fits_its_column():
    assert follow_up_key("1", "C1") == "follow_up:1:C1"
    long = follow_up_key("9" * 200, "C" * 200)
    assert len(long) <= 260 and long != follow_up_key("9" * 200, "D" * 200)
    assert Configuration._meta.get_field("closed_case_policy").default == "skip"
