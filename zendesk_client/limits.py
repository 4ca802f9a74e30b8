"""Reads what Zendesk says about its limits in the headers of every answer.

The caller schedules by these reports; this package never waits by itself. Spellings differ by year and endpoint
(https://developer.zendesk.com/api-reference/introduction/rate-limits/), so names are compared without case and
anything unreadable is left out.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TypeVar

T = TypeVar("T")

ACCOUNT = "account"  # the class of the account-wide limit; all others carry Zendesk's own name, e.g. "tickets-update"
LONGEST_WAIT_S = 86_400.0  # a day: a broken header must not stop an account for good
MOST_CALLS = 1_000_000_000  # no account is allowed more; what is larger is no number of calls

_ACCOUNT_LIMIT = ("x-rate-limit", "ratelimit-limit", "rate-limit")
_ACCOUNT_REMAINING = ("x-rate-limit-remaining", "ratelimit-remaining", "rate-limit-remaining")
_ACCOUNT_RESET = ("ratelimit-reset", "rate-limit-reset")
_ENDPOINT = re.compile(r"zendesk-rate-?limit-([a-z0-9-]{1,80})")
_PAIR = re.compile(r"(total|remaining|resets)\s*=\s*([\d.]{1,20})(?=\s*(?:[;,]|$))", re.IGNORECASE)
_NUMBER = re.compile(r"\s*(\d{1,12})(\.\d{0,6})?\s*")


@dataclass(frozen=True, slots=True)
class LimitReport:
    """One limit as one answer reported it: calls a window, calls left, seconds until it resets; None = not said."""

    limit_class: str
    limit: int | None
    remaining: int | None
    resets_in_s: float | None


def parse_limits(headers: Mapping[str, str]) -> tuple[LimitReport, ...]:
    """Return the reports of one answer: the account's first, then the endpoints' in the order of the headers."""
    lowered = {str(name).lower(): str(value) for name, value in headers.items()}
    account = _read_account(lowered)
    endpoints = [_read_endpoint(name, value) for name, value in lowered.items()]
    return tuple(report for report in (account, *endpoints) if report is not None)


def parse_retry_after(headers: Mapping[str, str]) -> float | None:
    """Return the seconds of ``Retry-After`` (0 to 86,400), or None when it is absent or cannot be read.

    What stands before Zendesk may give a date instead (RFC 9110 §10.2.3): it counts from the answer's own ``Date``.
    """
    lowered = {str(name).lower(): str(value) for name, value in headers.items()}
    said = lowered.get("retry-after", "")
    seconds = _read_seconds(said)
    return seconds if seconds is not None else _seconds_until(said, lowered.get("date", ""))


def find_exhausted_class(reports: tuple[LimitReport, ...]) -> str:
    """Return the class a 429 is about: the first that is used up, the account by preference and when in doubt."""
    exhausted = [report.limit_class for report in reports if report.remaining == 0]
    return exhausted[0] if exhausted else ACCOUNT


def _read_account(lowered: Mapping[str, str]) -> LimitReport | None:
    limit, remaining = (_find(lowered, names, _read_count) for names in (_ACCOUNT_LIMIT, _ACCOUNT_REMAINING))
    resets_in_s = _find(lowered, _ACCOUNT_RESET, _read_seconds)
    return None if limit is None and remaining is None else LimitReport(ACCOUNT, limit, remaining, resets_in_s)


def _find(lowered: Mapping[str, str], names: tuple[str, ...], read: Callable[[str], T | None]) -> T | None:
    """The first of these headers that can be read."""
    return next((found for name in names if (found := read(lowered.get(name, ""))) is not None), None)


def _read_endpoint(name: str, value: str) -> LimitReport | None:
    matched = _ENDPOINT.fullmatch(name)
    if matched is None:
        return None
    pairs = {key.lower(): text for key, text in _PAIR.findall(value)}
    limit, remaining = _read_count(pairs.get("total", "")), _read_count(pairs.get("remaining", ""))
    resets_in_s = _read_seconds(pairs.get("resets", ""))
    is_empty = limit is None and remaining is None and resets_in_s is None
    return None if is_empty else LimitReport(matched[1], limit, remaining, resets_in_s)


def _read_count(value: str) -> int | None:
    matched = _NUMBER.fullmatch(value)
    return int(matched[1]) if matched and int(matched[1]) <= MOST_CALLS else None


def _read_seconds(value: str) -> float | None:
    """With their fractions: an account that tells them must not be called too soon."""
    return min(float(value), LONGEST_WAIT_S) if _NUMBER.fullmatch(value) else None


def _seconds_until(value: str, date: str) -> float | None:
    until, since = _read_date(value), _read_date(date) or datetime.now(UTC)
    return None if until is None else min(max((until - since).total_seconds(), 0.0), LONGEST_WAIT_S)


def _read_date(value: str) -> datetime | None:
    try:
        read = parsedate_to_datetime(value)
    except (ValueError, OverflowError):
        return None
    return read if read.tzinfo else read.replace(tzinfo=UTC)
