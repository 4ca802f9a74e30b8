"""Several workers on one run and several runs at once, each on a connection of its own: every delivery goes once."""

import uuid
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection

from memorialization.models import Delivery, ReplayRun
from memorialization.selectors.ledger_filters import LedgerFilters
from memorialization.services import replay_work
from memorialization.services.replay_choices import ReplayChoice
from memorialization.services.replay_runs import cancel_replay_run, continue_replay_run, start_replay_run
from tests.engine import NOW, make_delivery
from tests.factories import make_configuration

WORKERS = 3
COUNT = 30
pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("memory_crm")]


def at_once(work, count=WORKERS):
    """Run `work(number)` in threads that start together, and close their connections."""

    def run(number):
        try:
            return work(number)
        finally:
            connection.close()

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(run, range(count)))


@pytest.fixture(autouse=True)
def failed(monkeypatch):
    monkeypatch.setattr(replay_work, "SLICE", 4)
    configuration = make_configuration()
    made = [make_delivery(configuration, record_id=str(number % 7)) for number in range(COUNT)]
    Delivery.objects.update(state="failed", next_attempt_at=None)
    return made


def start():
    choice = ReplayChoice(LedgerFilters(state="failed"))
    return start_replay_run(choice=choice, key=uuid.uuid4(), actor=None, now=NOW)


def replays_per_delivery():
    return sorted(delivery.replays.count() for delivery in Delivery.objects.filter(replay_of=None))


def test_several_workers_at_once_replay_each_delivery_once():
    run = start()

    def work(_number):
        while continue_replay_run(run_id=run.pk, clock=lambda: NOW, slices=1):
            pass

    for _round in range(2):  # whoever found it taken gave up; one of them finishes it
        at_once(work)
    run.refresh_from_db()
    assert (run.state, run.replayed) == ("finished", COUNT)
    assert replays_per_delivery() == [1] * COUNT


def test_several_runs_over_the_same_deliveries_replay_each_once():
    runs = [start() for _number in range(WORKERS)]
    at_once(lambda number: continue_replay_run(run_id=runs[number].pk, clock=lambda: NOW))
    finished = ReplayRun.objects.filter(state="finished")
    assert finished.count() == WORKERS
    assert sum(run.replayed for run in finished) == COUNT
    assert sum(run.refused.get("replayed", 0) for run in finished) == COUNT * (WORKERS - 1)
    assert replays_per_delivery() == [1] * COUNT


def test_a_run_that_is_cancelled_while_it_is_worked_on_counts_what_it_queued():
    run = start()

    def act(number):
        if number:
            return cancel_replay_run(run=run, actor=None, is_taking_back=True, now=NOW)
        return continue_replay_run(run_id=run.pk, clock=lambda: NOW)

    assert at_once(act, 2)[1]
    while continue_replay_run(run_id=run.pk, clock=lambda: NOW):
        pass
    run.refresh_from_db()
    assert run.state == "cancelled"
    assert Delivery.objects.filter(reason="taken_back").count() == run.taken_back == run.replayed
