"""Every known way Zendesk says no is read as what it is."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zendesk_client import errors
from zendesk_client.error_parsing import parse_error
from zendesk_client.users import read_identity

FIXTURES = Path(__file__).parent / "fixtures" / "errors"
NOT_ERRORS = {"200_users_me_anonymous", "job_result_update_failed"}  # answers of 200: read by users.py and jobs.py

EXPECTED = {
    "302_login_page": errors.InvalidAnswer,
    "400_idempotency_mismatch": errors.IdempotencyMismatch,
    "400_invalid_attribute": errors.BadRequest,
    "400_invalid_pagination_depth": errors.BadRequest,
    "400_parameter_missing": errors.BadRequest,
    "400_start_time_too_recent": errors.BadRequest,
    "400_too_many_values": errors.BadRequest,
    "401_couldnt_authenticate": errors.Unauthorized,
    "401_invalid_token": errors.Unauthorized,
    "403_missing_scope": errors.MissingScope,
    "403_object_envelope_plan_or_role": errors.Forbidden,
    "404_invalid_endpoint": errors.EndpointNotFound,
    "404_record_not_found": errors.RecordNotFound,
    "409_requester_collision_plain_text": errors.Conflict,
    "409_safe_update_conflict": errors.UpdateConflict,
    "422_blank_value": errors.RecordInvalid,
    "422_closed_ticket": errors.ClosedTicket,
    "422_closed_ticket_by_name": errors.ClosedTicket,
    "422_duplicate_value": errors.RecordInvalid,
    "422_required_to_solve": errors.RecordInvalid,
    "422_search_limit": errors.SearchLimitExceeded,
    "429_account": errors.RateLimited,
    "429_errors_array": errors.RateLimited,
    "429_incremental_export": errors.RateLimited,
    "429_plain_text": errors.RateLimited,
    "429_too_many_jobs": errors.TooManyJobs,
    "503_maintenance_html": errors.Unavailable,
    "503_retry_after": errors.Unavailable,
    "503_search_unavailable": errors.SearchUnavailable,
    "custom_objects_403": errors.Forbidden,
    "custom_objects_404": errors.EndpointNotFound,
    "custom_objects_429": errors.RateLimited,
    "oauth_invalid_client": errors.InvalidClient,
    "oauth_invalid_grant": errors.InvalidGrant,
    "oauth_invalid_scope": errors.InvalidScope,
    "oauth_unauthorized_client": errors.InvalidClient,
}


def parse_fixture(name: str, *, is_write: bool = False) -> errors.ZendeskError:
    told = json.loads((FIXTURES / f"{name}.json").read_text())
    body = told["body"] if isinstance(told["body"], str) else json.dumps(told["body"])
    content_type = told.get("content_type", "application/json")
    return parse_error(told["status"], told.get("headers", {}), content_type, body.encode(), is_write=is_write)


def test_every_fixture_has_an_expectation():
    assert {path.stem for path in FIXTURES.glob("*.json")} == set(EXPECTED) | NOT_ERRORS


@pytest.mark.parametrize(("name", "expected"), EXPECTED.items(), ids=list(EXPECTED))
def test_an_error_situation_becomes_exactly_its_class(name, expected):
    error = parse_fixture(name)
    assert type(error) is expected
    assert error.status == json.loads((FIXTURES / f"{name}.json").read_text())["status"]


def test_an_anonymous_user_is_an_error_although_zendesk_answers_200():
    told = json.loads((FIXTURES / "200_users_me_anonymous.json").read_text())
    with pytest.raises(errors.AnonymousUser) as caught:
        read_identity(told["body"]["user"])
    assert isinstance(caught.value, errors.Unauthorized)


def test_details_name_the_fields_and_their_ids():
    error = parse_fixture("422_required_to_solve")
    assert [detail.ticket_field_id for detail in error.details["base"]] == [360000000001, 360000000002, 360000000003]
    assert error.details["base"][1].ticket_field_type == "FieldInteger"
    assert error.details["base"][0].description == "Assignee: is required when solving a ticket"
    assert error.code == "RecordInvalid"


def test_an_errors_array_keeps_code_and_words():
    error = parse_fixture("custom_objects_403")
    assert error.code == "Forbidden"
    assert error.message == "Insufficient permissions to access custom objects"
    assert error.details["base"][0].code == "Forbidden"


def test_a_plain_text_error_keeps_its_words():
    assert parse_fixture("409_requester_collision_plain_text").message.startswith("Requester creation collision")


def test_html_is_reduced_to_its_words():
    assert parse_fixture("503_maintenance_html").message == "503 Service Unavailable"


@pytest.mark.parametrize(
    ("name", "retry_after_s", "limit_class"),
    [
        ("429_account", 93, "account"),
        ("429_plain_text", 12, "tickets-update"),
        ("429_too_many_jobs", 60, "inflight-jobs"),
        ("custom_objects_429", None, "account"),
    ],
)
def test_a_429_says_how_long_and_which_limit(name, retry_after_s, limit_class):
    error = parse_fixture(name)
    assert error.retry_after_s == retry_after_s
    assert error.limit_class == limit_class


def test_too_many_jobs_is_known_at_any_status():
    body = b'{"error": "TooManyJobs", "description": "Try again later."}'
    for status in (400, 403, 422, 429, 503):
        assert type(parse_error(status, {}, "application/json", body)) is errors.TooManyJobs


@pytest.mark.parametrize("body", [b'{"error": "invalid_grant"}', b'{"error": "RecordNotFound"}', b"", b"<html>"])
@pytest.mark.parametrize(("status", "expected"), [(429, errors.RateLimited), (500, errors.Unavailable)])
def test_the_status_of_a_429_or_5xx_outweighs_its_body(status, expected, body):
    assert type(parse_error(status, {}, "", body)) is expected


def test_retry_after_on_a_503_does_not_make_it_a_rate_limit():
    error = parse_fixture("503_retry_after")
    assert type(error) is errors.Unavailable
    assert error.retry_after_s == 30


@pytest.mark.parametrize("body", [b"", b"<html>nobody here</html>", b'{"error": "Something"}', b"[]", b'"text"'])
def test_a_404_that_does_not_name_a_record_never_says_a_record_is_gone(body):
    assert type(parse_error(404, {}, "text/html", body)) is errors.EndpointNotFound


@pytest.mark.parametrize(
    ("status", "headers", "maybe_applied"),
    [
        (500, {}, True),
        (502, {}, True),
        (504, {}, True),
        (503, {}, True),
        (503, {"retry-after": "5"}, False),
        (408, {}, True),
        (302, {}, True),
        (422, {}, False),
        (429, {}, False),
        (409, {}, False),
    ],
)
def test_only_a_write_with_an_open_outcome_may_have_been_applied(status, headers, maybe_applied):
    assert parse_error(status, headers, "", b"", is_write=True).maybe_applied is maybe_applied
    assert parse_error(status, headers, "", b"", is_write=False).maybe_applied is False


def test_the_request_id_is_kept_for_zendesk_support():
    assert parse_error(500, {"X-Request-Id": "abc-1"}, "", b"").request_id == "abc-1"


def test_tokens_never_reach_the_message():
    secret = "f3" * 32
    body = json.dumps({"error": "Bad", "description": f"Bearer {secret} refresh_token={secret} code {secret}"})
    error = parse_error(400, {}, "application/json", body.encode())
    assert secret not in error.message
    assert secret not in repr(error.details)


def test_what_a_log_would_show_names_status_and_error_but_quotes_nobody():
    error = parse_fixture("422_duplicate_value")
    assert str(error) == "422 RecordInvalid"
    assert repr(error) == "RecordInvalid('422 RecordInvalid')"
    assert "abcdef@example.com" not in f"{error} {error!r} {error.args}"
    assert "abcdef@example.com" in error.details["value"][0].description


def test_an_error_of_our_own_words_shows_them():
    assert str(errors.ConnectionFailed("The connection failed.")) == "The connection failed."


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)
ENVELOPES = st.fixed_dictionaries(
    {}, optional=dict.fromkeys(("error", "errors", "description", "details", "error_description", "message"), JSON)
)


@given(
    status=st.integers(100, 999),
    headers=st.dictionaries(st.text(), st.text(), max_size=4),
    content_type=st.text(),
    body=st.binary(max_size=300) | ENVELOPES.map(lambda value: json.dumps(value).encode()),
)
def test_no_answer_makes_the_parser_raise(status, headers, content_type, body):
    error = parse_error(status, headers, content_type, body, is_write=True)
    assert isinstance(error, errors.ZendeskError)
    assert error.status == status
    assert len(error.message) <= 500
    assert all(isinstance(entries, tuple) for entries in error.details.values())


def test_deeply_nested_json_is_an_error_like_any_other():
    assert type(parse_error(422, {}, "application/json", b"[" * 100_000)) is errors.RecordInvalid
