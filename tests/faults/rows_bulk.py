"""Rows about bulk writes: jobs that stand still, vanish, end half-way or refuse records, and answers that never come.

The demo works through ten records of a job a second, so jobs last for seconds and a fault meets them at work.
"""

from collections.abc import Callable
from typing import Any

from tests.faults.run import FaultNeverStruck, Run

STRUCK = 2  # bulk writes that the fault meets
PATIENCE_S, LONGEST_PATIENCE_S = 8, 15  # BULK_PATIENCE_S of these rows; longer than any job of theirs takes
RUNNING_PATIENCE_S = 40.0
SMALL = 100  # events of a row whose records fit into one or two bulk writes
REFUSED = 7  # records that their jobs refuse
BULK_PATH = "(tickets|users|organizations)/update_many"


def spoil_jobs(*faults: dict[str, Any], left_open: int = 0) -> Callable[[Run], None]:
    """A row whose first bulk writes meet these faults; `left_open`: how many jobs never end."""

    def play(run: Run) -> None:
        for account in run.scene.accounts:
            for fault in faults:
                account.ask("faults", {"count": STRUCK, **fault})
        run.send_all()
        run.mark_fault_end()
        run.staff(BULK_PATIENCE_S=_patience(run))
        run.wait_until_done()
        jobs = _jobs(run)
        run.note(f"{len(jobs)} jobs: " + ", ".join(sorted({str(job["status"]) for job in jobs})))
        unstruck = [fault for account in run.scene.accounts for fault in account.ask("faults")["faults"]]
        run.require(not unstruck, f"the row shows nothing: {len(unstruck)} faults never struck")
        still_open = sum(job["status"] in ("queued", "working") for job in jobs)
        run.require(still_open == left_open, f"{still_open} jobs never ended, {left_open} expected")

    return play


def refuse_entries(run: Run) -> None:
    """Some records are refused inside their jobs: they are written alone, the others of the jobs are left alone."""
    account = run.scene.accounts[0]
    wanted = sorted({claim.record for report in run.reports for claim in report.claims})[:REFUSED]
    account.ask("faults", {"kind": "job_entry", "record_ids": [name.partition("/")[2] for name in wanted]})
    run.send_all()
    run.fold_all()
    run.staff()
    run.mark_fault_end()
    run.wait_until_done()
    calls = run.calls()
    alone = [call for call in calls if call.method == "PUT" and call.is_applied and "update_many" not in call.path]
    refused = {name for call in calls if call.method == "JOB" and call.status == 422 for name in call.records}
    run.note(f"{len(refused)} refused by their jobs, {len(alone)} written alone")
    run.require(refused == set(wanted), f"the row shows little: jobs refused {sorted(refused)}, not {wanted}")
    written = {name for call in alone for name in call.records}
    run.require(written == refused, f"written alone: {sorted(written)}, refused: {sorted(refused)}")


def lose_bulk_answers(run: Run) -> None:
    """The CRM takes bulk writes and nobody hears of it; others never reach it. No record is written twice over."""
    account = run.scene.accounts[0]
    account.ask("faults", {"kind": "drop_after", "path": BULK_PATH, "count": 1})
    account.ask("faults", {"kind": "truncate", "path": BULK_PATH, "count": 1})
    account.ask("faults", {"kind": "drop_before", "path": BULK_PATH, "count": 1})
    run.send_all()
    run.staff(BULK_PATIENCE_S=_patience(run))
    run.mark_fault_end()
    run.wait_until_done()
    lost = [call for call in run.calls() if "update_many" in call.path and call.fault]
    run.note(f"{sum(call.is_applied for call in lost)} answers lost, {sum(not call.is_applied for call in lost)} calls")
    run.require(len(lost) >= (3 if len(run.reports) > SMALL else 1), f"only {len(lost)} bulk calls were hit")


def kill_while_running(run: Run) -> None:
    """All workers die with -9 while the CRM works through their jobs; others find the jobs and conclude them."""
    run.send_all()
    run.staff()
    if not run.wait_until(lambda: _is_one_half_way(run), patience_s=RUNNING_PATIENCE_S):
        raise FaultNeverStruck("no job was seen half-way")
    run.crew.kill_all()
    run.mark_fault_end()
    run.staff()
    run.wait_until_done()
    writes = sum(call.is_applied and call.method == "JOB" for call in run.calls())
    run.note(f"{writes} records written by {len(_jobs(run))} jobs")


def _patience(run: Run) -> str:
    """The jobs of larger rows have more records."""
    return str(max(PATIENCE_S, min(LONGEST_PATIENCE_S, len(run.reports) // 100)))


def _jobs(run: Run) -> list[dict[str, Any]]:
    return [job for account in run.scene.accounts for job in account.ask("jobs")["jobs"]]


def _is_one_half_way(run: Run) -> bool:
    return any(0 < (job["progress"] or 0) < job["total"] for job in _jobs(run))
