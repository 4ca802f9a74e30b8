"""Calls that hand many updates to Zendesk at once, and ask what became of them."""

from collections.abc import Mapping, Sequence
from typing import Any

from zendesk_client.answers import Answer
from zendesk_client.bodies import build_update
from zendesk_client.calls import Calls, check_count
from zendesk_client.fields import COMMENT, TAGS
from zendesk_client.jobs import JobStatus, is_job_id, read_job
from zendesk_client.record_types import TICKET, RecordType, get_record_type
from zendesk_client.records import Definitions


class BulkCalls(Calls):
    """Bulk updates and Zendesk's jobs behind them."""

    def update_many(
        self, entity_type: str, updates: Mapping[str, Mapping[str, Any]], *, fields: Definitions | None = None
    ) -> JobStatus:
        """Hand up to 100 updates (record id -> values) to Zendesk and return its job, which has only been queued.

        Tickets' ``tags`` are added. Comments are refused: they are written alone. Poll ``show_jobs``.
        """
        record_type = get_record_type(entity_type)
        check_count(updates)
        entries = [_build_entry(record_type, record_id, values, fields) for record_id, values in updates.items()]
        if not entries:
            raise ValueError("a bulk update needs records")
        if record_type.object_key:
            path, body = f"/api/v2/custom_objects/{record_type.object_key}/jobs", _wrap_object_job(entries)
            return _read_named_job(self._transport.send("POST", path, json_body=body))
        body = {record_type.plural: entries}
        return _read_named_job(self._transport.send("PUT", f"{record_type.path}/update_many", json_body=body))

    def show_job(self, job_id: str) -> JobStatus:
        """Return one bulk job. Raises RecordNotFound / EndpointNotFound once Zendesk has forgotten it."""
        if not is_job_id(job_id):
            raise ValueError("this is no id of a bulk job")
        return _read_named_job(self._get(f"/api/v2/job_statuses/{job_id}"))

    def show_jobs(self, job_ids: Sequence[str]) -> list[JobStatus]:
        """Return up to 100 bulk jobs in one call; those that Zendesk has forgotten, or never named, are left out."""
        check_count(job_ids)
        known = [job_id for job_id in job_ids if is_job_id(job_id)]
        if not known:
            return []
        return self._list_jobs("/api/v2/job_statuses/show_many", {"ids": ",".join(known)})

    def list_recent_jobs(self) -> list[JobStatus]:
        """Return the account's latest bulk jobs (one page, at most 100), other integrations' included."""
        return self._list_jobs("/api/v2/job_statuses", {"page[size]": "100"})

    def _list_jobs(self, path: str, params: Mapping[str, str]) -> list[JobStatus]:
        answer = self._get(path, params)
        listed = answer.check_shape(answer.read_json().get("job_statuses"), list, "job_statuses")
        return [read_job(body) for body in listed if isinstance(body, dict)]


def _build_entry(
    record_type: RecordType, record_id: str, values: Mapping[str, Any], fields: Definitions | None
) -> dict[str, Any]:
    kept = dict(values)
    tags = kept.pop(TAGS, None) if record_type is TICKET else None
    if record_type is TICKET and COMMENT in kept:
        raise ValueError("a comment is written alone, never in bulk")
    entry = build_update(record_type, kept, fields)
    if tags:
        entry["additional_tags"] = list(tags)
    checked = record_type.check_id(record_id)
    return {"id": checked if record_type.object_key else int(checked), **entry}


def _wrap_object_job(entries: list[dict[str, Any]]) -> dict[str, Any]:
    return {"job": {"action": "update", "items": entries}}


def _read_named_job(answer: Answer) -> JobStatus:
    """The job, which is worth nothing without a name to ask for it by."""
    job = read_job(answer.read_object("job_status"))
    answer.check_shape(job.id if is_job_id(job.id) else None, str, "job id")
    return job
