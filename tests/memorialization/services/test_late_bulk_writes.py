"""Bulk writes that were given up and are carried out after all: what was written meanwhile stands in the end."""

from contextlib import suppress
from datetime import timedelta

import pytest
from django.conf import settings

from crm_integrations.models import Authentication
from crm_integrations.providers.errors import CRMUnavailable
from memorialization.models import BulkWrite, Delivery
from memorialization.services import late_bulk_writes
from memorialization.services.due_work import BULK_FROM
from memorialization.services.sweeping import sweep_once
from tests.engine import NOW, account_of, calls_of, give_up_job, make_delivery, make_entry, push_all, result_of
from tests.factories import make_configuration
from tests.memory_provider import MemoryConnection

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("memory_crm")]
RECORD = ("ticket", "0")


@pytest.fixture
def configuration():
    return make_configuration()


@pytest.fixture
def job(configuration, clock):
    """A job about ten records that was given up; its values were written by calls of their own."""
    found = give_up_job(configuration, clock)
    assert BulkWrite.objects.get().state == BulkWrite.State.CONCLUDED
    assert set(Delivery.objects.values_list("state", flat=True)) == {"delivered"}
    return found


def write_newer(configuration, clock, **values):
    later = NOW + timedelta(minutes=1)
    entries = [make_entry(field, value, occurred_at=later) for field, value in (values or {"subject": "V2"}).items()]
    delivery = make_delivery(configuration, *entries, record_id="0", ended_at=later)
    push_all(configuration, clock)
    assert record_of(configuration)["subject"] == "V2"
    return delivery


def record_of(configuration):
    return account_of(configuration).records[RECORD]


def go_on(configuration, clock, *, hours):
    for _half in range(2 * hours):
        clock.move(minutes=30)
        sweep_once(clock=clock)
        push_all(configuration, clock)


@pytest.mark.parametrize("is_forgotten", [False, True])
def test_a_newer_value_that_it_overwrote_goes_again(configuration, clock, job, is_forgotten):
    newer = write_newer(configuration, clock)
    go_on(configuration, clock, hours=2)
    account_of(configuration).work(job)
    if is_forgotten:
        account_of(configuration).jobs.clear()
    assert record_of(configuration)["subject"] == "V1"
    go_on(configuration, clock, hours=4)
    assert record_of(configuration)["subject"] == "V2"
    replay = Delivery.objects.get(replay_of=newer)
    assert (replay.state, Delivery.objects.filter(replay_of__isnull=False).count()) == ("delivered", 1)


def test_what_somebody_else_wrote_since_stays(configuration, clock, job):
    write_newer(configuration, clock, subject="V2", priority="high")
    account_of(configuration).work(job)
    record_of(configuration)["priority"] = "by hand"
    go_on(configuration, clock, hours=2)
    assert record_of(configuration) == {"subject": "V2", "priority": "by hand"}
    record_of(configuration)["subject"] = "by hand"
    go_on(configuration, clock, hours=24)
    assert record_of(configuration) == {"subject": "by hand", "priority": "by hand"}


def test_its_records_are_looked_at_ever_more_seldom_and_for_a_day(configuration, clock, job):
    write_newer(configuration, clock)
    read = len(calls_of(configuration, "get_records"))
    go_on(configuration, clock, hours=30)
    assert 4 <= len(calls_of(configuration, "get_records")) - read <= 8
    assert BulkWrite.objects.get().poll_at is None


def test_nobody_is_asked_where_nothing_newer_was_written(configuration, clock, job):
    calls = len(account_of(configuration).calls)
    go_on(configuration, clock, hours=30)
    assert len(account_of(configuration).calls) == calls


def test_while_the_crm_is_away_it_is_looked_at_soon_again(configuration, clock, job, monkeypatch):
    write_newer(configuration, clock)
    account_of(configuration).work(job)
    account_of(configuration).faults.append(CRMUnavailable("503", may_have_applied=False, status=503))
    go_on(configuration, clock, hours=2)
    assert record_of(configuration)["subject"] == "V2"


def test_the_next_bulk_write_is_looked_at_soon(configuration, clock, job):
    go_on(configuration, clock, hours=6)
    for number in range(BULK_FROM):
        make_delivery(configuration, make_entry("subject", "V3"), record_id=str(number), ended_at=clock())
    push_all(configuration, clock)
    latest = BulkWrite.objects.latest("pk")
    assert latest.poll_at <= clock() + timedelta(seconds=30)


def test_the_watch_ends_after_a_day_also_while_the_crm_cannot_be_asked(configuration, clock, job):
    write_newer(configuration, clock)
    Authentication.objects.update(state=Authentication.State.REAUTHENTICATE)
    go_on(configuration, clock, hours=25)
    assert BulkWrite.objects.get().poll_at is None


def test_one_whose_authentication_was_removed_asks_for_nothing_for_ever(configuration, clock, job):
    write_newer(configuration, clock)
    BulkWrite.objects.update(authentication=None)
    clock.move(hours=1)
    push_all(configuration, clock)
    assert BulkWrite.objects.get().poll_at > clock()
    go_on(configuration, clock, hours=25)
    assert BulkWrite.objects.get().poll_at is None


def test_somebody_who_sets_the_late_value_again_and_again_is_not_overruled_again(configuration, clock, job):
    write_newer(configuration, clock)
    for _half in range(48):
        record_of(configuration)["subject"] = "V1"
        go_on(configuration, clock, hours=1)
    assert record_of(configuration)["subject"] == "V1"
    assert Delivery.objects.filter(replay_of__isnull=False).count() == 1


def test_one_whose_answer_was_lost_is_watched_also_when_nobody_could_ask_about_it(configuration, clock):
    account = account_of(configuration)
    account.stuck_jobs = account.lost_bulk_answers = 1
    for number in range(BULK_FROM):
        make_delivery(configuration, make_entry("subject", "V1"), record_id=str(number))
    push_all(configuration, clock)
    Authentication.objects.update(state=Authentication.State.REAUTHENTICATE)
    for _look in range(4):
        clock.move(seconds=settings.BULK_PATIENCE_S + 5)
        push_all(configuration, clock)
    Authentication.objects.update(state=Authentication.State.ACTIVE)
    push_all(configuration, clock)
    write_newer(configuration, clock)
    [late] = account.jobs.values()
    account.work(late)
    go_on(configuration, clock, hours=24)
    assert record_of(configuration)["subject"] == "V2"


def test_a_newer_value_whose_delivery_still_asks_for_its_note_goes_again_when_that_is_over(
    configuration, clock, job, monkeypatch
):
    def find_comment(self, *_arguments, **_keywords):
        self._take("find_comment")
        raise CRMUnavailable("503", may_have_applied=False, status=503)

    later = NOW + timedelta(minutes=1)
    entries = [
        make_entry("subject", "V2", occurred_at=later),
        make_entry("comment", "A note", type="comment", occurred_at=later),
    ]
    newer = make_delivery(configuration, *entries, record_id="0", ended_at=later)
    account_of(configuration).faults_after_applying.append(CRMUnavailable("reset", may_have_applied=True))
    with monkeypatch.context() as patched:
        patched.setattr(MemoryConnection, "find_comment", find_comment)
        push_all(configuration, clock)
        clock.move(seconds=120)
        push_all(configuration, clock)
        assert (result_of(newer), newer.state) == (("unchanged", "already_there"), "waiting")
        account_of(configuration).work(job)
        go_on(configuration, clock, hours=3)
    assert record_of(configuration)["subject"] == "V1"
    go_on(configuration, clock, hours=10)
    newer.refresh_from_db()
    assert (newer.state, record_of(configuration)["subject"]) == ("delivered", "V2")
    assert len(account_of(configuration).comments[RECORD]) == 1


def fail_to_read(monkeypatch, clock):
    """Kill whoever looks late; answers when they died."""
    deaths = []

    def die(*_arguments):
        deaths.append(clock())
        raise RuntimeError

    monkeypatch.setattr(late_bulk_writes, "_read", die)
    return deaths


def test_the_last_look_that_killed_its_worker_is_repeated(configuration, clock, job, monkeypatch):
    write_newer(configuration, clock)
    go_on(configuration, clock, hours=12)
    account_of(configuration).work(job)
    assert record_of(configuration)["subject"] == "V1"
    with monkeypatch.context() as patched:
        deaths = fail_to_read(patched, clock)
        while not deaths:
            clock.move(minutes=30)
            try:
                push_all(configuration, clock)
            except RuntimeError:
                assert clock() + (clock() - NOW) > NOW + late_bulk_writes.WATCHED_FOR  # none would have followed
    go_on(configuration, clock, hours=1)
    assert record_of(configuration)["subject"] == "V2"


def test_a_look_that_kills_every_worker_ends_with_the_watch(configuration, clock, job, monkeypatch):
    write_newer(configuration, clock)
    deaths = fail_to_read(monkeypatch, clock)
    for _half in range(60):
        clock.move(minutes=30)
        with suppress(RuntimeError):
            push_all(configuration, clock)
    assert NOW + late_bulk_writes.WATCHED_FOR <= deaths[-1] < NOW + late_bulk_writes.WATCHED_FOR + timedelta(hours=1)
    assert BulkWrite.objects.get().poll_at is None
