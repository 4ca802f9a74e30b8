"""How a bulk job works through its records: ten a second, in the order of time across all jobs, like single updates.

Nothing runs in the background: whoever looks at the account first lets the jobs do what is due. The limits of single
records are not spent by jobs.
"""

from datetime import UTC, datetime
from typing import Any

from demo.zendesk.custom_objects import change_record
from demo.zendesk.organizations import change_organization
from demo.zendesk.replies import ApiError, Call, listed, record_missing
from demo.zendesk.rights import can_see_ticket
from demo.zendesk.state import Account, Record
from demo.zendesk.tickets import change_ticket
from demo.zendesk.users import change_user

QUEUED_S = 1.0  # seconds before a job starts to work
PACE = 10  # records a second
OBJECTS = "custom_objects"
SINGULAR = {"tickets": "ticket", "users": "user", "organizations": "organization", OBJECTS: "custom_object_record"}
ERRORS = {OBJECTS: "RecordUpdateFailed"}
JOBS_KEPT = 500  # finished ones


def advance_jobs(account: Account, now: datetime) -> None:
    """Do what the live jobs should have done by now. Cheap when nothing is due."""
    if not account.live_jobs:
        return
    steps = [step for job in account.live_jobs for step in due_steps(job, now.timestamp())]
    entries = {job["id"]: account.table("bulk_entries")[job["id"]]["entries"] for _, _, job in steps}
    for at, index, job in sorted(steps, key=lambda step: step[0]):
        moment = datetime.fromtimestamp(at, tz=UTC)
        job["results"].append(work_entry(account, job, entries[job["id"]][index], index, moment))
    for job in list(account.live_jobs):
        if len(job["results"]) >= last_step(job) and is_over(job, now.timestamp()):
            finish(account, job)
        elif job["id"] in entries:
            account.put("bulk_jobs", job["id"], job)
    account.commit()


def due_steps(job: Record, at: float) -> list[tuple[float, int, Record]]:
    """When which entries of a job were due and have not been worked on."""
    due = min(int((at - job["created_at"] - QUEUED_S) * PACE), last_step(job))
    return [(step_time(job, index + 1), index, job) for index in range(len(job["results"]), due)]


def step_time(job: Record, step: int) -> float:
    """When the job has worked on that many entries."""
    found: float = job["created_at"] + QUEUED_S + step / PACE
    return found


def last_step(job: Record) -> int:
    """How many entries the job will work on: all, unless the switchboard stops it before."""
    return min(job["total"], job["stop"]["after"]) if job["stop"] else int(job["total"])


def is_over(job: Record, at: float) -> bool:
    """Has the job an end, and has it come?"""
    return (job["stop"] is None or job["stop"]["how"] != "stuck") and at >= step_time(job, last_step(job))


def finish(account: Account, job: Record) -> None:
    """End a job and forget what it was asked to do, and the oldest of the finished ones."""
    job |= {"finished": True, "finished_at": step_time(job, last_step(job))}
    account.put("bulk_jobs", job["id"], job)
    account.drop("bulk_entries", job["id"])
    account.live_jobs.remove(job)
    jobs = account.table("bulk_jobs")
    if len(jobs) > JOBS_KEPT:
        oldest = next((key for key, kept in jobs.items() if kept["finished"]), None)
        account.drop("bulk_jobs", oldest)
        account.job_texts.pop(str(oldest), None)


def work_entry(account: Account, job: Record, entry: Record, index: int, at: datetime) -> Record:
    """Apply one record of a job; returns its result."""
    kind = job["kind"]
    record_id = read_id(kind, entry["id"])
    call = inner_call(account, job, at)
    fault = account.faults.pick_job("job_entry", record_id)
    try:
        if fault is not None:
            raise ApiError(422, {"error": fault.error, "details": fault.details})
        apply_entry(call, kind, record_id, {name: value for name, value in entry.items() if name != "id"})
        result = {"action": "update", "id": record_id, "status": "Updated", "success": True}
    except ApiError as refusal:
        error = fault.error if fault is not None else ERRORS.get(kind, SINGULAR[kind].capitalize() + "UpdateFailed")
        result = {"index": index, "id": record_id, "error": error, "details": failure_words(refusal)}
    account.log.append(
        at=at,
        real_at=account.real_of(at),
        method="JOB",
        path=call.path,
        endpoint=f"{kind}/update_many entry",
        status=200 if "success" in result else 422,
        applied=call.applied,
        records=[f"{record_kind(job)}/{record_id}"],
        fields=call.fields,
        user_id=job["user_id"],
    )
    return result


def read_id(kind: str, given: Any) -> Any:
    """The id of an entry: a number, except for records of custom objects."""
    if kind == OBJECTS:
        return str(given)
    return int(given) if str(given).isdigit() else 0


def record_kind(job: Record) -> str:
    """What the logs call the job's records."""
    return f"{OBJECTS}/{job['object_key']}" if job["kind"] == OBJECTS else str(job["kind"])


def inner_call(account: Account, job: Record, at: datetime) -> Call:
    """The update of one record as a call of the job's user."""
    user = account.find("users", job["user_id"])
    empty: Any = {}
    params = {"key": job["object_key"]} if job["kind"] == OBJECTS else {}
    return Call(account, "JOB", f"job_statuses/{job['id']}", params, empty, {}, b"", {}, "", at, user=user)


def apply_entry(call: Call, kind: str, record_id: Any, change: Record) -> None:
    """Change one record like a single update would. Raises ApiError."""
    table = "custom_object_records" if kind == OBJECTS else kind
    record = call.account.find(table, record_id)
    if kind == OBJECTS:
        if record is None or record["custom_object_key"] != call.params["key"]:
            raise listed(404, "RecordNotFound", "Custom object record not found")
        change_record(call, record, change)
    elif record is None or (kind == "tickets" and not can_see_ticket(call.account, call.actor, record)):
        raise record_missing()
    elif kind == "tickets":
        change_ticket(call, record, change)
    elif kind == "users":
        change_user(call, record, change)
    else:
        change_organization(call, record, change)


def failure_words(refusal: ApiError) -> str:
    """The `details` of a failed entry: the first sentence of the refusal."""
    body: Any = refusal.reply.body
    if "errors" in body:
        return str(body["errors"][0]["title"])
    details: Any = body.get("details") or body.get("description", "")
    if isinstance(details, dict):
        return str(next(iter(details.values()))[0]["description"])
    return str(details)
