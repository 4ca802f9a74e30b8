"""Limits on what runs at the same time: places are taken, freed and corrected."""

from datetime import UTC, datetime, timedelta

from crm_integrations.budgets.running import (
    FOREIGN_S,
    LOOK_AGAIN_S,
    free_place,
    place_opens_at,
    read_places,
    set_running,
    take_place,
)
from crm_integrations.budgets.windows import BudgetWindow, WindowReport, block

NOW = datetime(2026, 1, 15, 15, 0, tzinfo=UTC)
PLACES = BudgetWindow(3, 60)


def at(seconds: float) -> datetime:
    return NOW + timedelta(seconds=seconds)


def take(window: BudgetWindow, count: int) -> BudgetWindow:
    for _ in range(count):
        window = take_place(window, now=NOW)
    return window


def test_all_places_can_be_taken_and_one_that_becomes_free_again():
    full = take(PLACES, 3)
    assert place_opens_at(take(PLACES, 2), reserved=0, now=NOW) is None
    assert place_opens_at(full, reserved=0, now=NOW) == at(LOOK_AGAIN_S)
    assert place_opens_at(free_place(full), reserved=0, now=NOW) is None


def test_reserved_places_are_left_alone():
    assert place_opens_at(take(PLACES, 2), reserved=1, now=NOW) is not None


def test_what_others_run_takes_places_for_a_while():
    seen = read_places(take(PLACES, 1), report=WindowReport(3, 0, 60), now=NOW)
    assert seen.foreign == 2
    assert place_opens_at(seen, reserved=0, now=NOW) is not None
    assert place_opens_at(seen, reserved=0, now=at(FOREIGN_S)) is None


def test_a_report_without_numbers_changes_nothing():
    assert read_places(PLACES, report=WindowReport(None, None, None), now=NOW) == PLACES


def test_a_report_tells_how_many_places_there_are():
    assert read_places(PLACES, report=WindowReport(5, 5, None), now=NOW).calls == 5


def test_the_keeper_of_ours_corrects_the_count():
    assert place_opens_at(set_running(take(PLACES, 3), count=1, now=NOW), reserved=0, now=NOW) is None
    assert place_opens_at(set_running(PLACES, count=3, now=NOW), reserved=0, now=at(59)) is not None


def test_a_count_that_stays_the_same_is_believed_for_longer():
    counted = set_running(PLACES, count=3, now=NOW)
    assert set_running(counted, count=3, now=at(20)) == counted  # nothing to store
    again = set_running(counted, count=3, now=at(50))
    assert place_opens_at(again, reserved=0, now=at(100)) is not None
    assert set_running(PLACES, count=0, now=NOW) == PLACES


def test_places_that_nobody_freed_are_forgotten_after_a_window():
    assert place_opens_at(take(PLACES, 3), reserved=0, now=at(60)) is None


def test_a_block_stops_them_too():
    blocked = block(PLACES, seconds=60, reason="429", now=NOW)
    assert place_opens_at(blocked, reserved=0, now=at(59)) == at(60)
    assert place_opens_at(blocked, reserved=0, now=at(60)) is None


def test_an_unknown_number_of_places_is_no_limit():
    assert place_opens_at(take(BudgetWindow(None, 60), 500), reserved=0, now=NOW) is None
