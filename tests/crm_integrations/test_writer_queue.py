"""Writers of the embedded database take turns; nobody else waits for anything."""

import fcntl
from pathlib import Path

import pytest
from django.db import connection, transaction

from crm_integrations.writer_queue import SUFFIX, writers_turn


def is_taken():
    """Whether somebody holds the turn."""
    with Path(str(connection.settings_dict["NAME"]) + SUFFIX).open("a") as queue:
        try:
            fcntl.flock(queue, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


@pytest.mark.django_db(transaction=True)
def test_one_writer_has_the_turn_and_gives_it_back_even_when_it_fails():
    if connection.vendor != "sqlite":
        pytest.skip("PostgreSQL has many writers at once")
    with pytest.raises(ZeroDivisionError), writers_turn():
        assert is_taken()
        raise ZeroDivisionError
    assert not is_taken()


@pytest.mark.django_db(transaction=True)
def test_inside_a_transaction_nobody_queues_since_it_has_its_turn_already():
    if connection.vendor != "sqlite":
        pytest.skip("PostgreSQL has many writers at once")
    with transaction.atomic(), writers_turn():
        assert not is_taken()
