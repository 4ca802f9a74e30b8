"""One row of the matrix under way: the steps that rows are written with, and the verdict at their end."""

import math
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from crm_integrations.database_clock import read_database_clock
from memorialization.services.event_folding import fold_all_events
from tests.faults.checker import Claim, Promises, Verdict, check
from tests.faults.crew import Crew
from tests.faults.load import Report, Shape, make_reports
from tests.faults.run_result import Result
from tests.faults.scene import Scene
from tests.faults.sender import Sender
from tests.faults.servers import Servers
from tests.faults.zendesk_account import LoggedCall, ZendeskAccount, merge_evidence

POLL_S = 0.2
KILL_PATIENCE_S = 60.0
LIMITED_SHARE = 0.005  # of the calls may be refused by a limit, or one call
LEFTOVER_PATIENCE_S = 40.0  # a lease that somebody lost ends by then


class FaultNeverStruck(Exception):
    """The row showed nothing: what was to go wrong did not."""


@dataclass
class Run:
    """What a row's function works with."""

    servers: Servers
    scene: Scene
    sender: Sender
    crew: Crew
    reports: list[Report]
    patience_s: float
    dead_letters: int = 0  # deliveries that are expected to fail
    fault_ended_at: float = 0.0
    finished_at: float = 0.0
    problems: list[str] = field(default_factory=list)
    facts: list[str] = field(default_factory=list)
    is_partial_fine: bool = False  # the row leaves partial deliveries behind and replays them

    def require(self, is_so: bool, words: str) -> None:
        """Something that must hold in this row besides the checker's zeros."""
        if not is_so:
            self.problems.append(words)

    def note(self, words: str) -> None:
        """A fact for the table."""
        self.facts.append(words)

    def staff(self, *, workers: int = 2, beats: int = 1, **environment: str) -> None:
        """Start workers and beats as `make run` does, only more of them."""
        for _ in range(workers):
            self.crew.start_worker(**environment)
        for _ in range(beats):
            self.crew.start_beat()
        self.require(self.crew.wait_for_answers(workers), "the workers did not come up")

    def send_all(self) -> None:
        """Send everything and wait until it is acknowledged."""
        self.sender.send(self.reports)

    def fold_all(self) -> None:
        """Give every event its deliveries before a worker comes: none of them is late for the first bulk writes."""
        fold_all_events(clock=read_database_clock, most_s=self.patience_s)

    def begin_sending(self) -> None:
        """Send everything in the background."""
        self.sender.begin(self.reports)

    def begin_half(self) -> None:
        """Send the first half in the background."""
        self.sender.begin(self.reports[: len(self.reports) // 2])

    def begin_rest(self, *, over_s: float) -> None:
        """Send the other half in the background, single events over about so many seconds: the time of the fault."""
        self.sender.begin(self.reports[len(self.reports) // 2 :], over_s=over_s)

    def wait_until_share(self, share: float, *, patience_s: float = KILL_PATIENCE_S) -> None:
        """Wait until so much of the row's deliveries is over, or everything."""
        wanted = share * len(self.reports)
        ends_at = time.monotonic() + patience_s
        while time.monotonic() < ends_at:
            if self.scene.finished_count() >= wanted:
                return
            self.crew.tend()
            time.sleep(POLL_S)
        raise FaultNeverStruck(f"not {share:.0%} was delivered in time")

    def kill_at(self, failpoint: str, **environment: str) -> None:
        """A worker that dies with -9 at its failpoint. Raises FaultNeverStruck when it does not get there."""
        worker = self.crew.start_worker(may_die=True, FAILPOINT=failpoint, **environment).process
        ends_at = time.monotonic() + KILL_PATIENCE_S
        while worker.poll() is None:
            if time.monotonic() > ends_at or self.scene.is_finished():
                raise FaultNeverStruck(f"no worker reached {failpoint}")
            time.sleep(POLL_S)
        if worker.returncode != -signal.SIGKILL:
            raise FaultNeverStruck(f"{failpoint}: the worker ended with {worker.returncode}: {self.crew.tail()[-400:]}")

    def mark_fault_end(self) -> None:
        """Recovery is counted from now."""
        self.fault_ended_at = time.time()

    def wait_until_done(self) -> None:
        """Wait for the sender, then for every delivery; what is late is a problem."""
        self.wait_until(lambda: not self.sender.is_busy(), patience_s=self.patience_s)
        is_in_time = self.wait_until(self.scene.is_finished, patience_s=self.patience_s)
        self.finished_at = time.time()
        if not is_in_time:
            outcomes = ", ".join(f"{count} {'/'.join(key)}" for key, count in self.scene.outcomes().items())
            self.problems.append(f"not finished in {self.patience_s:.0f} s: {outcomes}")
        if self.crew.deaths:
            self.note(f"{len(self.crew.deaths)} times a worker ended by itself and was started again")
        if not self.wait_until(lambda: not self.scene.leftovers(), patience_s=LEFTOVER_PATIENCE_S):
            self.problems.extend(self.scene.leftovers())

    def wait_until(self, is_so: Callable[[], bool], *, patience_s: float) -> bool:
        """Whether it came true in time."""
        ends_at = time.monotonic() + patience_s
        while time.monotonic() < ends_at:
            if is_so():
                return True
            self.crew.tend()
            time.sleep(POLL_S)
        return is_so()

    def calls(self) -> list[LoggedCall]:
        """Every call of the row, of all accounts."""
        return [call for account in self.scene.accounts for call in account.calls()]

    def waits_s(self, account: ZendeskAccount, *, since: float = 0.0, until: float = math.inf) -> list[float]:
        """How long events waited from their acknowledgement to the write of their value; superseded ones left out.

        Of those that were acknowledged in between.
        """
        written: dict[tuple[str, str], float] = {}
        for write in account.applied():
            for text in write.texts:
                written.setdefault((write.record, text), write.at)
        waits = []
        for report in self.reports:
            taken_at = self.sender.acknowledged.get((report.account, report.event_id), 0.0)
            if report.account == account.subdomain and since < taken_at <= until:
                moments = [written.get((claim.record, claim.value)) for claim in report.claims]
                waits += [moment - taken_at for moment in moments[:1] if moment is not None]
        return sorted(waits)

    def require_few_refusals(self) -> None:
        """With real limits switched on, hardly a call was refused by them."""
        calls = [call for call in self.calls() if call.method != "JOB"]
        refused = [call for call in calls if call.is_refused]
        self.note(f"{len(refused)} of {len(calls)} calls refused by real limits")
        most = max(1.0, LIMITED_SHARE * len(calls))
        words = ", ".join(sorted({f"{call.method} {call.endpoint}" for call in refused}))
        self.require(len(refused) <= most, f"{len(refused)} of {len(calls)} calls refused by limits: {words}")


def judge(run: Run, *, name: str, words: str, seed: int, began: float) -> Result:
    """The checker's verdict and the figures, once everything is over."""
    verdict = check(make_promises(run), merge_evidence(account.evidence() for account in run.scene.accounts))
    _count_dead_letters(run, verdict)
    calls = [call for call in run.calls() if call.method != "JOB"]
    writes = [call for call in run.calls() if call.is_applied and call.endpoint != "oauth/tokens"]
    applied = [call.at for call in writes if call.at >= run.fault_ended_at]
    return Result(
        name=name,
        words=words,
        profile=run.servers.profile,
        seed=seed,
        events=len(run.reports),
        acknowledged=len(run.sender.acknowledged),
        verdict=verdict,
        first_s=max(0.0, min(applied) - run.fault_ended_at) if applied and run.fault_ended_at else None,
        done_s=max(0.0, run.finished_at - run.fault_ended_at) if run.fault_ended_at else None,
        calls=len(calls),
        limited=sum(call.status == 429 for call in calls),
        problems=tuple(run.problems),
        facts=tuple(run.facts),
        took_s=time.monotonic() - began,
    )


def make_promises(run: Run) -> Promises:
    """Whose values must stand, whose may, and whose must not."""
    known: dict[tuple[str, str], Report] = {(each.account, each.event_id): each for each in run.reports}
    acknowledged: list[Claim] = []
    unanswered: list[Claim] = []
    poison: list[Claim] = []
    for key, report in known.items():
        if report.is_poison:
            poison += report.claims
        elif key in run.sender.acknowledged:
            acknowledged += report.claims
        elif key in run.sender.sent:
            unanswered += report.claims
    return Promises(tuple(acknowledged), tuple(unanswered), tuple(poison))


def _count_dead_letters(run: Run, verdict: Verdict) -> None:
    """Failed, partial and skipped deliveries against those that must fail."""
    outcomes = run.scene.outcomes()
    failed = sum(count for (state, _reason), count in outcomes.items() if state == "failed")
    if failed != run.dead_letters:
        verdict.counts["dead"] += abs(failed - run.dead_letters)
        verdict.examples.append(f"dead: {failed} failed, {run.dead_letters} expected: {dict(outcomes)}")
    fine = {"partial"} if run.is_partial_fine else set()
    odd = {key: count for key, count in outcomes.items() if key[0] in {"partial", "skipped"} - fine}
    if odd:
        verdict.counts["dead"] += sum(odd.values())
        verdict.examples.append(f"dead: {odd}")
    unanswered = {report.event_id for report in run.reports} - {event for _account, event in run.sender.acknowledged}
    if unanswered:
        run.note(f"{len(unanswered)} never acknowledged")


def shape_reports(*, size: int, seed: int, shape: Shape, scene: Scene) -> list[Report]:
    """The row's load on its records."""
    return make_reports(size=size, seed=seed, shape=shape, records=scene.records)
