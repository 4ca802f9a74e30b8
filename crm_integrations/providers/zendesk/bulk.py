"""Zendesk's bulk jobs in the port's words.

A job names its records only as it works through them, and says when it was completed only in its message.
"""

import re
from collections.abc import Collection, Sequence
from datetime import UTC, datetime, timedelta

from crm_integrations.providers.bulk import BulkOutcome, BulkProgress, BulkSearch
from zendesk_client import JobStatus

LIST_LENGTH = 100  # jobs that Zendesk lists; it forgets older ones
CLOCKS_DIFFER = timedelta(seconds=60)  # how far Zendesk's clock may be behind ours
COMPLETED = re.compile(r"Completed at (\d{4}-\d\d-\d\d \d\d:\d\d:\d\d)")


def build_progress(job: JobStatus, record_ids: Sequence[str] | None = None) -> BulkProgress:
    """How far a job is. With the records of the request, results that name none are found by their place."""
    named = [outcome.record_id for outcome in job.outcomes if outcome.record_id is not None]
    matched = job.match_outcomes(record_ids if record_ids is not None else named)
    return BulkProgress(
        handle=job.id,
        is_finished=job.is_finished,
        done=job.progress,
        total=job.total,
        outcomes={
            record_id: BulkOutcome(outcome.succeeded, outcome.error, outcome.details)
            for record_id, outcome in matched.items()
        },
        message=job.message,
    )


def search_jobs(jobs: Sequence[JobStatus], record_ids: Sequence[str], *, since: datetime) -> BulkSearch:
    """The latest job that carried exactly these records; Zendesk lists the latest first."""
    wanted = set(record_ids)
    recent = [job for job in jobs if not _ended_before(job, since - CLOCKS_DIFFER)]
    found = next((job for job in recent if _named_records(job) == wanted), None)
    names_all = all(job.is_finished and _names_all(job) for job in recent)
    return BulkSearch(
        progress=build_progress(found, record_ids) if found else None,
        is_certain=names_all and len(jobs) < LIST_LENGTH,
    )


def _named_records(job: JobStatus) -> Collection[str]:
    return {outcome.record_id for outcome in job.outcomes if outcome.record_id is not None}


def _names_all(job: JobStatus) -> bool:
    return job.total is not None and len(_named_records(job)) == job.total


def _ended_before(job: JobStatus, moment: datetime) -> bool:
    found = COMPLETED.search(job.message)
    if found is None:
        return False
    return datetime.strptime(found[1], "%Y-%m-%d %H:%M:%S").replace(tzinfo=UTC) < moment
