"""Celery's doors: real messages, unknown keywords, two queues taken from in turn."""

import pytest
from celery.contrib.testing.worker import start_worker

from config.celery import app
from config.stack.processes import wait_until
from memorialization import tasks
from memorialization.models import Delivery
from memorialization.services.hints import send_backlog_hint, send_hint
from tests.engine import make_delivery
from tests.factories import make_configuration

PATIENCE_S = 10.0

pytestmark = pytest.mark.usefixtures("memory_crm")


@pytest.mark.django_db(transaction=True)
def test_a_hint_makes_a_worker_push_through_a_real_broker(running_worker):
    configuration = make_configuration()
    make_delivery(configuration)
    assert send_hint(account_id=configuration.authentication.account_id)
    assert wait_until(lambda: Delivery.objects.get().state == "delivered", patience_s=PATIENCE_S)


@pytest.mark.django_db
def test_tasks_tolerate_keywords_of_another_version_and_may_run_twice():
    configuration = make_configuration()
    make_delivery(configuration)
    for _ in range(2):
        tasks.push_account(configuration.authentication.account_id, colour="blue")
        tasks.sweep(colour="blue")
        tasks.canary(colour="blue")
    assert Delivery.objects.get().state == "delivered"


def test_what_a_turn_left_over_is_hinted_at_behind_other_backlogs(monkeypatch):
    sent = []
    monkeypatch.setattr(tasks, "take_turn", lambda *, account_id: 2)
    monkeypatch.setattr(tasks, "send_backlog_hint", lambda *, account_id: sent.append(account_id))
    tasks.push_account(7)
    assert sent == [7, 7]


def test_a_fresh_hint_is_served_between_the_turns_of_a_backlog(valkey_url, monkeypatch):
    """Both queues are taken from by default, and in turn: a worker of one thread shows the order."""
    served = []
    monkeypatch.setattr(tasks, "take_turn", lambda *, account_id: served.append(account_id) or 0)
    for account_id in range(30):
        send_backlog_hint(account_id=account_id)
    for account_id in (101, 102):
        send_hint(account_id=account_id)
    with start_worker(app, pool="threads", concurrency=1, perform_ping_check=False):
        assert wait_until(lambda: len(served) == 32, patience_s=PATIENCE_S)
    assert served.index(101) <= 2 and served.index(102) <= 4


def test_beat_sweeps_and_drops_rounds_that_piled_up(settings):
    from config.celery import app

    entry = app.conf.beat_schedule["sweep"]
    assert entry["task"] in app.tasks
    assert entry["schedule"] == settings.SWEEP_EVERY_S
    assert entry["options"]["expires"] > entry["schedule"]
    assert app.conf.beat_schedule["check-authentications"]["task"] in app.tasks
