"""Zendesk's limits as it documents them, and which of them a request spends.

Sources: https://developer.zendesk.com/api-reference/introduction/rate-limits/ and the headers of recorded traffic,
whose names the classes carry. The first answers correct what a plan allows. Some are documented nowhere: these have no
size, and let everything through until they refuse a call.
"""

import re
from collections.abc import Iterable

from crm_integrations.providers.limits import CallGate, CallLimit, LimitReport, LimitScope
from zendesk_client import (
    ACCOUNT,
    FinishedCall,
    InvalidAnswer,
    NoAnswer,
    RateLimited,
    SearchUnavailable,
    Unavailable,
)
from zendesk_client import LimitReport as ZendeskLimitReport

JOBS = "inflight-jobs"
LIMITS = (
    CallLimit(ACCOUNT, 700, 60),
    CallLimit("tickets-update", 100, 60),
    CallLimit("users-update", 1, 1),
    CallLimit("ticket-fields-index", 20, 60),
    CallLimit("tickets-index", 100, 60),
    CallLimit("search-index", 2500, 60),
    CallLimit("tickets-create", None, 60),
    CallLimit("custom-objects", None, 60),
    CallLimit("per-ticket-updates", 30, 600, LimitScope.RECORD),
    CallLimit("create-update-user", 5, 60, LimitScope.RECORD),
    CallLimit("organization-update", 5, 60, LimitScope.RECORD, is_told=False),
    CallLimit(JOBS, 30, 60, LimitScope.IN_FLIGHT),
)
SCOPES = {limit.limit_class: limit.scope for limit in LIMITS}
WRITES = {
    "ticket": (ACCOUNT, "tickets-update", "per-ticket-updates"),
    "user": (ACCOUNT, "users-update", "create-update-user"),
    "organization": (ACCOUNT, "organization-update"),
}
CUSTOM_OBJECTS = (ACCOUNT, "custom-objects")
BULK = (ACCOUNT, JOBS)
REQUESTS: tuple[tuple[re.Pattern[str], tuple[str, ...]], ...] = (
    (re.compile(r"PUT /api/v2/(tickets|users|organizations)/update_many"), BULK),
    (re.compile(r"POST /api/v2/custom_objects/[^/]+/jobs"), BULK),
    (re.compile(r"[A-Z]+ /api/v2/custom_objects(/.*)?"), CUSTOM_OBJECTS),
    (re.compile(r"POST /api/v2/tickets"), (ACCOUNT, "tickets-create")),
    (re.compile(r"(PUT|POST|DELETE) /api/v2/tickets/\d+(/tags)?"), WRITES["ticket"]),
    (re.compile(r"PUT /api/v2/users/\d+"), WRITES["user"]),
    (re.compile(r"POST /api/v2/users"), (ACCOUNT, "users-update")),
    (re.compile(r"PUT /api/v2/organizations/\d+"), WRITES["organization"]),
    (re.compile(r"GET /api/v2/ticket_fields"), (ACCOUNT, "ticket-fields-index")),
    (re.compile(r"GET /api/v2/tickets"), (ACCOUNT, "tickets-index")),
    (re.compile(r"GET /api/v2/(users/)?search"), (ACCOUNT, "search-index")),
)
"""Whole request lines; what is not here spends the account's limit alone."""
FAILURES = (NoAnswer, Unavailable, InvalidAnswer)


def request_classes(method: str, path: str) -> tuple[str, ...]:
    """The limits that a request spends."""
    line = f"{method} {path}"
    return next((classes for pattern, classes in REQUESTS if pattern.fullmatch(line)), (ACCOUNT,))


def write_classes(entity_type: str, *, is_bulk: bool) -> tuple[str, ...]:
    """The limits that one write of a record type spends."""
    return BULK if is_bulk else WRITES.get(entity_type, CUSTOM_OBJECTS)


def build_reports(reports: Iterable[ZendeskLimitReport]) -> list[LimitReport]:
    """The client's reports as the port's, with who shares each limit."""
    return [
        LimitReport(
            report.limit_class,
            report.limit,
            report.remaining,
            report.resets_in_s,
            SCOPES.get(report.limit_class, LimitScope.ACCOUNT),
        )
        for report in reports
    ]


def leave_gate(gate: CallGate, call: FinishedCall) -> None:
    """Tell the gate how a request ended."""
    error = call.error
    is_refused = isinstance(error, RateLimited)
    gate.leave(
        reports=build_reports(call.limits),
        refused=_find_refusing(call, error) if isinstance(error, RateLimited) else "",
        retry_after_s=error.retry_after_s if isinstance(error, RateLimited) else None,
        has_failed=_has_failed(call),
        words=error.message if error is not None and is_refused else "",
    )


def _has_failed(call: FinishedCall) -> bool:
    """Whether Zendesk is down for the account. Its search alone is no reason to write nothing."""
    is_search_alone = isinstance(call.error, SearchUnavailable) and "search" in call.path
    return isinstance(call.error, FAILURES) and not is_search_alone


def _find_refusing(call: FinishedCall, error: RateLimited) -> str:
    """The limit a 429 is about: what it names, else what the request spends besides those with calls left.

    Some refusals name none while the account has calls left: then the account as a whole may go on. One that names a
    limit of which nobody knows which requests spend it blocks the narrowest that this request is known to spend.
    """
    spent = request_classes(call.method, call.path)
    if error.limit_class not in spent and SCOPES.get(error.limit_class) is not LimitScope.RECORD:
        return [name for name in spent if SCOPES[name] is LimitScope.ACCOUNT][-1]
    left = {report.limit_class: report.remaining for report in call.limits}
    if error.limit_class != ACCOUNT or not left.get(ACCOUNT):
        return error.limit_class
    return next((name for name in spent if not left.get(name)), ACCOUNT)
