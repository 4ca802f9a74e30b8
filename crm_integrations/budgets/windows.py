"""One limit's window as plain data, and how grants, answers and refusals change it.

Two counts meet here: what we granted, exactly, and what the CRM says was used, which includes others. A window that no
answer has confirmed yet may be another one than we think, so calls are let through one, then two, then four at a time.

When the CRM begins a new window is said in whole seconds, or not at all. Within one, what it counted only grows: an
answer that tells of less than was known when its call was granted is of a new window, in whatever order answers come.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

STALE_S = 5.0  # a grant that nobody answered for so long holds nobody back: its worker may be dead
RAMP_WAIT_S = 0.2  # until the first answers of a window, about a call's length
LEFT_PER_AHEAD = 100  # so many calls must be left for each that is granted before it is needed
BLOCK_WITHOUT_A_TIME_S = 10.0  # a refusal that gives no time (the official Ruby client waits as long)


@dataclass(frozen=True, slots=True)
class Stamp:
    """What was known of a window when a call was granted from it: its number, and the most that was `reported`."""

    epoch: int
    reported: int = 0


@dataclass(frozen=True, slots=True)
class BudgetWindow:
    """`calls` per window, None = nobody knows. `epoch` counts the windows; an answer belongs to that of its grant.

    `in_flight`: granted and not answered; `answered`: answers of this window; `reported`: the most the CRM said was
    used, by anybody; `foreign`: what others used of it at least.
    """

    calls: int | None
    window_s: float
    ends_at: datetime | None = None
    epoch: int = 0
    granted: int = 0
    in_flight: int = 0
    answered: int = 0
    reported: int = 0
    foreign: int = 0
    granted_at: datetime | None = None
    blocked_until: datetime | None = None
    block_reason: str = ""
    is_confirmed: bool = False

    @property
    def stamp(self) -> Stamp:
        """What the answer of a call that was granted just now is compared with."""
        return Stamp(self.epoch, self.reported)

    @property
    def used(self) -> int:
        """What may be used by now: ours and others', or what was reported and everything under way since."""
        return max(self.granted + self.foreign, self.reported + self.in_flight)


@dataclass(frozen=True, slots=True)
class WindowReport:
    """What an answer said: calls per window, calls left, and when the window ends.

    No calls at all cannot be meant, and would never be corrected: nobody would ask again.
    """

    limit: int | None
    remaining: int | None
    resets_in_s: float | None


def refresh(window: BudgetWindow, now: datetime) -> BudgetWindow:
    """The window that counts now: a new, unconfirmed one when the last has ended; grants without an answer grow old."""
    if window.ends_at is not None and window.ends_at > now:
        is_stale = window.granted_at is not None and window.granted_at + timedelta(seconds=STALE_S) <= now
        return replace(window, in_flight=0) if is_stale else window
    return replace(
        window,
        ends_at=None,
        epoch=window.epoch + (1 if window.granted or window.ends_at else 0),
        granted=0,
        in_flight=0,
        answered=0,
        reported=0,
        foreign=0,
        granted_at=None,
        is_confirmed=False,
    )


def head_room(calls: int | None, percent: int) -> int:
    """Calls of a window that deliveries leave to others and to people."""
    return (calls or 0) * percent // 100


def opens_at(window: BudgetWindow, *, reserved: int, now: datetime, is_urgent: bool = False) -> datetime | None:
    """When the next call may be made, as far as is known; None = now. `reserved` calls are left alone.

    The few calls that people wait for (`is_urgent`) do not wait for a window to be confirmed.
    """
    if window.blocked_until is not None and window.blocked_until > now:
        return window.blocked_until
    current = refresh(window, now)
    if current.calls is not None and not _has_left(current, current.calls, reserved):
        return current.ends_at or now + timedelta(seconds=current.window_s)
    is_ramping = current.in_flight > current.answered and not is_urgent
    return now + timedelta(seconds=RAMP_WAIT_S) if is_ramping else None


def spare(window: BudgetWindow, *, reserved: int, now: datetime) -> int:
    """How many calls may be granted before they are needed, so that plenty is not counted out one by one.

    None of a window that is nearly used up, of unknown size or still felt out: there each must be somebody's at once.
    """
    current = refresh(window, now)
    is_blocked = window.blocked_until is not None and window.blocked_until > now
    if current.calls is None or not current.is_confirmed or is_blocked:
        return 0
    ours = current.calls - max(min(reserved, current.calls - 1), current.foreign) - current.granted
    left = min(ours, current.calls - current.used) // LEFT_PER_AHEAD
    return max(min(left, current.answered - current.in_flight), 0)


def is_half_used(window: BudgetWindow, *, reserved: int, now: datetime) -> bool:
    """Whether half of what we may spend of a window is spent, and what has no other way should have the rest."""
    current = refresh(window, now)
    if current.calls is None:
        return False
    ours = current.calls - max(min(reserved, current.calls - 1), current.foreign)
    return current.granted * 2 >= ours > 1


def grant(window: BudgetWindow, *, now: datetime) -> BudgetWindow:
    """One more call; only after `opens_at` said None."""
    current = refresh(window, now)
    return replace(
        current,
        ends_at=current.ends_at or now + timedelta(seconds=current.window_s),
        granted=current.granted + 1,
        in_flight=current.in_flight + 1,
        granted_at=now,
    )


def give_back(window: BudgetWindow, *, stamp: Stamp) -> BudgetWindow:
    """A grant that was never used."""
    if stamp.epoch != window.epoch:
        return window
    return replace(window, granted=max(window.granted - 1, 0), in_flight=max(window.in_flight - 1, 0))


def settle(window: BudgetWindow, *, stamp: Stamp, report: WindowReport | None, now: datetime) -> BudgetWindow:
    """The call of a grant is over, answered or not; an answer of an earlier window only tells how large they are."""
    if report is not None:
        window = replace(window, calls=report.limit or window.calls)
    if stamp.epoch != window.epoch or window.ends_at is None:
        return window
    if report is not None and _is_of_a_new_window(window, stamp, report):
        return _read(_begin_anew(window), report, now, is_first=True)
    is_first = not window.is_confirmed
    settled = replace(window, in_flight=max(window.in_flight - 1, 0), answered=window.answered + 1, is_confirmed=True)
    if (
        report is None or report.remaining is None
    ):  # an unreported window begins with its first call, somewhere on the way
        return replace(settled, ends_at=now + timedelta(seconds=window.window_s)) if is_first else settled
    return _read(settled, report, now, is_first=is_first)


def observe(window: BudgetWindow, *, report: WindowReport, now: datetime) -> BudgetWindow:
    """A report of a limit that nobody asked for: kept for people, and it counts when somebody asks."""
    current = refresh(window, now)
    current = replace(current, calls=report.limit or current.calls)
    is_first = not current.is_confirmed
    return _read(replace(current, is_confirmed=True), report, now, is_first=is_first)


def block(window: BudgetWindow, *, seconds: float | None, reason: str, now: datetime) -> BudgetWindow:
    """Let nobody through for the whole time the CRM asks for, and begin with a new window, slowly.

    A block only ever moves later: of two answers the one that asks for more time wins.
    """
    until = now + timedelta(seconds=seconds if seconds and seconds > 0 else BLOCK_WITHOUT_A_TIME_S)
    if window.blocked_until is not None and window.blocked_until >= until:
        return window
    return replace(window, blocked_until=until, block_reason=reason, ends_at=until)


def _has_left(window: BudgetWindow, calls: int, reserved: int) -> bool:
    return window.used < calls and window.granted < calls - max(min(reserved, calls - 1), window.foreign)


def _is_of_a_new_window(window: BudgetWindow, stamp: Stamp, report: WindowReport) -> bool:
    """Whether the CRM has counted less, this call included, than it had before the call was made."""
    if window.calls is None or report.remaining is None:
        return False
    return window.calls - report.remaining < stamp.reported


def _begin_anew(window: BudgetWindow) -> BudgetWindow:
    """The CRM's window was over before ours: the one that it began, with all that is under way counted as of it.

    What of that was still of the old window is then missing among others' calls, so the sum is right.
    """
    return replace(
        window,
        ends_at=None,
        epoch=window.epoch + 1,
        granted=max(window.in_flight, 1),
        in_flight=0,
        answered=1,
        reported=0,
        foreign=0,
        is_confirmed=True,
    )


def _read(window: BudgetWindow, report: WindowReport, now: datetime, *, is_first: bool) -> BudgetWindow:
    """Take over a report: what others used, and when the window ends; the earliest end that was said counts."""
    if window.calls is None or report.remaining is None:
        return window
    reported = max(window.calls - report.remaining, window.reported, 0)
    foreign = max(window.foreign, reported - window.granted)
    ends_at = window.ends_at or now + timedelta(seconds=window.window_s)
    if report.resets_in_s is not None:
        said = now + timedelta(seconds=report.resets_in_s)
        ends_at = said if is_first else min(said, ends_at)
    return replace(window, reported=reported, foreign=foreign, ends_at=ends_at)
