"""Zendesk's jobs in the port's words: what became of each record, and finding a job whose id was lost."""

from datetime import UTC, datetime, timedelta

import pytest

from crm_integrations.providers.bulk import BulkOutcome
from crm_integrations.providers.zendesk.bulk import CLOCKS_DIFFER, LIST_LENGTH, build_progress, search_jobs
from zendesk_client import JobOutcome, JobStatus

NOW = datetime(2026, 1, 15, 15, 0, tzinfo=UTC)


def job(*record_ids, handle="V3-1", is_finished=True, total=None, completed_at=NOW):
    return JobStatus(
        handle,
        "completed" if is_finished else "working",
        is_finished,
        total=len(record_ids) if total is None else total,
        progress=len(record_ids),
        message=f"Completed at {completed_at:%Y-%m-%d %H:%M:%S} +0000" if is_finished else "Updating ticket #1",
        outcomes=tuple(JobOutcome(record_id, None, succeeded=True) for record_id in record_ids),
    )


def test_results_without_an_id_are_found_by_their_place_when_the_records_are_known():
    status = JobStatus(
        "V3-1", "completed", True, outcomes=(JobOutcome("1", 0, True), JobOutcome(None, 1, False, "Failed", "Why"))
    )
    assert build_progress(status, ["1", "2"]).outcomes == {
        "1": BulkOutcome(True),
        "2": BulkOutcome(False, "Failed", "Why"),
    }
    assert list(build_progress(status).outcomes) == ["1"]


def test_the_latest_job_with_exactly_these_records_is_found():
    jobs = [job("1", handle="other"), job("2", "1", handle="new"), job("1", "2", handle="old")]
    found = search_jobs(jobs, ["1", "2"], since=NOW)
    assert (found.progress.handle, found.is_certain) == ("new", True)


def test_a_job_that_ended_long_before_is_another():
    ended = NOW - CLOCKS_DIFFER - timedelta(seconds=1)
    found = search_jobs([job("1", completed_at=ended)], ["1"], since=NOW)
    assert (found.progress, found.is_certain) == (None, True)


@pytest.mark.parametrize(
    "jobs",
    [
        [job("9", is_finished=False, total=5)],
        [job("9", total=2)],  # over, and silent of one record
        [job("9", handle=str(number)) for number in range(LIST_LENGTH)],  # older ones are forgotten
        [JobStatus("V3-2", "completed", True, succeeded_as_a_whole=True)],
    ],
)
def test_absence_is_not_certain_while_any_job_may_be_the_one(jobs):
    assert search_jobs(jobs, ["1"], since=NOW) == search_jobs(jobs, ["2"], since=NOW)
    assert not search_jobs(jobs, ["1"], since=NOW).is_certain
    assert search_jobs(jobs, ["1"], since=NOW).progress is None
