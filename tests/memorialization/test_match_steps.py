"""The choices that the rules make among what the CRM answers."""

from datetime import UTC, datetime

import pytest

from crm_integrations.providers.base import CRMRecord
from memorialization.match_steps import (
    STEP_SENTENCES,
    StepOutcome,
    Trail,
    ambiguous,
    belongs_to_caller,
    newest_case,
    without,
)

NOW = datetime(2026, 11, 22, 15, 0, tzinfo=UTC)


def case(pk, updated_at="2026-11-22T14:00:00Z", **keys):
    return CRMRecord("ticket", pk, f"Ticket {pk}", {}, updated_at=updated_at, **keys)


@pytest.mark.parametrize(
    ("cases", "chosen"),
    [
        ([], None),
        ([case("1")], "1"),
        ([case("1", "2026-11-22T10:00:00Z"), case("2", "2026-11-22T11:00:00Z")], "2"),
        ([case("1", "2026-11-22T11:00:00+02:00"), case("2", "2026-11-22T10:00:00Z")], "2"),
        ([case("1", "2026-11-20T14:59:59Z")], None),
        ([case("1", "2026-11-20T15:00:00Z")], "1"),
        ([case("1", "2026-11-22T14:00:00")], "1"),
        ([case("1", "")], None),
        ([case("1", "yesterday")], None),
        ([case("1", "", is_closed=True), case("2", is_closed=True)], None),
    ],
    ids=["none", "one", "newest", "offsets", "too old", "just in time", "no offset", "no time", "no date", "closed"],
)
def test_then_that_users_newest_unsolved_ticket_within_n_hours(cases, chosen):
    found = newest_case(cases, now=NOW, age_hours=48)
    assert (found.id if found else None) == chosen


@pytest.mark.parametrize(
    ("owner", "callers", "verdict"),
    [("7", {"7"}, True), ("7", {"7", "8"}, True), ("7", {"8"}, False), ("", {"8"}, None), ("7", set(), None)],
)
def test_whose_case_it_is(owner, callers, verdict):
    assert belongs_to_caller(owner, callers) is verdict


def test_more_than_one_match_of_a_search_never_guesses_and_lists_the_candidates():
    target = ambiguous("search", [case(str(number)) for number in range(12)])
    assert (target.ids, target.reason, target.params) == ((), "ambiguous", {"count": 12})
    assert len(target.candidates) == 10
    assert target.candidates[0] == {"entity_type": "ticket", "id": "0", "title": "Ticket 0"}


def test_what_was_unlinked_is_no_match():
    assert [each.id for each in without([case("1"), case("2")], {"1"})] == ["2"]


def test_every_outcome_has_words():
    assert set(STEP_SENTENCES) == set(StepOutcome)


def test_a_trail_keeps_the_steps_in_order():
    trail = Trail(NOW)
    trail.add("written", StepOutcome.NOTHING)
    trail.add("search", StepOutcome.NO_OPEN_CASE, hours=72)
    at = NOW.isoformat()
    assert trail.steps == [
        {"rule": "written", "outcome": "nothing", "at": at},
        {"rule": "search", "outcome": "no_open_case", "at": at, "params": {"hours": 72}},
    ]
