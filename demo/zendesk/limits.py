"""Zendesk's request limits: which bucket a call spends from, the headers that report it, the 429 when it is empty.

A window begins with the first call in it and lasts its length whatever happens; Retry-After and `resets` are the rest
of it. They are real seconds, whole ones rounded up, or with `is_precise` tenths of a second rounded up (`demo_time`).
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from demo.zendesk.demo_time import wait_text

UNLIMITED = 100_000  # what a switched-off limit reports, so that clients that trust the headers run free
WINDOWS_KEPT = 5_000
INFLIGHT = "inflight-jobs"


@dataclass(frozen=True)
class Bucket:
    """`per` says who shares it: the account, user and record, or the record alone; `shape` the body of its 429."""

    total: int
    window_s: int
    per: str
    shape: str
    words: str


# https://developer.zendesk.com/api-reference/introduction/rate-limits/ and the headers seen in recorded traffic
BUCKETS = {
    "account": Bucket(700, 60, "account", "json", "Number of allowed API requests per minute exceeded"),
    "tickets-update": Bucket(
        100, 60, "account", "json", "Number of allowed ticket update requests per minute exceeded"
    ),
    "per-ticket-updates": Bucket(30, 600, "user_record", "text", "Too many updates to this ticket. Try again later."),
    "tickets-index": Bucket(100, 60, "account", "json", "Number of allowed ticket list requests per minute exceeded"),
    "create-update-user": Bucket(5, 60, "record", "empty", ""),
    "users-update": Bucket(1, 1, "account", "text", "Too many requests to update users"),
    "organization-update": Bucket(5, 60, "record", "errors", "Too many requests to update"),
    "ticket-fields-index": Bucket(20, 60, "account", "json", "Number of allowed ticket field requests exceeded"),
    "search-index": Bucket(2500, 60, "account", "json", "Number of allowed search requests per minute exceeded"),
    INFLIGHT: Bucket(30, 60, "jobs", "json", ""),
}
PLANS: dict[str, dict[str, int]] = {
    "team": {"account": 200},
    "growth": {"account": 400},
    "professional": {"account": 400},
    "enterprise": {"account": 700},
    "enterprise_plus": {"account": 2500},
    "trial": {"account": 400, "tickets-update": 20},
    "high_volume": {"account": 2500, "tickets-update": 300, "tickets-index": 300},
}


class LimitExceeded(Exception):
    """A bucket is empty."""

    def __init__(self, name: str, body: Any, headers: dict[str, str]) -> None:
        super().__init__("limit exceeded")
        self.name = name
        self.body = body
        self.headers = headers


class LimitBook:
    """The limits of one account and how much of them is spent."""

    def __init__(self, scale: float = 1) -> None:
        self.scale = scale
        self.is_precise = False
        self.enabled = True
        self.plan = "enterprise"
        self.values: dict[str, int] = {}
        self._windows: dict[tuple[str, str], tuple[float, int]] = {}
        self._forget_at = WINDOWS_KEPT

    def total(self, name: str) -> int:
        """How much the bucket holds."""
        if not self.enabled:
            return UNLIMITED
        return self.values.get(name, PLANS[self.plan].get(name, BUCKETS[name].total))

    def spend(self, names: tuple[str, ...], *, record: str, user: str, now: datetime) -> dict[str, str]:
        """Take one call out of each bucket, or out of none; returns the headers. Raises LimitExceeded."""
        at = now.timestamp()
        keys = [(name, _sharing_key(BUCKETS[name].per, record, user)) for name in ("account", *names)]
        for key in keys:
            start, used = self._window(key, at)
            if used >= self.total(key[0]):
                raise self._refusal(key, start + BUCKETS[key[0]].window_s - at, at)
        for key in keys:
            start, used = self._window(key, at)
            self._windows[key] = (start, used + 1)
        if len(self._windows) > self._forget_at:
            self._forget_ended(at)
        return self._headers(keys, at)

    def usage(self, now: datetime) -> list[dict[str, Any]]:
        """Every bucket in use, for the switchboard."""
        at = now.timestamp()
        live = [(key, *self._window(key, at)) for key in self._windows]
        return [
            {"name": name, "key": key, "used": used, "total": self.total(name), "started": start}
            for (name, key), start, used in live
            if used
        ]

    def export(self) -> dict[str, Any]:
        """The configuration as JSON."""
        return {"enabled": self.enabled, "plan": self.plan, "values": dict(self.values)}

    def restore(self, value: dict[str, Any]) -> None:
        """Take over a configuration; unknown plans and buckets are ignored. Spent amounts are forgotten."""
        self.enabled = bool(value.get("enabled", self.enabled))
        self.plan = value["plan"] if value.get("plan") in PLANS else self.plan
        given = value.get("values")
        if isinstance(given, dict):
            self.values = {name: int(total) for name, total in given.items() if name in BUCKETS}
        self._windows = {}

    def wait_text(self, demo_s: float) -> str:
        """A duration as headers say it."""
        return wait_text(demo_s, self.scale, is_precise=self.is_precise)

    def job_headers(self, left: int) -> dict[str, str]:
        """What is left of the bulk jobs that may be queued or running."""
        total, resets = self.total(INFLIGHT), self.wait_text(BUCKETS[INFLIGHT].window_s)
        return {f"zendesk-ratelimit-{INFLIGHT}": f"total={total}; remaining={max(0, left)}; resets={resets}"}

    def _window(self, key: tuple[str, str], at: float) -> tuple[float, int]:
        start, used = self._windows.get(key, (at, 0))
        return (start, used) if at < start + BUCKETS[key[0]].window_s else (at, 0)

    def _headers(self, keys: list[tuple[str, str]], at: float) -> dict[str, str]:
        headers: dict[str, str] = {}
        for key in keys:
            name = key[0]
            start, used = self._window(key, at)
            total, resets = self.total(name), self.wait_text(start + BUCKETS[name].window_s - at)
            left = max(0, total - used)
            headers |= report(name, total, left, resets)
        return headers

    def _refusal(self, key: tuple[str, str], wait_s: float, at: float) -> LimitExceeded:
        bucket = BUCKETS[key[0]]
        account = ("account", "account")
        headers = self._headers([account] if key == account else [account, key], at)
        told = headers | {"Retry-After": self.wait_text(wait_s)}
        return LimitExceeded(key[0], refusal_body(bucket.shape, bucket.words), told)

    def _forget_ended(self, at: float) -> None:
        self._windows = {key: value for key, value in self._windows.items() if at < value[0] + BUCKETS[key[0]].window_s}
        self._forget_at = max(WINDOWS_KEPT, 2 * len(self._windows))  # or every call would look through all of them


def report(name: str, total: int, left: int, resets: str) -> dict[str, str]:
    """The headers about one limit."""
    if name != "account":
        return {f"zendesk-ratelimit-{name}": f"total={total}; remaining={left}; resets={resets}"}
    headers = {"x-rate-limit": str(total), "x-rate-limit-remaining": str(left)}
    return headers | {"ratelimit-limit": str(total), "ratelimit-remaining": str(left), "ratelimit-reset": resets}


def claimed_headers(name: str, total: int, wait: str | None) -> dict[str, str]:
    """What a fault says about a limit that it claims to be used up."""
    return report(name, total, 0, wait or str(BUCKETS[name].window_s))


def refusal_body(shape: str, words: str) -> Any:
    """The body of a 429: Zendesk uses several."""
    shapes: dict[str, Any] = {
        "json": {"error": "APIRateLimitExceeded", "description": words},
        "errors": {"errors": [{"code": "TooManyRequests", "title": words}]},
        "text": words,
        "empty": None,
    }
    return shapes[shape]


def _sharing_key(per: str, record: str, user: str) -> str:
    return {"account": "account", "record": record, "user_record": f"{user}@{record}"}[per]
