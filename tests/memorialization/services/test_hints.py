"""Hints: one per transaction and account, after the commit, and never a reason to fail or to be slow."""

import socket

import pytest
from django.db import transaction

from crm_integrations import failure_pauses
from crm_integrations.failure_pauses import FailurePause
from memorialization.services import hints
from memorialization.services.hints import send_backlog_hint, send_hint, wake_on_commit

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def answering_broker(monkeypatch):
    monkeypatch.setattr(hints, "_pause", FailurePause(60))


@pytest.fixture
def sent(monkeypatch):
    messages = []
    monkeypatch.setattr(
        hints.current_app, "send_task", lambda name, kwargs, **_: messages.append((name, kwargs["account_id"]))
    )
    monkeypatch.setattr(hints._sender, "submit", lambda account_id: send_hint(account_id=account_id))
    return messages


def break_broker(monkeypatch):
    tries = []

    def refuse(*args, **keywords):
        tries.append(1)
        raise ConnectionError("redis://user:password@broker refused")

    monkeypatch.setattr(hints.current_app, "send_task", refuse)
    return tries


def test_a_hint_goes_out_after_the_commit_once_per_account(sent, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks(execute=True), transaction.atomic():
        for account_id in (1, 2, 1, 1):
            wake_on_commit(account_id=account_id)
        assert sent == []
    assert sent == [("memorialization.tasks.push_account", 1), ("memorialization.tasks.push_account", 2)]


@pytest.mark.django_db(transaction=True)
def test_what_was_rolled_back_wakes_nobody(sent):
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        wake_on_commit(account_id=1)
        raise ZeroDivisionError
    assert sent == []


@pytest.mark.django_db(transaction=True)
def test_outside_a_transaction_it_goes_out_at_once(sent):
    wake_on_commit(account_id=3)
    assert sent == [("memorialization.tasks.push_account", 3)]


def test_a_broker_that_is_away_fails_nobody_and_is_left_alone_for_a_moment(monkeypatch, caplog):
    tries = break_broker(monkeypatch)
    assert [send_hint(account_id=1) for _ in range(50)] == [False] * 50
    assert len(tries) == 1
    assert len(caplog.records) == 1
    assert "password" not in caplog.text


def test_what_has_waited_already_is_hinted_at_in_a_queue_of_its_own(monkeypatch, settings):
    queues = []
    monkeypatch.setattr(hints.current_app, "send_task", lambda name, queue, **_: queues.append(queue))
    send_hint(account_id=1)
    send_backlog_hint(account_id=1)
    assert queues == ["celery", "backlog"]
    assert set(settings.CELERY_TASK_QUEUES) == set(queues)


def test_after_the_quiet_time_one_tries_and_nobody_waits_with_it(monkeypatch):
    monkeypatch.setattr(hints, "_pause", FailurePause(60))
    clock, meanwhile = [0.0], []
    monkeypatch.setattr(failure_pauses.time, "monotonic", lambda: clock[0])
    hints._pause.note_failure()
    assert not send_hint(account_id=1)
    clock[0] = 60.0
    monkeypatch.setattr(hints.current_app, "send_task", lambda *_, **__: meanwhile.append(send_hint(account_id=2)))
    assert send_hint(account_id=1)
    assert meanwhile == [False]
    monkeypatch.setattr(hints.current_app, "send_task", lambda *_, **__: None)
    assert send_hint(account_id=1) and send_hint(account_id=1)


def test_a_broker_that_takes_the_connection_and_says_nothing_is_given_up(monkeypatch):
    monkeypatch.setattr(hints, "PATIENCE_S", 0.05)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        broker = f"redis://127.0.0.1:{silent.getsockname()[1]}/0"
        monkeypatch.setattr(hints, "_connection", lambda: hints.connect(broker))
        assert not send_hint(account_id=1)


@pytest.mark.django_db(transaction=True)
def test_a_hint_for_which_there_is_no_thread_fails_nobody_who_commits(monkeypatch):
    tries = []

    def refuse(account_id):
        tries.append(account_id)
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(hints._sender, "submit", refuse)
    wake_on_commit(account_id=1)
    with transaction.atomic():
        wake_on_commit(account_id=2)
    assert tries == [1, 2]
