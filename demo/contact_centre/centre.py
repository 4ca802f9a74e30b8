"""The running contact centre: plays one interaction or a stream of them, against the target that was chosen."""

import logging
import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import Any

from demo.contact_centre.desk import Desk
from demo.contact_centre.outbox import Outbox
from demo.contact_centre.scenarios import SPAN_S, choose_scenario, play
from demo.contact_centre.storage import Storage
from demo.contact_centre.story import Play
from demo.contact_centre.targets import FILE_TARGET_ID, Target, TargetFile

logger = logging.getLogger(__name__)

DEFAULT_RATE = 6.0  # interactions per minute
RATE_LIMIT = 1200.0
BACKLOG_LIMIT = 500  # calls that wait before the stream waits too
TICK_S = 0.05
LOG_LENGTH = 50


class NoTarget(Exception):
    """There is no configuration to play against yet."""


class Centre:
    """Everything the pages and the control API steer."""

    def __init__(
        self, storage: Storage, *, target_file: TargetFile, now: Callable[[], datetime], rate: float | None = None
    ) -> None:
        self.storage, self.now = storage, now
        self.desk = Desk()
        self.outbox = Outbox(storage, find_target=self.find_target, now=now)
        self._target_file = target_file
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None
        self._next_at = 0.0
        if rate is not None or storage.setting("rate") is None:
            self.set_rate(DEFAULT_RATE if rate is None else rate)

    @property
    def rate(self) -> float:
        """Interactions per minute; 0 = the stream is stopped."""
        return float(self.storage.setting("rate") or 0)

    def set_rate(self, rate: float) -> float:
        """Change the stream; answers the rate that holds. Raises ValueError."""
        if not 0 <= rate <= RATE_LIMIT:
            raise ValueError(f"The rate is between 0 and {RATE_LIMIT:g} interactions per minute.")
        self.storage.store_setting("rate", f"{rate:g}")
        self._next_at = 0.0
        return self.rate

    def targets(self) -> list[Target]:
        """All targets, the seeded configuration first."""
        seeded = self._target_file.read()
        return ([seeded] if seeded else []) + self.storage.targets()

    def find_target(self, target_id: int) -> Target | None:
        """A target as it is now."""
        return next((target for target in self.targets() if target.id == target_id), None)

    @property
    def target(self) -> Target | None:
        """What is played against; None rather than any other when the chosen one is not there."""
        return self.find_target(int(self.storage.setting("target") or FILE_TARGET_ID))

    def choose_target(self, target_id: int) -> None:
        """Play against another configuration from now on. Raises NoTarget."""
        if self.find_target(target_id) is None:
            raise NoTarget
        self.storage.store_setting("target", str(target_id))

    def add_target(self, target: Target) -> int:
        """Keep a target and play against it."""
        target_id = self.storage.store_target(target)
        self.choose_target(target_id)
        return target_id

    def play(
        self,
        name: str,
        *,
        seed: int | None = None,
        ticket_id: str | None = None,
        span_s: float = SPAN_S,
        origin: str = "person",
    ) -> Play:
        """Play one interaction; its calls are stored when this returns. Raises NoTarget, UnknownScenario."""
        target = self.target
        if target is None:
            raise NoTarget
        book = self.desk.book_of(target.desk_url)
        book = book.narrow_to(ticket_id) if ticket_id else book
        chosen = self.storage.take_seed() if seed is None else seed
        told = play(name=name, seed=chosen, book=book, now=self.now(), span_s=span_s)
        play_id = self.storage.add_play(told, target_id=target.id, origin=origin, now=self.now().timestamp())
        return replace(told, id=play_id)

    def tick(self) -> bool:
        """Let the stream play its next interaction when its time has come; whether it did."""
        rate, now_s = self.rate, self.now().timestamp()
        if rate <= 0 or now_s < self._next_at or self.target is None:
            return False
        if self.storage.count_waiting() >= BACKLOG_LIMIT:
            return False
        interval_s = 60 / rate
        is_behind = now_s - self._next_at > max(interval_s, 1.0)  # after a pause the stream does not make up for it
        self._next_at = (now_s if is_behind else self._next_at) + interval_s
        seed = self.storage.take_seed()
        self.play(choose_scenario(seed), seed=seed, origin="stream")
        return True

    def start(self) -> None:
        """Begin to send, and let the stream run."""
        self.outbox.start()
        self._thread = threading.Thread(target=self._run, name="stream", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Stop cleanly; the file keeps what waits."""
        self._stopping.set()
        if self._thread:
            self._thread.join(timeout=5)
        self.outbox.stop()
        self.storage.close()

    def log(self, limit: int = LOG_LENGTH) -> list[dict[str, Any]]:
        """The latest interactions, newest first."""
        return self.storage.log(limit)

    def _run(self) -> None:
        while not self._stopping.wait(TICK_S):
            try:
                self.tick()
            except Exception:
                logger.exception("The stream could not play an interaction.")
