"""Many workers, a limit and another integration: nearly all that is allowed is used, and hardly a call is refused."""

import math
from dataclasses import replace

import pytest

from tests.crm_integrations.budgets.crowd import Crowd, Setting

WINDOWS = 12
SEEDS = (1, 2, 3)
LEAST_USED, MOST_REFUSED_ALONE, MOST_REFUSED_BESIDE = 0.95, 0.005, 0.01

ALONE = Setting(head=10, others=0)
BESIDE = Setting(head=30, others=30)
BEHIND = {
    "alone": ALONE,
    "beside another one": BESIDE,
    "beside another one, by the minute": replace(BESIDE, begins_by_the_minute=True),
    "beside another one, no time told": replace(BESIDE, round_resets=lambda _left_s: None),
    "beside another one, clocks differ": replace(BESIDE, skew_s=0.3),
    "beside another one, slow calls": replace(BESIDE, latency_s=(0.3, 2.5)),
    "beside another one that takes more than the head-room": replace(BESIDE, head=10),
    "beside another one, few workers": replace(BESIDE, workers=4, pause_s=1.8),
}
STEADY = Setting(limit=700, head=15, pause_s=1.45)  # about 550 calls a window, of 595 that are allowed


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("name", BEHIND)
def test_while_work_is_behind_the_allowed_calls_are_used_and_hardly_one_is_refused(name, seed):
    crowd = Crowd(replace(BEHIND[name], seed=seed)).run(WINDOWS)
    assert crowd.share_used >= LEAST_USED
    assert crowd.refused_share <= (MOST_REFUSED_BESIDE if crowd.setting.others else MOST_REFUSED_ALONE)


@pytest.mark.parametrize("round_resets", [math.ceil, lambda _left_s: None], ids=["whole seconds", "no time"])
@pytest.mark.parametrize("others", [0, 100])
@pytest.mark.parametrize("by_the_minute", [False, True])
@pytest.mark.parametrize("starts_at_s", [7.0, 30.0, 50.0])
def test_work_that_never_uses_up_a_limit_is_not_held_up_by_it(starts_at_s, by_the_minute, others, round_resets):
    """Whatever the phase of our windows and the CRM's: calls of ours that its window counted already are no others'."""
    setting = replace(STEADY, starts_at_s=starts_at_s, begins_by_the_minute=by_the_minute, others=others)
    free = Crowd(replace(setting, limit=1_000_000)).run(WINDOWS)
    held = Crowd(replace(setting, round_resets=round_resets)).run(WINDOWS)
    assert held.calls >= LEAST_USED * free.calls
    assert held.limit.refused == 0
