"""When to ask a CRM how far its bulk writes are: rarely, and soon after each is done. Pure, seconds throughout."""

QUEUED_S = 1.0  # before a CRM begins
RECORD_S = 0.1  # what one record takes, as long as nothing was seen (about ten a second)
EAGERNESS = 0.9  # the first look comes a little before the end that is expected, or the estimate would only ever grow
SHORTEST_S, LONGEST_S = 0.5, 30.0  # between two looks


def expected_duration_s(*, size: int, seen_size: int | None = None, seen_s: float | None = None) -> float:
    """How long a bulk write of `size` records will take, from how long the last one took until it was seen done."""
    record_s = max(0.0, seen_s - QUEUED_S) / seen_size * EAGERNESS if seen_size and seen_s is not None else RECORD_S
    return QUEUED_S + size * record_s


def next_look_s(*, size: int, done: int, elapsed_s: float, expected_s: float) -> float:
    """Seconds until the next look at one that has worked through `done` of its records in `elapsed_s`."""
    rest_s = (size - done) * elapsed_s / done if done else expected_s - elapsed_s
    return min(max(rest_s, SHORTEST_S), LONGEST_S)
