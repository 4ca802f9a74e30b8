"""Many rows by few statements, each to values of its own: what is the same in all is said once, and is the same."""

from datetime import timedelta

import pytest

from crm_integrations.given_rows import ROWS_PER_STATEMENT
from crm_integrations.row_updates import update_rows, upsert_crossed_rows
from memorialization.models import Delivery, FieldMark
from tests.engine import NOW, make_delivery, make_entry
from tests.factories import make_configuration

pytestmark = pytest.mark.django_db
MARK = ("lane_id", "segment_ended_at", "segment_key", "occurred_at", "delivery_id")
UNIQUE = ("lane_id", "crm_field")


@pytest.fixture
def configuration():
    return make_configuration()


def make_some(configuration, count=3):
    entry = make_entry("subject", "old")
    return [make_delivery(configuration, entry, record_id=str(number)) for number in range(count)]


def test_rows_get_values_of_their_own_and_those_they_share(configuration):
    rows = make_some(configuration)
    later = NOW + timedelta(hours=1)
    wanted = {row.pk: ([{"crm_field": str(row.pk)}], "failed", None, later, True) for row in rows}
    names = ("fields", "state", "next_attempt_at", "finished_at", "goes_alone")
    assert update_rows(Delivery, wanted, names) == len(rows)
    for stored in Delivery.objects.all():
        assert tuple(getattr(stored, name) for name in names) == wanted[stored.pk]


def test_rows_that_share_every_value_are_changed_when_their_guard_allows(configuration):
    rows = make_some(configuration)
    Delivery.objects.filter(pk=rows[0].pk).update(state="sending")
    wanted = {row.pk: ("sending", {"words": "é"}) for row in rows}
    assert update_rows(Delivery, wanted, ("state", "reason_params"), guard="state = 'waiting'") == 2
    assert set(Delivery.objects.values_list("state", flat=True)) == {"sending"}
    assert Delivery.objects.get(pk=rows[0].pk).reason_params == {}
    assert Delivery.objects.get(pk=rows[1].pk).reason_params == {"words": "é"}


def test_values_that_python_takes_for_the_same_stay_what_they_are(configuration):
    rows = make_some(configuration)
    wanted = {row.pk: [{"rendered": value}] for row, value in zip(rows, (True, 1, 1.0), strict=True)}
    update_rows(Delivery, {pk: (fields,) for pk, fields in wanted.items()}, ("fields",))
    stored = dict(Delivery.objects.values_list("pk", "fields"))
    assert {pk: repr(fields) for pk, fields in stored.items()} == {pk: repr(fields) for pk, fields in wanted.items()}


def test_more_rows_than_a_statement_takes_are_all_changed(configuration):
    rows = make_some(configuration, ROWS_PER_STATEMENT + 2)
    wanted = {row.pk: (number, "failed", None) for number, row in enumerate(rows)}
    assert update_rows(Delivery, wanted, ("attempt_count", "state", "next_attempt_at")) == len(rows)
    assert dict(Delivery.objects.values_list("pk", "attempt_count")) == {pk: each[0] for pk, each in wanted.items()}
    assert update_rows(Delivery, {}, ("state",)) == 0


def test_each_row_is_crossed_with_each_value_and_replaces_what_stands(configuration):
    one, two = make_some(configuration, 2)
    FieldMark.objects.create(
        lane=one.lane, crm_field="subject", segment_ended_at=NOW, segment_key="old", occurred_at=NOW, delivery=one
    )
    later = NOW + timedelta(hours=1)
    rows = [(one.lane_id, later, "new", later, one.pk), (two.lane_id, NOW, "new", NOW, None)]
    upsert_crossed_rows(FieldMark, rows, MARK, ("crm_field", ("subject", "notes")), unique=UNIQUE)
    stored = set(FieldMark.objects.values_list(*MARK, "crm_field"))
    assert stored == {(*row, key) for row in rows for key in ("subject", "notes")}
