"""What the drain benchmarks compute: windows of a limit from a log, and a whole from a part."""

import pytest

from tests.benchmarks.call_windows import read_use
from tests.benchmarks.one_by_one.parts import Part

US, THEM = 1, 2
SPENDING = {"PUT tickets/{id}"}


def make_call(number: int, second: float, *, user_id: int = US, status: int = 200, method: str = "PUT"):
    at = f"2026-01-05T10:{int(second) // 60:02d}:{second % 60:06.3f}+00:00"
    return {
        "n": number,
        "at": at,
        "method": method,
        "endpoint": "tickets/{id}",
        "status": status,
        "user_id": user_id,
    }


def read(*calls):
    return read_use(calls, endpoints=SPENDING, window_s=60, user_id=US)


def test_a_window_begins_with_its_first_call_and_the_last_one_is_left_out():
    use = read(*(make_call(number, 20 * number) for number in range(7)))
    assert [(window.ours, window.others) for window in use.windows] == [(3, 0), (3, 0)]
    assert use.seconds == pytest.approx(120)


def test_time_between_windows_counts_as_unused():
    first = [make_call(number, 0.1 * number) for number in range(90)]
    use = read(*first, make_call(90, 75))
    assert use.share_used(100, 10) == pytest.approx(60 / 75)


def test_what_others_took_beyond_the_head_room_was_not_allowed_to_us():
    ours = [make_call(number, 0) for number in range(70)]
    others = [make_call(70 + number, 1, user_id=THEM) for number in range(30)]
    use = read(*ours, *others, make_call(200, 60))
    assert use.share_used(100, 10) == pytest.approx(1)
    assert use.describe() == "calls by window 70+30; 60.0 s from window to window"


def test_refused_calls_and_other_endpoints_spend_nothing():
    refused = [make_call(1, 2, status=429), make_call(2, 3, status=429, user_id=THEM)]
    use = read(make_call(0, 1), *refused, make_call(3, 4, method="GET"), make_call(4, 61))
    assert (use.windows[0].ours, use.windows[0].others, use.windows[0].refused) == (1, 0, 1)


def test_a_log_without_a_full_window_says_nothing():
    with pytest.raises(RuntimeError, match="not even one full window"):
        read(make_call(0, 1), make_call(1, 2))


def test_the_time_of_whole_windows_is_computed_from_those_seen():
    tenths = tuple(0.1 * (number + 1) for number in range(100))
    part = Part("requests", (*tenths, 60.1), calls=102, limited=1, cpu_s=0.101)
    assert part.seconds_for(5000) == pytest.approx(49 * 60 + 10)
    assert part.seconds_for(101) == pytest.approx(60.1)
    assert part.calls_for(1000) == 1009
    assert part.cpu_ms == pytest.approx(1)


def test_a_mix_is_taken_in_proportion():
    part = Part("zenpy", (1.0, 2.0, 4.0, 5.0), calls=6, limited=2, cpu_s=0.1)
    assert part.seconds_in_proportion(1000) == pytest.approx(1250)
