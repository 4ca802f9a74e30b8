"""Rows about processes that die, end, double or differ: workers, beats, clocks, versions."""

import signal
import time
from collections.abc import Callable
from pathlib import Path

from celery import Celery

from config.stack.processes import wait_for_end
from tests.faults.run import Run

CLOCKS = Path(__file__).parent / "skewed_clock"
SKEW_S = 300
TERM_PATIENCE_S = 30.0
STRANGE_TASKS = 40
PUSH = "memorialization.tasks.push_account"


def kill_one_at(*failpoints: str) -> Callable[[Run], None]:
    """A row that kills a worker with -9 at each of the places, one after the other; then two others take over."""

    def play(run: Run) -> None:
        run.send_all()
        for failpoint in failpoints:
            run.kill_at(failpoint)
        run.mark_fault_end()
        run.staff()

    return play


def kill_everything(run: Run) -> None:
    """All workers and the beat are killed while they are busy, and started again."""
    run.staff()
    run.begin_sending()
    run.wait_until_share(0.2)
    run.crew.kill_all()
    run.mark_fault_end()
    run.staff()


def terminate_worker(run: Run) -> None:
    """A worker that is told to end finishes its call, gives the rest back and counts no try."""
    for account in run.scene.accounts:
        account.ask("latency", {"ms": 250})
    run.send_all()
    worker = run.crew.start_worker()
    run.wait_until_share(0.15)
    began = time.monotonic()
    worker.may_die = True
    worker.process.send_signal(signal.SIGTERM)
    has_ended = wait_for_end(worker.process, patience_s=TERM_PATIENCE_S)
    run.require(has_ended, f"the worker did not end within {TERM_PATIENCE_S:.0f} s of SIGTERM")
    run.note(f"ended {time.monotonic() - began:.1f} s after SIGTERM")
    run.require(not run.scene.is_finished(), "the row shows nothing: everything was delivered before the signal")
    for words in run.scene.leftovers(besides_bulk_writes=True):
        run.require(False, f"after SIGTERM: {words}")
    run.mark_fault_end()
    run.staff()
    run.wait_until_done()
    run.require(run.scene.most_tries() <= 1, f"SIGTERM cost tries: {run.scene.most_tries()}")


def run_two_beats(run: Run) -> None:
    """Two beats are twice the sweeps and nothing else."""
    run.staff(beats=2)
    run.send_all()


def run_without_beat(run: Run) -> None:
    """No beat, and a broker that forgets: the workers' own timers find everything."""
    run.send_all()
    run.servers.flush_broker()
    run.mark_fault_end()
    run.staff(beats=0)


def skew_clocks(run: Run) -> None:
    """Three workers: one right, one five minutes early, one five minutes late; one of them is killed."""
    run.send_all()
    path = {"PYTHONPATH": str(CLOCKS)}
    run.kill_at("after_call:kill:3", **path, CLOCK_SKEW_S=str(SKEW_S))
    run.mark_fault_end()
    run.staff(workers=1)
    for skew_s in (SKEW_S, -SKEW_S):
        run.crew.start_worker(**path, CLOCK_SKEW_S=str(skew_s))


def upgrade_rolling(run: Run) -> None:
    """Hints of a newer version: unknown keywords, unknown tasks, unknown queues; and an old worker beside a new one."""
    run.staff()
    run.begin_sending()
    sender = Celery("newer", broker=run.servers.valkey.url)
    rows = run.scene.account_rows
    for number in range(STRANGE_TASKS):
        account_id = rows[number % len(rows)].pk
        known = {"account_id": account_id, "hinted_at": "2030-01-01", "lanes": [1, 2], "not_yet": None}
        sender.send_task(PUSH, kwargs=known, ignore_result=True)
        sender.send_task("memorialization.tasks.of_next_year", kwargs={"account_id": account_id}, ignore_result=True)
        sender.send_task(PUSH, kwargs={"account_id": 10**9, "not_yet": 1}, ignore_result=True)
    sender.close()
    run.wait_until_share(0.3)
    run.mark_fault_end()
    run.wait_until_done()
    run.require(not run.crew.deaths, "a worker died of a message that it did not know")
