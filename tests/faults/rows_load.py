"""Rows about the load itself: copies and disorder, one record under fire, a neighbour with a backlog."""

import time

from tests.faults.load import Report
from tests.faults.run import Run
from tests.faults.servers import EMBEDDED, PRODUCTION
from tests.faults.zendesk_account import LoggedCall

TRICKLE_S = 15.0
NEIGHBOUR_EVENTS = 20
NEIGHBOUR_PACE_S = 0.25
NEIGHBOUR_P99_S = {PRODUCTION: 3.0, EMBEDDED: 6.0}
WRITES_PER_RECORD = 2
NEIGHBOUR_LEAST = 5  # events sent while the backlog stood
LATENCY_MS = 100  # of the noisy account
LASTING = 500  # a smaller backlog is made to last by a smaller plan
SMALL_PLAN = {"tickets-update": 20, "account": 60}
PATIENCE_S = 30.0


def send_all(run: Run) -> None:
    """Everything is sent to workers that are up."""
    run.staff()
    run.send_all()


def trickle_after_a_heap(run: Run) -> None:
    """Half of the events at once, which go in bulk; the others one by one, which go by calls of their own."""
    run.staff()
    run.begin_half()
    run.begin_rest(over_s=TRICKLE_S)
    run.wait_until_done()
    writes = [call for call in run.calls() if call.is_applied]
    alone = sum(call.method == "PUT" and "update_many" not in call.path for call in writes)
    run.note(f"{sum(call.method == 'JOB' for call in writes)} records written in bulk, {alone} alone")
    run.require(alone > 0, "the row shows nothing: nothing was written alone")


def burst_on_records(run: Run) -> None:
    """Fifty interactions wait for each record: one effect, the newest wins, hardly more calls than records."""
    run.send_all()
    run.staff()
    run.wait_until_done()
    touched = {claim.place[:2] for report in run.reports for claim in report.claims}
    writes = sum(_is_write_of_a_record(call) for call in run.calls())
    run.note(f"{writes} writes for {len(run.reports)} events on {len(touched)} records")
    run.require(writes <= WRITES_PER_RECORD * len(touched), f"{writes} writes on {len(touched)} records")


def _is_write_of_a_record(call: LoggedCall) -> bool:
    """One record written, alone or inside a bulk job; not the call that only hands the bulk over."""
    return call.is_applied and call.method in ("PUT", "JOB") and "update_many" not in call.path


def disturb_neighbour(run: Run) -> None:
    """One account works off a backlog against a slow CRM; another one's events must not wait for it."""
    noisy, quiet = run.scene.accounts
    noisy.ask("latency", {"ms": LATENCY_MS})
    backlog = [report for report in run.reports if report.account == noisy.subdomain]
    if len(backlog) < LASTING:
        noisy.ask("limits", {"values": SMALL_PLAN})
    by_record = {report.claims[0].record: report for report in run.reports if report.account == quiet.subdomain}
    run.reports = backlog
    run.sender.send(backlog)
    run.staff()
    waiting = run.scene.deliveries(noisy).filter(state="waiting")
    sent: list[Report] = []
    for report in list(by_record.values())[:NEIGHBOUR_EVENTS]:
        if waiting.exists():
            run.sender.send([report])
            sent.append(report)
            time.sleep(NEIGHBOUR_PACE_S)
    run.reports = [*backlog, *sent]
    run.wait_until(lambda: not run.scene.deliveries(quiet).filter(state="waiting").exists(), patience_s=PATIENCE_S)
    noisy.ask("limits", {"enabled": False})
    run.wait_until_done()
    run.require(len(sent) >= NEIGHBOUR_LEAST, "the row shows nothing: the backlog was gone too soon")
    waits = run.waits_s(quiet)
    run.require(len(waits) == len(sent), f"{len(waits)} of the neighbour's {len(sent)} events were written")
    run.note(f"neighbour p50 {waits[len(waits) // 2]:.2f} s, worst of {len(waits)} {waits[-1]:.2f} s")
    run.require(waits[-1] <= NEIGHBOUR_P99_S[run.servers.profile], f"the neighbour waited {waits[-1]:.1f} s")
