"""Several deliveries of one record may have been applied: they are looked at, and no older one overwrites the newer."""

from datetime import timedelta

import pytest

from crm_integrations.models import Authentication
from crm_integrations.providers.errors import AccessDenied, CRMUnavailable, Misconfigured, ValueRefused
from memorialization.models import Attempt, Delivery
from memorialization.services import pushing
from memorialization.services.due_work import BULK_FROM
from tests.engine import NOW, account_of, calls_of, make_delivery, make_entry, push_all
from tests.factories import make_authentication, make_configuration
from tests.memory_provider import MemoryConnection

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("memory_crm")]
RECORD = ("ticket", "35")
AN_HOUR_AGO = NOW - timedelta(hours=1)


@pytest.fixture
def configuration():
    return make_configuration()


@pytest.fixture
def refuse_to_read(monkeypatch):
    """Have every look at a record answered by an error."""

    def refuse(error):
        def get_records(connection, *_arguments, **_keywords):
            connection._take("get_records")
            raise error

        monkeypatch.setattr(MemoryConnection, "get_records", get_records)

    return refuse


def make_two(configuration, newer_of=None, *also_older, **columns):
    """An older and a newer delivery to one record, both of which may have been applied."""
    older = make_delivery(
        configuration, make_entry("subject", "Old"), *also_older, ended_at=AN_HOUR_AGO, must_look_first=True, **columns
    )
    newer = make_delivery(newer_of or configuration, make_entry("subject", "New"), must_look_first=True, **columns)
    return older, newer


def written_to(configuration):
    return [values.get("subject") for _type, _id, values in calls_of(configuration, "update_record")]


@pytest.mark.parametrize("case", ["each goes alone", "two authentications", "the older one has a note"])
def test_the_newest_that_stands_is_overwritten_by_none_that_shares_no_write_with_it(configuration, clock, case):
    other = make_configuration(authentication=make_authentication()) if case == "two authentications" else None
    notes = [make_entry("comment", "Note", type="comment")] if case == "the older one has a note" else []
    older, newer = make_two(configuration, other, *notes, goes_alone=case == "each goes alone")
    account_of(configuration).records[RECORD]["subject"] = "New"
    push_all(configuration, clock)
    push_all(configuration, clock)
    assert [subject for subject in written_to(configuration) if subject] == []
    older.refresh_from_db()
    assert older.fields[0]["result"] == "superseded"
    assert set(Delivery.objects.values_list("state", flat=True)) == {"delivered"}


def test_none_that_stands_is_written_in_order(configuration, clock):
    make_two(configuration, goes_alone=True)
    push_all(configuration, clock)
    assert written_to(configuration) == ["Old", "New"]
    assert len(calls_of(configuration, "get_records")) == 2


def test_an_authentication_that_was_held_meanwhile_overwrites_nothing(configuration, clock):
    account = account_of(configuration)
    other = make_configuration(authentication=make_authentication())
    make_delivery(configuration, make_entry("subject", "Old"), ended_at=AN_HOUR_AGO)
    account.faults.append(CRMUnavailable("reset", may_have_applied=True))  # its call never arrived
    push_all(configuration, clock)
    own = Authentication.objects.filter(pk=configuration.authentication_id)
    own.update(state="reauthenticate")
    make_delivery(other, make_entry("subject", "New"))
    account.faults_after_applying.append(CRMUnavailable("reset", may_have_applied=True))
    clock.move(seconds=90)
    push_all(configuration, clock)
    assert account.records[RECORD]["subject"] == "New"
    own.update(state="active")
    clock.move(seconds=61)
    push_all(configuration, clock)
    assert written_to(configuration) == ["Old", "New"]  # the first of them was lost on its way


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (AccessDenied("no", status=403), "access_denied"),
        (Misconfigured("no such object", status=404), "misconfigured"),
        (ValueRefused("no", status=422), "value_refused"),
    ],
)
def test_a_look_that_is_denied_ends_each_of_them(configuration, clock, refuse_to_read, error, reason):
    make_two(configuration, goes_alone=True)
    refuse_to_read(error)
    push_all(configuration, clock)
    assert set(Delivery.objects.values_list("state", "reason")) == {("failed", reason)}
    assert Attempt.objects.count() == 2


def test_records_that_may_not_be_read_back_end_by_their_own_calls_also_where_two_share_one(
    configuration, clock, refuse_to_read
):
    make_delivery(configuration, make_entry("subject", "Old"), record_id="3", ended_at=AN_HOUR_AGO)
    for number in range(BULK_FROM):
        make_delivery(configuration, make_entry("subject", "New"), record_id=str(number))
    push_all(configuration, clock)
    refuse_to_read(AccessDenied("no", status=403))
    for _push in range(8):
        push_all(configuration, clock)
        clock.move(seconds=30)
    assert set(Delivery.objects.values_list("state", "reason")) == {("failed", "access_denied")}
    assert len(calls_of(configuration, "get_records")) <= 2 * BULK_FROM


def test_while_the_newest_cannot_be_looked_at_the_others_wait_as_long_and_it_is_tried_at_its_pace(
    configuration, clock, refuse_to_read
):
    older, newer = make_two(configuration, goes_alone=True)
    refuse_to_read(CRMUnavailable("503", may_have_applied=False, status=503))
    for _push in range(3):
        push_all(configuration, clock)
    for delivery in (older, newer):
        delivery.refresh_from_db()
    assert (older.attempt_count, newer.attempt_count) == (0, 1)
    assert older.next_attempt_at == newer.next_attempt_at > clock()
    assert older.must_look_first and older.reason == newer.reason == "crm_unavailable"


def test_a_clock_that_steps_back_after_the_look_keeps_nobody_back(configuration, clock, monkeypatch):
    make_two(configuration, goes_alone=True)
    keep_back = pushing._keep_back

    def step_back(push, outcome):
        clock.move(seconds=-0.01)
        return keep_back(push, outcome)

    monkeypatch.setattr(pushing, "_keep_back", step_back)
    push_all(configuration, clock)
    assert set(Attempt.objects.values_list("outcome", flat=True)) == {"succeeded"}


def test_a_refusal_that_names_no_field_leaves_out_what_is_left_where_other_values_stand(
    configuration, clock, monkeypatch
):
    def update_record(connection, *_arguments, **_keywords):
        connection._take("update_record")
        raise ValueRefused("Something is wrong", status=422)

    monkeypatch.setattr(MemoryConnection, "update_record", update_record)
    delivery = make_delivery(
        configuration, make_entry("subject", "Call"), make_entry("notes", "long"), must_look_first=True
    )
    account_of(configuration).records[RECORD]["subject"] = "Call"
    push_all(configuration, clock)
    delivery.refresh_from_db()
    assert delivery.state == "partial"
    assert [(entry["result"], entry["params"]) for entry in delivery.fields] == [
        ("unchanged", {}),
        ("left_out", {"words": "Something is wrong"}),
    ]
