"""Order of values: a property of the segments and events, never of arrival."""

import itertools
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memorialization.deliveries.field_sheets import FieldSheet
from memorialization.deliveries.precedence import Mark, Precedence, precedence_of_entry
from tests.engine import make_delivery, make_entry, push_all
from tests.factories import make_configuration
from tests.memory_provider import MemoryProvider

START = datetime(2026, 1, 15, 12, tzinfo=UTC)
moments = st.integers(0, 3).map(lambda hours: START + timedelta(hours=hours))
precedences = st.builds(Precedence, moments, st.sampled_from(["a", "b"]), moments)


def test_the_segments_end_counts_before_its_key_and_the_key_before_the_event():
    later = START + timedelta(seconds=1)
    assert Precedence(later, "a", START) > Precedence(START, "b", later)
    assert Precedence(START, "b", START) > Precedence(START, "a", later)
    assert Precedence(START, "a", later) > Precedence(START, "a", START)


def test_a_value_without_a_time_of_its_own_counts_from_the_segments_end():
    assert precedence_of_entry({}, segment_ended_at=START, segment_key="a") == Precedence(START, "a", START)


@given(values=st.lists(precedences, min_size=1, max_size=6))
def test_in_whatever_order_values_arrive_the_highest_one_stands(values):
    """The marks alone decide, as for deliveries that come much too late."""
    standing = None
    for precedence in values:
        entry = make_entry("subject", str(precedence), occurred_at=precedence.occurred_at)
        sheet = FieldSheet([entry], segment_ended_at=precedence.segment_ended_at, segment_key=precedence.segment_key)
        sheet.supersede({"subject": Mark(standing, None)} if standing else {})
        if sheet.pending:
            standing = precedence
    assert standing == max(values)


@pytest.mark.django_db
@pytest.mark.usefixtures("memory_crm")
def test_every_order_of_arrival_leaves_the_same_record(clock):
    ends = [START + timedelta(hours=hours) for hours in range(3)]
    for number, order in enumerate(itertools.permutations(ends)):
        configuration = make_configuration(address=f"account{number}")
        for ended_at in order:
            make_delivery(configuration, make_entry("subject", ended_at.isoformat()), ended_at=ended_at)
            push_all(configuration, clock)
        record = MemoryProvider.accounts[f"account{number}"].records["ticket", "35"]
        assert record == {"subject": ends[-1].isoformat()}, order
