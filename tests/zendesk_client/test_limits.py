"""What Zendesk says of its limits is read in every spelling, and garbage is left out."""

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zendesk_client.limits import LimitReport, find_exhausted_class, parse_limits, parse_retry_after


def test_the_headers_of_2026_give_the_account_and_the_endpoint():
    headers = {
        "X-Rate-Limit": "400",
        "X-Rate-Limit-Remaining": "399",
        "RateLimit-Limit": "400",
        "ratelimit-remaining": "399",
        "ratelimit-reset": "42",
        "Zendesk-RateLimit-Tickets-Update": "total=100; remaining=7; resets=15",
    }
    assert parse_limits(headers) == (
        LimitReport("account", 400, 399, 42),
        LimitReport("tickets-update", 100, 7, 15),
    )


def test_the_spellings_of_2023_mean_the_same():
    headers = {
        "rate-limit": "700",
        "rate-limit-remaining": "650",
        "zendesk-rate-limit-tickets-index": "total=100;remaining=99;resets=1",
    }
    assert parse_limits(headers) == (
        LimitReport("account", 700, 650, None),
        LimitReport("tickets-index", 100, 99, 1),
    )


@pytest.mark.parametrize(
    "value", ["", "soon", "total=; remaining=", "total=ten", "remaining=-3", "9" * 40, "total=1e9", "{}"]
)
def test_garbage_gives_no_report(value):
    assert parse_limits({"x-rate-limit": "many", "zendesk-ratelimit-search-index": value}) == ()


def test_fractions_of_seconds_are_kept_so_that_nobody_calls_too_soon():
    headers = {
        "x-rate-limit": "700",
        "ratelimit-reset": "5.9",
        "zendesk-ratelimit-tickets-update": "total=100; resets=6.2",
    }
    assert parse_limits(headers) == (
        LimitReport("account", 700, None, 5.9),
        LimitReport("tickets-update", 100, None, 6.2),
    )


def test_numbers_that_no_account_reports_are_bounded_or_left_out():
    headers = {"x-rate-limit": "400", "x-rate-limit-remaining": "9" * 12, "ratelimit-reset": "9" * 12}
    assert parse_limits(headers) == (LimitReport("account", 400, None, 86_400),)


def test_a_partly_readable_header_keeps_what_it_says():
    assert parse_limits({"zendesk-ratelimit-search-index": "total=2500; remaining=?; resets=3"}) == (
        LimitReport("search-index", 2500, None, 3),
    )


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("93", 93),
        (" 5 ", 5),
        ("0", 0),
        ("1.2", 1.2),
        ("6.", 6),
        ("999999999", 86_400),
        ("-1", None),
        ("soon", None),
        ("", None),
    ],
)
def test_retry_after_is_read_in_seconds_and_bounded_to_a_day(value, seconds):
    assert parse_retry_after({"RETRY-AFTER": value}) == seconds


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("Mon, 30 Nov 2026 18:01:30 GMT", 90),
        ("Mon, 30 Nov 2026 17:00:00 GMT", 0),
        ("Tue, 30 Nov 2027 18:00:00 GMT", 86_400),
    ],
)
def test_retry_after_may_be_a_date_which_counts_from_that_of_the_answer(value, seconds):
    assert parse_retry_after({"Retry-After": value, "Date": "Mon, 30 Nov 2026 18:00:00 GMT"}) == seconds


@pytest.mark.parametrize("date", ["", "no date"])
def test_without_a_date_of_the_answer_it_counts_from_now(date):
    until = format_datetime(datetime.now(UTC) + timedelta(seconds=100), usegmt=True)
    assert 0 < parse_retry_after({"Retry-After": until, "Date": date}) <= 100


def test_without_retry_after_nothing_is_made_up():
    assert parse_retry_after({}) is None


def test_the_account_is_named_first_when_it_is_used_up():
    reports = (LimitReport("account", 400, 0, 9), LimitReport("tickets-update", 100, 0, 5))
    assert find_exhausted_class(reports) == "account"
    assert find_exhausted_class(reports[1:]) == "tickets-update"
    assert find_exhausted_class(()) == "account"


@given(
    st.dictionaries(
        st.sampled_from(["x-rate-limit", "ratelimit-reset", "zendesk-ratelimit-a", "retry-after", "date"]) | st.text(),
        st.text() | st.datetimes().map(format_datetime),
    )
)
def test_no_headers_make_the_parsers_raise(headers):
    parse_limits(headers)
    seconds = parse_retry_after(headers)
    assert seconds is None or 0 <= seconds <= 86_400
