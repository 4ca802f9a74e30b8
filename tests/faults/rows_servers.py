"""Rows about the broker and the database: flushed, away, half-open, restarted, full, busy."""

import signal
import sqlite3
import time
from contextlib import ExitStack

import redis
from django.db import connection

from tests.faults.run import Run
from tests.faults.servers import without_disk

DOWN_S = 8.0  # stands for 30 s
ASLEEP_S = 6.0
P99_MORE_S = 0.05
DEAF_PATIENCE_S = 60.0
QUEUE_MOST = 5  # messages of a broker that somebody reads
BYTES_LEFT = 65_536
SLOWEST_S = 1.0
SLOWEST_HALF_OPEN_S = 1.0  # hints are sent by a thread of their own
INGEST_OUTAGE = {202, 503}


def flush_broker(run: Run) -> None:
    """Everything the broker holds vanishes, three times, under load."""
    run.staff()
    run.begin_sending()
    for share in (0.1, 0.3, 0.5):
        run.wait_until_share(share)
        run.servers.flush_broker()
    run.mark_fault_end()


def stop_broker(run: Run) -> None:
    """The broker is away while events come in: they are taken as before, and delivered by the sweep."""
    half = len(run.reports) // 2
    run.sender.is_single = True
    run.staff()
    run.sender.send(run.reports[:half])
    began = time.time()
    before_s = run.sender.percentile_s(0.99, until=began)
    run.servers.broker.stop()
    run.sender.send(run.reports[half:])
    after_s = run.sender.percentile_s(0.99, since=began)
    run.servers.broker.start()
    run.mark_fault_end()
    _require_taken(run, {202})
    run.note(f"intake p99 {before_s * 1000:.0f} ms with broker, {after_s * 1000:.0f} ms without")
    run.require(after_s <= before_s + P99_MORE_S, f"intake p99 grew by {(after_s - before_s) * 1000:.0f} ms")


def half_open_broker(run: Run) -> None:
    """The broker stops answering with its sockets open, then restarts three times within ten seconds."""
    run.staff()
    run.begin_half()
    run.wait_until_share(0.1)
    run.begin_rest(over_s=ASLEEP_S)
    began = time.time()
    with run.servers.broker.asleep():
        time.sleep(ASLEEP_S)
    for _ in range(3):
        run.servers.broker.restart(signal.SIGKILL)
        time.sleep(2)
    run.mark_fault_end()
    run.wait_until_done()
    _require_taken(run, {202})
    slowest_s = run.sender.percentile_s(1, since=began)
    run.note(f"slowest intake meanwhile {slowest_s * 1000:.0f} ms")
    run.require(slowest_s <= SLOWEST_HALF_OPEN_S, f"intake took {slowest_s:.1f} s while the broker was silent")
    is_read = run.wait_until(lambda: _queue_length(run) <= QUEUE_MOST, patience_s=DEAF_PATIENCE_S)
    run.require(is_read, f"workers are deaf: {_queue_length(run)} messages wait after {DEAF_PATIENCE_S:.0f} s")


def _queue_length(run: Run) -> int:
    with redis.Redis.from_url(run.servers.valkey.url, socket_timeout=5) as client:
        return int(client.llen("celery"))


def _require_taken(run: Run, allowed: set[int]) -> None:
    statuses = run.sender.statuses()
    run.note("intake " + ", ".join(f"{count}×{status or 'no answer'}" for status, count in sorted(statuses.items())))
    run.require(set(statuses) <= allowed, f"intake answered {dict(statuses)}")


def crash_database(run: Run) -> None:
    """PostgreSQL dies like in a power cut, twice, and comes back at once."""
    _interrupt_database(run, signal.SIGQUIT, down_s=0.0, times=2)


def stop_database(run: Run) -> None:
    """PostgreSQL is stopped for a while: intake says 503, sources send again."""
    _interrupt_database(run, signal.SIGINT, down_s=DOWN_S, times=1)


def _interrupt_database(run: Run, ending: signal.Signals, *, down_s: float, times: int) -> None:
    assert run.servers.database is not None, "the row is played where there is a server"
    run.staff()
    run.begin_half()
    run.wait_until_share(0.15)
    run.begin_rest(over_s=times * down_s + 3)
    for turn in range(times):
        run.wait_until_share(0.15 * (turn + 1))
        connection.close()
        run.servers.database.stop(ending)
        time.sleep(down_s)
        run.servers.database.start()
    run.mark_fault_end()
    run.wait_until_done()
    _require_taken(run, INGEST_OUTAGE)


def write_from_everywhere(run: Run) -> None:
    """SQLite with eight writers at once and a reader who keeps an old snapshot, so that the log only grows."""
    run.sender.threads, run.sender.is_single = 8, True
    reader = sqlite3.connect(run.servers.folder / "product.sqlite3", isolation_level=None)
    reader.execute("BEGIN")
    reader.execute("SELECT count(*) FROM memorialization_delivery").fetchone()
    said_before = _locked_lines(run)
    run.staff()
    run.send_all()
    run.wait_until_done()
    reader.close()
    run.mark_fault_end()
    locked = _locked_lines(run) - said_before
    slowest_s = run.sender.percentile_s(0.999)
    run.note(f"intake p99.9 {slowest_s * 1000:.0f} ms")
    _require_taken(run, {202})
    run.require(locked == 0, f"“database is locked” {locked} times")
    run.require(slowest_s <= SLOWEST_S, f"intake p99.9 {slowest_s:.1f} s")


def _locked_lines(run: Run) -> int:
    logs = [run.crew.log, run.servers.web.log]
    return sum(log.read_text(errors="replace").count("is locked") for log in logs if log and log.exists())


def fill_disk_of_sqlite(run: Run) -> None:
    """No file of the product's processes may grow (RLIMIT_FSIZE): intake refuses, and everything recovers."""
    run.staff(workers=1, beats=0)
    run.begin_half()
    run.wait_until_share(0.15)
    run.begin_rest(over_s=DOWN_S)
    worker = run.crew.members[0]
    with ExitStack() as stack:
        stack.enter_context(run.servers.web.without_disk(BYTES_LEFT))
        stack.enter_context(without_disk(worker.process.pid, BYTES_LEFT))
        time.sleep(DOWN_S)
    run.mark_fault_end()
    run.wait_until_done()
    _require_taken(run, INGEST_OUTAGE)
    run.require(503 in run.sender.statuses(), "the row shows nothing: intake never ran out of disk")
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA integrity_check")
        found = cursor.fetchone()[0]
    run.require(found == "ok", f"the database is damaged: {found}")


def fill_disk_of_postgres(run: Run) -> None:
    """The same for the processes of PostgreSQL: its log cannot be written, it panics, and is started again."""
    assert run.servers.database is not None, "the row is played where there is a server"
    run.staff()
    run.begin_half()
    run.wait_until_share(0.15)
    run.begin_rest(over_s=DOWN_S)
    with run.servers.database.without_disk(BYTES_LEFT):
        time.sleep(DOWN_S)
    connection.close()
    run.servers.database.restart(signal.SIGQUIT)
    run.mark_fault_end()
    run.wait_until_done()
    _require_taken(run, INGEST_OUTAGE)
    run.require(503 in run.sender.statuses(), "the row shows nothing: intake never ran out of disk")
