"""What waits on the lanes in hand, and their marks: read for all of them at once, and good for a moment."""

import math
import time
from collections.abc import Mapping, Sequence

from memorialization.deliveries.coalescing import Member
from memorialization.deliveries.precedence import Mark
from memorialization.services.claims import LaneHold
from memorialization.services.marks import read_marks
from memorialization.services.members import waiting_on_lanes

GOOD_S = 1.0  # what is switched off or added meanwhile is seen so much later; a try begins only of what still waits

Look = tuple[Sequence[Member], Mapping[str, Mark]]
"""What waits on a lane, in turn order, and the lane's marks."""


class LaneLooks:
    """Looks at lanes that are pushed one after the other; nobody else changes their marks meanwhile."""

    def __init__(self, holds: Sequence[LaneHold]) -> None:
        self._rest = [hold.lane_id for hold in holds]  # that were not pushed yet
        self._found: dict[int, Look] = {}
        self._read_at = -math.inf

    def take(self, lane_id: int) -> Look:
        """A look at the lane; the next one is a new look, since a push changes everything."""
        if lane_id not in self._rest:
            return _look_at([lane_id])[lane_id]
        if time.monotonic() - self._read_at > GOOD_S:
            self._found = _look_at(self._rest)
            self._read_at = time.monotonic()
        self._rest.remove(lane_id)
        return self._found[lane_id]


def _look_at(lane_ids: Sequence[int]) -> dict[int, Look]:
    waiting, marks = waiting_on_lanes(lane_ids=lane_ids), read_marks(lane_ids=lane_ids)
    return {lane_id: (waiting[lane_id], marks[lane_id]) for lane_id in lane_ids}
