"""How often one account is hinted at."""

from memorialization.services.hint_pace import KEPT, LONGEST_GAP_S, HintPace


def send_as_asked(pace, account_id, *, seconds, asked_every_s):
    """When hints leave at an account that asks so often."""
    left, now = [], 100.0
    while now < 100.0 + seconds:
        if pace.opens_at(account_id) <= now:
            pace.note_sent(account_id, now)
            left.append(now)
        now += asked_every_s
    return left


def test_the_first_hint_leaves_at_once_and_so_do_rare_ones():
    assert len(send_as_asked(HintPace(0.05), 1, seconds=10, asked_every_s=1)) == 10


def test_an_account_that_keeps_asking_is_hinted_at_four_times_a_second():
    left = send_as_asked(HintPace(0.05), 1, seconds=10, asked_every_s=0.01)
    assert 38 <= len(left) <= 43
    assert max(late - early for early, late in zip(left, left[1:], strict=False)) <= LONGEST_GAP_S + 0.011


def test_accounts_have_a_pace_of_their_own_and_one_that_was_quiet_begins_anew():
    pace = HintPace(0.05)
    last = send_as_asked(pace, 1, seconds=5, asked_every_s=0.01)[-1]
    assert pace.first_opening({1, 2}) == pace.opens_at(2) == 0.0
    assert pace.opens_at(1) == last + LONGEST_GAP_S
    pace.note_sent(1, last + 10)
    assert pace.opens_at(1) == last + 10 + 0.05
    assert pace.first_opening(set()) is None


def test_quiet_accounts_are_forgotten_and_may_be_hinted_at():
    pace = HintPace(0.05)
    for account_id in range(3 * KEPT):
        pace.note_sent(account_id, float(account_id))
    assert pace.opens_at(0) == 0.0
    assert pace.opens_at(3 * KEPT - 1) > 0
