"""Plays the contact centre: sends events through the real HTTP intake and keeps what was acknowledged, and only that.

An event counts as acknowledged when a 202 names it among the accepted or the duplicates. What got another answer, or
none, is sent again until the patience is over; what is never answered may have been stored or not.
"""

import http.client
import json
import random
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from tests.faults.load import Report

THREADS = 4
ARRAY_MOST = 20
SINGLE_SHARE = 0.5  # of the requests
PAUSE_S = 0.3
ANSWER_PATIENCE_S = 40.0


@dataclass(frozen=True)
class Door:
    """Where the events of one configuration go."""

    url: str
    key: str


@dataclass(frozen=True)
class Answer:
    """One request: when it was sent, how long it took, its status (0: none came)."""

    at: float  # epoch seconds
    took_s: float
    status: int


@dataclass
class Sender:
    """Sends reports from several threads, each over a connection of its own. Several sendings may follow each other."""

    doors: Mapping[tuple[str, str], Door]  # (account, role) → door
    seed: int
    patience_s: float = 120.0
    acknowledged: dict[tuple[str, str], float] = field(default_factory=dict)  # (account, event) → when
    sent: set[tuple[str, str]] = field(default_factory=set)
    answers: list[Answer] = field(default_factory=list)
    is_single: bool = False  # one event a request
    threads: int = THREADS
    _threads: list[threading.Thread] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def begin(self, reports: Sequence[Report], *, over_s: float = 0.0) -> None:
        """Start sending in the background; with `over_s` single events over about so many seconds."""
        if over_s:
            self.is_single = True
        pace_s = over_s * self.threads / max(1, len(reports))
        batches = self._batches(reports)
        shares = [batches[number :: self.threads] for number in range(self.threads)]
        fresh = [threading.Thread(target=self._send_all, args=(share, pace_s), daemon=True) for share in shares]
        for thread in fresh:
            thread.start()
        self._threads += fresh

    def finish(self) -> None:
        """Wait until everything was acknowledged or given up."""
        for thread in self._threads:
            thread.join()
        self._threads.clear()

    def is_busy(self) -> bool:
        """Whether something is still being sent."""
        return any(thread.is_alive() for thread in self._threads)

    def send(self, reports: Sequence[Report]) -> None:
        """Send and wait."""
        self.begin(reports)
        self.finish()

    def statuses(self) -> Counter[int]:
        """How many requests got which status."""
        return Counter(answer.status for answer in self.answers)

    def percentile_s(self, share: float, *, since: float = 0.0, until: float = float("inf")) -> float:
        """How long requests that were answered took, as a percentile."""
        took = sorted(answer.took_s for answer in self.answers if answer.status and since <= answer.at < until)
        return took[min(len(took) - 1, int(share * len(took)))] if took else 0.0

    def _batches(self, reports: Sequence[Report]) -> list[list[Report]]:
        """Arrays and single events, each for one configuration, in about the order of the reports."""
        chance = random.Random(self.seed)
        waiting: dict[tuple[str, str], list[Report]] = defaultdict(list)
        sizes: dict[tuple[str, str], int] = {}
        batches = []
        for report in reports:
            door = report.account, report.role
            waiting[door].append(report)
            is_single = self.is_single or chance.random() < SINGLE_SHARE
            size = sizes.setdefault(door, 1 if is_single else chance.randint(2, ARRAY_MOST))
            if len(waiting[door]) >= size:
                batches.append(waiting.pop(door))
                del sizes[door]
        return batches + list(waiting.values())

    def _send_all(self, batches: Sequence[Sequence[Report]], pace_s: float) -> None:
        """The work of one thread; `pace_s`: its rest between two requests."""
        connection: http.client.HTTPConnection | None = None
        for batch in batches:
            ends_at = time.monotonic() + self.patience_s
            while time.monotonic() < ends_at:
                connection, is_done = self._send_once(connection, batch)
                if is_done:
                    break
                time.sleep(PAUSE_S)
            time.sleep(pace_s)
        if connection is not None:
            connection.close()

    def _send_once(
        self, connection: http.client.HTTPConnection | None, batch: Sequence[Report]
    ) -> tuple[http.client.HTTPConnection | None, bool]:
        """One request; the connection to go on with, and whether the batch is acknowledged."""
        door = self.doors[batch[0].account, batch[0].role]
        parts = urlsplit(door.url)
        connection = connection or http.client.HTTPConnection(parts.netloc, timeout=ANSWER_PATIENCE_S)
        headers = {"Authorization": f"Bearer {door.key}", "Content-Type": "application/json"}
        bodies = [report.body for report in batch]
        with self._lock:
            self.sent |= {(report.account, report.event_id) for report in batch}
        at, began = time.time(), time.monotonic()
        try:
            connection.request("POST", parts.path, json.dumps(bodies[0] if len(bodies) == 1 else bodies), headers)
            answer = connection.getresponse()
            status, text = answer.status, answer.read()
        except (OSError, http.client.HTTPException):
            connection.close()
            self._note(Answer(at, time.monotonic() - began, 0))
            return None, False
        self._note(Answer(at, time.monotonic() - began, status))
        if status == 202:
            self._keep(batch[0].account, json.loads(text))
        return connection, status == 202

    def _note(self, answer: Answer) -> None:
        with self._lock:
            self.answers.append(answer)

    def _keep(self, account: str, said: Mapping[str, Sequence[str]]) -> None:
        now = time.time()
        with self._lock:
            for event_id in (*said["accepted"], *said["duplicates"]):
                self.acknowledged.setdefault((account, event_id), now)
