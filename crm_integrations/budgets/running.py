"""The rules of a limit on what runs at the same time, such as bulk writes: nothing is spent, places are taken.

The columns of a BudgetWindow are read so: `granted` places of ours, `foreign` those of others, which count until
`ends_at`. Whoever knows what of ours still runs corrects our count (`set_running`).
"""

from dataclasses import replace
from datetime import datetime, timedelta

from crm_integrations.budgets.windows import BudgetWindow, WindowReport

LOOK_AGAIN_S = 1.0  # places become free at any moment
FOREIGN_S = 10.0  # what others run is over by then, or is reported again


def refresh_places(window: BudgetWindow, now: datetime) -> BudgetWindow:
    """The places that count now: others' are forgotten soon, ours when nothing was started for a whole window."""
    ours_is_old = window.granted_at is None or window.granted_at + timedelta(seconds=window.window_s) <= now
    foreign_is_old = window.ends_at is None or window.ends_at <= now
    return replace(
        window,
        granted=0 if ours_is_old else window.granted,
        foreign=0 if foreign_is_old else window.foreign,
    )


def place_opens_at(window: BudgetWindow, *, reserved: int, now: datetime) -> datetime | None:
    """When another may be started, as far as is known; None = now. `reserved` places are left to others."""
    if window.blocked_until is not None and window.blocked_until > now:
        return window.blocked_until
    current = refresh_places(window, now)
    if current.calls is None:
        return None
    is_full = current.granted >= current.calls - max(min(reserved, current.calls - 1), current.foreign)
    return now + timedelta(seconds=LOOK_AGAIN_S) if is_full else None


def take_place(window: BudgetWindow, *, now: datetime) -> BudgetWindow:
    """One more of ours runs; only after `place_opens_at` said None."""
    current = refresh_places(window, now)
    return replace(current, granted=current.granted + 1, granted_at=now)


def free_place(window: BudgetWindow) -> BudgetWindow:
    """One that was not started after all."""
    return replace(window, granted=max(window.granted - 1, 0))


def read_places(window: BudgetWindow, *, report: WindowReport, now: datetime) -> BudgetWindow:
    """What the CRM says runs: everything that is not ours is others'."""
    calls = report.limit or window.calls
    if calls is None or report.remaining is None:
        return replace(window, calls=calls)
    running = max(calls - report.remaining, 0)
    foreign = max(running - window.granted, 0)
    return replace(window, calls=calls, foreign=foreign, ends_at=now + timedelta(seconds=FOREIGN_S))


def set_running(window: BudgetWindow, *, count: int, now: datetime) -> BudgetWindow:
    """So many of ours run, by the count of whoever keeps them; a count that stays the same is believed for longer."""
    current = refresh_places(window, now)
    is_known = current.granted == count and (not count or _is_recent(window, now))
    return window if is_known else replace(window, granted=count, granted_at=now if count else window.granted_at)


def _is_recent(window: BudgetWindow, now: datetime) -> bool:
    assert window.granted_at is not None, "places that are taken were taken at some time"
    return window.granted_at + timedelta(seconds=window.window_s / 2) > now
