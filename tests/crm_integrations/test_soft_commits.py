"""Commits that are not waited for, and that those which must last are waited for again afterwards."""

import pytest
from django.db import DatabaseError, connection, transaction

from crm_integrations import soft_commits
from crm_integrations.soft_commits import soft_commit

LEVEL = {"sqlite": "PRAGMA synchronous", "postgresql": "SHOW synchronous_commit"}
FULL, NORMAL = 2, 1  # as SQLite counts them

pytestmark = pytest.mark.django_db(transaction=True)


def level():
    with connection.cursor() as cursor:
        cursor.execute(LEVEL[connection.vendor])
        return cursor.fetchone()[0]


def is_lasting(before):
    """Test servers do not wait for the disk anyway; what counts is that it is as it was."""
    return level() == before


def test_the_block_alone_is_not_waited_for():
    before = level()
    with soft_commit():
        assert level() == {"sqlite": NORMAL, "postgresql": "off"}[connection.vendor]
        with transaction.atomic(), soft_commit():
            assert level() != FULL
    assert is_lasting(before)


def test_nor_does_an_error_leave_the_connection_so():
    before = level()
    with pytest.raises(KeyError), soft_commit():
        raise KeyError
    assert is_lasting(before)


def test_inside_a_transaction_that_must_last_nothing_is_changed():
    before = level()
    with transaction.atomic(), soft_commit():
        assert is_lasting(before)
    assert is_lasting(before)


@pytest.mark.skipif(connection.vendor != "sqlite", reason="PostgreSQL changes the transaction, not the connection")
def test_a_connection_that_cannot_be_put_back_is_given_up(monkeypatch):
    monkeypatch.setattr(soft_commits, "LASTING", "no statement")
    with pytest.raises(DatabaseError), soft_commit():
        pass
    assert connection.connection is None
