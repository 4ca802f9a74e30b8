"""Writers of the embedded database wait for each other, and no longer than the database itself would have them."""

import threading

import pytest
from django.db import OperationalError, connection, transaction

from crm_integrations import write_transactions
from crm_integrations.write_transactions import write_transaction
from tests.factories import make_configuration

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def sqlite():
    if connection.vendor != "sqlite":
        pytest.skip("PostgreSQL has many writers at once")


@pytest.fixture
def another_writer(sqlite):
    """Somebody in the middle of a write, until `release` is set."""
    has_begun, release = threading.Event(), threading.Event()

    def write():
        try:
            with transaction.atomic():
                has_begun.set()
                release.wait(30)
        finally:
            connection.close()

    thread = threading.Thread(target=write)
    thread.start()
    assert has_begun.wait(30)
    yield release
    release.set()
    thread.join()


def busy_timeout():
    with connection.cursor() as cursor:
        return cursor.execute("PRAGMA busy_timeout").fetchone()[0]


def test_a_writer_waits_until_the_one_before_has_ended(another_writer, monkeypatch):
    naps = []

    def nap(_seconds):
        naps.append(1)
        another_writer.set()

    monkeypatch.setattr(write_transactions.time, "sleep", nap)
    with write_transaction():
        make_configuration()
    assert naps and not connection.in_atomic_block


def test_a_database_that_stays_busy_is_an_error_in_the_end_and_the_patience_of_others_is_as_before(
    another_writer, monkeypatch
):
    before, now = busy_timeout(), [0.0]
    monkeypatch.setattr(write_transactions.time, "monotonic", lambda: now[0])
    monkeypatch.setattr(write_transactions.time, "sleep", lambda _seconds: now.__setitem__(0, now[0] + 5))
    with pytest.raises(OperationalError), write_transaction():
        pytest.fail("the other one still writes")
    assert now[0] == 20 and busy_timeout() == before == 20_000 and not connection.in_atomic_block


def test_what_fails_is_undone_and_a_transaction_may_be_part_of_another():
    with pytest.raises(ZeroDivisionError), write_transaction():
        with write_transaction():
            configuration = make_configuration()
        raise ZeroDivisionError
    assert not type(configuration).objects.exists() and not connection.in_atomic_block
