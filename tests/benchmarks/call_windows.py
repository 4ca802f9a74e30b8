"""The windows of a limit, rebuilt from the demo Zendesk's log: whose calls they were spent on, and what was refused."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any


@dataclass
class LimitWindow:
    """One window: it begins with its first call; times are the demo's, in seconds."""

    begins_at: float
    ours: int = 0
    others: int = 0
    refused: int = 0  # of ours

    def allowed(self, limit: int, head_room: int) -> int:
        """What deliveries may use: all but the head-room, or but what others really used when that is more."""
        return limit - max(head_room, self.others)


@dataclass(frozen=True)
class LimitUse:
    """All windows that were full of work: the last one, in which the work ended, does not count."""

    windows: Sequence[LimitWindow]
    ends_at: float
    window_s: float

    @property
    def seconds(self) -> float:
        """From the first window's begin to the last one's, so that what is lost between windows counts."""
        return self.ends_at - self.windows[0].begins_at

    def share_used(self, limit: int, head_room: int) -> float:
        """Our calls among those that were allowed in this time."""
        allowed = sum(window.allowed(limit, head_room) for window in self.windows) / len(self.windows)
        return sum(window.ours for window in self.windows) / (allowed * self.seconds / self.window_s)

    def describe(self) -> str:
        """Calls by window."""
        listed = ", ".join(f"{window.ours}" + (f"+{window.others}" if window.others else "") for window in self.windows)
        return f"calls by window {listed}; {self.seconds / len(self.windows):.1f} s from window to window"


def read_use(
    calls: Sequence[Mapping[str, Any]], *, endpoints: Collection[str], window_s: float, user_id: int
) -> LimitUse:
    """The use of the limit that calls to these endpoints ("METHOD path") spend; `user_id` is ours."""
    spent = [call for call in calls if f"{call['method']} {call['endpoint']}" in endpoints]
    windows: list[LimitWindow] = []
    for call in sorted(spent, key=lambda call: call["n"]):
        at, is_ours = datetime.fromisoformat(call["at"]).timestamp(), call["user_id"] == user_id
        if call["status"] == 429:
            if windows and is_ours:
                windows[-1].refused += 1
            continue
        if not windows or at >= windows[-1].begins_at + window_s:
            windows.append(LimitWindow(at))
        windows[-1].ours += is_ours
        windows[-1].others += not is_ours
    if len(windows) < 2:
        raise RuntimeError("there was not even one full window")
    return LimitUse(windows[:-1], windows[-1].begins_at, window_s)
