"""A flat mapping becomes the body Zendesk wants, and nothing harmful gets into it."""

import pytest

from zendesk_client.bodies import WriteOptions, build_creation, build_update
from zendesk_client.fields import FieldDefinition
from zendesk_client.record_types import ORGANIZATION, TICKET, USER, get_record_type

CAR = get_record_type("custom_object:car")


def test_properties_and_custom_fields_of_a_ticket_go_to_their_places(ticket_fields):
    values = {
        "subject": "Called back",
        "priority": "high",
        "assignee_id": "35436",
        "custom_status_id": "11",
        "external_id": "123",
        "custom_field_1": "745",
        "custom_field_2": "2022-11-30T10:00:00",
        "custom_field_3": "true",
        "custom_field_5": ["a", "b"],
        "custom_field_6": "5.5",
        "custom_field_7": 7,
    }
    body = build_update(TICKET, values, ticket_fields)
    custom = {entry["id"]: entry["value"] for entry in body.pop("custom_fields")}
    assert body == {
        "subject": "Called back",
        "priority": "high",
        "assignee_id": 35436,
        "custom_status_id": 11,
        "external_id": "123",
    }
    assert custom == {1: 745, 2: "2022-11-30", 3: True, 5: ["a", "b"], 6: 5.5, 7: "7"}


def test_only_what_is_named_is_sent():
    assert build_update(TICKET, {"subject": "x"}) == {"subject": "x"}
    assert build_update(USER, {}) == {}


@pytest.mark.parametrize(
    ("record_type", "container"),
    [(USER, "user_fields"), (ORGANIZATION, "organization_fields"), (CAR, "custom_object_fields")],
)
def test_keyed_fields_go_into_the_container_of_their_type(record_type, container):
    definitions = {"visits": FieldDefinition("visits", "integer", "Visits")}
    body = build_update(record_type, {"name": "N", "external_id": "7", "visits": "3", "plan": "gold"}, definitions)
    assert body == {"name": "N", "external_id": "7", container: {"visits": 3, "plan": "gold"}}


def test_a_custom_field_named_like_a_property_is_written_under_its_own_key():
    body = build_update(USER, {"phone": "+15145550123", "user_fields.phone": "x"})
    assert body == {"phone": "+15145550123", "user_fields": {"phone": "x"}}


@pytest.mark.parametrize("is_public", [True, False])
def test_a_comment_always_says_whether_it_is_public(is_public):
    body = build_update(TICKET, {"comment": "Hello"}, options=WriteOptions(comment_is_public=is_public))
    assert body == {"comment": {"body": "Hello", "public": is_public}}


def test_a_comment_is_internal_unless_said_otherwise():
    assert build_update(TICKET, {"comment": "Hello"})["comment"]["public"] is False


def test_metadata_and_safe_update_go_with_a_ticket():
    options = WriteOptions(metadata={"delivery": "d-1"}, updated_stamp="2026-11-22T10:00:00Z")
    assert build_update(TICKET, {"subject": "x"}, options=options) == {
        "subject": "x",
        "metadata": {"delivery": "d-1"},
        "safe_update": True,
        "updated_stamp": "2026-11-22T10:00:00Z",
    }


@pytest.mark.parametrize("options", [WriteOptions(metadata={"a": 1}), WriteOptions(updated_stamp="2026")])
def test_only_tickets_take_metadata_and_safe_update(options):
    with pytest.raises(ValueError, match="only tickets"):
        build_update(USER, {"name": "x"}, options=options)


def test_clearing_a_field_sends_null():
    body = build_update(TICKET, {"external_id": None, "custom_field_7": ""})
    assert body == {"external_id": None, "custom_fields": [{"id": 7, "value": None}]}


@pytest.mark.parametrize(
    ("record_type", "key"),
    [
        (TICKET, "tags"),
        (TICKET, "description"),
        (TICKET, "requester_id"),
        (TICKET, "organization_id"),
        (TICKET, "id"),
        (TICKET, "created_at"),
        (TICKET, "safe_update"),
        (TICKET, "via_id"),
        (TICKET, "custom_field_x"),
        (USER, "tags"),
        (USER, "email"),
        (USER, "role"),
        (USER, "organization_id"),
        (USER, "suspended"),
        (USER, "comment"),
        (ORGANIZATION, "tags"),
        (ORGANIZATION, "updated_at"),
        (CAR, "id"),
    ],
)
def test_what_would_do_harm_is_refused_in_an_update(record_type, key):
    with pytest.raises(ValueError, match="cannot be written|no field of a ticket|only tickets"):
        build_update(record_type, {key: "x"})


def test_a_field_the_account_computes_is_refused(ticket_fields):
    with pytest.raises(ValueError, match="custom_field_8 cannot be written"):
        build_update(TICKET, {"custom_field_8": "x"}, ticket_fields)


def test_a_custom_user_field_called_comment_is_a_field_like_any_other():
    definitions = {"comment": FieldDefinition("comment", "text", "Comment")}
    assert build_update(USER, {"comment": "x"}, definitions) == {"user_fields": {"comment": "x"}}


def test_a_creation_may_set_what_an_update_may_not():
    body = build_creation(TICKET, {"comment": "Hello", "requester_id": "5", "tags": ["a"], "subject": "s"})
    assert body == {
        "comment": {"body": "Hello", "public": False},
        "requester_id": 5,
        "tags": ["a"],
        "subject": "s",
    }
    assert build_creation(USER, {"name": "N", "email": "a@example.com"}) == {"name": "N", "email": "a@example.com"}


def test_a_creation_still_refuses_what_zendesk_sets_itself():
    with pytest.raises(ValueError, match="cannot be written"):
        build_creation(USER, {"name": "N", "suspended": False})


def test_a_due_date_is_sent_as_a_moment():
    assert build_update(TICKET, {"due_at": "2026-11-22T10:00:00-05:00"}) == {"due_at": "2026-11-22T15:00:00Z"}
