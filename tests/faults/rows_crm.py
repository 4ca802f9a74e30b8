"""Rows about the CRM: limits, errors, silence, lost answers, refused values, changed fields."""

import subprocess
import sys
import time
from collections import Counter
from typing import Any

from tests.faults.run import Run
from tests.faults.servers import EMBEDDED, PRODUCTION
from tests.faults.zendesk_account import LoggedCall

STORM_S, SHORT_STORM_S, SMALL = 12.0, 7.0, 100  # a small row has a short storm
RETRY_AFTER_S = [1, 4]  # drawn for each refusal
WITH_HEADER = 0.7  # of the refusals; and one for certain has none
SILENT_AFTER_S = 3.0
UNDER_WAY_S = 0.4  # calls that had begun when the limit was said
CALM_EVENTS = 80  # of each account that nothing happens to: what a minute's limits take, notes and tags one by one
CALM_P95_S = {PRODUCTION: 5.0, EMBEDDED: 8.0}  # of the accounts that nothing happens to, on a busy machine
BURST_S = 12.0  # stands for 5 min
OPEN_WITHIN_S = 4.0  # stands for 10 s
PROBES_MOST = 5  # of an account in what is left of the burst; a probe comes each 2 s, then later and later
HUNG_S = 6.0
CALLS_OF_ONE_TRY = 4
CALL_TIMEOUT_S = 2.0  # as servers.QUICK
WRITES = ("PUT", "POST")


def storm_of_limits(run: Run) -> None:
    """A fifth of one account's calls gets 429, mostly with Retry-After; events of the others are written as ever.

    Of these as many come meanwhile as their own limits let through at once, and the rest after it.
    """
    stormy, *others = run.scene.accounts
    storm_s = STORM_S if len(run.reports) > SMALL else SHORT_STORM_S
    for account in run.scene.accounts:
        account.ask("latency", {"ms": 20})
    refusal = {"kind": "status", "status": 429, "retry_after": RETRY_AFTER_S, "retry_after_share": WITH_HEADER}
    run.staff()
    stormy.ask("faults", {**refusal, "retry_after": None, "count": 1, "after": SILENT_AFTER_S})
    stormy.ask("faults", {**refusal, "probability": 0.2})
    run.sender.begin([report for report in run.reports if report.account == stormy.subdomain])
    theirs = [[report for report in run.reports if report.account == account.subdomain] for account in others]
    run.sender.begin([report for reports in theirs for report in reports[:CALM_EVENTS]], over_s=storm_s)
    time.sleep(storm_s)
    calm_until = time.time()
    stormy.ask("faults", method="DELETE")
    run.mark_fault_end()
    run.sender.begin([report for reports in theirs for report in reports[CALM_EVENTS:]])
    run.wait_until_done()
    calls = [call for call in stormy.calls() if call.method != "JOB"]
    met = [call for call in calls if call.status == 429]
    without = sum(not call.retry_after for call in met)
    run.note(f"{len(met)} refusals in the storm, {without} without Retry-After")
    run.require(bool(met), "the row shows nothing: no 429 was met")
    early = _calls_before_retry_after(calls)
    run.require(not early, f"{len(early)} calls came before their Retry-After was over, e.g. {early[:2]}")
    run.require(run.scene.most_tries() <= 1, f"limits cost tries: {run.scene.most_tries()}")
    waits = sorted(wait for account in others for wait in run.waits_s(account, until=calm_until))
    slow_s = waits[int(0.95 * len(waits))]
    run.note(f"other accounts p50 {waits[len(waits) // 2]:.2f} s, p95 {slow_s:.2f} s, worst {waits[-1]:.2f} s")
    run.require(slow_s <= CALM_P95_S[run.servers.profile], f"the other accounts' events took {slow_s:.1f} s (p95)")


def _calls_before_retry_after(calls: list[LoggedCall]) -> list[str]:
    """Calls of the same kind that began while a Retry-After was running."""
    found = []
    for number, limited in enumerate(calls):
        if limited.status != 429 or not limited.retry_after:
            continue
        for call in calls[number + 1 :]:
            wait_s = call.at - limited.at
            if wait_s >= float(limited.retry_after) - 0.1:
                break
            if wait_s > UNDER_WAY_S and (call.method, call.endpoint) == (limited.method, limited.endpoint):
                found.append(f"{call.method} {call.endpoint} {wait_s:.1f} s after “wait {limited.retry_after} s”")
    return found


def burst_of_errors(run: Run) -> None:
    """Every call is answered with 503 for a while: rows wait, nothing fails, the account is probed now and then."""
    for account in run.scene.accounts:
        account.ask("faults", {"kind": "status", "status": 503})
    run.send_all()
    run.staff()
    for account in run.scene.accounts:
        account.wait_for_call()
    began = time.time()
    time.sleep(BURST_S)
    for account in run.scene.accounts:
        account.ask("faults", method="DELETE")
    run.mark_fault_end()
    for account in run.scene.accounts:
        late = [call for call in account.calls() if began + OPEN_WITHIN_S < call.at < run.fault_ended_at]
        run.note(f"{len(late)} calls after the first {OPEN_WITHIN_S:.0f} s")
        run.require(len(late) <= PROBES_MOST, f"the circuit is not open: {len(late)} calls went on")


def hang_sockets(run: Run) -> None:
    """Calls that are never answered, and answers that drip: each call ends by its time-out, nothing is doubled."""
    from memorialization.models import Attempt

    for account in run.scene.accounts:
        account.ask("faults", {"kind": "hang", "seconds": HUNG_S, "count": 4, "probability": 0.3})
        account.ask("faults", {"kind": "drip", "ms": 200, "count": 2, "probability": 0.2})
        account.ask("faults", {"kind": "slow", "ms": 1500, "count": 6, "probability": 0.2})
    run.staff()
    run.send_all()
    run.mark_fault_end()
    run.wait_until_done()
    lanes = [row.pk for row in run.scene.account_rows]
    tries = Attempt.objects.filter(lane__account__in=lanes, finished_at__isnull=False, bulk_write=None)
    longest_s = max(((each.finished_at - each.started_at).total_seconds() for each in tries), default=0.0)
    run.note(f"longest try {longest_s:.1f} s")
    run.require(longest_s <= CALLS_OF_ONE_TRY * CALL_TIMEOUT_S + 2, f"a try took {longest_s:.1f} s")


def lose_answers(run: Run) -> None:
    """Writes are applied and their answers lost: nothing is written twice."""
    for account in run.scene.accounts:
        account.ask("faults", {"kind": "drop_after", "method": "PUT", "probability": 0.2, "count": 12})
        account.ask("faults", {"kind": "truncate", "method": "PUT", "probability": 0.2, "count": 6})
        account.ask("faults", {"kind": "drop_after", "method": "POST", "probability": 0.5, "count": 6})
    run.staff()
    run.send_all()
    run.mark_fault_end()
    run.wait_until_done()
    lost = sum(call.status == 0 and call.is_applied for call in run.calls())
    run.note(f"{lost} answers lost after applying")
    run.require(lost > 0, "the row shows nothing: no answer was lost")


def refuse_poison(run: Run) -> None:
    """Values that the CRM refuses as data, in the middle of records and of bulks: one dead letter each, no more."""
    run.dead_letters = sum(report.is_poison for report in run.reports)
    run.require(run.dead_letters > 0, "the row shows nothing: there is no poison in the load")
    run.send_all()
    run.staff()
    run.mark_fault_end()


def switch_fields_off(run: Run) -> None:
    """A mapped field is switched off in the CRM for a while; afterwards what was left out is sent again by replay."""
    _spoil_fields(run, {"active": False}, {"active": True})


def change_field_types(run: Run) -> None:
    """A mapped field of texts takes whole numbers for a while; afterwards what it refused is sent again by replay."""
    _spoil_fields(run, {"type": "integer"}, {"type": "textarea"})


def _spoil_fields(run: Run, change: dict[str, Any], repair: dict[str, Any]) -> None:
    run.is_partial_fine = True
    half = len(run.reports) // 2
    run.staff()
    run.sender.send(run.reports[:half])
    run.wait_until_share(0.2)
    for account, records in zip(run.scene.accounts, run.scene.records, strict=True):
        account.ask(f"fields/ticket/{records.notes_field}", change)
    run.sender.send(run.reports[half:])
    run.wait_until_done()
    for account, records in zip(run.scene.accounts, run.scene.records, strict=True):
        account.ask(f"fields/ticket/{records.notes_field}", repair)
    left_out = run.scene.deliveries().filter(state="partial").count()
    run.require(left_out > 0, "the row shows nothing: no delivery was partial")
    reasons = _why_left_out(run)
    run.note(f"{left_out} partial, then replayed: " + ", ".join(f"{count}×{why}" for why, count in reasons.items()))
    run.require("" not in reasons, "a field was left out without a reason")
    run.mark_fault_end()
    for configuration in run.scene.configurations:
        command = [sys.executable, "manage.py", "replay_deliveries", "--state", "partial"]
        command += ["--configuration", str(configuration.pk)]
        subprocess.run(command, env=run.servers.environment, check=True, stdout=subprocess.DEVNULL)


def _why_left_out(run: Run) -> Counter[str]:
    """The reasons that the partial deliveries give for the fields that they did not write."""
    found: Counter[str] = Counter()
    for fields in run.scene.deliveries().filter(state="partial").values_list("fields", flat=True):
        found.update(entry.get("reason", "") for entry in fields if entry.get("result") in ("left_out", "not_applied"))
    return found
