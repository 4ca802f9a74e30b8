"""A bulk job that is completed has not therefore succeeded."""

import json
from pathlib import Path

import pytest

from zendesk_client.jobs import JobOutcome, read_job

FIXTURE = Path(__file__).parent / "fixtures" / "errors" / "job_result_update_failed.json"


@pytest.mark.parametrize(
    ("result", "outcome"),
    [
        ({"index": 0, "id": 7, "account_id": 1}, JobOutcome("7", 0, True)),
        ({"id": 7, "status": "Created"}, JobOutcome("7", None, True)),
        ({"action": "update", "id": 7, "status": "Updated", "success": True}, JobOutcome("7", None, True)),
        (
            {"index": 1, "id": 7, "error": "OrganizationUpdateFailed", "details": "Name: taken"},
            JobOutcome("7", 1, False, "OrganizationUpdateFailed", "Name: taken"),
        ),
        (
            {"id": 7, "action": "update", "success": False, "error": "Failed", "details": "no"},
            JobOutcome("7", None, False, "Failed", "no"),
        ),
        ({"id": 7, "success": False}, JobOutcome("7", None, False)),
        ({"id": 7, "error": None}, JobOutcome("7", None, True)),
        ({"index": 2, "error": "BadRecord"}, JobOutcome(None, 2, False, "BadRecord")),
        ({"index": 2}, JobOutcome(None, 2, False)),
        ({"id": "01GCSJW391QVSC80GYDH7E93Q6", "index": 0}, JobOutcome("01GCSJW391QVSC80GYDH7E93Q6", 0, True)),
    ],
)
def test_each_recorded_shape_of_a_result_is_understood(result, outcome):
    assert read_job({"id": "V3-1", "status": "completed", "results": [result]}).outcomes == (outcome,)


def test_a_completed_job_tells_its_failed_records_from_the_others():
    job = read_job(json.loads(FIXTURE.read_text())["body"]["job_status"])
    assert job.is_finished
    assert [outcome.succeeded for outcome in job.outcomes] == [True, False]
    assert job.outcomes[1].record_id == "6164110666394"
    assert "already been taken" in job.outcomes[1].details


def test_a_deletion_answers_for_all_at_once():
    job = read_job({"id": "1", "status": "completed", "total": None, "progress": None, "results": {"success": True}})
    assert (job.outcomes, job.succeeded_as_a_whole) == ((), True)


@pytest.mark.parametrize(
    ("status", "is_finished"),
    [("queued", False), ("working", False), ("completed", True), ("failed", True), ("killed", True), ("new", False)],
)
def test_only_final_states_are_finished(status, is_finished):
    job = read_job({"id": "V3-1", "status": status, "results": None, "total": 3, "message": None})
    assert job.is_finished is is_finished
    assert (job.outcomes, job.succeeded_as_a_whole, job.total, job.message) == ((), None, 3, "")


def test_outcomes_are_matched_by_id_and_by_index_only_without_one():
    results = [{"index": 0, "error": "BadRecord"}, {"index": 0, "id": 3, "success": True}, {"id": 99, "success": True}]
    matched = read_job({"id": "1", "status": "completed", "results": results}).match_outcomes(["1", "2", "3"])
    assert list(matched) == ["1", "3"]
    assert (matched["1"].succeeded, matched["3"].succeeded) == (False, True)


def test_an_index_out_of_range_matches_nothing():
    results = [{"index": 5, "error": "x"}, {"index": -1, "error": "x"}]
    assert read_job({"id": "1", "status": "failed", "results": results}).match_outcomes(["1"]) == {}
