"""Zendesk's own time, which can run faster than the machine's: limits, jobs, tokens and dates live in it.

`--time-scale N` lets N seconds pass in the demo for each real one. Every duration the demo *reports* (Retry-After,
ratelimit-reset, resets=, expires_in) is in real seconds, so clients need not know. What faults and the latency are
told in seconds or milliseconds is always real.
"""

import math
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

SCALE_MOST = 20
NOISE = 1e-4  # of a unit of rounding: sums of big floating-point times are not exact


@dataclass(frozen=True)
class DemoTime:
    """The demo's time was `demo_s` when the machine's was `real_s`, and goes `scale` times as fast."""

    real_s: float
    demo_s: float
    scale: float = 1

    def at(self, real: datetime) -> datetime:
        """The demo's time at a real moment."""
        if self.scale == 1 and self.real_s == self.demo_s:
            return real
        return datetime.fromtimestamp(self.demo_s + (real.timestamp() - self.real_s) * self.scale, tz=UTC)

    def real_of(self, demo_s: float) -> float:
        """The real moment of a time of the demo."""
        return self.real_s + (demo_s - self.demo_s) / self.scale

    def export(self) -> dict[str, Any]:
        """For the state file, so that time goes on after a restart and never back."""
        return asdict(self)


def resume_time(stored: dict[str, Any] | None, real_s: float, scale: float) -> DemoTime:
    """The time of a starting demo, no earlier than any time the demo before it can have seen."""
    if not 1 <= scale <= SCALE_MOST:
        raise ValueError(f"the time scale must be between 1 and {SCALE_MOST}")
    before = DemoTime(**stored) if stored else DemoTime(real_s, real_s)
    if before.scale == scale:
        return before
    return DemoTime(real_s, before.at(datetime.fromtimestamp(real_s, tz=UTC)).timestamp(), scale)


def wait_text(demo_s: float, scale: float, *, is_precise: bool = False) -> str:
    """How long a client must really wait, never too short: whole seconds rounded up, or tenths when that is chosen.

    Whole seconds are what Zendesk sends and what every client can read. Tenths are for clients that do not cut them
    off; with a scale they waste less of a window.
    """
    units = max(1, math.ceil(demo_s / scale * (10 if is_precise else 1) - NOISE))
    return f"{units / 10:.1f}" if is_precise else str(units)
