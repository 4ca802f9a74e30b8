"""Bulk writes that were given up and are carried out after all: what was written meanwhile stands in the end."""

from datetime import timedelta

import pytest
from django.conf import settings

from memorialization.models import BulkWrite, Delivery
from memorialization.services.due_work import BULK_FROM
from memorialization.services.sweeping import sweep_once
from tests.engine import NOW, account_of, calls_of, make_delivery, make_entry, push_all
from tests.factories import make_configuration

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("memory_crm")]
RECORD = ("ticket", "0")


@pytest.fixture
def configuration():
    return make_configuration()


@pytest.fixture
def job(configuration, clock):
    """A job about ten records that was given up; its values were written by calls of their own."""
    account = account_of(configuration)
    account.stuck_jobs = 1
    for number in range(BULK_FROM):
        make_delivery(configuration, make_entry("subject", "V1"), record_id=str(number))
    push_all(configuration, clock)
    for _look in range(3):
        clock.move(seconds=settings.BULK_PATIENCE_S + 5)
        push_all(configuration, clock)
    assert BulkWrite.objects.get().state == BulkWrite.State.CONCLUDED
    assert set(Delivery.objects.values_list("state", flat=True)) == {"delivered"}
    [found] = account.jobs.values()
    return found


def write_newer(configuration, clock, subject="V2"):
    later = NOW + timedelta(minutes=1)
    delivery = make_delivery(
        configuration, make_entry("subject", subject, occurred_at=later), record_id="0", ended_at=later
    )
    push_all(configuration, clock)
    assert subject_of(configuration) == subject
    return delivery


def subject_of(configuration):
    return account_of(configuration).records[RECORD]["subject"]


def go_on(configuration, clock, *, hours):
    for _half in range(2 * hours):
        clock.move(minutes=30)
        sweep_once(clock=clock)
        push_all(configuration, clock)


def test_a_newer_value_that_it_overwrote_goes_again(configuration, clock, job):
    newer = write_newer(configuration, clock)
    account_of(configuration).work(job)
    assert subject_of(configuration) == "V1"
    go_on(configuration, clock, hours=2)
    assert subject_of(configuration) == "V2"
    replay = Delivery.objects.get(replay_of=newer)
    assert (replay.state, Delivery.objects.filter(replay_of__isnull=False).count()) == ("delivered", 1)
    assert BulkWrite.objects.get().poll_at is None


def test_what_somebody_else_wrote_since_stays(configuration, clock, job):
    write_newer(configuration, clock)
    account_of(configuration).work(job)
    account_of(configuration).records[RECORD]["subject"] = "by hand"
    go_on(configuration, clock, hours=2)
    assert subject_of(configuration) == "by hand"
    assert not Delivery.objects.filter(replay_of__isnull=False).exists()


def test_one_that_never_ends_is_asked_about_ever_more_seldom_and_for_a_day(configuration, clock, job):
    asked = len(calls_of(configuration, "read_bulk"))
    go_on(configuration, clock, hours=30)
    assert 3 <= len(calls_of(configuration, "read_bulk")) - asked <= 8
    assert BulkWrite.objects.get().poll_at is None


def test_one_that_the_crm_forgot_is_not_asked_about_again(configuration, clock, job):
    account_of(configuration).jobs.clear()
    asked = len(calls_of(configuration, "read_bulk"))
    go_on(configuration, clock, hours=3)
    assert len(calls_of(configuration, "read_bulk")) == asked + 1
    assert BulkWrite.objects.get().poll_at is None
