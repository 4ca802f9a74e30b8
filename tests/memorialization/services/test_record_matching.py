"""Which records are written: the rules of product §6 in their order, on the CRM in memory."""

import pytest

from crm_integrations.models import Authentication, RecordCreation
from crm_integrations.providers.errors import AccessDenied, Misconfigured, ValueRefused
from memorialization.models import Delivery
from tests.engine import FakeClock, calls_of, match_all, push_all, take_in
from tests.memorialization.event_payloads import link, voice
from tests.memorialization.matching_scene import (
    ANI,
    BOTH,
    IDS,
    NOW,
    call,
    candidates,
    configured,
    crm,
    matched,
    outcome,
    person,
    steps,
    ticket,
)
from tests.memory_provider import MemoryConnection

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("memory_crm")]
ALL_RULES = {"uses_written_records": True, "searches_records": True, "creates_cases": True, "creates_people": True}


def test_records_linked_to_the_interaction_in_the_event_by_the_link_api_pinned_or_created_by_a_workflow():
    configuration = configured(IDS, **ALL_RULES)
    interaction = call(configuration, records=[{"entityType": "ticket", "id": "1"}])
    assert outcome(interaction) == ("1", "linked", "waiting", "")
    assert interaction.match_due_at is None and crm(configuration).calls == []


def test_a_record_id_in_a_script_variable_is_used_without_asking_the_crm():
    configuration = configured(IDS, **ALL_RULES)
    interaction = call(configuration, scriptVariables={"memory_ticket_id": "35"})
    assert outcome(interaction) == ("35", "script_variable", "waiting", "")
    assert interaction.match_due_at is None and crm(configuration).calls == []


def test_a_record_that_carries_the_contact_id_or_master_contact_id_in_a_mapped_field_written_earlier():
    configuration = configured(IDS, uses_written_records=True)
    ticket(configuration, "41", contact_id="C1")
    interaction = matched(configuration)
    assert outcome(interaction) == ("41", "written", "waiting", "")
    assert steps(interaction) == [("written", "found")]


def test_the_master_contact_id_ties_the_parts_of_a_call_when_the_contact_id_does_not():
    configuration = configured(IDS, uses_written_records=True)
    ticket(configuration, "41", notes="M")
    ticket(configuration, "42", contact_id="M")
    first = matched(configuration, "C1", fields={"masterContactId": "M"})
    assert outcome(first)[3] == "ambiguous" and candidates(first) == ["42", "41"]
    crm(configuration).records.pop(("ticket", "42"))
    assert outcome(matched(configuration, "C2", fields={"masterContactId": "M"}))[:2] == ("41", "written")


def test_our_own_deliveries_know_what_a_search_learns_minutes_later():
    configuration = configured(IDS, uses_written_records=True)
    ticket(configuration, "1")
    crm(configuration).unindexed.add(("ticket", "1"))
    call(configuration, "C1", fields={"masterContactId": "M"}, records=[{"entityType": "ticket", "id": "1"}])
    waiting = matched(configuration, "C2", fields={"masterContactId": "M"})
    assert outcome(waiting)[:2] == ("1", "written")  # owed, and not written yet
    push_all(configuration, FakeClock(NOW))
    assert outcome(matched(configuration, "C3", fields={"masterContactId": "M"}))[:2] == ("1", "written")
    assert outcome(matched(configuration, "M"))[:2] == ("1", "written")
    assert outcome(matched(configuration, "C4", fields={"masterContactId": "other"}))[3] == "no_record"


def test_a_record_is_read_again_before_it_is_used():
    configuration = configured(IDS, uses_written_records=True)
    ticket(configuration, "1")
    call(configuration, "C1", fields={"masterContactId": "M"}, records=[{"entityType": "ticket", "id": "1"}])
    push_all(configuration, FakeClock(NOW))
    crm(configuration).records["ticket", "1"].update(notes="somebody's words", contact_id="")
    assert outcome(matched(configuration, "C2", fields={"masterContactId": "M"}))[3] == "no_record"
    ticket(configuration, "2", contact_id="xC3x")  # the search finds more than what is equal
    assert outcome(matched(configuration, "C3"))[3] == "no_record"


def test_a_search_rule_user_by_ani_then_that_users_newest_unsolved_ticket_within_n_hours():
    configuration = configured(BOTH, searches_records=True, case_age_hours=24)
    person(configuration, "7", phone="(514) 555-0123")
    ticket(configuration, "1", owner="7", hours_ago=3)
    ticket(configuration, "2", owner="7", hours_ago=2)
    ticket(configuration, "3", owner="7", hours_ago=1, status="solved")
    ticket(configuration, "4", owner="8", hours_ago=0)
    interaction = matched(configuration)
    assert outcome(interaction)[:2] == ("2", "search")
    assert outcome(interaction, "user")[:2] == ("7", "search")
    assert len(calls_of(configuration, "find_people")) == 1  # asked once for both


def test_that_users_ticket_may_be_too_old():
    configuration = configured(searches_records=True, case_age_hours=24)
    person(configuration)
    ticket(configuration, "1", owner="7", hours_ago=25)
    interaction = matched(configuration)
    assert outcome(interaction)[3] == "no_record" and steps(interaction) == [("search", "no_open_case")]


@pytest.mark.parametrize(
    ("columns", "variables", "known"),
    [
        ({"email_variable": "Mail"}, {"MAIL": "zoe@example.com"}, {"email": "zoe@example.com"}),
        ({"external_id_variable": "account"}, {"Account": "A-991"}, {"external_id": "A-991"}),
    ],
    ids=["email", "external id"],
)
def test_or_email_or_external_id_from_the_named_script_variables(columns, variables, known):
    configuration = configured(searches_records=True, **columns)
    person(configuration, phone="", **known)
    ticket(configuration, "1", owner="7")
    interaction = matched(configuration, fields={"ani": None}, scriptVariables=variables)
    assert outcome(interaction)[:2] == ("1", "search")


def test_nothing_but_the_named_variables_is_taken_for_an_address():
    configuration = configured(searches_records=True)
    person(configuration, phone="", email="zoe@example.com")
    interaction = matched(
        configuration, fields={"ani": "anonymous"}, scriptVariables={"customerEmail": "zoe@example.com"}
    )
    assert steps(interaction) == [("search", "no_clue")] and crm(configuration).calls[:-1] == []


def test_the_ani_can_be_left_out_of_the_search():
    configuration = configured(searches_records=True, searches_by_phone=False)
    person(configuration)
    assert steps(matched(configuration)) == [("search", "no_clue")]


def test_more_than_one_match_of_a_search_never_guesses_skipped_ambiguous_with_the_candidates_listed():
    configuration = configured(BOTH, **ALL_RULES)
    for pk in ("7", "8"):
        person(configuration, pk)
        ticket(configuration, f"1{pk}", owner=pk)
    interaction = matched(configuration)
    assert outcome(interaction) == ("", "search", "skipped", "ambiguous")
    assert candidates(interaction) == ["18", "17"] and candidates(interaction, "user") == ["8", "7"]
    assert not RecordCreation.objects.exists()


@pytest.mark.parametrize("columns", [{"searches_records": True}, {"creates_cases": True}])
def test_several_people_without_a_case_of_theirs_leave_open_whose_case_it_is(columns):
    configuration = configured(BOTH, **columns)
    for pk in ("7", "8"):
        person(configuration, pk)
    interaction = matched(configuration)
    assert outcome(interaction) == ("", "search", "skipped", "ambiguous_person")
    assert candidates(interaction) == ["8", "7"]
    assert ("search", "several_people") in steps(interaction)
    assert not RecordCreation.objects.exists()


def test_of_several_people_none_is_created_and_they_are_the_candidates():
    configuration = configured(BOTH, creates_people=True)
    for pk in ("7", "8"):
        person(configuration, pk)
    interaction = matched(configuration)
    assert outcome(interaction, "user") == ("", "search", "skipped", "ambiguous")
    assert candidates(interaction, "user") == ["8", "7"] and not RecordCreation.objects.exists()


def test_a_create_rule_create_the_ticket_with_an_idempotency_key():
    configuration = configured(creates_cases=True)
    interaction = matched(configuration)
    record_id, rule, state, _reason = outcome(interaction)
    assert (rule, state, steps(interaction)) == ("created", "waiting", [("created", "created")])
    creation = RecordCreation.objects.get()
    assert (creation.key, creation.record_id) == ("contact:C1", record_id)
    assert crm(configuration).records["ticket", record_id]["external_id"] == creation.external_id
    push_all(configuration, FakeClock(NOW))
    assert outcome(interaction)[2] == "delivered"
    assert crm(configuration).records["ticket", record_id]["subject"] == "Support"


def test_or_user_when_nobody_was_found():
    configuration = configured(BOTH, searches_records=True, creates_cases=True, creates_people=True)
    interaction = matched(configuration)
    user, case = outcome(interaction, "user")[0], outcome(interaction)[0]
    assert crm(configuration).owners["ticket", case] == user
    assert crm(configuration).records["user", user]["phone"] == ANI


def test_the_case_is_the_found_persons():
    configuration = configured(searches_records=True, creates_cases=True, creates_people=True)
    person(configuration)
    interaction = matched(configuration)
    assert crm(configuration).owners["ticket", outcome(interaction)[0]] == "7"
    assert RecordCreation.objects.count() == 1


def test_nobody_is_created_of_whom_nothing_is_known():
    configuration = configured(BOTH, creates_cases=True, creates_people=True)
    interaction = matched(configuration, fields={"ani": None})
    assert outcome(interaction)[1] == "created" and outcome(interaction, "user")[3] == "no_record"


def test_the_second_segment_uses_the_created_record_however_late_the_search_is():
    configuration = configured(creates_cases=True, searches_records=True, creates_people=True)
    crm(configuration).is_search_late = True
    first = matched(configuration)
    later = voice("ended", "2026-01-15T14:55:00Z", contactId="C1", segmentId="2", fields={"skillName": "Other"})
    take_in(configuration, later, now=NOW)
    match_all(configuration, lambda: NOW)
    second = first.contact.interactions.exclude(pk=first.pk).get()
    assert outcome(second)[:2] == (outcome(first)[0], "created")
    assert RecordCreation.objects.count() == 2  # the case and the person


def test_none_the_delivery_is_skipped_no_record_visible_linkable_by_hand_and_replayable():
    configuration = configured(IDS, uses_written_records=True, searches_records=True)
    interaction = matched(configuration)
    assert outcome(interaction) == ("", "none", "skipped", "no_record")
    assert steps(interaction) == [("written", "nothing"), ("search", "nothing")]
    take_in(configuration, link("2026-01-15T14:59:00Z", record="9", contactId="C1"), now=NOW)
    assert outcome(interaction) == ("9", "linked", "waiting", "")
    assert Delivery.objects.order_by("pk").first().reason == "resolved_by_link"


def test_each_can_be_switched_off():
    configuration = configured(IDS)
    ticket(configuration, "41", contact_id="C1")
    interaction = call(configuration)
    assert outcome(interaction)[3] == "no_record" and interaction.match_due_at is None


def test_a_type_of_which_no_rule_speaks_is_settled_at_once_and_the_other_looked_for():
    rows = {"ticket": BOTH["ticket"], "custom_object:device": [("serial", "voice", "skillName")]}
    configuration = configured(rows, searches_records=True)
    interaction = call(configuration)
    assert outcome(interaction, "custom_object:device")[3] == "no_record"
    assert interaction.match_due_at == NOW and "ticket" not in interaction.targets


@pytest.mark.parametrize("error", [AccessDenied("no right", status=403), ValueRefused("bad query", status=422)])
def test_a_refused_question_passes_its_rule_over_and_says_so(error):
    configuration = configured(IDS, uses_written_records=True, searches_records=True)
    person(configuration)
    ticket(configuration, "1", owner="7")
    crm(configuration).faults.append(error)
    interaction = matched(configuration)
    assert steps(interaction) == [("written", "passed_over"), ("search", "found")]
    assert interaction.targets["ticket"]["steps"][2]["params"] == {"words": error.message}
    assert outcome(interaction)[0] == "1"


def test_who_could_not_be_asked_for_is_not_created_a_second_time(monkeypatch):
    def deny(_self, _clues, **_keywords):
        raise AccessDenied("no right", status=403)

    monkeypatch.setattr(MemoryConnection, "find_people", deny)
    configuration = configured(BOTH, creates_cases=True, creates_people=True)
    person(configuration)
    interaction = matched(configuration)
    assert outcome(interaction)[1] == "created" and outcome(interaction, "user")[3] == "no_record"


def test_a_refused_creation_is_said_and_nothing_is_written():
    configuration = configured(creates_cases=True, searches_by_phone=False)
    crm(configuration).faults.append(ValueRefused("A required field is missing.", status=422))
    interaction = matched(configuration)
    assert outcome(interaction) == ("", "created", "skipped", "creation_refused")
    assert Delivery.objects.get().reason_params == {"words": "A required field is missing."}


def test_what_was_unlinked_is_not_found_again():
    configuration = configured(searches_records=True)
    person(configuration)
    ticket(configuration, "1", owner="7", hours_ago=1)
    ticket(configuration, "2", owner="7", hours_ago=2)
    unlink = link("2026-01-15T14:59:00Z", record="1", contactId="C1", type_="records.unlinked")
    call(configuration)
    take_in(configuration, unlink, now=NOW)
    match_all(configuration, lambda: NOW)
    assert Delivery.objects.get().record_id == "2"


@pytest.mark.parametrize("rule", ["script_variable", "written"])
def test_a_case_of_somebody_else_than_the_caller_is_not_written_when_that_is_checked(rule):
    configuration = configured(IDS, uses_written_records=True, checks_caller=True)
    person(configuration, "7")
    person(configuration, "8", phone="+15145550999")
    ticket(configuration, "1", owner="8", contact_id="C1")
    variables = {"scriptVariables": {"memory_ticket_id": "1"}} if rule == "script_variable" else {}
    interaction = matched(configuration, **variables)
    assert outcome(interaction) == ("", rule, "skipped", "not_callers_case")
    assert candidates(interaction) == ["1"] and steps(interaction)[-1] == (rule, "not_callers")


@pytest.mark.parametrize(
    ("owner", "ani", "verdict"),
    [("7", ANI, "caller_confirmed"), ("8", "", "caller_unknown"), ("", ANI, "caller_unknown")],
)
def test_a_case_of_the_caller_is_written_and_an_unknown_caller_is_not_checked(owner, ani, verdict):
    configuration = configured(checks_caller=True)
    person(configuration, "7")
    ticket(configuration, "1", owner=owner)
    interaction = matched(configuration, fields={"ani": ani}, scriptVariables={"memory_ticket_id": "1"})
    assert outcome(interaction)[:3] == ("1", "script_variable", "waiting")
    assert steps(interaction) == [("script_variable", verdict)]


def test_a_linked_case_is_not_checked_somebody_chose_it():
    configuration = configured(checks_caller=True)
    ticket(configuration, "1", owner="8")
    assert outcome(call(configuration, records=[{"entityType": "ticket", "id": "1"}]))[:2] == ("1", "linked")


def refuse_everything(monkeypatch, error):
    """Every call is refused for as long as the answered list is not empty."""
    refusing, ask = [error], MemoryConnection._call

    def refuse(self, name, details):
        if refusing:
            raise refusing[0]
        return ask(self, name, details)

    monkeypatch.setattr(MemoryConnection, "_call", refuse)
    return refusing


@pytest.mark.parametrize("creates_cases", [False, True])
def test_a_system_user_who_may_nothing_any_more_is_held_and_no_rule_is_passed_over(creates_cases, monkeypatch):
    clock = FakeClock(NOW)
    configuration = configured(searches_records=True, creates_cases=creates_cases)
    person(configuration)
    ticket(configuration, "1", owner="7")
    refusing = refuse_everything(monkeypatch, AccessDenied("Forbidden", status=403))
    crm(configuration).may_write = False
    interaction = call(configuration)
    push_all(configuration, clock)
    assert Authentication.objects.get().state == Authentication.State.REAUTHENTICATE
    assert not Delivery.objects.exists()
    refusing.clear()
    crm(configuration).may_write = True
    Authentication.objects.update(state=Authentication.State.ACTIVE)
    clock.move(hours=1)
    push_all(configuration, clock)
    assert outcome(interaction) == ("1", "search", "delivered", "")


def test_an_account_that_is_away_is_waited_for_and_no_rule_is_passed_over(monkeypatch):
    clock = FakeClock(NOW)
    configuration = configured(searches_records=True, creates_cases=True)
    person(configuration)
    ticket(configuration, "1", owner="7")
    gone = Misconfigured("No help desk", status=404)
    refusing = refuse_everything(monkeypatch, gone)
    monkeypatch.setattr(MemoryConnection, "confirm_writing", lambda self, _type: self._call("confirm", None))
    interaction = call(configuration)
    push_all(configuration, clock)
    refusing.clear()
    clock.move(hours=1)
    push_all(configuration, clock)
    assert outcome(interaction) == ("1", "search", "delivered", "")
