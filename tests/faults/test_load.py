"""The load is the same for the same seed, as large as asked, and every report says what it wants."""

from collections import Counter

import pytest

from tests.faults.checker import Kind
from tests.faults.load import Records, Shape, make_reports

RECORDS = [Records("one", ("1", "2", "3"), "360", ("7", "8"), ("9",)), Records("two", ("1", "2"), "360")]


def load(size=200, seed=1, **shape):
    return make_reports(size=size, seed=seed, shape=Shape(accounts=2, **shape), records=RECORDS)


def test_the_same_seed_gives_the_same_load_and_another_seed_another():
    assert load() == load()
    assert load() != load(seed=2)


@pytest.mark.parametrize(("shape", "events"), [({}, 200), ({"copies": 3}, 600), ({"poison": 4}, 200)])
def test_the_load_has_the_size_that_was_asked_for(shape, events):
    reports = load(**shape)
    assert len(reports) == events
    assert len({(report.account, report.event_id) for report in reports}) == 200


def test_there_is_as_much_poison_as_asked_for():
    assert sum(report.is_poison for report in load(poison=4)) == 4
    assert not any(report.is_poison for report in load())


def test_values_are_told_apart_by_their_event():
    claims = [claim for report in load(poison=0) for claim in report.claims]
    assert max(Counter((claim.place, claim.value) for claim in claims).values()) == 1
    assert {claim.kind for claim in claims} == set(Kind)


def test_late_data_outrank_the_segment_they_belong_to_and_no_later_one():
    by_id = {report.event_id: report for report in load(late_share=0.5)}
    late = [report for report in by_id.values() if report.event_id.endswith("-late")]
    assert late
    for report in late:
        first = by_id[report.event_id.replace("-late", "-end")]
        later = [other for other in by_id.values() if other.body["occurredAt"] > report.body["occurredAt"]]
        assert first.claims[0].precedence < report.claims[0].precedence
        assert all(report.claims[0].precedence < claim.precedence for other in later for claim in other.claims)


def test_events_come_out_of_order():
    order = [report.body["occurredAt"] for report in load()]
    assert order != sorted(order)


def test_users_and_organizations_get_their_shares_and_fields_of_their_own():
    reports = load(size=400, notes_share=0.2, late_share=0, users_share=0.4, organizations_share=0.2)
    of_one = [report for report in reports if report.account == "one"]
    roles = Counter(report.role for report in of_one)
    assert set(roles) == {"fields", "notes", "users", "organizations"}
    assert roles["users"] > roles["organizations"]
    for report in of_one:
        link = report.body["records"][0]
        assert {claim.record for claim in report.claims} == {f"{link['entityType']}s/{link['id']}"}
        if report.role in ("users", "organizations"):
            assert {claim.field for claim in report.claims} <= {"details", "notes"}


def test_an_account_without_users_has_only_tickets_whatever_the_shape_says():
    reports = load(size=400, users_share=0.9)
    assert {report.role for report in reports if report.account == "two"} == {"fields", "notes"}


def test_callers_are_named_by_their_external_id_and_linked_by_nobody():
    reports = load(size=400, late_share=0, users_share=0.6, callers_share=0.5)
    assert {report.role for report in reports} == {"fields", "notes", "users", "callers"}
    for report in reports:
        if report.role == "callers":
            name = report.body["scriptVariables"]["customer"]
            assert "records" not in report.body
            assert {f"made-{claim.record.removeprefix('users/')}" for claim in report.claims} == {name}
