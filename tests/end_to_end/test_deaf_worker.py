"""A real worker that stops taking messages, while everything else about it is alive, starts itself again."""

import os
import sys
from pathlib import Path

import pytest
import redis

from config.celery import app
from config.stack.processes import start_process, stop_process, wait_until
from memorialization.models import Heartbeat
from memorialization.services.heartbeats import RESTART, WORKER
from tests.end_to_end.kill_stage import QUICK, START_PATIENCE_S, WORKERS, address_of_test_database

pytestmark = pytest.mark.django_db(transaction=True)

NAME = "deaf@test"


@pytest.fixture
def worker(tmp_path: Path, valkey_url: str, settings: object):
    """A worker that suspects itself after three seconds, up and known by its heartbeat."""
    environment = {**os.environ, **QUICK, "WATCHDOG_AFTER_S": "3", "DATABASE_URL": address_of_test_database()}
    environment |= {"REDIS_URL": valkey_url, "VAR_DIR": str(tmp_path / "var"), "SECRET_KEY": settings.SECRET_KEY}
    environment["ENCRYPTION_KEYS"] = ",".join(settings.ENCRYPTION_KEYS)
    with (tmp_path / "log").open("wb") as log:
        process = start_process([sys.executable, *WORKERS["celery"], "-n", NAME], environment=environment, output=log)
        try:
            beat = Heartbeat.objects.filter(name=f"{WORKER}{NAME}")
            assert wait_until(beat.exists, patience_s=START_PATIENCE_S), (tmp_path / "log").read_text()
            yield process
        finally:
            stop_process(process, ending=15, patience_s=START_PATIENCE_S)
    print((tmp_path / "log").read_text())


def test_a_worker_that_takes_no_messages_starts_itself_again_and_takes_them(worker, valkey_url):
    for queue in ("celery", "backlog", f"watch.{NAME}.{worker.pid}"):
        app.control.cancel_consumer(queue, destination=[NAME])
    with redis.Redis.from_url(valkey_url) as broker:
        assert wait_until(lambda: not is_taken(broker), patience_s=START_PATIENCE_S), "it never became deaf"
        assert wait_until(Heartbeat.objects.filter(name=f"{RESTART}{NAME}").exists, patience_s=START_PATIENCE_S)
        assert wait_until(lambda: is_empty(broker), patience_s=START_PATIENCE_S), "it is still deaf"
    assert worker.poll() is None, "the same process, for whoever supervises it"
    assert Heartbeat.objects.get(name=f"{RESTART}{NAME}").count == 1


def is_taken(broker: redis.Redis) -> bool:
    """Whether a message that nobody needs disappears from the queue at once."""
    app.send_task("memorialization.tasks.canary", queue="celery")
    return wait_until(lambda: is_empty(broker), patience_s=0.5)


def is_empty(broker: redis.Redis) -> bool:
    return broker.llen("celery") == 0
