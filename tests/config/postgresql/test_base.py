"""The health of kept connections to PostgreSQL (config.postgresql.base)."""

import pytest
from django.db import IntegrityError, InterfaceError, OperationalError, ProgrammingError, connection, connections
from django.db.backends.postgresql import base

from config.postgresql.base import DatabaseWrapper
from config.stack.processes import wait_until

PATIENCE_S = 30
pytestmark = [
    pytest.mark.django_db,
    pytest.mark.skipif(connection.vendor != "postgresql", reason="of PostgreSQL alone"),
]


@pytest.fixture
def kept():
    """A connection of its own, as one request leaves it to the next."""
    wrapper = connection.copy()
    wrapper.settings_dict = connection.settings_dict | {"CONN_MAX_AGE": None, "CONN_HEALTH_CHECKS": True}
    wrapper.ensure_connection()
    yield wrapper
    wrapper.close()


@pytest.fixture
def asked(monkeypatch):
    """How often the server was asked whether it is there."""
    asked = []
    is_usable = base.DatabaseWrapper.is_usable

    def ask(self):
        asked.append(self)
        return is_usable(self)

    monkeypatch.setattr(base.DatabaseWrapper, "is_usable", ask)
    return asked


def pid_of(wrapper) -> int:
    return int(wrapper.connection.info.backend_pid)


def next_request(wrapper) -> int:
    """What it answers on the connection of the last one."""
    wrapper.close_if_unusable_or_obsolete()
    with wrapper.cursor() as cursor:
        cursor.execute("SELECT 7")
        return int(cursor.fetchone()[0])


def test_the_product_uses_it():
    assert isinstance(connections["default"], DatabaseWrapper)


def test_a_quiet_connection_is_used_on_without_asking(kept, asked):
    pid = pid_of(kept)
    assert [next_request(kept) for _request in range(3)] == [7, 7, 7]
    assert pid_of(kept) == pid and asked == []


def test_one_that_the_server_ended_is_replaced_before_a_request_uses_it(kept):
    pid = pid_of(kept)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(%s)", [pid])
    assert wait_until(lambda: not kept.is_usable(), patience_s=PATIENCE_S)
    assert next_request(kept) == 7
    assert pid_of(kept) != pid


@pytest.mark.django_db(transaction=True)
def test_one_with_news_is_asked_and_kept(kept, asked):
    pid = pid_of(kept)
    with kept.cursor() as cursor:
        cursor.execute("LISTEN news")
    with connection.cursor() as cursor:
        cursor.execute("NOTIFY news")
    assert wait_until(lambda: kept.is_usable() and bool(asked), patience_s=PATIENCE_S)
    assert next_request(kept) == 7 and pid_of(kept) == pid


def test_after_an_error_the_server_is_asked(kept, asked):
    kept.errors_occurred = True
    assert next_request(kept) == 7
    assert asked == [kept]


def test_a_server_that_crashes_is_told_as_one_that_is_gone(kept):
    """As psycopg2 tells of a crash in the middle (seen in the fault matrix): no class of its own, no code."""
    with pytest.raises(OperationalError, match="closed the connection"), kept.wrap_database_errors:
        raise kept.Database.DatabaseError("server closed the connection unexpectedly")
    assert kept.errors_occurred


def test_a_connection_that_is_found_closed_is_told_as_a_server_that_is_gone(kept):
    """The driver says InterfaceError, which Django counts apart from DatabaseError."""
    kept.connection.close()
    with pytest.raises(OperationalError, match="already closed"), kept.cursor():
        pass
    assert kept.errors_occurred


def test_what_is_wrong_with_a_cursor_stays_what_it_is(kept):
    with pytest.raises(InterfaceError), kept.cursor() as cursor:
        cursor.close()
        cursor.execute("SELECT 7")


def test_other_errors_stay_what_they_are(kept):
    with pytest.raises(ProgrammingError), kept.cursor() as cursor:
        cursor.execute("SELECT nothing")


@pytest.mark.django_db(transaction=True)
def test_what_a_commit_finds_wrong_stays_what_it_is(kept):
    kept.set_autocommit(False)
    with kept.cursor() as cursor:
        cursor.execute("CREATE TEMPORARY TABLE once (n int UNIQUE DEFERRABLE INITIALLY DEFERRED)")
        cursor.execute("INSERT INTO once VALUES (1), (1)")
    with pytest.raises(IntegrityError):
        kept.commit()


def test_one_that_was_closed_is_opened_anew(kept):
    kept.connection.close()
    assert not kept.is_usable()
    assert next_request(kept) == 7
