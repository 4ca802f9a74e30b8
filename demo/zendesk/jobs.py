"""Bulk updates: `update_many` becomes a job that works through its records at ten a second.

`completed` does not mean success, and a failed entry has no `success` key (recorded traffic, zenpy).
"""

import secrets
from datetime import UTC, datetime, timedelta
from typing import Any

from demo.zendesk.organizations import change_organization
from demo.zendesk.paging import cursor_reply, wants_cursor
from demo.zendesk.replies import (
    ApiError,
    Call,
    Reply,
    ids_of,
    parameter_missing,
    record_missing,
    too_many_values,
)
from demo.zendesk.rights import (
    can_see_ticket,
    require_organization_editing,
    require_ticket_editing,
    require_user_editing,
)
from demo.zendesk.state import Account, Record, stamp
from demo.zendesk.tickets import change_ticket
from demo.zendesk.users import change_user

QUEUED_S = 1.0  # seconds before a job starts to work
PACE = 10  # records a second
ENTRIES_MOST = 100
INFLIGHT = "inflight-jobs"
SINGULAR = {"tickets": "ticket", "users": "user", "organizations": "organization"}


def update_many(call: Call) -> Reply:
    """`PUT {kind}/update_many`: `?ids=` and one change for all (bulk), or a list of changes with ids (batch)."""
    kind = call.path.split("/")[2]
    entries = read_entries(call, kind)
    require_rights(call, kind, entries)
    running = [job["id"] for job in call.account.live_jobs]
    most = call.account.limits.total(INFLIGHT)
    headers = {f"zendesk-ratelimit-{INFLIGHT}": f"total={most}; remaining={max(0, most - len(running) - 1)}; resets=60"}
    if len(running) >= most:
        words = "Too many UserBulkUpdateJobV2 jobs are currently queued or running. Try again later."
        body = {"error": "TooManyJobs", "description": words, "current_job_ids": running}
        full = {f"zendesk-ratelimit-{INFLIGHT}": f"total={most}; remaining=0; resets=60"}
        raise ApiError(429, body, full | {"Retry-After": "60"})
    job = start_job(call, kind, entries)
    call.applied = True
    call.records += [f"job_statuses/{job['id']}", *(f"{kind}/{entry['id']}" for entry in entries)]
    return Reply({"job_status": render_job(job, call.base_url, call.now)}, 200, headers)


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


def start_job(call: Call, kind: str, entries: list[Record]) -> Record:
    """Queue a job."""
    job_id = "V3-" + secrets.token_hex(16)
    faults = call.account.faults
    job = {
        "id": job_id,
        "kind": kind,
        "entries": entries,
        "results": [],
        "created_at": call.now.timestamp(),
        "user_id": call.actor["id"],
        "finished": False,
        "is_stuck": faults.pick_job("job_stuck") is not None,
        "is_vanished": faults.pick_job("job_vanish") is not None,
    }
    call.account.live_jobs.append(job)
    return call.account.put("jobs", job_id, job)


def advance_jobs(account: Account, now: datetime) -> None:
    """Do what each live job should have done by now. Cheap when there is none."""
    for job in list(account.live_jobs):
        due = int((now.timestamp() - job["created_at"] - QUEUED_S) * PACE)
        while not job["is_stuck"] and len(job["results"]) < min(due, len(job["entries"])):
            job["results"].append(work_entry(account, job, len(job["results"])))
            account.put("jobs", job["id"], job)
        if len(job["results"]) == len(job["entries"]):
            finished_at = job["created_at"] + QUEUED_S + len(job["entries"]) / PACE
            job |= {"finished": True, "finished_at": finished_at}
            account.put("jobs", job["id"], job)
            account.live_jobs.remove(job)
    account.commit()


def work_entry(account: Account, job: Record, index: int) -> Record:
    """Apply one record of a job; returns its result."""
    entry, kind = job["entries"][index], job["kind"]
    record_id = int(entry["id"]) if str(entry["id"]).isdigit() else 0
    at = datetime.fromtimestamp(job["created_at"], tz=UTC)
    call = _inner_call(account, job, at + timedelta(seconds=QUEUED_S + (index + 1) / PACE))
    fault = account.faults.pick_job("job_entry", record_id)
    try:
        if fault is not None:
            raise ApiError(422, {"error": fault.error, "details": fault.details})
        apply_entry(call, kind, record_id, {name: value for name, value in entry.items() if name != "id"})
        result = {"action": "update", "id": record_id, "status": "Updated", "success": True}
    except ApiError as refusal:
        named = refusal.reply.body.get("error", "") if isinstance(refusal.reply.body, dict) else ""
        error = named if fault is not None else SINGULAR[kind].capitalize() + "UpdateFailed"
        result = {"index": index, "id": record_id, "error": error, "details": failure_words(refusal)}
    account.log.append(
        at=call.now,
        method="JOB",
        path=f"job_statuses/{job['id']}",
        endpoint=f"{kind}/update_many entry",
        status=200 if "success" in result else 422,
        applied=call.applied,
        records=[f"{kind}/{record_id}"],
        fields=call.fields,
        user_id=job["user_id"],
    )
    return result


def apply_entry(call: Call, kind: str, record_id: int, change: Record) -> None:
    """Change one record like a single update would. Raises ApiError."""
    record = call.account.find(kind, record_id)
    if record is None:
        raise record_missing()
    if kind == "tickets":
        if not can_see_ticket(call.account, call.actor, record):
            raise record_missing()
        change_ticket(call, record, change)
    elif kind == "users":
        change_user(call, record, change)
    else:
        change_organization(call, record, change)


def failure_words(refusal: ApiError) -> str:
    """The `details` of a failed entry: the first sentence of the refusal."""
    details: Any = refusal.reply.body.get("details") or refusal.reply.body.get("description", "")
    if isinstance(details, dict):
        return str(next(iter(details.values()))[0]["description"])
    return str(details)


def render_job(job: Record, base_url: str, now: datetime) -> Record:
    """A job status: queued, working or completed."""
    done, total = len(job["results"]), len(job["entries"])
    is_queued = now.timestamp() < job["created_at"] + QUEUED_S
    status = "completed" if job["finished"] else "queued" if is_queued else "working"
    name = SINGULAR[job["kind"]]
    messages = {"queued": None, "working": f"Updating {name} #{done + 1}"}
    if job["finished"]:
        ended = datetime.fromtimestamp(job["finished_at"], tz=now.tzinfo)
        messages["completed"] = f"Completed at {ended:%Y-%m-%d %H:%M:%S} +0000"
    return {
        "id": job["id"],
        "url": f"{base_url}/api/v2/job_statuses/{job['id']}.json",
        "job_type": f"Bulk Update {name.capitalize()}",
        "total": total,
        "progress": done or None,
        "status": status,
        "message": messages[status],
        "results": job["results"] or None,
    }


def visible_jobs(call: Call) -> list[Record]:
    """Jobs that did not vanish, newest first."""
    jobs = [job for job in call.account.table("jobs").values() if not job["is_vanished"]]
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
    for job in visible_jobs(call):
        if job["id"] == call.params["job"]:
            return Reply({"job_status": render_job(job, call.base_url, call.now)})
    raise record_missing()


def show_many_jobs(call: Call) -> Reply:
    """`GET job_statuses/show_many?ids=`."""
    wanted = set(call.args.get("ids", "").split(","))
    if len(wanted) > ENTRIES_MOST:
        raise too_many_values()
    rows = [render_job(job, call.base_url, call.now) for job in visible_jobs(call) if job["id"] in wanted]
    return Reply({"job_statuses": rows, "count": len(rows), "next_page": None, "previous_page": None})


def _inner_call(account: Account, job: Record, now: datetime) -> Call:
    user = account.find("users", job["user_id"])
    empty: Any = {}
    return Call(account, "JOB", "", {}, empty, {}, b"", {}, "", now, user=user)
