"""A record is read back into the same flat mapping it is written from."""

import pytest

from zendesk_client.errors import RecordNotFound
from zendesk_client.fields import FieldDefinition
from zendesk_client.record_types import ORGANIZATION, TICKET, USER, get_record_type
from zendesk_client.records import read_record

CAR = get_record_type("custom_object:car")


def test_a_ticket_is_read_with_canonical_values(ticket_fields):
    body = {
        "id": 35436,
        "subject": "Help",
        "raw_subject": "Help",
        "status": "open",
        "priority": None,
        "assignee_id": 235323,
        "tags": ["a", "b"],
        "external_id": None,
        "updated_at": "2026-11-22T10:00:00Z",
        "via": {"channel": "web"},
        "custom_fields": [
            {"id": 1, "value": "745"},
            {"id": 2, "value": "2022-11-30"},
            {"id": 3, "value": False},
            {"id": 4, "value": None},
            {"id": 5, "value": ["x"]},
            {"id": 6, "value": "5.10"},
            {"id": 99, "value": "745"},
        ],
        "fields": [{"id": 1, "value": "745"}],
        "encoded_id": "XX-1",
    }
    record = read_record(TICKET, body, ticket_fields)
    assert (record.entity_type, record.id, record.title) == ("ticket", "35436", "Help")
    assert record.updated_at == "2026-11-22T10:00:00Z"
    assert record.values == {
        "id": 35436,
        "subject": "Help",
        "status": "open",
        "priority": None,
        "assignee_id": "235323",
        "tags": ["a", "b"],
        "external_id": None,
        "updated_at": "2026-11-22T10:00:00Z",
        "custom_field_1": 745,
        "custom_field_2": "2022-11-30",
        "custom_field_3": False,
        "custom_field_4": None,
        "custom_field_5": ["x"],
        "custom_field_6": 5.1,
        "custom_field_99": "745",
    }


def test_a_users_date_loses_the_midnight_zendesk_adds():
    definitions = {"since": FieldDefinition("since", "date", "Since")}
    body = {"id": 1, "name": "N", "active": True, "user_fields": {"since": "2022-11-30T00:00:00+00:00", "phone": "x"}}
    record = read_record(USER, body, definitions)
    assert record.values["since"] == "2022-11-30"
    assert record.values["user_fields.phone"] == "x"
    assert record.title == "N"


def test_a_custom_object_record_is_read():
    body = {
        "id": "01GCSJW391QVSC80GYDH7E93Q6",
        "name": "Clio",
        "external_id": "7",
        "custom_object_fields": {"color": "red"},
    }
    record = read_record(CAR, body)
    assert record.id == "01GCSJW391QVSC80GYDH7E93Q6"
    assert record.values == {"id": record.id, "name": "Clio", "external_id": "7", "color": "red"}


@pytest.mark.parametrize(
    ("record_type", "body", "is_gone", "is_closed"),
    [
        (USER, {"id": 1, "active": False}, True, False),
        (USER, {"id": 1, "active": True}, False, False),
        (USER, {"id": 1}, False, False),
        (TICKET, {"id": 1, "status": "deleted"}, True, False),
        (TICKET, {"id": 1, "status": "closed"}, False, True),
        (TICKET, {"id": 1, "status": "solved"}, False, False),
        (ORGANIZATION, {"id": 1, "status": "deleted"}, False, False),
    ],
)
def test_a_record_that_is_gone_or_closed_says_so(record_type, body, is_gone, is_closed):
    record = read_record(record_type, body)
    assert (record.is_gone, record.is_closed) == (is_gone, is_closed)


@pytest.mark.parametrize("body", [{}, {"id": None, "custom_fields": None}, {"custom_fields": ["x", {"value": 1}]}])
def test_a_strange_body_is_read_as_far_as_it_goes(body):
    assert read_record(TICKET, body).id == ""


@pytest.mark.parametrize(
    "held",
    [
        [{"id": 5, "value": "X"}],
        [{"id": "5", "value": "X"}],
        [{"id": 5, "value": "X"}, {"id": None, "value": "Y"}],
        [{"id": 5, "value": "X"}, {"id": [1], "value": "Y"}, "odd", {"id": 6}],
    ],
)
def test_a_field_is_found_by_its_key_and_no_other_however_the_list_looks(held):
    values = read_record(TICKET, {"id": 1, "subject": "s", "custom_fields": held}).values
    assert (values["custom_field_5"], values["subject"]) == ("X", "s")
    assert dict(values) == {key: values.get(key) for key in values}
    assert not {"custom_field_05", "custom_field_", "custom_field_²", "5", "status", "nonsense"} & set(values)
    assert not any(key in values for key in ("custom_field_05", "custom_field_", "custom_field_²", "5", "nonsense"))
    with pytest.raises(KeyError):
        values["nonsense"]


def test_the_representation_shows_no_raw_body():
    assert "secret remark" not in repr(read_record(TICKET, {"id": 1, "description2": "secret remark"}))


@pytest.mark.parametrize("name", ["", "tickets", "custom_object:", "custom_object:../x", "custom_object:a b", "car"])
def test_a_name_that_is_no_entity_type_is_refused(name):
    with pytest.raises(ValueError, match="entity type"):
        get_record_type(name)


@pytest.mark.parametrize("record_id", ["", "..", "1/../2", "1?x=1", "abc", "-1", "1" * 30, "１２"])
def test_what_can_be_no_id_is_not_found_without_a_call(record_id):
    with pytest.raises(RecordNotFound) as caught:
        TICKET.build_record_path(record_id)
    assert caught.value.code == "InvalidId"


def test_ids_are_taken_as_numbers_and_as_text():
    assert TICKET.build_record_path(35436) == "/api/v2/tickets/35436"
    assert TICKET.build_record_path(" 35436 ") == "/api/v2/tickets/35436"
    assert CAR.build_record_path("01GCSJW391QVSC80GYDH7E93Q6").endswith("/car/records/01GCSJW391QVSC80GYDH7E93Q6")
