"""Every workflow on the demo Zendesk, through the API: what is found, what is made and what the card shows then."""

import pytest

from crm_integrations.models import RecordCreation
from tests.end_to_end.script_desk import (
    CONTACT,
    CREATIONS,
    DEVICE,
    NOTE,
    TICKET,
    customers,
    field_id,
    names,
    open_tickets,
    read_definitions,
)
from tests.factories import make_dynamic_mapping

pytestmark = pytest.mark.django_db

each_creation = pytest.mark.parametrize(("workflow", "body", "table"), CREATIONS.values(), ids=list(CREATIONS))
FIRST, TYPED, SECOND_NUMBER = 0, 7, 5  # customers: with a French name, with a number as people type them, with two


def count_calls(demo, method, status=201):
    return [call for call in demo.ask("log")["calls"] if call["method"] == method and call["status"] == status]


@pytest.mark.parametrize(
    ("person", "phone"),
    [
        (FIRST, "+15145551000"),
        (FIRST, "(514) 555-1000"),
        (FIRST, "1 514 555 1000"),
        (TYPED, "+15145550199"),
        (SECOND_NUMBER, "+14385552005"),
        (SECOND_NUMBER, "438-555-2005"),
    ],
)
def test_search_ani_finds_the_caller_under_any_of_their_numbers_and_their_open_tickets(demo, desk, person, phone):
    user = customers(demo)[person]
    answer = desk.run("search-ani", {"workflowInput": {"phoneNumber": phone}, "contactId": CONTACT})
    assert names(answer["records"]) == [("user", str(user["id"]))] and answer["records"][0]["title"] == user["name"]
    assert names(answer["related"]) == open_tickets(demo, user) and answer["isComplete"]
    found = names(answer["records"]) + names(answer["related"])
    assert desk.card_names(CONTACT) == ([], found)


def test_the_second_number_is_no_phone_of_the_users_own(demo):
    user = customers(demo)[SECOND_NUMBER]
    assert user["phone"] != "+14385552005", "or the tests above look for nothing special"


def test_search_ani_finds_nobody_under_a_number_that_nobody_has(demo, desk):
    answer = desk.run("search-ani", {"phoneNumber": "+15145559999", "contactId": CONTACT})
    assert answer["records"] == answer["related"] == [] and answer["isComplete"]
    assert desk.card_names(CONTACT) == ([], []) and demo.writes() == []


def test_search_email_finds_the_person_however_the_address_is_written(demo, desk):
    user = customers(demo)[FIRST]
    answer = desk.run("search-email", {"email": user["email"].upper(), "contactId": CONTACT, "pinnedRecord": "true"})
    assert names(answer["records"]) == names(answer["pinned"]) == [("user", str(user["id"]))]
    assert names(answer["related"]) == open_tickets(demo, user)
    assert desk.card_names(CONTACT) == (names(answer["records"]), names(answer["related"]))


@pytest.mark.parametrize(
    "condition",
    [
        'subject:"Refund for the returned router" status:open',
        "subject:Refund for the returned router status:open",
        'status:open -subject:"La facture de mars" subject:"Refund for the returned router"',
    ],
)
def test_custom_search_takes_values_with_spaces_and_quotation_marks(demo, desk, condition):
    asked = [{"entity": "ticket", "filter": condition}, {"entity": "user", "filter": "name:Liam Thompson"}]
    answer = desk.run("custom-search", {"search": asked, "contactId": CONTACT})
    subject = "Refund for the returned router"
    wanted = {str(row["id"]) for row in demo.rows("tickets") if (row["subject"], row["status"]) == (subject, "open")}
    (person,) = [row for row in customers(demo) if row["name"] == "Liam Thompson"]
    assert wanted and names(answer["records"])[-1] == ("user", str(person["id"]))
    assert {("ticket", pk) for pk in wanted} == set(names(answer["records"])[:-1])
    assert desk.card_names(CONTACT) == ([], names(answer["records"]))


def test_custom_search_finds_records_of_all_types_in_the_order_asked_for(demo, desk):
    company = demo.rows("organizations")[1]
    device = next(row for row in demo.rows("custom_object_records") if row["custom_object_key"] == "device")
    asked = [
        {"entity": "custom_object:device", "filter": f'name:"{device["name"]}"'},
        {"entity": "organization", "filter": f"name:{company['name']}"},
    ]
    answer = desk.run("custom-search", {"search": asked})
    found = names(answer["records"])
    assert ("custom_object:device", device["id"]) in found and found[-1] == ("organization", str(company["id"]))


@pytest.mark.parametrize("condition", ['subject:"never closed', "subject:a OR b", "sort:asc", "status:"])
def test_a_filter_that_cannot_be_meant_asks_nobody(demo, desk, condition):
    answer = desk.run("custom-search", {"search": [{"entity": "ticket", "filter": condition}]}, status=422)
    assert [error["field"] for error in answer["errors"]] == ["search[0].filter"]
    assert count_calls(demo, "GET", 200) == []


@each_creation
def test_a_record_is_created_once_however_often_the_script_repeats_its_call(demo, desk, workflow, body, table):
    before = len(demo.rows(table))
    answers = [desk.run(workflow, {**body, "contactId": CONTACT}) for _repetition in range(3)]
    assert [answer["created"] for answer in answers] == [True, False, False]
    (record,) = {name for answer in answers for name in names(answer["records"])}
    assert len(demo.rows(table)) == before + 1 and len(demo.writes()) == 1
    assert desk.card_names(CONTACT) == ([record], [])


def test_a_ticket_has_what_the_script_said_and_its_note_is_internal(demo, desk):
    requester = customers(demo)[FIRST]
    described = {**TICKET["data"]["ticket"], "requester_id": requester["id"]}
    answer = desk.run("create-ticket", {"data": {"ticket": described}, "contactId": CONTACT})
    shown = demo.ask(f"records/tickets/{answer['records'][0]['id']}")
    ticket, (comment,) = shown["ticket"], shown["comments"]
    assert (ticket["subject"], ticket["priority"], ticket["tags"]) == ("Call", "high", ["phone_call"])
    assert ticket["requester_id"] == requester["id"]
    assert comment["body"] == NOTE["body"] and comment["public"] is False


@pytest.mark.parametrize(
    ("workflow", "body", "place"),
    [
        (
            "create-user",
            {"data": {"user": {"name": "Ms Roy", "user_fields": {"loyalty_level": "loyalty_gold"}}}},
            "data.user.user_fields",
        ),
        (
            "create-ticket",
            {"data": {"ticket": {"comment": NOTE, "custom_fields": [{"id": 1, "value": "x"}]}}},
            "data.ticket.custom_fields",
        ),
        ("create-user", {"data": {"user": {"name": "Ms Roy", "role": "admin"}}}, "data.user.role"),
    ],
)
def test_standard_creations_refuse_custom_fields_with_their_place_and_create_nothing(demo, desk, workflow, body, place):
    answer = desk.run(workflow, {**body, "contactId": CONTACT}, status=422)
    assert [error["field"] for error in answer["errors"]] == [place]
    assert demo.writes() == [] and not RecordCreation.objects.exists() and desk.card_names(CONTACT) == ([], [])


def test_create_record_writes_the_accounts_own_fields(demo, desk):
    custom = [
        {"id": field_id(demo, "CXone contact ID"), "value": CONTACT},
        {"id": field_id(demo, "Disposition"), "value": "disposition__resolved"},
        {"id": field_id(demo, "Products"), "value": ["product_internet", "product_mobile"]},
    ]
    body = {"table": "ticket", "data": {"ticket": {"comment": NOTE, "custom_fields": custom}}, "contactId": CONTACT}
    answer = desk.run("create-record", body)
    ticket = demo.ask(f"records/tickets/{answer['records'][0]['id']}")["ticket"]
    shown = {field["id"]: field["value"] for field in ticket["custom_fields"]}
    assert {field["id"]: shown[field["id"]] for field in custom} == {field["id"]: field["value"] for field in custom}
    person = {"name": "Ms Roy", "user_fields": {"loyalty_level": "loyalty_gold"}}
    answer = desk.run("create-record", {"table": "user", "data": {"user": person}})
    user = demo.ask(f"records/users/{answer['records'][0]['id']}")["user"]
    assert user["user_fields"]["loyalty_level"] == "loyalty_gold"


def test_create_record_makes_records_of_custom_objects(demo, desk):
    answer = desk.run("create-record", DEVICE)
    device = demo.ask(f"records/custom_object_records/{answer['records'][0]['id']}")["custom_object_record"]
    described = DEVICE["data"]["custom_object_record"]
    assert device["name"] == described["name"]
    assert described["custom_object_fields"].items() <= device["custom_object_fields"].items()


def test_what_zendesk_refuses_is_named_and_the_corrected_body_is_created(demo, desk):
    wrong = {"id": field_id(demo, "Call date"), "value": "tomorrow"}
    body = {"table": "ticket", "data": {"ticket": {"comment": NOTE, "custom_fields": [wrong]}}, "contactId": CONTACT}
    answer = desk.run("create-record", body, status=422)
    assert answer["errors"] and desk.card_names(CONTACT) == ([], [])
    wrong["value"] = "2026-11-22"
    assert desk.run("create-record", body)["created"]


@pytest.mark.parametrize("named_by", ["id", "email"])
def test_the_record_is_opened_on_the_agents_screen(demo, desk, named_by):
    agent = next(user for user in demo.rows("users") if user["role"] == "agent")
    body = {**TICKET, "contactId": CONTACT, "screenPop": "true", "agent": str(agent[named_by])}
    answer = desk.run("create-ticket", body)
    assert answer["screenPop"] == {"shown": True, "reason": ""}
    (pop,) = demo.ask("screens")["pops"]
    assert (pop["agent_id"], pop["kind"], str(pop["id"])) == (agent["id"], "tickets", answer["records"][0]["id"])


@pytest.mark.parametrize("denial", ["404", "403"])
def test_an_account_without_talk_partner_edition_opens_nothing_and_loses_nothing(demo, desk, denial):
    demo.ask("settings", {"talk_partner": denial})
    agent = next(user for user in demo.rows("users") if user["role"] == "agent")
    answer = desk.run("create-ticket", {**TICKET, "contactId": CONTACT, "screenPop": True, "agent": str(agent["id"])})
    assert answer["created"] and answer["screenPop"]["shown"] is False and answer["screenPop"]["reason"]
    assert demo.ask("screens")["pops"] == [] and desk.card_names(CONTACT) == (names(answer["records"]), [])


def test_the_card_shows_what_was_created_as_current_and_what_was_found_as_related(demo, desk, configuration):
    fields = {"ticket": ["status", "priority", "requester_id"], "user": ["phone", "email"]}
    make_dynamic_mapping(configuration, fields, known=read_definitions(configuration, *fields))
    caller = customers(demo)[FIRST]
    found = desk.run("search-ani", {"phoneNumber": caller["phone"], "contactId": CONTACT})
    described = {**TICKET["data"]["ticket"], "requester_id": caller["id"]}
    created = desk.run("create-ticket", {"data": {"ticket": described}, "contactId": CONTACT})
    shown = desk.card(CONTACT)
    assert names(shown["current"]) == names(created["records"])
    assert names(shown["related"]) == names(found["records"]) + names(found["related"])
    ticket = {field["key"]: field["value"] for field in shown["current"][0]["fields"]}
    assert ticket["requester_id"] == caller["name"] and ticket["priority"] == "High" and ticket["status"]
    person = {field["key"]: field["value"] for field in shown["related"][0]["fields"]}
    assert person["email"] == caller["email"] and shown["current"][0]["linked"] and not shown["related"][0]["linked"]
