"""Reads what Zendesk says about its limits in the headers of every answer.

The caller schedules by these reports; this package never waits by itself. Spellings differ by year and endpoint
(https://developer.zendesk.com/api-reference/introduction/rate-limits/), so names are compared without case and
anything unreadable is left out.
"""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass

ACCOUNT = "account"  # the class of the account-wide limit; all others carry Zendesk's own name, e.g. "tickets-update"
MAX_RETRY_AFTER_S = 86_400.0  # a day: a broken header must not stop an account for good

_ACCOUNT_LIMIT = ("x-rate-limit", "ratelimit-limit", "rate-limit")
_ACCOUNT_REMAINING = ("x-rate-limit-remaining", "ratelimit-remaining", "rate-limit-remaining")
_ACCOUNT_RESET = ("ratelimit-reset", "rate-limit-reset")
_ENDPOINT = re.compile(r"zendesk-rate-?limit-([a-z0-9-]{1,80})")
_PAIR = re.compile(r"(total|remaining|resets)\s*=\s*(\d{1,12})(?:\.\d*)?(?=\s*(?:[;,]|$))", re.IGNORECASE)
_NUMBER = re.compile(r"\s*(\d{1,12})(\.\d{1,6})?\s*")


@dataclass(frozen=True, slots=True)
class LimitReport:
    """One limit as one answer reported it: calls a window, calls left, seconds until it resets; None = not said."""

    limit_class: str
    limit: int | None
    remaining: int | None
    resets_in_s: int | None


def parse_limits(headers: Mapping[str, str]) -> tuple[LimitReport, ...]:
    """Return the reports of one answer: the account's first, then the endpoints' in the order of the headers."""
    lowered = {str(name).lower(): str(value) for name, value in headers.items()}
    account = _read_account(lowered)
    endpoints = [_read_endpoint(name, value) for name, value in lowered.items()]
    return tuple(report for report in (account, *endpoints) if report is not None)


def parse_retry_after(headers: Mapping[str, str]) -> float | None:
    """Return the seconds of ``Retry-After`` (0 to 86,400), or None when it is absent or no number of seconds."""
    value = next((str(value) for name, value in headers.items() if str(name).lower() == "retry-after"), "")
    matched = _NUMBER.fullmatch(value)
    return min(math.ceil(float(value)), MAX_RETRY_AFTER_S) if matched else None


def find_exhausted_class(reports: tuple[LimitReport, ...]) -> str:
    """Return the class a 429 is about: the first that is used up, the account by preference and when in doubt."""
    exhausted = [report.limit_class for report in reports if report.remaining == 0]
    return exhausted[0] if exhausted else ACCOUNT


def _read_account(lowered: Mapping[str, str]) -> LimitReport | None:
    limit, remaining, reset = (
        next((number for name in names if (number := _read_number(lowered.get(name, ""))) is not None), None)
        for names in (_ACCOUNT_LIMIT, _ACCOUNT_REMAINING, _ACCOUNT_RESET)
    )
    return None if limit is None and remaining is None else LimitReport(ACCOUNT, limit, remaining, reset)


def _read_endpoint(name: str, value: str) -> LimitReport | None:
    matched = _ENDPOINT.fullmatch(name)
    pairs = {key.lower(): int(number) for key, number in _PAIR.findall(value)}
    if matched is None or not pairs:
        return None
    return LimitReport(matched[1], pairs.get("total"), pairs.get("remaining"), pairs.get("resets"))


def _read_number(value: str) -> int | None:
    matched = _NUMBER.fullmatch(value)
    return int(matched[1]) if matched else None
