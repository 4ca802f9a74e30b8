"""Looking for records in an account's turn: limits, outages, holds, crashes, and who comes second."""

import threading
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from crm_integrations.models import Authentication, RecordCreation
from crm_integrations.providers.errors import CRMUnavailable, GrantEnded, RetryLater
from memorialization.deliveries import failpoints
from memorialization.deliveries.failpoints import Failpoint
from memorialization.models import Delivery, Interaction
from memorialization.services import matching, record_matching
from memorialization.services.claims import accounts_with_due_lanes
from memorialization.services.match_holds import claim_match, look_for_matches, store_match
from memorialization.services.sweeping import sweep_once
from memorialization.targeting import Target
from tests.engine import FakeClock, calls_of, match_all, push_all, take_in
from tests.memorialization.event_payloads import link, voice
from tests.memorialization.matching_scene import (
    BOTH,
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


@pytest.fixture
def clock():
    return FakeClock(NOW)


def state_of(interaction):
    interaction.refresh_from_db()
    return interaction.match_due_at, interaction.match_reason, interaction.match_tries


def test_a_turn_looks_for_the_record_and_writes_to_it(clock):
    configuration = configured(searches_records=True)
    person(configuration)
    ticket(configuration, "1", owner="7")
    interaction = call(configuration)
    push_all(configuration, clock)
    assert outcome(interaction) == ("1", "search", "delivered", "")
    assert state_of(interaction) == (None, "", 0)
    assert crm(configuration).records["ticket", "1"]["subject"] == "Support"


def test_a_turn_without_anything_to_look_for_costs_one_look(clock, django_assert_num_queries):
    configuration = configured(IDS, uses_written_records=True)
    call(configuration, records=[{"entityType": "ticket", "id": "1"}])
    account_id = configuration.authentication.account_id
    with django_assert_num_queries(1):
        assert look_for_matches(account_id=account_id, now=NOW).due == ()


@pytest.mark.usefixtures("transactional_db")
def test_the_look_reads_an_index_of_just_those_interactions():
    if connection.vendor != "sqlite":
        pytest.skip("PostgreSQL plans by statistics: an empty table is read as a whole")
    with CaptureQueriesContext(connection) as seen:
        look_for_matches(account_id=1, now=NOW)
    with connection.cursor() as cursor:
        cursor.execute("EXPLAIN QUERY PLAN " + seen.captured_queries[0]["sql"])
        assert "interaction_to_match" in str(cursor.fetchall())


def test_a_limit_gives_the_interaction_back_with_a_time_and_counts_no_try(clock):
    configuration = configured(searches_records=True)
    interaction = call(configuration)
    crm(configuration).faults.append(RetryLater("stop", retry_after_s=40))
    push_all(configuration, clock)
    assert state_of(interaction) == (NOW + timedelta(seconds=40), "limit_reached", 0)
    person(configuration)
    ticket(configuration, "1", owner="7")
    push_all(configuration, clock)  # too early
    assert len(calls_of(configuration, "find_people")) == 1
    clock.move(seconds=41)
    push_all(configuration, clock)
    assert outcome(interaction)[0] == "1"


def test_an_account_that_waits_for_a_limit_is_woken_when_it_opens(clock):
    configuration = configured(searches_records=True)
    call(configuration, "C1")
    call(configuration, "C2")
    crm(configuration).faults.append(RetryLater("stop", retry_after_s=40))
    push_all(configuration, clock)
    account = configuration.authentication.account
    account.refresh_from_db()
    assert account.wake_at is not None and account.wake_at <= NOW + timedelta(seconds=41)


def test_an_outage_is_tried_again_with_back_off_and_given_up_after_three_days(clock):
    configuration = configured(searches_records=True)
    interaction = call(configuration)
    crm(configuration).faults.append(CRMUnavailable("away", may_have_applied=False, status=503))
    match_all(configuration, clock)
    due_at, reason, tries = state_of(interaction)
    assert (reason, tries) == ("crm_unavailable", 1) and NOW < due_at <= NOW + timedelta(seconds=6)
    Interaction.objects.update(match_backoff_s=72 * 3600, match_due_at=NOW)
    crm(configuration).faults.append(CRMUnavailable("away", may_have_applied=False, status=503))
    match_all(configuration, clock)
    assert outcome(interaction) == ("", "none", "skipped", "match_gave_up")
    assert state_of(interaction) == (None, "", 0)


def test_what_was_answered_before_an_outage_counts(clock):
    configuration = configured(BOTH, searches_records=True)
    person(configuration)
    interaction = call(configuration)
    account = crm(configuration)
    plain = account.take
    account.take = lambda name, details=None: (  # type: ignore[method-assign]
        (_ for _ in ()).throw(CRMUnavailable("away", may_have_applied=False)) if name == "list_open_records"
        else plain(name, details)
    )  # fmt: skip
    match_all(configuration, clock)
    assert outcome(interaction, "user")[:2] == ("7", "search")
    assert state_of(interaction)[1:] == ("crm_unavailable", 1) and "ticket" not in interaction.targets


def test_a_held_authentication_waits_and_goes_on_afterwards(clock):
    configuration = configured(searches_records=True)
    interaction = call(configuration)
    crm(configuration).faults.append(GrantEnded("gone"))
    push_all(configuration, clock)
    assert state_of(interaction)[1:] == ("held", 0)
    assert Authentication.objects.get().is_held
    push_all(configuration, clock)
    assert calls_of(configuration, "find_people") != [] and len(calls_of(configuration, "find_people")) == 1
    Authentication.objects.update(state=Authentication.State.ACTIVE)
    person(configuration)
    ticket(configuration, "1", owner="7")
    push_all(configuration, clock)
    assert outcome(interaction)[2] == "delivered"


def test_a_link_that_comes_while_the_crm_is_asked_wins(clock):
    configuration = configured(searches_records=True)
    interaction = call(configuration)
    look = look_for_matches(account_id=configuration.authentication.account_id, now=NOW)
    hold = claim_match(row=look.due[0], now=NOW)
    take_in(configuration, link("2026-01-15T14:59:00Z", record="9", contactId="C1"), now=NOW)
    assert store_match(hold=hold, found={"ticket": Target("search", ("1",))}, now=NOW)
    assert [each.record_id for each in Delivery.objects.all()] == ["9"]
    assert state_of(interaction)[0] is None


def test_a_link_after_an_ambiguous_or_empty_search_plans_the_first_full_delivery():
    configuration = configured(searches_records=True)
    for pk in ("7", "8"):
        person(configuration, pk)
    interaction = matched(configuration)
    assert outcome(interaction)[3] == "ambiguous_person"
    take_in(configuration, link("2026-01-15T14:59:00Z", record="9", contactId="C1"), now=NOW)
    assert outcome(interaction)[:3] == ("9", "linked", "waiting")
    assert Delivery.objects.order_by("pk").first().reason == "resolved_by_link"


def test_only_one_of_two_takes_an_interaction_and_a_lost_lease_stores_nothing(clock):
    configuration = configured(searches_records=True)
    interaction = call(configuration)
    account_id = configuration.authentication.account_id
    row = look_for_matches(account_id=account_id, now=NOW).due[0]
    hold = claim_match(row=row, now=NOW)
    assert claim_match(row=row, now=NOW) is None and look_for_matches(account_id=account_id, now=NOW).due == ()
    clock.move(hours=1)
    later = claim_match(row=look_for_matches(account_id=account_id, now=clock()).due[0], now=clock())
    assert not store_match(hold=hold, found={"ticket": Target("search", ("1",))}, now=clock())
    assert store_match(hold=later, found={"ticket": Target("search", ("2",))}, now=clock())
    assert outcome(interaction)[0] == "2"


def test_who_loses_an_interaction_between_two_record_types_stores_nothing(clock, monkeypatch):
    configuration = configured(BOTH, searches_records=True)
    interaction = call(configuration)
    plain = record_matching.RecordMatcher.match

    def match(self, entity_type):
        Interaction.objects.update(match_lease=None, match_due_at=NOW + timedelta(hours=1))
        return plain(self, entity_type)

    monkeypatch.setattr(record_matching.RecordMatcher, "match", match)
    match_all(configuration, clock)
    assert not Delivery.objects.exists() and state_of(interaction) == (NOW + timedelta(hours=1), "", 0)


def test_a_crash_between_the_search_and_the_plan_repeats_harmlessly(clock, monkeypatch):
    configuration = configured(creates_cases=True, searches_records=True)
    interaction = call(configuration)
    monkeypatch.setattr(failpoints, "armed", Failpoint("after_match", "raise"))
    match_all(configuration, clock)
    assert not Delivery.objects.exists() and RecordCreation.objects.count() == 1
    clock.move(minutes=6)
    push_all(configuration, clock)
    assert outcome(interaction)[1:3] == ("created", "delivered")
    assert len(calls_of(configuration, "create_record")) == 1


def test_a_lost_answer_to_a_creation_is_looked_for_before_it_is_made_again(clock):
    configuration = configured(creates_cases=True, searches_by_phone=False)
    interaction = call(configuration)
    crm(configuration).faults_after_applying.append(CRMUnavailable("reset", may_have_applied=True))
    match_all(configuration, clock)
    clock.move(minutes=10)
    match_all(configuration, clock)
    interaction.refresh_from_db()
    assert outcome(interaction)[1] == "created"
    assert len([key for key in crm(configuration).records if key[0] == "ticket"]) == 1


def test_what_our_own_tables_answer_takes_no_probe_from_the_deliveries(clock):
    configuration = configured(creates_cases=True)
    account = configuration.authentication.account
    call_of_segment(configuration, "1")
    push_all(configuration, clock)
    assert RecordCreation.objects.filter(state="created").exists()
    take_in(configuration, link("2026-01-15T14:59:00Z", record="5", contactId="C1", segmentId="1"), now=NOW)
    ticket(configuration, "5")
    for segment in ("2", "3", "4"):
        call_of_segment(configuration, segment)
    type(account).objects.update(circuit_state="open", circuit_opened_at=NOW, circuit_probe_at=NOW)
    clock.move(seconds=1)
    push_all(configuration, clock)
    account.refresh_from_db()
    assert account.circuit_state == "closed"


def test_segments_that_share_a_contact_share_its_created_record(clock):
    configuration = configured(creates_cases=True, searches_records=True, creates_people=True)
    crm(configuration).is_search_late = True
    for segment in ("1", "2", "3"):
        call_of_segment(configuration, segment)
    push_all(configuration, clock)
    assert {each.record_id for each in Delivery.objects.all()} == {
        RecordCreation.objects.get(entity_type="ticket").record_id
    }
    assert Delivery.objects.count() == 3 and len(calls_of(configuration, "create_record")) == 2


def call_of_segment(configuration, segment):
    fields = {"skillName": f"Skill {segment}", "ani": "+15145550123"}
    event = voice("ended", f"2026-01-15T14:4{segment}:00Z", contactId="C1", segmentId=segment, fields=fields)
    take_in(configuration, event, now=NOW)


def test_one_interactions_surprise_does_not_stop_the_others(clock, monkeypatch):
    configuration = configured(searches_records=True)
    first, second = call(configuration, "C1"), call(configuration, "C2", fields={"ani": "+15145550199"})
    person(configuration, "7", phone="+15145550199")
    ticket(configuration, "1", owner="7")
    plain = record_matching.RecordMatcher.match

    def match(self, entity_type):
        if self.interaction.pk == first.pk:
            raise ValueError("a fault of ours")
        return plain(self, entity_type)

    monkeypatch.setattr(record_matching.RecordMatcher, "match", match)
    match_all(configuration, clock)
    assert outcome(second)[0] == "1"
    assert state_of(first)[2] == 1 and state_of(first)[0] > NOW


def test_what_was_found_before_a_fault_of_ours_counts_and_the_rest_is_given_up_after_three_days(clock, monkeypatch):
    configuration = configured(BOTH, searches_records=True)
    person(configuration)
    interaction = call(configuration)
    plain = record_matching.RecordMatcher.match

    def match(self, entity_type):
        if entity_type == "ticket":
            raise ValueError("a fault of ours")
        return plain(self, entity_type)

    monkeypatch.setattr(record_matching.RecordMatcher, "match", match)
    match_all(configuration, clock)
    assert outcome(interaction, "user")[:2] == ("7", "search")
    assert state_of(interaction)[1:] == ("misconfigured", 1) and "ticket" not in interaction.targets
    Interaction.objects.update(match_backoff_s=72 * 3600, match_due_at=NOW)
    match_all(configuration, clock)
    assert outcome(interaction) == ("", "none", "skipped", "match_gave_up")
    assert state_of(interaction) == (None, "", 0)


def test_an_interaction_that_is_gone_when_it_was_claimed_ends_no_turn(clock, monkeypatch):
    configuration = configured(searches_records=True)
    call(configuration, "C1")
    second = call(configuration, "C2")
    plain = matching.claim_match

    def claim(*, row, now):
        hold = plain(row=row, now=now)
        if hold is not None and hold.interaction_id != second.pk:
            Interaction.objects.filter(pk=hold.interaction_id).delete()
        return hold

    monkeypatch.setattr(matching, "claim_match", claim)
    assert match_all(configuration, clock).matched == 1
    assert outcome(second)[2:] == ("skipped", "no_record")


def test_the_sweep_finds_interactions_whose_hint_was_lost(clock, monkeypatch):
    monkeypatch.setattr("memorialization.services.sweeping.send_hint", lambda account_id: False)
    configuration = configured(searches_records=True)
    person(configuration)
    ticket(configuration, "1", owner="7")
    interaction = call(configuration)
    assert accounts_with_due_lanes(now=NOW) == [configuration.authentication.account_id]
    sweep_once(clock=clock)
    assert outcome(interaction)[2] == "delivered"
    assert accounts_with_due_lanes(now=NOW) == []


def test_a_configuration_that_is_not_active_waits():
    configuration = configured(searches_records=True)
    call(configuration)
    configuration.state = "inactive"
    configuration.save()
    assert accounts_with_due_lanes(now=NOW) == []
    assert look_for_matches(account_id=configuration.authentication.account_id, now=NOW).due == ()


@pytest.mark.django_db(transaction=True)
def test_two_workers_at_once_create_one_record_and_plan_each_interaction_once():
    configuration = configured(creates_cases=True, searches_records=True, creates_people=True)
    for segment in ("1", "2", "3"):
        call_of_segment(configuration, segment)
    errors = []

    def work():
        try:
            for _round in range(6):
                match_all(configuration, FakeClock(NOW + timedelta(minutes=_round)))
        except Exception as error:
            errors.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=work) for _each in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert RecordCreation.objects.filter(entity_type="ticket").count() == 1
    assert len([key for key in crm(configuration).records if key[0] == "ticket"]) == 1
    assert Delivery.objects.count() == 3 and len({each.record_id for each in Delivery.objects.all()}) == 1


def test_steps_say_which_rules_were_tried():
    configuration = configured(IDS, uses_written_records=True, searches_records=True)
    assert steps(matched(configuration)) == [("written", "nothing"), ("search", "nothing")]
