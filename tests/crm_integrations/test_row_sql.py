"""Rows in and out with few statements: what is written and read is what Django would write and read."""

import json
from datetime import UTC, datetime, timedelta, timezone

import pytest
from django.db import DataError, IntegrityError, connection, transaction
from django.utils.safestring import SafeString

from crm_integrations.given_rows import ROWS_PER_STATEMENT
from crm_integrations.models import Authentication
from crm_integrations.row_inserts import insert_missing, insert_rows, insert_values
from crm_integrations.row_sql import JSONText, as_time, as_uuid, read_rows, update_row
from memorialization.models import Attempt, Contact, Interaction
from tests.engine import make_delivery, make_entry
from tests.factories import make_authentication, make_configuration

pytestmark = pytest.mark.django_db
MOMENT = datetime(2026, 1, 5, 9, 30, 1, 250_000, tzinfo=timezone(timedelta(hours=-5)))


@pytest.fixture
def contact(db):
    return Contact.objects.create(configuration=make_configuration(), contact_id="1")


def make_row(contact, **columns):
    return Interaction(configuration=contact.configuration, contact=contact, channel="voice", **columns)


def test_a_row_comes_back_as_it_was_whoever_reads_it(contact):
    values = {"ani": {"value": "Zoé 😀 \u2028", "occurred_at": "2026"}, "deep": [1, 2.5, None, True, 2**70]}
    row = make_row(contact, segment_id="a", started_at=MOMENT, values=values, flags=["one"])
    insert_rows([row])
    (read,) = read_rows(Interaction, "id = %s", [row.pk])
    stored = Interaction.objects.get()
    for each in (read, stored):
        assert each.started_at == MOMENT and each.ended_at is None
        assert (each.values, each.flags, each.targets) == (values, ["one"], {})
        assert each.configuration_id == contact.configuration_id
        assert each.created_at == each.updated_at and each.created_at.tzinfo is not None
    assert {name: getattr(read, name) for name in vars(stored) if name != "_state"} == {
        name: value for name, value in vars(stored).items() if name != "_state"
    }


def test_many_rows_get_their_ids_in_their_order(contact):
    rows = [make_row(contact, segment_id=str(number)) for number in range(ROWS_PER_STATEMENT + 3)]
    insert_rows(rows)
    stored = dict(Interaction.objects.values_list("pk", "segment_id"))
    assert [stored[row.pk] for row in rows] == [row.segment_id for row in rows]
    insert_rows([])


def test_texts_of_many_rows_arrive_as_they_are_and_one_that_is_too_long_is_never_cut(contact):
    names, longest = ("configuration_id", "contact_id"), Contact._meta.get_field("contact_id").max_length
    texts = ["a'b", 'c"d', "e\\f", "%s %% {1,2}", "\u2028 😀", "null", "[1]", "x" * longest]
    made = insert_values(Contact, names, [(contact.configuration_id, text) for text in texts])
    stored = dict(Contact.objects.values_list("pk", "contact_id"))
    assert [stored[pk] for (pk,) in made] == texts
    if connection.vendor == "postgresql":  # SQLite knows no longest text
        with pytest.raises(DataError), transaction.atomic():
            insert_values(Contact, names, [(contact.configuration_id, "x" * (longest + size)) for size in (1, 2)])


def test_rows_that_are_all_alike_are_as_many_as_they_are(contact):
    delivery = make_delivery(contact.configuration, make_entry("subject", "x"))
    alike = [(delivery.lane_id, 1, MOMENT, {})] * 3
    made = insert_values(Attempt, ("lane_id", "fence", "started_at", "request"), alike)
    assert len({pk for (pk,) in made}) == Attempt.objects.filter(started_at=MOMENT).count() == 3


def test_an_update_writes_the_named_fields_and_no_others(contact):
    row = make_row(contact, segment_id="a")
    insert_rows([row])
    row.values, row.ended_at, row.agent_id = {"a": {}}, MOMENT, "not written"
    update_row(row, ["values", "ended_at"])
    stored = Interaction.objects.get()
    assert (stored.values, stored.ended_at, stored.agent_id) == ({"a": {}}, MOMENT, "")


def test_what_is_there_already_is_left_as_it_is_and_not_answered(contact):
    before = contact.created_at
    names, key = ("configuration_id", "contact_id"), contact.configuration_id
    made = insert_missing(Contact, names, [(key, "1"), (key, "2")], returning=("contact_id",))
    assert made == [("2",)]
    assert Contact.objects.get(contact_id="1").created_at == before
    assert Contact.objects.get(contact_id="2").created_at >= before


def test_values_without_rows_get_the_defaults_of_the_rest_and_answer_in_their_order(contact):
    key = contact.configuration_id
    made = insert_values(Contact, ("configuration_id", "contact_id"), [(key, "3"), (key, "2")])
    assert [Contact.objects.get(pk=pk).contact_id for (pk,) in made] == ["3", "2"]
    assert Contact.objects.get(contact_id="3").created_at.tzinfo is not None
    with pytest.raises(IntegrityError), transaction.atomic():
        insert_values(Contact, ("configuration_id", "contact_id"), [(key, "3")])


def test_kinds_of_text_are_stored_as_text_and_what_strict_json_has_no_word_for_is_still_read(contact):
    row = make_row(contact, segment_id="a", values={"a": [SafeString("é")]}, flags=JSONText(r'["\ud800"]'))
    if connection.vendor == "postgresql":
        row.flags = []  # it keeps no half of a character
    insert_rows([row])
    (read,) = read_rows(Interaction, "id = %s", [row.pk])
    assert (read.values, read.flags) == ({"a": ["é"]}, json.loads(row.flags) if row.flags else [])


def test_a_column_that_is_encrypted_is_never_written_or_read_past_its_encryption():
    row = make_authentication()
    with pytest.raises(TypeError):
        read_rows(Authentication, "id = %s", [row.pk])
    row.pk = None
    with pytest.raises(TypeError):
        insert_rows([row])
    assert Authentication.objects.count() == 1


def test_moments_and_ids_find_their_rows_as_parameters(contact):
    row = make_row(contact, started_at=MOMENT)
    insert_rows([row])
    parameters = [as_time(MOMENT), as_uuid(contact.configuration_id)]
    (read,) = read_rows(Interaction, "started_at = %s AND configuration_id = %s", parameters)
    assert read.started_at.astimezone(UTC).hour == 14
