"""The bundled PostgreSQL keeps what it was told over a restart."""

import psycopg2
import pytest

from config.stack.postgres import PostgresFailed, find_programs, running_postgres

needs_programs = pytest.mark.skipif(find_programs() is None, reason="there is no PostgreSQL for this platform")


def run_sql(address: str, statement: str) -> list[tuple]:
    with psycopg2.connect(address) as connection, connection.cursor() as cursor:
        cursor.execute(statement)
        rows = cursor.fetchall() if cursor.description else []
    connection.close()
    return rows


@needs_programs
def test_data_are_there_after_a_restart(tmp_path):
    with running_postgres(folder=tmp_path / "postgres", is_quick=True) as address:
        run_sql(address, "CREATE TABLE kept AS SELECT 42 AS answer")
    with running_postgres(folder=tmp_path / "postgres", is_quick=True) as address:
        assert run_sql(address, "SELECT answer FROM kept") == [(42,)]


def test_without_its_programs_it_says_so(monkeypatch, tmp_path):
    monkeypatch.setattr("config.stack.postgres.find_programs", lambda: None)

    with pytest.raises(PostgresFailed, match="no PostgreSQL for this platform"), running_postgres(folder=tmp_path):
        pass
