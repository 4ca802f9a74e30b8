"""What the rows about the CRM read out of its log: who called while he was told to wait."""

import pytest

from tests.faults.rows_crm import _calls_before_retry_after
from tests.faults.zendesk_account import AppliedWrite, LoggedCall


def call(number, at, *, status=200, retry_after="", method="PUT", endpoint="tickets/{id}", fault="status"):
    path = "api/v2/tickets/1"
    return LoggedCall(number, at, method, path, endpoint, status, status == 200, (), fault, retry_after)


def test_a_call_within_the_time_it_was_told_to_wait_is_found():
    found = _calls_before_retry_after([call(1, 10.0, status=429, retry_after="3"), call(2, 11.5)])
    assert found == ["PUT tickets/{id} 1.5 s after “wait 3 s”"]


@pytest.mark.parametrize(
    "later",
    [call(2, 13.0), call(2, 10.3), call(2, 11.5, method="GET"), call(2, 11.5, endpoint="users/{id}")],
    ids=["after the wait", "under way already", "another method", "another endpoint"],
)
def test_other_calls_after_a_refusal_are_fine(later):
    assert not _calls_before_retry_after([call(1, 10.0, status=429, retry_after="3"), later])


def test_a_refusal_without_a_time_says_nothing_about_when_to_call():
    assert not _calls_before_retry_after([call(1, 10.0, status=429), call(2, 11.5)])


def test_only_refusals_that_no_fault_made_count_as_the_limits_own():
    assert call(1, 1.0, status=429, fault="").is_refused
    assert not call(1, 1.0, status=429, fault="status").is_refused
    assert not call(1, 1.0, fault="").is_refused


def test_the_texts_of_a_write_are_its_values_its_tags_and_its_note():
    write = AppliedWrite(1, 1.0, "tickets/1", {"subject": "agent c1", "tags": ["tag_c1"]}, {"body": "note c1"})
    assert write.texts == {"agent c1", "tag_c1", "note c1"}
