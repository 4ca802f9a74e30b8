"""A profile by samples: where the main thread is every few milliseconds of processor time; sampling weighs nothing.

cProfile makes small functions look dearer than they are; here a share is a share.
"""

import os
import signal
import sysconfig
from collections import Counter
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from types import FrameType

from config.stack.processes import BASE_DIR

EVERY_S = 0.002
LIBRARIES, STANDARD = (f"{sysconfig.get_path(name)}{os.sep}" for name in ("purelib", "stdlib"))


class Samples:
    """Counts by place: `own`, where the processor was, and `under`, everything that was being called."""

    def __init__(self) -> None:
        self.own: Counter[str] = Counter()
        self.under: Counter[str] = Counter()
        self.total = 0

    def take(self, _number: int, frame: FrameType | None) -> None:
        """One sample."""
        self.total += 1
        seen: set[str] = set()
        is_innermost = True
        while frame is not None:
            place = _place_of(frame)
            if is_innermost:
                self.own[place] += 1
                is_innermost = False
            seen.add(place)
            frame = frame.f_back
        self.under.update(seen)

    @contextmanager
    def taking(self) -> Iterator[None]:
        """Sample during the block; in the main thread."""
        before = signal.signal(signal.SIGPROF, self.take)
        signal.setitimer(signal.ITIMER_PROF, EVERY_S, EVERY_S)
        try:
            yield
        finally:
            signal.setitimer(signal.ITIMER_PROF, 0)
            signal.signal(signal.SIGPROF, before)

    def render(self, *, folders: Collection[str], most: int, ms: float) -> str:
        """Shares of `ms` milliseconds: those under functions of these folders, then the innermost ones of all."""
        under = [(place, count) for place, count in self.under.most_common() if place.split(os.sep)[0] in folders]
        lines = [f"{self.total} samples; ms per delivery in all, at each function and what it calls:"]
        lines += [f"{ms * count / self.total:8.3f}  {place}" for place, count in under[:most]]
        lines += ["", "ms per delivery in the function itself:"]
        lines += [f"{ms * count / self.total:8.3f}  {place}" for place, count in self.own.most_common(most)]
        return "\n".join(lines)


def _place_of(frame: FrameType) -> str:
    path = frame.f_code.co_filename
    for base in (LIBRARIES, f"{BASE_DIR}{os.sep}", STANDARD):
        if path.startswith(base):
            return f"{path.removeprefix(base)}:{frame.f_code.co_name}"
    return f"{path}:{frame.f_code.co_name}"
