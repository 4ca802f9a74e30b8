"""When a delivery is tried again."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memorialization.deliveries.retry_policy import DELAYS_S, GIVE_UP_AFTER_S, is_given_up, next_delay_s


def exact(low, high):
    return (low + high) / 2


@pytest.mark.parametrize(
    ("tries", "delay_s"),
    [(1, 5), (2, 30), (3, 120), (4, 600), (5, 1800), (6, 7200), (7, 21600), (8, 21600), (99, 21600)],
)
def test_the_schedule_is_5_s_30_s_2_m_10_m_30_m_2_h_then_6_h_for_good(tries, delay_s):
    assert next_delay_s(tries=tries, spread=exact) == pytest.approx(delay_s)


@given(tries=st.integers(1, 40), floor_s=st.none() | st.floats(0, 100_000))
def test_a_delay_is_spread_by_a_fifth_and_never_below_its_floor(tries, floor_s):
    base = DELAYS_S[min(tries, len(DELAYS_S)) - 1]
    delay = next_delay_s(tries=tries, floor_s=floor_s)
    assert delay >= max(base * 0.8, floor_s or 0) - 0.001
    assert delay <= max(base * 1.2, floor_s or 0) + 0.001


def test_three_days_of_delays_are_enough():
    assert not is_given_up(backoff_spent_s=GIVE_UP_AFTER_S - 1)
    assert is_given_up(backoff_spent_s=GIVE_UP_AFTER_S)
    assert GIVE_UP_AFTER_S == 72 * 3600
