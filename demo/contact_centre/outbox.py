"""Sends what is due and repeats what was not taken, until it is: with the same ids, later and later.

A few threads each take one call at a time; the calls of one interaction keep their order. A target that does not
answer is left alone for a while, the others are not held up by it.
"""

import logging
import random
import threading
from collections.abc import Callable
from datetime import datetime

import requests

from demo.contact_centre.sending import Answer, new_session, post
from demo.contact_centre.storage import DONE, REFUSED, WAITING, Storage, WaitingSend
from demo.contact_centre.story import WORKFLOWS
from demo.contact_centre.targets import Target

logger = logging.getLogger(__name__)

THREADS = 4
IDLE_S = 0.1  # how long a thread with nothing to do looks away
FIRST_DELAY_S = 1.0
LONGEST_DELAY_S = 60.0
GIVE_UP_AFTER_S = 86_400  # a target that never answers does not collect calls for ever
NO_TARGET_DELAY_S = 5.0


class Outbox:
    """The sending side of the storage; `find_target` gives a target as it is now, or None."""

    def __init__(
        self, storage: Storage, *, find_target: Callable[[int], Target | None], now: Callable[[], datetime]
    ) -> None:
        self._storage, self._find_target, self._now = storage, find_target, now
        self._lock = threading.Lock()
        self._busy: set[int] = set()
        self._paused_until: dict[int, float] = {}
        self._failures: dict[int, int] = {}
        self._stopping = threading.Event()
        self._threads: list[threading.Thread] = []
        self._chance = random.Random()  # noqa: S311 - spreads repetitions, keeps no secret

    def start(self) -> None:
        """Begin to send."""
        self._threads = [threading.Thread(target=self._run, name=f"outbox {n}", daemon=True) for n in range(THREADS)]
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Let the calls under way end, begin no new ones; what waits is in the file."""
        self._stopping.set()
        for thread in self._threads:
            thread.join(timeout=5)

    def send_due(self) -> int:
        """Send what is due now, one after the other; how many calls were made."""
        made = 0
        with new_session() as session:
            while self._send_next(session):
                made += 1
        return made

    def _run(self) -> None:
        session = new_session()
        while not self._stopping.is_set():
            try:
                is_busy = self._send_next(session)
            except Exception:
                logger.exception("A call could not be made.")
                is_busy = False
            if not is_busy:
                self._stopping.wait(IDLE_S)

    def _send_next(self, session: requests.Session) -> bool:
        """Take one call that is due and make it; False when there is none."""
        with self._lock:
            now_s = self._now().timestamp()
            paused = {target_id for target_id, until in self._paused_until.items() if until > now_s}
            send = self._storage.find_ready(now_s, busy_plays=self._busy, paused_targets=paused)
            if send is None:
                return False
            self._busy.add(send.play_id)
        try:
            self._make(session, send)
        finally:
            with self._lock:
                self._busy.discard(send.play_id)
        return True

    def _make(self, session: requests.Session, send: WaitingSend) -> None:
        target = self._find_target(send.target_id)
        if target is None:
            self._pause(send.target_id, NO_TARGET_DELAY_S)
            return
        message_id = f"demo-{int(send.played_at * 1000)}-{send.play_id}-{send.n}"
        answer = post(session, target=target, path=send.path, body=send.body, message_id=message_id, now=self._now())
        self._keep(send, target, answer)

    def _keep(self, send: WaitingSend, target: Target, answer: Answer) -> None:
        now_s = self._now().timestamp()
        if answer.is_final and not self._has_new_key(target, answer):
            self._failures.pop(target.id, None)
            state = DONE if answer.is_taken else REFUSED
            self._storage.store_answer(send, state=state, answer=answer.as_json(), due_at=now_s)
        elif now_s - send.played_at > GIVE_UP_AFTER_S:
            self._storage.store_answer(send, state=REFUSED, answer=answer.as_json(), due_at=now_s)
        else:
            delay_s = self._delay_s(target.id, answer)
            if not send.path.startswith(f"{WORKFLOWS}/"):  # a CRM that is busy does not hold up events
                self._pause(target.id, delay_s)
            self._storage.store_answer(send, state=WAITING, answer=answer.as_json(), due_at=now_s + delay_s)

    def _has_new_key(self, target: Target, answer: Answer) -> bool:
        """Whether the call was refused with a key that has been replaced meanwhile."""
        return answer.status == 401 and self._find_target(target.id) not in (None, target)

    def _delay_s(self, target_id: int, answer: Answer) -> float:
        """Twice as long each time, a little different each time, never shorter than asked for."""
        failures = self._failures[target_id] = self._failures.get(target_id, 0) + 1
        delay_s = min(FIRST_DELAY_S * 2.0 ** min(failures - 1, 10), LONGEST_DELAY_S)
        return max(delay_s * self._chance.uniform(0.8, 1.2), answer.retry_after_s)

    def _pause(self, target_id: int, delay_s: float) -> None:
        with self._lock:
            self._paused_until[target_id] = self._now().timestamp() + delay_s
