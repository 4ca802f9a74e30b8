"""Which way due lanes go: alone at once while there are plenty of calls, in bulk when they become few."""

import uuid
from dataclasses import replace
from datetime import timedelta

import pytest
from django.db import transaction

from crm_integrations.services.budget_books import open_book
from memorialization.models import BulkWrite, RecordLane
from memorialization.services.account_turn import MOMENT_S
from memorialization.services.due_work import BULK_FROM, FEWEST_IN_BULK, WorkFinder
from tests.engine import NOW, calls_of, make_delivery, make_entry, push_all, shut_limit
from tests.factories import make_configuration

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("memory_crm")]
NOTE = make_entry("comment", "Note", type="comment")
OURS = 90  # single writes a window, less the head-room


@pytest.fixture
def configuration():
    return make_configuration()


def find(configuration):
    return WorkFinder(configuration.authentication.account).find(NOW)


def ways(configuration):
    return [(work.goes_alone, work.is_bulk, work.fewest) for work in find(configuration).works]


def make_many(configuration, count, *fields):
    for number in range(count):
        make_delivery(configuration, *fields, record_id=str(number))


def use_single_writes(configuration, count):
    """So many of the hundred single writes of this minute are spent."""
    with transaction.atomic():
        book = open_book(account_id=configuration.authentication.account_id)
        known = book.window_of("update")
        until = NOW + timedelta(seconds=known.window_s)
        spent = type(known)(100, known.window_s, ends_at=until, granted=count, answered=count, is_confirmed=True)
        book.put("update", spent)
        book.save()


def send_bulk_writes(configuration, count):
    account_id, authentication_id = configuration.authentication.account_id, configuration.authentication_id
    kind = {"account_id": account_id, "authentication_id": authentication_id, "entity_type": "ticket", "size": 1}
    times = {"created_at": NOW, "progressed_at": NOW, "poll_at": NOW}
    for _number in range(count):
        BulkWrite.objects.create(**kind, **times, lease=uuid.uuid4())


@pytest.mark.parametrize(
    ("due", "spent", "way"),
    [
        (1, OURS // 2 - 1, (False, False, FEWEST_IN_BULK)),
        (BULK_FROM - 1, OURS // 2 - 1, (False, False, FEWEST_IN_BULK)),
        (BULK_FROM, 0, (False, True, FEWEST_IN_BULK)),
        (1, OURS // 2, (False, True, 1)),
        (BULK_FROM - 1, OURS // 2, (False, True, 1)),
        (1, OURS, (False, True, 1)),
    ],
)
def test_the_second_half_of_single_writes_is_for_what_has_no_other_way(configuration, due, spent, way):
    make_many(configuration, due)
    use_single_writes(configuration, spent)
    assert ways(configuration) == [way]


def test_what_goes_alone_may_have_all_of_them(configuration):
    make_many(configuration, 3, NOTE)
    RecordLane.objects.update(goes_alone=True)
    use_single_writes(configuration, OURS - 1)
    assert ways(configuration) == [(True, False, FEWEST_IN_BULK)]
    use_single_writes(configuration, OURS)
    assert ways(configuration) == []


@pytest.mark.parametrize(("due", "underway", "goes"), [(2, 2, True), (2, 3, False), (BULK_FROM, 20, True)])
def test_values_gather_while_bulk_writes_are_under_way(configuration, due, underway, goes):
    make_many(configuration, due)
    use_single_writes(configuration, OURS // 2)
    send_bulk_writes(configuration, underway)
    assert bool(find(configuration).works) == goes


def test_while_there_are_plenty_of_single_writes_nothing_waits_for_bulk_writes_under_way(configuration):
    make_many(configuration, 2)
    send_bulk_writes(configuration, 20)
    assert ways(configuration) == [(False, False, FEWEST_IN_BULK)]


@pytest.mark.parametrize(("seconds", "found"), [(MOMENT_S, []), (MOMENT_S + 0.1, [(False, True, 1)])])
def test_a_limit_that_opens_in_a_moment_is_no_reason_for_a_bulk_write(configuration, seconds, found):
    make_many(configuration, 1)
    shut_limit(configuration.authentication.account_id, "update", seconds=seconds)
    assert ways(configuration) == found


def test_one_value_is_delivered_in_bulk_when_no_single_write_is_left(configuration, clock):
    make_many(configuration, 1)
    use_single_writes(configuration, OURS)
    push_all(configuration, clock)
    assert [len(updates) for _type, updates in calls_of(configuration, "update_records")] == [1]


def test_a_backlog_waits_for_a_place_that_the_budget_has_not_heard_of_yet(configuration):
    make_many(configuration, BULK_FROM)
    with transaction.atomic():
        book = open_book(account_id=configuration.authentication.account_id)
        known = book.window_of("bulk")
        book.put("bulk", replace(known, granted=known.calls, granted_at=NOW))
        book.save()
    assert find(configuration).works == ()
    assert find(configuration).opens_at == NOW + timedelta(seconds=1)
