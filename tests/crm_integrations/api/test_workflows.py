"""The workflows through the API: what scripts send, what they are told, and what is kept of it."""

import json
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from datetime import timedelta
from threading import Barrier

import jsonschema
import pytest
from django.core.cache import cache
from django.db import OperationalError
from django.db import connection as database
from django.test import Client
from django.utils import timezone

from crm_integrations import card_fields as registry
from crm_integrations.api.description import read_description
from crm_integrations.contact_links import RecordReference, contact_links
from crm_integrations.models import FoundRecord, RecordCreation
from crm_integrations.providers.base import CRMField, FieldType
from crm_integrations.providers.errors import (
    AccessDenied,
    Conflict,
    CRMUnavailable,
    GrantEnded,
    Misconfigured,
    RetryLater,
    ValueRefused,
)
from crm_integrations.services import call_budgets, call_places, connections, workflow_run
from crm_integrations.services.call_places import CallPlaces
from crm_integrations.services.intake_keys import create_key
from memorialization.models import InteractionEvent
from tests.engine import account_of, calls_of, take_in
from tests.factories import make_configuration
from tests.memorialization.event_payloads import digital

pytestmark = pytest.mark.django_db
CALLER = "+15145550123"
TICKET = {"table": "ticket", "data": {"ticket": {"subject": "Call"}}}
FIELDS = {
    "ticket": [CRMField("subject", "Subject", FieldType.TEXT)],
    "user": [CRMField("name", "Name", FieldType.TEXT)],
}


@pytest.fixture
def configuration(monkeypatch):
    monkeypatch.setattr(registry, "_deciders", [lambda configuration: FIELDS])
    found = make_configuration(phone_country="CA")
    crm = account_of(found)
    crm.records["user", "7"] = {"name": "Alex", "phone": "(514) 555-0123", "email": "alex@example.com"}
    crm.records["user", "8"] = {"name": "Sam", "email": "sam@example.com"}
    crm.records["ticket", "1"] = {"subject": "Open", "status": "open"}
    crm.records["ticket", "2"] = {"subject": "Done", "status": "solved"}
    crm.owners |= {("ticket", "1"): "7", ("ticket", "2"): "7"}
    return found


@pytest.fixture
def key(configuration):
    return create_key(configuration=configuration, kind="bearer", label="Studio", actor=None, now=timezone.now())[1]


@pytest.fixture
def run(configuration, key, client):
    def run(workflow, body, *, status=200, **headers):
        answer = client.post(
            f"/api/v1/configurations/{configuration.pk}/workflows/{workflow}",
            body if isinstance(body, str) else json.dumps(body),
            content_type="application/json",
            headers={"Authorization": f"Bearer {key}", **headers},
        )
        assert answer.status_code == status, answer.content
        components = read_description()["components"]
        schema = "WorkflowAnswer" if status == 200 else "Problem"
        jsonschema.validate(answer.json(), {"$ref": f"#/components/schemas/{schema}", "components": components})
        run.headers = answer.headers
        return answer.json()

    return run


def names(records):
    return [(record["entityType"], record["id"]) for record in records]


def links(configuration, contact_id="415"):
    return [
        (link.entity_type, link.record_id)
        for link in contact_links()
        .read_contact(configuration=configuration, contact_id=contact_id, now=timezone.now())
        .linked
    ]


def created(configuration):
    return calls_of(configuration, "create_record")


@pytest.mark.parametrize("phone", [CALLER, "514 555 0123", "15145550123", "tel:+1-514-555-0123"])
def test_search_ani_finds_the_caller_however_the_number_is_written_and_their_open_cases(run, phone):
    answer = run("search-ani", {"workflowInput": {"phoneNumber": phone}})
    assert names(answer["records"]) == [("user", "7")] and names(answer["related"]) == [("ticket", "1")]
    assert answer["isComplete"] and not answer["created"] and answer["pinned"] == [] and "screenPop" not in answer
    (person,) = answer["records"]
    assert person["title"] == "Alex" and person["url"] == "https://acme.memory.test/user/7"
    assert person["fields"] == [{"key": "name", "label": "Name", "value": "Alex"}]


@pytest.mark.parametrize("phone", ["anonymous", "Restricted", "112"])
def test_a_withheld_number_finds_nobody_and_asks_nobody(run, configuration, phone):
    answer = run("search-ani", {"phoneNumber": phone})
    assert answer["records"] == [] and answer["notes"] and calls_of(configuration, "find_people") == []


def test_search_email_finds_the_person(run):
    answer = run("search-email", {"email": "ALEX@example.com"})
    assert names(answer["records"]) == [("user", "7")] and names(answer["related"]) == [("ticket", "1")]


def test_custom_search_asks_for_each_type_in_turn(run):
    asked = [{"entity": "ticket", "filter": "status:open"}, {"entity": "user", "filter": "name:sam"}]
    answer = run("custom-search", {"search": asked})
    assert names(answer["records"]) == [("ticket", "1"), ("user", "8")] and answer["isComplete"]


def test_a_search_that_finds_more_than_25_says_so(run, configuration):
    account_of(configuration).records |= {
        ("ticket", str(number)): {"subject": "Many", "status": "new"} for number in range(100, 130)
    }
    answer = run("custom-search", {"search": {"entity": "ticket", "filter": "subject:many"}})
    assert len(answer["records"]) == 25 and answer["isComplete"] is False


def test_an_answer_is_never_larger_than_a_script_can_take(run, configuration):
    account_of(configuration).records |= {
        ("ticket", str(number)): {"subject": "é" * 1500, "status": "new"} for number in range(100, 125)
    }
    answer = run("custom-search", {"search": {"entity": "ticket", "filter": "status:new"}})
    assert 0 < len(answer["records"]) < 25 and answer["isComplete"] is False
    assert len(json.dumps(answer)) <= 32 * 1024


def test_a_filter_that_cannot_be_read_is_named_before_anybody_is_asked(run, configuration):
    asked = [{"entity": "ticket", "filter": "status:open"}, {"entity": "ticket", "filter": "status:"}]
    problem = run("custom-search", {"search": asked}, status=422)
    assert [error["field"] for error in problem["errors"]] == ["search[1].filter"]
    assert calls_of(configuration, "find_records") == []


def test_a_filter_that_the_crm_refuses_is_named(run, configuration):
    account_of(configuration).faults.append(ValueRefused("no such word"))
    problem = run("custom-search", {"search": [{"entity": "ticket", "filter": "colour:red"}]}, status=422)
    assert problem["errors"][0]["field"] == "search[0].filter" and "no such word" in problem["errors"][0]["message"]


def test_what_was_found_is_kept_for_the_contact_until_the_next_search_of_the_workflow(run, configuration):
    run("search-ani", {"phoneNumber": CALLER, "contactId": "415"})
    run("search-email", {"email": "sam@example.com", "contactId": "415"})
    run("search-ani", {"phoneNumber": CALLER, "contactId": "416"})
    kept = FoundRecord.objects.filter(configuration=configuration, contact_id="415")
    shown = kept.order_by("workflow", "position").values_list("workflow", "entity_type", "record_id")
    assert list(shown) == [
        ("search-ani", "user", "7"),
        ("search-ani", "ticket", "1"),
        ("search-email", "user", "8"),
    ]
    run("search-ani", {"phoneNumber": "+15145559999", "contactId": "415"})
    assert list(kept.values_list("record_id", flat=True)) == ["8"]
    run("search-email", {"email": "alex@example.com", "contactId": "415"})
    assert set(kept.values_list("workflow", "record_id")) == {("search-email", "7"), ("search-email", "1")}


def test_a_record_found_by_two_workflows_belongs_to_the_latter(run):
    run("search-ani", {"phoneNumber": CALLER, "contactId": "415"})
    run("search-email", {"email": "alex@example.com", "contactId": "415"})
    assert set(FoundRecord.objects.values_list("workflow", flat=True)) == {"search-email"}
    assert FoundRecord.objects.count() == 2


def test_without_a_contact_nothing_is_kept(run):
    run("search-ani", {"phoneNumber": CALLER})
    assert not FoundRecord.objects.exists()


def test_a_match_is_linked_only_when_the_script_says_so(run, configuration):
    run("search-ani", {"phoneNumber": CALLER, "contactId": "415"})
    assert links(configuration) == []
    answer = run("search-ani", {"phoneNumber": CALLER, "contactId": "415", "pinnedRecord": "true"})
    assert names(answer["pinned"]) == links(configuration) == [("user", "7")]
    assert InteractionEvent.objects.get().origin == "workflow" and answer["records"][0]["linked"]


def test_several_matches_are_never_linked(run, configuration):
    account_of(configuration).records["user", "9"] = {"name": "Kim", "phone": CALLER}
    answer = run("search-ani", {"phoneNumber": CALLER, "contactId": "415", "linked": True})
    assert len(answer["records"]) == 2 and answer["pinned"] == [] and answer["notes"] and links(configuration) == []


def test_a_ticket_is_created_linked_and_shown(run, configuration):
    body = {**TICKET, "contactId": "415", "pinnedRecord": "true", "screenPop": "true", "crmuserid": "55"}
    answer = run("create-ticket", body)
    (record,) = answer["records"]
    assert answer["created"] and answer["pinned"] == [record] and record["title"] == "Call"
    assert answer["screenPop"] == {"shown": True, "reason": ""}
    assert account_of(configuration).screens == {("55", "ticket", record["id"])}
    assert links(configuration) == [("ticket", record["id"])]


def test_a_created_record_is_linked_by_default_and_not_when_the_script_says_false(run, configuration):
    answer = run("create-ticket", {**TICKET, "contactId": "415"})
    assert names(answer["pinned"]) == links(configuration) == names(answer["records"])
    answer = run("create-user", {"data": {"user": {"name": "New"}}, "contactId": "415", "pinnedRecord": "false"})
    assert answer["created"] and answer["pinned"] == [] and len(links(configuration)) == 1


def test_without_a_contact_a_record_is_created_and_not_linked(run):
    answer = run("create-ticket", {**TICKET, "pinnedRecord": "true"})
    assert answer["created"] and answer["pinned"] == []


def test_a_record_that_was_unlinked_by_a_person_is_not_linked_again_by_a_repetition(run, configuration):
    body = {**TICKET, "contactId": "415"}
    record = run("create-ticket", body)["records"][0]
    reference = RecordReference("ticket", record["id"])
    now = timezone.now()
    contact_links().unlink(configuration=configuration, contact_id="415", record=reference, origin="person", now=now)
    run("create-ticket", body)
    assert links(configuration) == []


def test_a_crm_that_is_away_holds_no_thread_that_could_take_events(run, configuration):
    accounts = type(configuration.authentication.account).objects
    now = timezone.now()
    accounts.update(circuit_state="open", circuit_opened_at=now, circuit_probe_at=now + timedelta(seconds=30))
    run("search-ani", {"phoneNumber": CALLER}, status=503)
    assert 1 <= int(run.headers["Retry-After"]) <= 30 and account_of(configuration).calls == []
    accounts.update(circuit_probe_at=now)
    run("search-ani", {"phoneNumber": "withheld"})
    assert accounts.get().circuit_state == "half_open" and calls_of(configuration, "find_people") == []
    assert run("search-ani", {"phoneNumber": CALLER})["records"]
    assert accounts.get().circuit_state == "closed"


def test_each_agents_part_of_a_case_has_the_record_that_its_own_script_asks_for(run, configuration):
    case = {"contactId": "415"}
    body = {**TICKET, **case}
    start = timezone.now() - timedelta(minutes=10)
    at = [(start + timedelta(minutes=minute)).isoformat() for minute in range(3)]
    take_in(configuration, digital("started", at[0], agent="A", **case), now=start)
    record = run("create-ticket", body)["records"][0]
    later = timezone.now() + timedelta(seconds=1)
    at = [(later + timedelta(seconds=second)).isoformat() for second in range(2)]
    handover = digital("transferred", at[0], agent="A", **case), digital("started", at[1], agent="B", **case)
    take_in(configuration, *handover, now=later)
    assert links(configuration) == []
    answer = run("create-ticket", body)
    assert names(answer["pinned"]) == links(configuration) == [("ticket", record["id"])]
    reference = RecordReference("ticket", record["id"])
    now = timezone.now() + timedelta(minutes=1)
    contact_links().unlink(configuration=configuration, contact_id="415", record=reference, origin="person", now=now)
    run("create-ticket", body)
    assert links(configuration) == []


@pytest.mark.parametrize(
    ("body", "headers"),
    [
        ({**TICKET, "contactId": "415"}, {}),
        (TICKET, {}),
        (TICKET, {"Idempotency-Key": "order-7"}),
    ],
)
def test_a_repetition_answers_with_the_first_ones_record(run, configuration, body, headers):
    first, second = run("create-ticket", body, **headers), run("create-ticket", body, **headers)
    assert first["created"] and not second["created"] and first["records"] == second["records"]
    assert len(created(configuration)) == 1


def test_the_scripts_own_key_makes_two_records_for_one_contact(run, configuration):
    body = {**TICKET, "contactId": "415"}
    first, second = (run("create-record", body, **{"Idempotency-Key": each}) for each in "ab")
    assert first["created"] and second["created"] and len(links(configuration)) == 2


def test_another_contact_gets_a_record_of_its_own(run):
    first, second = (run("create-ticket", {**TICKET, "contactId": each}) for each in ("1", "2"))
    assert first["created"] and second["created"]


def test_the_same_body_after_ten_minutes_is_meant_again(run):
    assert run("create-ticket", TICKET)["created"]
    RecordCreation.objects.update(finished_at=timezone.now() - timedelta(minutes=11))
    assert run("create-ticket", TICKET)["created"]
    assert not run("create-ticket", TICKET)["created"]


def test_standard_creations_take_standard_fields_only(run, configuration):
    body = {"data": {"ticket": {"subject": "Call", "notes": "x"}}}
    problem = run("create-ticket", body, status=422)
    assert [error["field"] for error in problem["errors"]] == ["data.ticket.notes"]
    assert created(configuration) == [] and not RecordCreation.objects.exists()
    answer = run("create-record", {"table": "ticket", **body})
    assert answer["created"]


def test_custom_records_are_created_too(run, configuration):
    answer = run(
        "create-record", {"table": "custom_object:device", "data": {"custom_object:device": {"name": "Phone"}}}
    )
    assert names(answer["records"])[0][0] == "custom_object:device"


@pytest.mark.parametrize(
    ("workflow", "body", "place"),
    [
        ("search-ani", {}, "phoneNumber"),
        ("search-ani", [], ""),
        ("create-record", {"data": {"ticket": {"subject": "x"}}}, "table"),
        ("create-ticket", {"table": "user", "data": {"user": {"name": "x"}}}, "table"),
        ("create-ticket", {"data": {"ticket": {"colour": "x"}}}, "data.ticket.colour"),
    ],
)
def test_what_is_wrong_is_named_and_nothing_is_created(run, configuration, workflow, body, place):
    problem = run(workflow, body, status=422)
    assert [error["field"] for error in problem["errors"]] == [place]
    assert account_of(configuration).calls == [] and not RecordCreation.objects.exists()


def test_what_the_crm_refuses_is_named_and_another_body_begins_anew(run, configuration):
    account_of(configuration).faults.append(ValueRefused("invalid", fields={"subject": "cannot be blank"}))
    problem = run("create-ticket", {**TICKET, "contactId": "415"}, status=422)
    assert problem["errors"] == [{"field": "data.subject", "message": "cannot be blank"}]
    assert run("create-ticket", {**TICKET, "contactId": "415"})["created"]


def test_bad_json_an_unknown_workflow_and_a_get_are_refused(run, client, configuration, key):
    run("search-ani", "{", status=400)
    run("search-everything", {}, status=404)
    address = f"/api/v1/configurations/{configuration.pk}/workflows/search-ani"
    assert client.get(address, headers={"Authorization": f"Bearer {key}"}).status_code == 405
    assert client.post(address, "{}", content_type="application/json").status_code == 401


def test_a_key_that_is_too_long_is_refused(run):
    run("create-ticket", TICKET, status=422, **{"Idempotency-Key": "x" * 201})


@pytest.mark.parametrize(
    ("error", "status", "retry_after"),
    [
        (RetryLater("slow", retry_after_s=7.2), 503, "8"),
        (CRMUnavailable("away", may_have_applied=False), 503, "5"),
        (CRMUnavailable("away", may_have_applied=True, retry_after_s=30), 503, "30"),
        (Conflict("collision"), 503, "5"),
        (AccessDenied("not allowed"), 403, None),
        (GrantEnded("revoked"), 409, None),
        (Misconfigured("odd"), 502, None),
    ],
)
@pytest.mark.parametrize("workflow", ["search-ani", "create-ticket"])
def test_errors_of_the_crm_say_what_to_do_next(run, configuration, workflow, error, status, retry_after):
    account_of(configuration).faults.append(error)
    body = {"phoneNumber": CALLER, **TICKET, "contactId": "415"}
    run(workflow, body, status=status)
    assert run.headers.get("Retry-After") == retry_after and run.headers["Content-Type"] == "application/problem+json"
    assert links(configuration) == [] and not FoundRecord.objects.exists()


def test_a_limit_of_ours_is_answered_like_one_of_the_crms(run, monkeypatch):
    def spent(**_asked):
        raise call_budgets.BudgetSpent(limit_class="account", retry_after_s=12)

    monkeypatch.setattr("crm_integrations.services.call_gates.acquire_several", spent)
    run("search-ani", {"phoneNumber": CALLER}, status=503)
    assert run.headers["Retry-After"] == "12"


def test_no_call_begins_after_the_time_is_over(run, configuration, monkeypatch):
    monkeypatch.setattr(workflow_run, "CALLS_BEGIN_WITHIN_S", 0.0)
    run("search-ani", {"phoneNumber": CALLER}, status=503)
    assert run.headers["Retry-After"] == "5" and calls_of(configuration, "find_people") == []


def test_when_the_time_is_over_at_the_end_cards_come_without_fields(run, configuration, monkeypatch):
    ask = workflow_run._ask

    def ask_for_long(*asked):
        monkeypatch.setattr(workflow_run, "CALLS_BEGIN_WITHIN_S", -1.0)
        return ask(*asked)

    monkeypatch.setattr(workflow_run, "_ask", ask_for_long)
    (person,) = run("search-ani", {"phoneNumber": CALLER})["records"]
    assert person == {
        "entityType": "user",
        "id": "7",
        "title": "User 7",
        "url": "https://acme.memory.test/user/7",
        "fields": [],
        "linked": False,
        "closed": False,
    }


@pytest.mark.parametrize("state", ["reauthenticate", "system_user_removed"])
def test_a_held_authentication_runs_nothing(run, configuration, state):
    configuration.authentication.state = state
    configuration.authentication.save()
    run("create-ticket", TICKET, status=409)
    assert created(configuration) == []


@pytest.mark.parametrize("state", ["inactive", "system_user_removed"])
def test_an_inactive_configuration_runs_nothing(run, configuration, state):
    configuration.state = state
    configuration.save()
    run("search-ani", {"phoneNumber": CALLER}, status=409)


def test_a_screen_that_cannot_be_reached_is_no_error(run, configuration):
    crm = account_of(configuration)
    body = {"phoneNumber": CALLER, "screenPop": True}
    assert run("search-ani", body)["screenPop"]["shown"] is False
    crm.can_show_to_agents = False
    assert run("search-ani", {**body, "agent": "a@example.com"})["screenPop"]["reason"]
    crm.can_show_to_agents = True
    assert run("search-ani", {**body, "agent": "a@example.com"})["screenPop"] == {"shown": True, "reason": ""}
    answer = run("search-ani", {"phoneNumber": "+15145559999", "screenPop": True, "agent": "55"})
    assert answer["screenPop"] == {"shown": False, "reason": "No record was found."}


def test_an_error_of_the_screen_pop_hides_nothing(run, configuration, monkeypatch):
    def refuse(*_asked):
        raise AccessDenied("not an agent")

    monkeypatch.setattr("tests.memory_provider.MemoryConnection.show_to_agent", refuse)
    answer = run("create-ticket", {**TICKET, "screenPop": "true", "agent": "55"})
    assert answer["created"] and "not an agent" in answer["screenPop"]["reason"]


def test_keys_without_effect_are_reported(run):
    answer = run("search-ani", {"phoneNumber": CALLER, "timeoutMilliSec": 5000, "cacheResponse": "false"})
    assert answer["ignored"] == ["cacheResponse", "timeoutMilliSec"]


def test_a_created_record_that_was_deleted_in_the_crm_is_not_made_again_and_the_answer_says_so(run, configuration):
    body = {**TICKET, "contactId": "415"}
    record = run("create-ticket", body)["records"][0]
    del account_of(configuration).records["ticket", record["id"]]
    cache.clear()
    answer = run("create-ticket", body)
    assert not answer["created"] and names(answer["records"]) == [("ticket", record["id"])] and answer["notes"]
    assert len(created(configuration)) == 1


def test_an_answer_that_was_lost_is_found_by_the_repetition(run, configuration):
    crm = account_of(configuration)
    crm.faults_after_applying.append(CRMUnavailable("reset", may_have_applied=True))
    assert run("create-ticket", {**TICKET, "contactId": "415"})["created"]
    assert len([key for key in crm.records if key[0] == "ticket"]) == 3


@pytest.mark.django_db(transaction=True)
def test_two_scripts_at_once_create_one_record_for_the_contact(configuration, key):
    start = Barrier(3)

    def send(number):
        try:
            start.wait()
            return Client().post(
                f"/api/v1/configurations/{configuration.pk}/workflows/create-ticket",
                json.dumps({"data": {"ticket": {"subject": f"Call {number}"}}, "contactId": "415"}),
                content_type="application/json",
                headers={"Authorization": f"Bearer {key}"},
            )
        finally:
            database.close()

    with ThreadPoolExecutor(3) as pool:
        answers = list(pool.map(send, range(3)))
    assert [answer.status_code for answer in answers] == [200] * 3
    assert len({answer.json()["records"][0]["id"] for answer in answers}) == 1
    assert sum(answer.json()["created"] for answer in answers) == 1
    assert len(created(configuration)) == 1 and len(links(configuration)) == 1


def hold_places(monkeypatch, settings):
    """As many calls hang as may in one process."""
    held = CallPlaces()
    monkeypatch.setattr(call_places, "BRISK_S", -1.0)
    monkeypatch.setattr(connections, "places", held)
    stack = ExitStack()
    for _call in range(settings.INTERACTIVE_CALLS):
        stack.enter_context(held.taking())
    return stack


def test_while_calls_hang_the_next_is_told_to_come_back_and_events_are_taken_in(
    run, configuration, client, key, monkeypatch, settings
):
    with hold_places(monkeypatch, settings):
        problem = run("search-ani", {"phoneNumber": CALLER}, status=503)
        assert problem["detail"] == "The CRM is slow to answer just now. Try again in a moment."
        assert run.headers["Retry-After"] == "5" and calls_of(configuration, "find_people") == []
        event = client.post(
            f"/api/v1/configurations/{configuration.pk}/events",
            json.dumps(digital("started", "14:00:00")),
            content_type="application/json",
            headers={"Authorization": f"Bearer {key}"},
        )
        assert event.status_code == 202
    assert len(run("search-ani", {"phoneNumber": CALLER})["records"]) == 1


def test_a_probe_that_got_no_place_is_left_to_the_next(run, configuration, monkeypatch, settings):
    account = configuration.authentication.account
    probe_at = timezone.now() - timedelta(seconds=1)
    type(account).objects.update(circuit_state="open", circuit_opened_at=probe_at, circuit_probe_at=probe_at)
    with hold_places(monkeypatch, settings):
        run("search-ani", {"phoneNumber": CALLER}, status=503)
    assert len(run("search-ani", {"phoneNumber": CALLER})["records"]) == 1
    account.refresh_from_db()
    assert account.circuit_state == "closed"


EXPECTED = [
    RetryLater("slow down, Ms Roy", retry_after_s=33),
    CRMUnavailable("Ms Roy", may_have_applied=False),
    Conflict("Ms Roy"),
    Misconfigured("Ms Roy"),
]


@pytest.mark.parametrize("fault", EXPECTED, ids=lambda fault: type(fault).__name__)
def test_a_crm_that_cannot_answer_is_a_warning_in_the_log_without_its_words(run, configuration, caplog, fault):
    account_of(configuration).faults.append(fault)
    run("search-ani", {"phoneNumber": CALLER}, status=502 if isinstance(fault, Misconfigured) else 503)
    [record] = [each for each in caplog.records if each.name == "django.request"]
    assert record.levelname == "WARNING" and record.status_code in {502, 503}
    assert f"{configuration.pk}/workflows/search-ani" in record.getMessage()
    assert "Roy" not in caplog.text and CALLER not in caplog.text


def test_a_database_that_is_away_stays_an_error_in_the_log(run, caplog, monkeypatch):
    def fail(**_asked):
        raise OperationalError("gone")

    monkeypatch.setattr("crm_integrations.api.workflows.run_workflow", fail)
    run("search-ani", {"phoneNumber": CALLER}, status=503)
    assert [each.levelname for each in caplog.records if each.name == "django.request"] == ["ERROR"]
