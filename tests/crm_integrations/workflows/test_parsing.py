"""Bodies of workflows as scripts write them, and what is wrong with those that are not."""

import pytest

from crm_integrations.workflows.bodies import Circumstances, EntitySearch, Workflow
from crm_integrations.workflows.body_reading import BodyRefused
from crm_integrations.workflows.parsing import parse_body


def refusal(workflow, body):
    with pytest.raises(BodyRefused) as refused:
        parse_body(workflow, body)
    return {problem.json_path: problem.message for problem in refused.value.problems}


@pytest.mark.parametrize(
    ("body", "phone"),
    [
        ({"workflowInput": {"phoneNumber": "+1 514 555-0123"}}, "+1 514 555-0123"),
        ({"phoneNumber": 15145550123}, "15145550123"),
        ({"workflowinput": {"phonenumber": " 5145550123 "}}, "5145550123"),
        ({"workflowInput": {"phoneNumber": "1"}, "phoneNumber": "2"}, "2"),
        ({"ani": "anonymous"}, "anonymous"),
    ],
)
def test_the_number_may_be_wrapped_a_number_or_in_lower_case(body, phone):
    assert parse_body(Workflow.SEARCH_ANI, body).phone == phone


@pytest.mark.parametrize("body", [{"email": "a@b.ca"}, {"workflowInput": {"email": " a@b.ca "}}, {"EMAIL": "a@b.ca"}])
def test_the_address_may_be_wrapped(body):
    assert parse_body(Workflow.SEARCH_EMAIL, body).email == "a@b.ca"


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ({}, Circumstances()),
        ({"pinnedRecord": "true", "screenPop": "True"}, Circumstances(is_pinned=True, pops_screen=True)),
        ({"pinnedRecord": "false", "screenPop": ""}, Circumstances(is_pinned=False)),
        ({"linked": True, "contactId": 415203958123}, Circumstances(contact_id="415203958123", is_pinned=True)),
        ({"crmuserid": "77", "agent": ""}, Circumstances(agent="77")),
        (
            {"timeoutMilliSec": 9000, "relatesTo": "false", "cacheResponse": "false", "workflowInput": {"colour": 1}},
            Circumstances(ignored=("cacheResponse", "relatesTo", "timeoutMilliSec", "workflowInput.colour")),
        ),
    ],
)
def test_what_every_body_may_say_besides(said, expected):
    assert parse_body(Workflow.SEARCH_EMAIL, {"email": "a@b.ca", **said}).circumstances == expected


def test_a_custom_search_names_one_type_or_several():
    asked = {"search": [{"entity": "ticket", "filter": "status:open"}, {"entity": "user", "filter": "name:x"}]}
    expected = (EntitySearch("ticket", "status:open"), EntitySearch("user", "name:x"))
    assert parse_body(Workflow.CUSTOM_SEARCH, asked).searches == expected
    assert parse_body(Workflow.CUSTOM_SEARCH, {"search": asked["search"][0]}).searches == expected[:1]


def test_a_creation_is_the_bodies_of_the_contact_centres_own_workflows():
    body = {
        "table": "ticket",
        "data": {"ticket": {"subject": "Call", "priority": "normal"}},
        "pinnedRecord": "true",
        "relatesTo": "false",
        "cacheResponse": "false",
        "screenPop": "true",
    }
    asked = parse_body(Workflow.CREATE_RECORD, body)
    assert asked.entity_type == "ticket" and asked.data == {"ticket": {"subject": "Call", "priority": "normal"}}
    assert asked.circumstances == Circumstances(
        is_pinned=True, pops_screen=True, ignored=("cacheResponse", "relatesTo")
    )
    assert parse_body(Workflow.CREATE_TICKET, {"data": {"ticket": {}}}).entity_type == ""


@pytest.mark.parametrize(
    ("workflow", "body", "places"),
    [
        (Workflow.SEARCH_ANI, [], {""}),
        (Workflow.SEARCH_ANI, "5145550123", {""}),
        (Workflow.SEARCH_ANI, {"workflowInput": {"phoneNumber": " "}}, {"phoneNumber"}),
        (Workflow.SEARCH_ANI, {"workflowInput": {"phoneNumber": ["1"]}}, {"workflowInput.phoneNumber"}),
        (Workflow.SEARCH_ANI, {"phoneNumber": True}, {"phoneNumber"}),
        (Workflow.SEARCH_EMAIL, {}, {"email"}),
        (Workflow.SEARCH_EMAIL, {"email": "nobody"}, {"email"}),
        (Workflow.SEARCH_EMAIL, {"email": "a b@c.ca"}, {"email"}),
        (Workflow.SEARCH_EMAIL, {"email": "a@b.ca", "contactId": "\0"}, {"contactId"}),
        (Workflow.SEARCH_EMAIL, {"email": "a@b.ca", "contactId": "\ud800"}, {"contactId"}),
        (Workflow.SEARCH_EMAIL, {"email": "a@b.ca", "contactId": "1" * 201}, {"contactId"}),
        (Workflow.SEARCH_EMAIL, {"email": "a@b.ca", "screenPop": "perhaps", "linked": 1}, {"screenPop", "linked"}),
        (Workflow.CUSTOM_SEARCH, {}, {"search"}),
        (Workflow.CUSTOM_SEARCH, {"search": []}, {"search"}),
        (Workflow.CUSTOM_SEARCH, {"search": [{"entity": "ticket", "filter": "a"}] * 11}, {"search"}),
        (Workflow.CUSTOM_SEARCH, {"search": [1]}, {"search[0]"}),
        (Workflow.CUSTOM_SEARCH, {"search": [{"entity": "../x"}]}, {"search[0].entity", "search[0].filter"}),
        (Workflow.CREATE_RECORD, {"data": {"ticket": {}}}, {"table"}),
        (Workflow.CREATE_RECORD, {"table": "ticket"}, {"data"}),
        (Workflow.CREATE_TICKET, {"data": "x"}, {"data"}),
        (Workflow.CREATE_TICKET, {"table": 5, "data": {"ticket": {}}}, {"table"}),
    ],
)
def test_what_is_wrong_is_named_by_its_place(workflow, body, places):
    found = refusal(workflow, body)
    assert set(found) == places and all(found.values())
