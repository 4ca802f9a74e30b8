"""Zendesk's bulk jobs: what each record of a job came to.

A job that says ``completed`` has only been worked through; each result must be looked at. Failed results come without
the keys the OpenAPI file promises (recorded: ``{"index", "id", "error", "details"}``), deletions answer one object
for all. https://developer.zendesk.com/api-reference/ticketing/ticket-management/job_statuses/
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from zendesk_client.redaction import redact_text

FINISHED = frozenset({"completed", "failed", "killed"})


@dataclass(frozen=True, slots=True)
class JobOutcome:
    """What became of one record: ``error`` is Zendesk's name for the failure, ``details`` its words."""

    record_id: str | None
    index: int | None
    succeeded: bool
    error: str = ""
    details: str = ""


@dataclass(frozen=True, slots=True)
class JobStatus:
    """One job. ``succeeded_as_a_whole`` is what a job without results per record says; None when it says nothing."""

    id: str
    status: str
    is_finished: bool
    total: int | None = None
    progress: int | None = None
    message: str = ""
    outcomes: tuple[JobOutcome, ...] = ()
    succeeded_as_a_whole: bool | None = None

    def match_outcomes(self, record_ids: Sequence[str]) -> dict[str, JobOutcome]:
        """Return record id -> outcome for the records of the request, in the order they were sent.

        Matched by id; by index only where a result names no id. A record without an outcome is left out: what
        became of it is unknown.
        """
        wanted = set(record_ids)
        matched = {outcome.record_id: outcome for outcome in self.outcomes if outcome.record_id in wanted}
        for outcome in self.outcomes:
            if outcome.record_id is None and outcome.index is not None and 0 <= outcome.index < len(record_ids):
                matched.setdefault(record_ids[outcome.index], outcome)
        return {record_id: matched[record_id] for record_id in record_ids if record_id in matched}


def is_job_id(text: str) -> bool:
    """Whether Zendesk can be asked about a job of this name: what else it says spoils the question about all."""
    return text.isascii() and text.replace("-", "").replace("_", "").isalnum()


def read_job(body: Mapping[str, Any]) -> JobStatus:
    """Return the job in a ``job_status`` object."""
    status = str(body.get("status") or "").lower()
    results = body.get("results")
    return JobStatus(
        id=str(body.get("id") or ""),
        status=status,
        is_finished=status in FINISHED,
        total=_integer(body.get("total")),
        progress=_integer(body.get("progress")),
        message=redact_text(str(body.get("message") or "")),
        outcomes=_read_results(results),
        succeeded_as_a_whole=results.get("success") is True if isinstance(results, dict) else None,
    )


def _read_results(results: Any) -> tuple[JobOutcome, ...]:
    listed = results if isinstance(results, list) else []
    return tuple(_read_outcome(result) for result in listed if isinstance(result, dict))


def _read_outcome(result: Mapping[str, Any]) -> JobOutcome:
    record_id, error = result.get("id"), result.get("error") or result.get("errors")
    has_failed = bool(error) or result.get("success") is False
    return JobOutcome(
        record_id=None if record_id in (None, "") else str(record_id),
        index=_integer(result.get("index")),
        succeeded=not has_failed and (result.get("success") is True or record_id not in (None, "")),
        error=redact_text(str(error)) if error else "",
        details=redact_text(str(details)) if (details := result.get("details")) else "",
    )


def _integer(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None
