"""Searches, identities, and pages on agents' screens, against mocked answers."""

import json

import pytest

from zendesk_client import (
    EndpointNotFound,
    RecordNotFound,
    SearchLimitExceeded,
    SearchTerm,
    SearchUnavailable,
    Unavailable,
)

API = "https://acme.zendesk.com/api/v2"
OPEN = [SearchTerm("status", "open")]


def test_a_search_asks_for_the_latest_changes_of_one_type(zendesk, client):
    found = [{"id": 5, "result_type": "ticket"}, {"id": 6, "result_type": "user"}]
    zendesk.get(f"{API}/search", json={"results": found, "next_page": None, "count": 2})
    result = client.search("ticket", OPEN, limit=10)
    assert [record.id for record in result.records] == ["5"] and result.is_complete
    assert zendesk.calls[0].request.params == {
        "query": "type:ticket status:open",
        "sort_by": "updated_at",
        "sort_order": "desc",
        "per_page": "10",
    }


def test_a_search_with_another_page_is_not_complete(zendesk, client):
    zendesk.get(f"{API}/search", json={"results": [{"id": 5, "result_type": "ticket"}], "next_page": f"{API}/x?page=2"})
    assert not client.search("ticket", OPEN, limit=1).is_complete


@pytest.mark.parametrize(
    ("status", "body", "error"),
    [
        (422, {"error": "invalid", "description": "… Search Response Limits"}, SearchLimitExceeded),
        (503, {"error": "unavailable", "description": "Sorry"}, SearchUnavailable),
    ],
)
def test_what_a_search_may_answer_is_told_apart(zendesk, client, status, body, error):
    zendesk.get(f"{API}/search", json=body, status=status)
    with pytest.raises(error):
        client.search("ticket", OPEN)


def test_records_of_custom_objects_are_filtered_or_searched_for_words(zendesk, client, body_of):
    path = f"{API}/custom_objects/car/records/search"
    answer = {"custom_object_records": [{"id": "01A", "name": "Volvo"}], "meta": {"has_more": True}}
    zendesk.post(path, json=answer)
    zendesk.get(path, json={**answer, "meta": {"has_more": False}})
    assert not client.search("custom_object:car", [SearchTerm("color", "red")]).is_complete
    assert body_of(zendesk.calls[0]) == {"filter": {"custom_object_fields.color": {"$eq": "red"}}}
    assert client.search("custom_object:car", [SearchTerm("", "volvo")]).is_complete
    assert zendesk.calls[1].request.params["query"] == "volvo"


def test_a_search_by_post_changes_nothing_when_it_fails(zendesk, client):
    zendesk.post(f"{API}/custom_objects/car/records/search", status=502)
    with pytest.raises(Unavailable) as caught:
        client.search("custom_object:car", [SearchTerm("color", "red")])
    assert not caught.value.maybe_applied


def test_identities_of_one_kind_are_listed(zendesk, client):
    listed = [{"type": "phone_number", "value": "+15145550123"}, {"type": "email", "value": "a@example.com"}]
    zendesk.get(f"{API}/users/7/identities", json={"identities": listed})
    assert client.list_identities(7, "phone_number") == ["+15145550123"]
    assert zendesk.calls[0].request.params == {"type[]": "phone_number", "page[size]": "100"}
    with pytest.raises(ValueError, match="email"):
        client.list_identities(7, "twitter")


def test_requested_tickets_are_walked_through_up_to_a_number(zendesk, client):
    page = {"tickets": [{"id": number} for number in range(100)], "meta": {"has_more": True, "after_cursor": "c"}}
    zendesk.get(f"{API}/users/7/tickets/requested", json=page)
    assert len(list(client.iterate_requested_tickets(7, most=100))) == 100
    assert len(zendesk.calls) == 1


def test_names_come_along_in_the_same_call(zendesk, client):
    answer = {
        "tickets": [{"id": 1, "requester_id": 7}],
        "users": [{"id": 7, "name": "Zoé"}, {"id": 8, "name": None}],
        "groups": None,
    }
    zendesk.get(f"{API}/tickets/show_many", json=answer)
    records, names = client.show_many_named("ticket", ["1"], ["user", "group"], fields=None)
    assert [record.id for record in records] == ["1"] and names == {("user", "7"): "Zoé"}
    assert zendesk.calls[0].request.params == {"ids": "1", "include": "groups,users"}


@pytest.mark.parametrize(("entity_type", "plural"), [("ticket", "tickets"), ("user", "users")])
def test_a_page_is_opened_on_an_agents_screen(zendesk, client, entity_type, plural):
    zendesk.post(f"{API}/channels/voice/agents/5/{plural}/1/display", status=200)
    client.display(5, entity_type, 1)


def test_an_account_without_the_edition_has_no_screens(zendesk, client):
    zendesk.post(f"{API}/channels/voice/agents/5/tickets/1/display", json={"error": "InvalidEndpoint"}, status=404)
    with pytest.raises(EndpointNotFound):
        client.display(5, "ticket", 1)
    with pytest.raises(RecordNotFound):
        client.display("ada", "ticket", 1)
    with pytest.raises(ValueError, match="tickets and users"):
        client.display(5, "organization", 1)


def test_a_record_of_a_custom_object_is_written_by_its_external_id(zendesk, client):
    zendesk.patch(
        f"{API}/custom_objects/car/records",
        json={"custom_object_record": {"id": "01A", "external_id": "k"}},
        status=201,
    )
    assert client.upsert_object_record("custom_object:car", "k", {"name": "n"}).record.id == "01A"
    request = zendesk.calls[0].request
    assert request.params == {"external_id": "k"}
    assert json.loads(request.body) == {"custom_object_record": {"external_id": "k", "name": "n"}}
    with pytest.raises(ValueError, match="custom objects"):
        client.upsert_object_record("ticket", "k", {})
