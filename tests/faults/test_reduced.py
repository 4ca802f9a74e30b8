"""A reduced fault matrix for the normal suite: the rows that show most, small, on the database of this run.

Everything runs in child processes with a database, a broker and a demo CRM of their own (tests/faults/__main__.py).
"""

import json

import pytest
from django.db import connection

from tests.faults.profile_play import Choice, play_in_child
from tests.faults.servers import EMBEDDED, PRODUCTION

pytestmark = pytest.mark.each_database

SIZE = 40
ROWS = ("kill_after_bulk", "storm", "bulk_answer_lost", "poison")  # single kills: tests/end_to_end/test_kills.py


def test_a_reduced_fault_matrix_loses_doubles_and_inverts_nothing() -> None:
    profile = EMBEDDED if connection.vendor == "sqlite" else PRODUCTION
    results = play_in_child(profile, Choice(",".join(ROWS), SIZE))
    assert [result["name"] for result in results] == list(ROWS)
    failed = [{key: result[key] for key in ("name", "verdict", "problems", "facts")} for result in results]
    assert all(result["is_passed"] for result in results), json.dumps(failed, indent=1)
    assert all(result["acknowledged"] == SIZE and result["calls"] for result in results), "the rows show nothing"
