"""Windows of limits: what is granted, learnt from answers, and held back; any history keeps the promises."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crm_integrations.budgets.windows import (
    BLOCK_WITHOUT_A_TIME_S,
    RAMP_WAIT_S,
    STALE_S,
    BudgetWindow,
    Stamp,
    WindowReport,
    block,
    give_back,
    grant,
    head_room,
    is_half_used,
    observe,
    opens_at,
    refresh,
    settle,
    spare,
)

NOW = datetime(2026, 1, 15, 15, 0, tzinfo=UTC)


def at(seconds: float) -> datetime:
    return NOW + timedelta(seconds=seconds)


def window(calls: int | None = 10, **columns) -> BudgetWindow:
    return BudgetWindow(calls, 60, **columns)


def spend(spent: BudgetWindow, count: int, *, seconds: float = 0, answered: bool = True) -> BudgetWindow:
    """So many calls, one after the other."""
    for _ in range(count):
        spent = grant(spent, now=at(seconds))
        if answered:
            spent = settle(spent, stamp=spent.stamp, report=None, now=at(seconds))
    return spent


def report(limit: int, remaining: int, resets_in_s: float | None = 60) -> WindowReport:
    return WindowReport(limit, remaining, resets_in_s)


def test_a_fresh_window_lets_one_through_and_then_twice_as_many_with_every_answer():
    opened = grant(window(100), now=NOW)
    assert opens_at(opened, reserved=0, now=NOW) == at(RAMP_WAIT_S)
    counts = []
    for _ in range(5):
        for _call in range(opened.in_flight):
            opened = settle(opened, stamp=Stamp(0), report=None, now=NOW)
        count = 0
        while opens_at(opened, reserved=0, now=NOW) is None:
            opened, count = grant(opened, now=NOW), count + 1
        counts.append(count)
    assert counts == [2, 4, 8, 16, 32]


def test_people_do_not_wait_for_a_window_to_be_confirmed_but_for_its_end():
    opened = spend(window(2), 1, answered=False)
    assert opens_at(opened, reserved=0, now=NOW, is_urgent=True) is None
    assert opens_at(grant(opened, now=NOW), reserved=0, now=NOW, is_urgent=True) == at(60)


def test_a_grant_that_nobody_answers_holds_others_back_for_five_seconds_only():
    opened = grant(window(), now=NOW)
    assert opens_at(opened, reserved=0, now=at(STALE_S - 0.1)) is not None
    assert opens_at(opened, reserved=0, now=at(STALE_S)) is None


def test_exactly_the_calls_of_a_window_are_granted_and_the_next_window_begins_at_its_end():
    spent = spend(window(10), 10)
    assert opens_at(spent, reserved=0, now=at(59)) == spent.ends_at == at(60)
    assert opens_at(spent, reserved=0, now=at(60)) is None
    assert refresh(spent, at(60)).granted == 0


def test_deliveries_leave_the_head_room_and_people_may_use_it():
    spent = spend(window(10), 9)
    assert opens_at(spent, reserved=head_room(10, 10), now=NOW) is not None
    assert opens_at(spent, reserved=0, now=NOW) is None


@pytest.mark.parametrize(("calls", "percent", "reserved"), [(100, 10, 10), (1, 10, 0), (700, 0, 0), (None, 50, 0)])
def test_the_head_room_is_a_share_in_whole_calls(calls, percent, reserved):
    assert head_room(calls, percent) == reserved


def test_even_the_largest_head_room_leaves_a_call_to_deliveries():
    assert opens_at(window(1), reserved=5, now=NOW) is None


def test_what_others_use_is_learnt_from_the_difference_and_takes_the_head_rooms_place():
    opened = settle(grant(window(100), now=NOW), stamp=Stamp(0), report=report(100, 69), now=NOW)
    assert opened.foreign == 30
    spent = spend(opened, 69)
    assert (spent.granted, spent.used) == (70, 100)
    assert opens_at(spent, reserved=10, now=NOW) is not None
    assert opens_at(spend(opened, 68), reserved=10, now=NOW) is None


def test_calls_under_way_are_not_taken_for_others():
    opened = spend(window(100), 20)
    for _ in range(10):
        opened = grant(opened, now=NOW)
    opened = settle(opened, stamp=Stamp(0), report=report(100, 75), now=NOW)  # 25 of our 30 had arrived
    assert opened.foreign == 0


def test_the_first_answer_corrects_the_size_and_the_end_of_the_window():
    opened = settle(grant(window(700), now=NOW), stamp=Stamp(0), report=report(400, 399, 12), now=at(1))
    assert (opened.calls, opened.ends_at) == (400, at(13))


def test_the_earliest_end_that_was_said_counts_because_resets_are_rounded_up():
    opened = settle(grant(window(), now=NOW), stamp=Stamp(0), report=report(10, 9, 60), now=at(0.1))
    opened = settle(grant(opened, now=at(1)), stamp=Stamp(0), report=report(10, 8, 59), now=at(1.05))
    assert opened.ends_at == at(60.05)
    opened = settle(grant(opened, now=at(2)), stamp=Stamp(0), report=report(10, 7, 59), now=at(2))
    assert opened.ends_at == at(60.05)


def test_a_window_that_nobody_reports_ends_its_length_after_the_first_answer():
    opened = settle(grant(BudgetWindow(1, 1), now=NOW), stamp=Stamp(0), report=None, now=at(0.3))
    assert opens_at(opened, reserved=0, now=at(1.2)) == at(1.3)


def test_a_late_answer_of_an_earlier_window_only_tells_the_size():
    old = spend(window(10), 3, answered=False)
    fresh = grant(old, now=at(61))
    assert fresh.epoch == 1
    assert settle(fresh, stamp=Stamp(0), report=report(20, 0, 0), now=at(62)) == BudgetWindow(
        20, 60, ends_at=at(121), epoch=1, granted=1, in_flight=1, granted_at=at(61)
    )


def test_an_answer_that_tells_of_less_than_was_known_before_its_call_begins_a_new_window():
    opened = settle(grant(window(100), now=NOW), stamp=Stamp(0), report=report(100, 60, None), now=NOW)
    under_way = grant(grant(opened, now=at(30)), now=at(30))
    early, late = opened.stamp, under_way.stamp
    begun = settle(under_way, stamp=early, report=report(100, 95, None), now=at(31))
    assert (begun.epoch, begun.granted, begun.foreign, begun.ends_at) == (1, 2, 3, at(91))
    assert settle(begun, stamp=late, report=report(100, 58, None), now=at(31)) == begun  # of the old one, and late


def test_answers_out_of_order_begin_no_new_window():
    opened = settle(grant(window(100), now=NOW), stamp=Stamp(0), report=report(100, 99), now=NOW)
    stamp = opened.stamp
    for _ in range(5):
        opened = grant(opened, now=NOW)
    for remaining in (94, 97, 95, 98, 96):
        opened = settle(opened, stamp=stamp, report=report(100, remaining), now=NOW)
    assert (opened.epoch, opened.granted, opened.reported, opened.foreign) == (0, 6, 6, 0)


def test_a_window_that_was_begun_by_others_shows_with_the_first_answer():
    opened = settle(grant(window(10), now=NOW), stamp=Stamp(0), report=report(10, 0, 3), now=NOW)
    assert opens_at(opened, reserved=0, now=NOW) == at(3)


def test_a_report_of_no_calls_at_all_does_not_stop_the_account_for_good():
    granted = grant(window(100), now=NOW)
    settled = settle(granted, stamp=granted.stamp, report=report(0, 0), now=NOW)
    assert opens_at(settled, reserved=0, now=at(61)) is None
    observed = observe(window(100), report=report(0, 0), now=NOW)
    assert opens_at(observed, reserved=0, now=at(61)) is None


def test_a_block_lasts_as_long_as_the_crm_asks_and_then_begins_slowly():
    blocked = block(spend(window(100), 50), seconds=93, reason="429", now=NOW)
    assert opens_at(blocked, reserved=0, now=at(92.9)) == at(93)
    assert opens_at(blocked, reserved=0, now=at(93)) is None
    assert opens_at(grant(blocked, now=at(93)), reserved=0, now=at(93)) is not None


@pytest.mark.parametrize("seconds", [None, 0, -3])
def test_a_refusal_without_a_time_blocks_for_ten_seconds(seconds):
    assert block(window(), seconds=seconds, reason="", now=NOW).blocked_until == at(BLOCK_WITHOUT_A_TIME_S)


@given(st.lists(st.floats(1, 5_000), min_size=1, max_size=6))
def test_a_block_only_ever_moves_later(waits):
    blocked = window()
    for wait in waits:
        blocked = block(blocked, seconds=wait, reason="429", now=NOW)
    assert blocked.blocked_until == at(max(waits))


def test_a_grant_that_is_given_back_can_be_spent_by_another():
    spent = spend(window(2), 1)
    reserved = grant(spent, now=NOW)
    assert opens_at(reserved, reserved=0, now=NOW) is not None
    assert give_back(reserved, stamp=Stamp(0)) == BudgetWindow(
        2, 60, ends_at=at(60), granted=1, answered=1, is_confirmed=True, granted_at=NOW
    )
    assert give_back(reserved, stamp=Stamp(7)) == reserved


def test_a_report_of_a_limit_that_nobody_asked_for_counts_when_somebody_does():
    observed = observe(window(None), report=report(100, 40, 20), now=NOW)
    assert (observed.calls, observed.foreign, observed.ends_at) == (100, 60, at(20))


@pytest.mark.parametrize(
    ("calls", "spent", "reserved", "expected"),
    [(None, 50, 0, 0), (100, 1, 0, 0), (700, 1, 70, 1), (700, 50, 70, 5), (700, 600, 70, 0), (10**6, 0, 0, 0)],
)
def test_calls_are_granted_ahead_only_while_there_is_plenty_of_a_window_that_is_confirmed(
    calls, spent, reserved, expected
):
    assert spare(spend(window(calls), spent), reserved=reserved, now=NOW) == expected


def test_nothing_is_granted_ahead_of_a_blocked_window():
    assert spare(block(spend(window(1000), 50), seconds=5, reason="", now=NOW), reserved=0, now=NOW) == 0


@dataclass
class Server:
    """A CRM with fixed windows of 60 s that start with their first call, as Zendesk's do."""

    limit: int
    starts_at: float = -1000.0
    used: int = 0
    refused: int = 0
    taken: list[float] = field(default_factory=list)

    def take(self, seconds: float) -> tuple[bool, WindowReport]:
        if seconds >= self.starts_at + 60:
            self.starts_at, self.used = seconds, 0
        is_taken = self.used < self.limit
        self.used += is_taken
        self.refused += not is_taken
        left = self.starts_at + 60 - seconds
        return is_taken, WindowReport(self.limit, self.limit - self.used, float(int(left) + (left > int(left))))


@settings(max_examples=150, deadline=None)
@given(
    limit=st.integers(1, 40),
    seed=st.integers(1, 900),
    head=st.integers(0, 90),
    steps=st.lists(st.tuples(st.sampled_from(["call", "other", "wait", "crash"]), st.floats(0, 4)), max_size=150),
)
def test_whatever_happens_one_worker_is_refused_only_while_it_learns(limit, seed, head, steps):
    """A wrong first guess, other integrations, crashes: a refusal comes at the first call of a window or after others
    called since our last answer; never because of our own count."""
    server, ours, now, others = Server(limit), BudgetWindow(seed, 60), 0.0, 0
    for kind, seconds in steps:
        now += seconds
        if kind == "other":
            server.take(now)
            others += 1
        if kind not in {"call", "crash"}:
            continue
        if opens_at(ours, reserved=head_room(ours.calls, head), now=at(now)) is not None:
            continue
        known = refresh(ours, at(now))
        ours = grant(ours, now=at(now))
        is_taken, said = server.take(now)
        if kind == "crash":
            continue
        ours = settle(ours, stamp=ours.stamp, report=said, now=at(now))
        if not is_taken:
            assert not known.is_confirmed or others
            ours = block(ours, seconds=said.resets_in_s, reason="429", now=at(now))
        others = 0
        assert ours.granted + ours.foreign <= ours.calls or not is_taken


@settings(max_examples=60, deadline=None)
@given(limit=st.integers(1, 30), gaps=st.lists(st.floats(0.01, 3), min_size=20, max_size=120))
def test_alone_with_an_account_every_call_is_accepted(limit, gaps):
    server, ours, now = Server(limit), BudgetWindow(limit, 60), 0.0
    for gap in gaps:
        now += gap
        if opens_at(ours, reserved=0, now=at(now)) is None:
            ours = grant(ours, now=at(now))
            is_taken, said = server.take(now)
            assert is_taken
            ours = settle(ours, stamp=ours.stamp, report=said, now=at(now))


@pytest.mark.parametrize(
    ("calls", "granted", "foreign", "reserved", "is_half"),
    [
        (100, 44, 0, 10, False),
        (100, 45, 0, 10, True),
        (100, 35, 30, 10, True),  # what others use is not ours to spend
        (5, 2, 0, 0, False),
        (5, 3, 0, 0, True),
        (1, 0, 0, 0, False),  # of one call there is no half
        (1, 1, 0, 0, False),
        (None, 500, 0, 0, False),
    ],
)
def test_half_of_what_may_be_spent(calls, granted, foreign, reserved, is_half):
    used = window(calls, granted=granted, foreign=foreign, ends_at=at(60))
    assert is_half_used(used, reserved=reserved, now=NOW) == is_half
    assert not is_half_used(used, reserved=reserved, now=at(61))
