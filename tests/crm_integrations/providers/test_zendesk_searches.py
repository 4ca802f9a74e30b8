"""People, names and creations in Zendesk, call by call."""

import json

import pytest
import responses

from crm_integrations.phone_numbers import read_phone_number
from crm_integrations.providers.base import CreationRequest, PersonClues, SearchCriterion
from crm_integrations.providers.errors import CRMUnavailable, ValueRefused
from crm_integrations.providers.zendesk.names import LookupTargets
from crm_integrations.providers.zendesk.provider import ZendeskProvider
from tests.crm_integrations.providers.contract import NotingGate

API = "https://acme.zendesk.com/api/v2"
PHONE = read_phone_number("+1 514 555 0123", country="CA")
ALICE = {"id": 1, "name": "Alice", "phone": "(514) 555-0123", "active": True}
BORIS = {"id": 2, "name": "Boris", "phone": None, "active": True, "suspended": True}
GONE = {"id": 3, "name": "Gone", "phone": "+15145550123", "active": False}


@pytest.fixture
def zendesk():
    with responses.RequestsMock() as mock:
        yield mock


@pytest.fixture
def gate():
    return NotingGate()


@pytest.fixture
def connection(settings, gate):
    settings.ZENDESK_BASE_URL = "https://{subdomain}.zendesk.com"
    return ZendeskProvider().connect("acme", access_token="t", options={}, gate=gate)


def paths(zendesk):
    return [call.request.path_url.removeprefix("/api/v2/").partition("?")[0] for call in zendesk.calls]


def test_a_person_whose_own_number_it_is_costs_one_call(zendesk, connection):
    zendesk.get(f"{API}/users/search", json={"users": [ALICE, GONE]})
    assert [person.id for person in connection.find_people(PersonClues(PHONE))] == ["1"]
    spellings = 'phone:"+15145550123" phone:"15145550123" phone:"5145550123" phone:"(514) 555-0123"'
    assert zendesk.calls[0].request.params["query"] == spellings
    assert paths(zendesk) == ["users/search"]


def test_further_numbers_are_read_only_of_people_whose_own_number_is_another(zendesk, connection):
    zendesk.get(f"{API}/users/search", json={"users": [ALICE, BORIS]})
    numbers = [{"type": "phone_number", "value": "+1 514-555-0123"}]
    zendesk.get(f"{API}/users/2/identities", json={"identities": numbers})
    assert [person.id for person in connection.find_people(PersonClues(PHONE))] == ["1", "2"]
    assert paths(zendesk) == ["users/search", "users/2/identities"]


def test_everybody_with_the_number_is_found_and_who_only_resembles_them_is_not(zendesk, connection):
    other = {**ALICE, "id": 3, "phone": "514-555-0123"}
    zendesk.get(f"{API}/users/search", json={"users": [BORIS, ALICE, other]})
    zendesk.get(f"{API}/users/2/identities", json={"identities": []})
    assert [person.id for person in connection.find_people(PersonClues(PHONE))] == ["1", "3"]


def test_a_second_address_is_an_identity(zendesk, connection):
    zendesk.get(f"{API}/users/search", json={"users": [{"id": 5, "email": "a@example.com"}]})
    zendesk.get(f"{API}/users/5/identities", json={"identities": [{"type": "email", "value": "B@example.com"}]})
    assert [person.id for person in connection.find_people(PersonClues(email="b@example.com"))] == ["5"]


def test_a_search_that_is_down_is_no_reason_to_write_nothing(zendesk, connection, gate):
    zendesk.get(f"{API}/search", json={"error": "unavailable", "description": "Sorry"}, status=503)
    with pytest.raises(CRMUnavailable) as caught:
        connection.find_records("ticket", [SearchCriterion("status", "open")])
    assert caught.value.is_search_alone and not caught.value.may_have_applied
    assert [told["has_failed"] for told in gate.left] == [False]
    assert gate.entered == [("account", "search-index")]


@pytest.mark.parametrize(("status", "words"), [(422, "Invalid: Search Response Limits"), (400, "Invalid query")])
def test_a_search_that_zendesk_does_not_understand_is_refused(zendesk, connection, status, words):
    zendesk.get(f"{API}/search", json={"error": "invalid", "description": words}, status=status)
    with pytest.raises(ValueRefused) as caught:
        connection.find_records("ticket", [SearchCriterion("status", "open")])
    assert caught.value.message == words


def test_a_search_that_no_query_can_say_costs_no_call(zendesk, connection):
    with pytest.raises(ValueRefused):
        connection.find_records("ticket", [SearchCriterion("order_by", "created_at")])


def test_names_of_requester_group_and_organization_come_in_one_call(zendesk, connection):
    ticket = {"id": 9, "subject": "s", "requester_id": 1, "assignee_id": None, "group_id": 4, "organization_id": 6}
    beside = {"users": [ALICE], "groups": [{"id": 4, "name": "Support"}], "organizations": [{"id": 6, "name": "Acme"}]}
    zendesk.get(f"{API}/tickets/show_many", json={"tickets": [ticket], **beside})
    named = ["requester_id", "assignee_id", "group_id", "organization_id"]
    record = connection.get_records("ticket", ["9"], named=named)["9"]
    assert record.names == {"requester_id": "Alice", "group_id": "Support", "organization_id": "Acme"}
    assert record.owner_id == "1"
    assert len(zendesk.calls) == 1


def test_names_of_the_accounts_own_lookups_cost_a_call_for_each_type(zendesk, connection):
    fields = [
        {"id": 71, "type": "lookup", "title": "Car", "relationship_target_type": "zen:custom_object:car"},
        {"id": 72, "type": "lookup", "title": "Second car", "relationship_target_type": "zen:custom_object:car"},
    ]
    values = [{"id": 71, "value": "01A"}, {"id": 72, "value": "01B"}]
    zendesk.get(f"{API}/tickets/show_many", json={"tickets": [{"id": 9, "custom_fields": values}]})
    zendesk.get(f"{API}/ticket_fields", json={"ticket_fields": fields})
    zendesk.get(f"{API}/custom_objects/car/records", json={"custom_object_records": [{"id": "01A", "name": "Volvo"}]})
    for _time in range(2):
        record = connection.get_records("ticket", ["9"], named=["custom_field_71", "custom_field_72"])["9"]
        assert record.names == {"custom_field_71": "Volvo"}
    assert paths(zendesk).count("ticket_fields") == 1
    assert zendesk.calls[2].request.params["filter[ids]"] == "01A,01B"


def test_a_name_that_may_not_be_read_is_left_out(zendesk, connection):
    zendesk.get(f"{API}/users/show_many", json={"users": [{"id": 1, "name": "Alice", "user_fields": {"car": "01A"}}]})
    zendesk.get(f"{API}/user_fields", json={"error": {"title": "Forbidden", "message": "No"}}, status=403)
    assert connection.get_records("user", ["1"], named=["car"])["1"].names == {}


def test_what_lookups_point_to_is_asked_for_again_after_ten_minutes():
    moments, asked = iter([0.0, 0.0, 599.0, 601.0, 601.0]), []
    targets = LookupTargets(clock=lambda: next(moments))
    for _time in range(3):
        targets.find("https://acme.zendesk.com", "ticket", lambda entity_type: asked.append(entity_type) or [])
    assert asked == ["ticket", "ticket"]


def test_a_ticket_is_created_under_its_key_and_its_note_is_internal(zendesk, connection):
    zendesk.post(f"{API}/tickets", json={"ticket": {"id": 9}}, status=201, headers={"x-idempotency-lookup": "hit"})
    request = CreationRequest("ticket", {"subject": "s", "comment": "c"}, {"extras": {"via_followup_source_id": 7}})
    answer = connection.create_record(request, key="k1")
    sent = zendesk.calls[0].request
    assert sent.headers["Idempotency-Key"] == "k1"
    assert json.loads(sent.body)["ticket"] == {
        "subject": "s",
        "comment": {"body": "c", "public": False},
        "external_id": "k1",
        "via_followup_source_id": 7,
    }
    assert answer.status == 200  # a hit: nothing was created by this call


def test_an_external_id_of_the_scripts_own_is_stored_and_the_key_still_guards(zendesk, connection):
    zendesk.post(f"{API}/tickets", json={"ticket": {"id": 9}}, status=201)
    connection.create_record(CreationRequest("ticket", {"comment": "c", "external_id": "case-5"}), key="k1")
    sent = zendesk.calls[0].request
    assert sent.headers["Idempotency-Key"] == "k1"
    assert json.loads(sent.body)["ticket"]["external_id"] == "case-5"


@pytest.mark.parametrize(("name", "is_same"), [("Zoé", True), ("Somebody else", False)])
def test_a_user_who_has_the_scripts_external_id_is_the_answer_only_when_all_is_as_asked(
    zendesk, connection, name, is_same
):
    taken = {"error": "RecordInvalid", "details": {"external_id": [{"description": "External: is taken"}]}}
    zendesk.post(f"{API}/users", json=taken, status=422)
    zendesk.get(f"{API}/users/show_many", json={"users": [{"id": 5, "name": name, "external_id": "OWN"}]})
    request = CreationRequest("user", {"name": "Zoé", "external_id": "own"})
    if is_same:
        assert connection.create_record(request, key="k1").record.id == "5"
        return
    with pytest.raises(ValueRefused) as caught:
        connection.create_record(request, key="k1")
    assert caught.value.fields == {"external_id": "External: is taken"}


def test_a_record_of_a_custom_object_is_made_or_met_by_its_key(zendesk, connection):
    zendesk.patch(f"{API}/custom_objects/car/records", json={"custom_object_record": {"id": "01A"}}, status=201)
    connection.create_record(CreationRequest("custom_object:car", {"name": "Volvo"}), key="k1")
    assert zendesk.calls[0].request.params == {"external_id": "k1"}


def test_an_agent_is_looked_up_once_and_end_users_have_no_screen(zendesk, connection):
    users = [
        {"id": 1, "email": "ada@example.com", "role": "end-user"},
        {"id": 2, "email": "Ada@example.com", "role": "agent"},
    ]
    zendesk.get(f"{API}/users/search", json={"users": users})
    zendesk.post(f"{API}/channels/voice/agents/2/tickets/9/display", status=200)
    assert connection.show_to_agent("ada@example.com", "ticket", "9")
    assert connection.show_to_agent("ada@example.com", "ticket", "9")
    assert paths(zendesk).count("users/search") == 1
    assert not connection.show_to_agent("ada@example.com", "organization", "9")


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (404, {"error": "InvalidEndpoint", "description": "Not found"}),
        (403, {"error": {"title": "Forbidden", "message": "You do not have access"}}),
        (403, {"error": "Forbidden", "description": "You are missing the following required scopes: write"}),
    ],
)
def test_an_account_without_talk_partner_edition_shows_nothing(zendesk, connection, status, body):
    zendesk.post(f"{API}/channels/voice/agents/2/tickets/9/display", json=body, status=status)
    assert connection.show_to_agent("2", "ticket", "9") is False
