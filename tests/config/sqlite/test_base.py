"""Writers of SQLite take turns (config.sqlite)."""

import subprocess
import sys
import time
from pathlib import Path
from threading import Event, Thread

import pytest
from django.db import OperationalError, connection, connections

from config.env import sqlite_settings
from config.sqlite import turns
from config.sqlite.base import DatabaseWrapper
from config.sqlite.turns import SUFFIX

PATIENCE_S = 30
BUSY = 4
pytestmark = pytest.mark.django_db
HOLDER = """
import fcntl, os, sys, time
descriptor = os.open(sys.argv[1], os.O_RDWR | os.O_CREAT)
fcntl.flock(descriptor, fcntl.LOCK_EX)
print("taken", flush=True)
time.sleep(60)
"""


@pytest.fixture
def writer(tmp_path):
    """Makes connections to one database with a table of numbers."""
    made = []

    def make(timeout_s=PATIENCE_S):
        settings = connection.settings_dict | sqlite_settings(tmp_path / "product.sqlite3")
        settings["OPTIONS"] = settings["OPTIONS"] | {"timeout": timeout_s}
        wrapper = DatabaseWrapper(settings)
        wrapper.inc_thread_sharing()
        made.append(wrapper)
        return wrapper

    first = make()
    with first.cursor() as cursor:
        cursor.execute("CREATE TABLE number (value integer)")
    yield make
    for wrapper in made:
        wrapper.close()


def write(wrapper, value):
    with wrapper.cursor() as cursor:
        cursor.execute("INSERT INTO number (value) VALUES (%s)", [value])


def begin(wrapper):
    wrapper.set_autocommit(False, force_begin_transaction_with_broken_autocommit=True)


def end(wrapper):
    wrapper.commit()
    wrapper.set_autocommit(True)


def numbers(wrapper):
    with wrapper.cursor() as cursor:
        cursor.execute("SELECT value FROM number ORDER BY rowid")
        return [value for (value,) in cursor.fetchall()]


def started(act):
    """A thread that does it, and waits for its turn by now if it has to."""
    thread = Thread(target=act, daemon=True)
    thread.start()
    time.sleep(0.05)
    return thread


@pytest.mark.skipif(connection.vendor != "sqlite", reason="of SQLite alone")
def test_the_product_uses_it():
    assert isinstance(connections["default"], DatabaseWrapper)


def test_a_writer_is_not_passed_over_by_those_who_ask_again_at_once(writer):
    late, is_over, turns, passed = writer(), Event(), [], []

    def write_on(busy):
        while not is_over.is_set():
            begin(busy)
            turns.append(busy)
            time.sleep(0.002)
            end(busy)

    busy = [started(lambda wrapper=writer(): write_on(wrapper)) for _ in range(BUSY)]
    try:
        for _ in range(20):
            before = len(turns)
            begin(late)
            passed.append(len(turns) - before)
            end(late)
    finally:
        is_over.set()
    for thread in busy:
        thread.join(PATIENCE_S)
    assert sum(passed) <= 400  # some 60 are; SQLite's own pauses let hundreds pass at a time, 2,000 in all


def test_all_who_wait_write(writer):
    first, others = writer(), [writer() for _ in range(BUSY)]
    begin(first)
    threads = [started(lambda number=number, other=other: write(other, number)) for number, other in enumerate(others)]
    write(first, 100)
    end(first)
    for thread in threads:
        thread.join(PATIENCE_S)
    assert sorted(numbers(first)) == [*range(BUSY), 100]


def test_of_all_threads_of_workers_one_at_a_time_is_in_the_way_of_others(writer, monkeypatch):
    first, answering = writer(), writer()
    with monkeypatch.context() as patched:
        patched.setattr(turns, "_suffixes", list(turns._suffixes))
        turns.be_worker()
        workers = [writer() for _ in range(BUSY)]
        for worker in workers:
            worker.ensure_connection()
    begin(first)
    threads = [started(lambda n=number, each=worker: write(each, n)) for number, worker in enumerate(workers)]
    threads.append(started(lambda: write(answering, 100)))
    write(first, -1)
    end(first)
    for thread in threads:
        thread.join(PATIENCE_S)
    written = numbers(first)
    assert sorted(written) == [-1, *range(BUSY), 100]
    assert written.index(100) <= 2  # after `first`, and after the one worker that was in the queue already


def test_one_statement_after_the_other_needs_no_end(writer):
    one, other = writer(), writer()
    write(one, 1)
    write(other, 2)
    assert numbers(one) == [1, 2]


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT count(*) FROM number",
        "\n  select 1",
        "PRAGMA wal_checkpoint(PASSIVE)",
        "WITH some AS (SELECT 1) SELECT * FROM some",
    ],
)
def test_who_only_reads_waits_for_nobody(writer, statement):
    first, reader = writer(), writer(timeout_s=0.1)
    begin(first)
    write(first, 1)
    with reader.cursor() as cursor:
        cursor.execute(statement)
    end(first)


@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO number (value) VALUES (1)",
        "  update number SET value = 1",
        "WITH some AS (SELECT 1 AS value) INSERT INTO number (value) SELECT value FROM some",
        "BEGIN IMMEDIATE",
        "CREATE TABLE other (value integer)",
    ],
)
def test_who_waits_in_vain_is_told_that_the_database_is_locked(writer, statement):
    first, late = writer(), writer(timeout_s=0.1)
    begin(first)
    with pytest.raises(OperationalError, match="database is locked"), late.cursor() as cursor:
        cursor.execute(statement)
    end(first)
    write(late, 2)
    assert numbers(late) == [2]


def test_many_rows_at_once_wait_too(writer):
    first, late = writer(), writer(timeout_s=0.1)
    begin(first)
    with pytest.raises(OperationalError, match="database is locked"), late.cursor() as cursor:
        cursor.executemany("INSERT INTO number (value) VALUES (%s)", [[1], [2]])
    end(first)
    with late.cursor() as cursor:
        cursor.executemany("INSERT INTO number (value) VALUES (%s)", [[1], [2]])
    assert numbers(first) == [1, 2]


def test_a_wait_that_was_given_up_takes_no_turn_of_others(writer):
    first, late, third = writer(), writer(timeout_s=0.1), writer(timeout_s=5)
    begin(first)
    for _ in range(3):
        with pytest.raises(OperationalError):
            write(late, 1)
    end(first)
    for number in range(10):
        write(third, number)
    assert numbers(third) == list(range(10))


def test_an_error_gives_the_turn_back(writer):
    one, other = writer(), writer(timeout_s=1)
    with pytest.raises(OperationalError, match="no such table"), one.cursor() as cursor:
        cursor.execute("INSERT INTO missing VALUES (1)")
    write(other, 1)
    begin(one)
    with pytest.raises(OperationalError, match="no such table"), one.cursor() as cursor:
        cursor.execute("INSERT INTO missing VALUES (1)")
    one.rollback()
    write(other, 2)
    assert numbers(other) == [1, 2]


def test_a_connection_that_ends_in_a_transaction_gives_its_turn_back(writer):
    one, other = writer(), writer(timeout_s=1)
    begin(one)
    one.in_atomic_block = True
    write(one, 1)
    one.close()
    one.in_atomic_block = False
    write(other, 2)
    assert numbers(other) == [2]


def test_a_process_that_dies_gives_its_turn_back(writer, tmp_path):
    path = f"{tmp_path / 'product.sqlite3'}{SUFFIX}"
    with subprocess.Popen([sys.executable, "-c", HOLDER, path], stdout=subprocess.PIPE, text=True) as holder:
        try:
            assert holder.stdout.readline() == "taken\n"
            waiting, is_written = writer(), Event()
            started(lambda: (write(waiting, 1), is_written.set()))
            assert not is_written.wait(0.2)
        finally:
            holder.kill()
        assert is_written.wait(PATIENCE_S)


def test_a_program_that_knows_no_turns_is_waited_for_as_before(writer):
    stranger, one = writer(), writer()
    stranger.ensure_connection()
    stranger.connection.execute("BEGIN IMMEDIATE")
    stranger.connection.execute("INSERT INTO number (value) VALUES (1)")
    thread = started(lambda: write(one, 2))
    assert thread.is_alive()
    stranger.connection.execute("COMMIT")
    thread.join(PATIENCE_S)
    assert numbers(one) == [1, 2]


def test_a_queue_that_cannot_be_joined_is_told_as_a_database_that_is_away(writer, monkeypatch):
    one = writer()

    def no_file(*args):
        raise OSError(24, "Too many open files")

    with monkeypatch.context() as patched:
        patched.setattr("config.sqlite.turns.os.open", no_file)
        with pytest.raises(OperationalError, match="Too many open files"):
            write(one, 1)
    write(one, 2)
    assert numbers(one) == [2]


def test_a_wait_for_which_there_is_no_thread_is_told_so_too(writer, monkeypatch):
    first, late = writer(), writer()
    begin(first)

    def no_thread(*args):
        raise RuntimeError("can't start new thread")

    with monkeypatch.context() as patched:
        patched.setattr("config.sqlite.turns.start_new_thread", no_thread)
        with pytest.raises(OperationalError, match="can't start new thread"):
            write(late, 1)
    end(first)
    write(late, 2)
    assert numbers(late) == [2]


@pytest.mark.parametrize("first_word", ["BEGIN IMMEDIATE", "-- in words\nBEGIN IMMEDIATE;", "BEGIN", "SAVEPOINT mine"])
def test_a_turn_lasts_as_long_as_the_transaction_however_that_was_begun(writer, first_word):
    one, late = writer(), writer(timeout_s=0.1)
    with one.cursor() as cursor:
        cursor.execute(first_word)
    write(one, 1)
    with pytest.raises(OperationalError, match="database is locked"):
        write(late, 2)
    with one.cursor() as cursor:
        cursor.execute("COMMIT")
    write(late, 3)
    assert numbers(one) == [1, 3]


def test_a_transaction_of_the_driver_keeps_its_turn(writer):
    one, late = writer(), writer(timeout_s=0.1)
    one.set_autocommit(False)
    write(one, 1)
    with pytest.raises(OperationalError, match="database is locked"):
        write(late, 2)
    end(one)
    write(late, 3)
    assert numbers(one) == [1, 3]


def test_a_turn_ends_when_the_driver_commits_by_itself(writer):
    one, other = writer(), writer(timeout_s=1)
    one.set_autocommit(False)
    write(one, 1)
    one.set_autocommit(True)
    write(other, 2)
    assert numbers(other) == [1, 2]


@pytest.mark.parametrize("statement", ["", " ", "-- nothing"])
def test_a_statement_without_words_does_nothing(writer, statement):
    one, other = writer(), writer(timeout_s=1)
    with one.cursor() as cursor:
        cursor.execute(statement)
    write(other, 1)


def test_who_may_write_to_the_database_may_queue_up(writer, tmp_path):
    database = tmp_path / "product.sqlite3"
    database.chmod(0o660)
    (tmp_path / f"product.sqlite3{SUFFIX}").unlink()
    write(writer(), 1)
    assert (tmp_path / f"product.sqlite3{SUFFIX}").stat().st_mode & 0o777 == 0o660


def test_a_database_in_memory_has_no_turns():
    wrapper = DatabaseWrapper(connection.settings_dict | sqlite_settings(Path("x")) | {"NAME": ":memory:"})
    with wrapper.cursor() as cursor:
        cursor.execute("CREATE TABLE number (value integer)")
        cursor.execute("INSERT INTO number VALUES (1)")
    assert wrapper._turn is None
    wrapper.connection.close()
