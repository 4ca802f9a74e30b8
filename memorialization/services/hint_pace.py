"""How often one account is hinted at: at once when it was quiet, less often the longer it keeps asking. Pure.

A worker that is at work on the account finds by itself what is added; a flood of hints would only hold up the others'.
"""

from collections.abc import Collection
from dataclasses import dataclass, field

LONGEST_GAP_S = 0.25  # between two hints of this process at one account, however much it takes in
QUIET_GAPS = 4  # an account that was silent for so many of its gaps begins anew
KEPT = 1_000  # accounts; then those that are quiet are forgotten


@dataclass
class HintPace:
    """`first_gap_s`: after the first hint; it doubles with each that follows closely. Times are monotonic seconds."""

    first_gap_s: float
    _gaps: dict[int, tuple[float, float]] = field(default_factory=dict)  # account → last hint, gap after it

    def opens_at(self, account_id: int) -> float:
        """When the account may be hinted at again."""
        last, gap_s = self._gaps.get(account_id, (0.0, 0.0))
        return last + gap_s

    def first_opening(self, account_ids: Collection[int]) -> float | None:
        """When the first of them may; None without any."""
        return min((self.opens_at(account_id) for account_id in account_ids), default=None)

    def note_sent(self, account_id: int, now: float) -> None:
        """A hint left."""
        last, gap_s = self._gaps.get(account_id, (0.0, 0.0))
        follows = gap_s > 0 and now - last < QUIET_GAPS * gap_s
        self._gaps[account_id] = (now, min(2 * gap_s, LONGEST_GAP_S) if follows else self.first_gap_s)
        if len(self._gaps) > KEPT:
            longest_s = QUIET_GAPS * LONGEST_GAP_S
            self._gaps = {known: state for known, state in self._gaps.items() if now - state[0] < longest_s}
