"""When a delivery is tried again, and when it is given up. Pure.

Only failures of the CRM or the way to it count. Waiting for a limit, for a held authentication or for the order of a
record is no failure: it uses up neither tries nor back-off.
"""

import random
from collections.abc import Callable

DELAYS_S = (5, 30, 120, 600, 1_800, 7_200, 21_600)  # after the first, second … failure; the last one repeats
JITTER = 0.2  # each delay is spread by ± 20 %, so that what failed together does not return together
GIVE_UP_AFTER_S = 72 * 3_600  # the sum of all delays that ends in *failed* (three days: a long week-end)


def next_delay_s(
    *, tries: int, floor_s: float | None = None, spread: Callable[[float, float], float] = random.uniform
) -> float:
    """Seconds until the next try after `tries` of them; never less than `floor_s`, what the CRM asked for."""
    base_s = DELAYS_S[min(max(tries, 1), len(DELAYS_S)) - 1]
    return max(base_s * spread(1 - JITTER, 1 + JITTER), floor_s or 0.0)


def is_given_up(*, backoff_spent_s: float) -> bool:
    """Whether a delivery that has waited this long between its tries has had its chance."""
    return backoff_spent_s >= GIVE_UP_AFTER_S
