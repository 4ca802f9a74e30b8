"""Bulk updates: `update_many` and custom objects' `jobs` become a job that `job_work` works through.

`completed` does not mean success, and a failed entry has no `success` key (recorded traffic, zenpy).
"""

import json
import secrets
from datetime import datetime

from demo.zendesk.custom_objects import find_object
from demo.zendesk.faults import JOB_STOPS
from demo.zendesk.job_work import OBJECTS, QUEUED_S, SINGULAR
from demo.zendesk.limits import BUCKETS, INFLIGHT
from demo.zendesk.paging import cursor_reply, wants_cursor
from demo.zendesk.replies import (
    ApiError,
    Call,
    Encoded,
    Reply,
    ids_of,
    listed,
    parameter_missing,
    record_missing,
    required_body,
    too_many_values,
)
from demo.zendesk.rights import require_organization_editing, require_ticket_editing, require_user_editing
from demo.zendesk.state import Record, stamp

ENTRIES_MOST = 100
ENDS = {"completed": "Completed", "failed": "Failed", "killed": "Killed"}
TOO_MANY_WORDS = "Too many UserBulkUpdateJobV2 jobs are currently queued or running. Try again later."


def update_many(call: Call) -> Reply:
    """`PUT {kind}/update_many`: `?ids=` and one change for all (bulk), or a list of changes with ids (batch)."""
    kind = call.path.split("/")[2]
    entries = read_entries(call, kind)
    require_rights(call, kind, entries)
    return accept_job(call, kind, entries, f"Bulk Update {SINGULAR[kind].capitalize()}", 200)


def update_objects(call: Call) -> Reply:
    """`POST custom_objects/{key}/jobs` with {"job": {"action": "update", "items": [{"id", …}]}}."""
    find_object(call, writing=True)
    asked = required_body(call, "job")
    entries = asked.get("items")
    if asked.get("action") != "update":
        raise listed(400, "BadRequest", "This demo knows the action update only")
    if not isinstance(entries, list) or not all(isinstance(entry, dict) and "id" in entry for entry in entries):
        raise listed(400, "BadRequest", "items must be records with ids")
    if len(entries) > ENTRIES_MOST:
        raise too_many_values()
    return accept_job(call, OBJECTS, entries, "Bulk Update Custom Object Records", 201)


def accept_job(call: Call, kind: str, entries: list[Record], job_type: str, status: int) -> Reply:
    """Queue a job, unless too many are queued or running."""
    limits, running = call.account.limits, [job["id"] for job in call.account.live_jobs]
    left = limits.total(INFLIGHT) - len(running)
    if left <= 0:
        body = {"error": "TooManyJobs", "description": TOO_MANY_WORDS, "current_job_ids": running}
        wait = {"Retry-After": limits.wait_text(BUCKETS[INFLIGHT].window_s)}
        raise ApiError(429, body, limits.job_headers(0) | wait)
    job = start_job(call, kind, entries, job_type)
    call.applied = True
    name = f"{OBJECTS}/{job['object_key']}" if kind == OBJECTS else kind
    call.records += [f"job_statuses/{job['id']}", *(f"{name}/{entry['id']}" for entry in entries)]
    return Reply({"job_status": render_job(job, call.base_url, call.now)}, status, limits.job_headers(left - 1))


def read_entries(call: Call, kind: str) -> list[Record]:
    """The records of the request as [{id, …change}]."""
    name = SINGULAR[kind]
    if "ids" in call.args:
        change = call.body.get(name)
        if not isinstance(change, dict):
            raise parameter_missing(name)
        # bulk is always a safe update against the time of queueing
        stamped = {"safe_update": True, "updated_stamp": stamp(call.now)} if kind == "tickets" else {}
        return [{**change, **stamped, "id": key} for key in ids_of(call.args["ids"])]
    entries = call.body.get(kind)
    if not isinstance(entries, list) or not all(isinstance(entry, dict) and "id" in entry for entry in entries):
        raise parameter_missing(kind)
    if len(entries) > ENTRIES_MOST:
        raise too_many_values()
    return entries


def require_rights(call: Call, kind: str, entries: list[Record]) -> None:
    """Whoever may not edit one record may not start a job for many."""
    for entry in entries:
        change = {name: value for name, value in entry.items() if name not in ("id", "safe_update", "updated_stamp")}
        if kind == "tickets":
            require_ticket_editing(call.account, call.actor, change)
        elif kind == "users":
            require_user_editing(call.account, call.actor, None)
        else:
            require_organization_editing(call.account, call.actor, change)


def start_job(call: Call, kind: str, entries: list[Record], job_type: str) -> Record:
    """Queue a job."""
    job_id = "V3-" + secrets.token_hex(16)
    struck = [(how, call.account.faults.pick_job(name)) for name, how in JOB_STOPS.items()]
    stops = [{"how": how, "after": fault.entries} for how, fault in struck if fault is not None]
    job = {
        "id": job_id,
        "kind": kind,
        "object_key": call.params.get("key"),
        "job_type": job_type,
        "total": len(entries),
        "results": [],
        "created_at": call.now.timestamp(),
        "user_id": call.actor["id"],
        "finished": False,
        "stop": stops[0] if stops else None,
        "is_vanished": call.account.faults.pick_job("job_vanish") is not None,
    }
    call.account.live_jobs.append(job)
    call.account.put("bulk_entries", job_id, {"entries": entries})
    return call.account.put("bulk_jobs", job_id, job)


def status_of(job: Record, now: datetime) -> str:
    """A job's status: queued, working, or how it ended."""
    if job["finished"]:
        return str(job["stop"]["how"]) if job["stop"] else "completed"
    return "queued" if now.timestamp() < job["created_at"] + QUEUED_S else "working"


def render_job(job: Record, base_url: str, now: datetime) -> Record:
    """A job status as the API shows it."""
    return render_head(job, base_url, now) | {"results": job["results"] or None}


def render_head(job: Record, base_url: str, now: datetime) -> Record:
    """A job status without its results."""
    status, done = status_of(job, now), len(job["results"])
    message = f"Updating {SINGULAR[job['kind']]} #{done + 1}" if status == "working" else None
    if status in ENDS:
        ended = datetime.fromtimestamp(job["finished_at"], tz=now.tzinfo)
        message = f"{ENDS[status]} at {ended:%Y-%m-%d %H:%M:%S} +0000"
    return {
        "id": job["id"],
        "url": f"{base_url}/api/v2/job_statuses/{job['id']}.json",
        "job_type": job["job_type"],
        "total": job["total"],
        "progress": done or None,
        "status": status,
        "message": message,
    }


def encode_job(call: Call, job: Record) -> Encoded:
    """The same as JSON text; the results of a finished job are put into words once."""
    texts = call.account.job_texts
    results = texts.get(job["id"]) or json.dumps(job["results"] or None, ensure_ascii=False)
    if job["finished"]:
        texts[job["id"]] = results
    return Encoded(f'{json.dumps(render_head(job, call.base_url, call.now))[:-1]}, "results": {results}}}')


def visible_jobs(call: Call) -> list[Record]:
    """Jobs that did not vanish, newest first."""
    jobs = [job for job in call.account.table("bulk_jobs").values() if not job["is_vanished"]]
    return sorted(jobs, key=lambda job: job["created_at"], reverse=True)


def list_jobs(call: Call) -> Reply:
    """`GET job_statuses`."""
    jobs = visible_jobs(call)[:ENTRIES_MOST]
    if wants_cursor(call):
        return cursor_reply(call, "job_statuses", jobs, lambda job: render_job(job, call.base_url, call.now))
    rows = [render_job(job, call.base_url, call.now) for job in jobs]
    return Reply({"job_statuses": rows, "count": len(rows), "next_page": None, "previous_page": None})


def show_job(call: Call) -> Reply:
    """`GET job_statuses/{id}`."""
    job = call.account.find("bulk_jobs", call.params["job"])
    if job is None or job["is_vanished"]:
        raise record_missing()
    return Reply({"job_status": encode_job(call, job)})


def show_many_jobs(call: Call) -> Reply:
    """`GET job_statuses/show_many?ids=`."""
    wanted = dict.fromkeys(call.args.get("ids", "").split(","))
    if len(wanted) > ENTRIES_MOST:
        raise too_many_values()
    found = [call.account.find("bulk_jobs", key) for key in wanted]
    seen = [encode_job(call, job).text for job in found if job is not None and not job["is_vanished"]]
    rows = Encoded("[" + ", ".join(seen) + "]")
    return Reply({"job_statuses": rows, "count": len(seen), "next_page": None, "previous_page": None})
