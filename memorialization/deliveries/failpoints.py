"""Named places where a test makes a process die or fail: `FAILPOINT=name:kill|raise[:nth]`, read once at import.

`kill` is SIGKILL to this process, `raise` an error that no code expects; `nth` (default 1) is the visit that fires,
and it fires once. Unset, a visit costs one comparison. The places, in the order a delivery meets them:

during_fold           inside the transaction that gives waiting events their contacts and deliveries
after_match           the CRM was asked for an interaction's records, nothing of what it said is stored
after_claim           record lanes are leased, nothing was sent
before_call           the attempt is committed, the CRM was not asked
after_call            the CRM has answered, nothing of the answer is stored
during_commit         inside the transaction that stores the outcome
before_bulk_call      the bulk write with its members is committed, the CRM was not asked
after_bulk_call       the CRM has taken the bulk write, its handle is not stored
bulk_waiting          the handle is stored, nobody has asked yet how far the CRM is
before_bulk_conclude  the CRM is through with the bulk write, no outcome of it is stored
"""

import os
import signal
import threading
from dataclasses import dataclass, field

SINGLE_NAMES = ("after_claim", "before_call", "after_call", "during_commit")
BULK_NAMES = ("before_bulk_call", "after_bulk_call", "bulk_waiting", "before_bulk_conclude")
PLAN_NAMES = ("during_fold", "after_match")
NAMES = PLAN_NAMES + SINGLE_NAMES + BULK_NAMES
ACTIONS = ("kill", "raise")


class FailpointReached(Exception):
    """What `raise` raises: no code but the last resort expects it."""


@dataclass
class Failpoint:
    """One armed place."""

    name: str
    action: str
    nth: int = 1
    _visits: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def visit(self, name: str) -> None:
        """Count a visit of this place, and fire at the one that was asked for."""
        if name != self.name:
            return
        with self._lock:
            self._visits += 1
            is_time = self._visits == self.nth
        if is_time and self.action == "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        if is_time:
            raise FailpointReached(name)


def parse_failpoint(text: str) -> Failpoint | None:
    """The failpoint of an environment value; empty = none. Raises ValueError for anything else that is no failpoint."""
    if not text:
        return None
    name, _colon, rest = text.partition(":")
    action, _colon, nth = rest.partition(":")
    if name not in NAMES or action not in ACTIONS or not (nth or "1").isdigit():
        raise ValueError(f"FAILPOINT must be one of {NAMES}, then :kill or :raise, then optionally :nth; not {text!r}.")
    return Failpoint(name, action, int(nth or 1))


armed = parse_failpoint(os.environ.get("FAILPOINT", ""))


def visit_failpoint(name: str) -> None:
    """Die or fail here when the environment asked for it."""
    if armed is not None:
        armed.visit(name)
