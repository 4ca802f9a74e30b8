"""Search queries: whatever a value holds, it stays one value of its own property."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from demo.zendesk.search_query import parse_query
from zendesk_client import SearchTerm
from zendesk_client.record_types import TICKET, USER
from zendesk_client.search_terms import build_filter, build_search


@pytest.mark.parametrize(
    ("term", "query"),
    [
        (SearchTerm("status", "open"), "status:open"),
        (SearchTerm("status", "solved", "<"), "status<solved"),
        (SearchTerm("created_at", "2026-01-01T10:00:00Z", ">="), "created>=2026-01-01T10:00:00Z"),
        (SearchTerm("tags", "vip", is_negated=True), "-tags:vip"),
        (SearchTerm("requester_id", "12"), "requester:12"),
        (SearchTerm("requester", "x@example.com"), "requester:x@example.com"),
        (SearchTerm("requester", "John Smith"), 'requester:"John Smith"'),
        (SearchTerm("subject", "Re: door"), 'subject:"Re: door"'),
        (SearchTerm("subject", 'a" status:solved "b'), 'subject:"a status:solved b"'),
        (SearchTerm("subject", "door*"), 'subject:"door"'),
        (SearchTerm("subject", "-vip"), 'subject:"-vip"'),
        (SearchTerm("custom_field_36", "CASE-1"), "custom_field_36:CASE-1"),
        (SearchTerm("", "lost parcel"), '"lost parcel"'),
        (SearchTerm("", "parcel", is_negated=True), '-"parcel"'),
        (SearchTerm("type", "incident"), "ticket_type:incident"),
    ],
)
def test_a_term_is_quoted_when_it_needs_to_be(term, query):
    assert build_search(TICKET, [term]) == f"type:ticket {query}"


def test_the_record_type_is_never_widened():
    assert build_search(TICKET, [SearchTerm("type", "ticket")]) == "type:ticket"
    assert build_search(TICKET, [SearchTerm("type", "user")]) == "type:ticket ticket_type:user"
    with pytest.raises(ValueError, match="type"):
        build_search(USER, [SearchTerm("type", "ticket")])


@pytest.mark.parametrize(
    "term",
    [
        SearchTerm("", ' "*\\ '),
        SearchTerm("status", ""),
        SearchTerm("a b", "x"),
        SearchTerm("subject:x status", "x"),
        SearchTerm("status", "x", "~"),
        SearchTerm("order_by", "created_at"),
    ],
)
def test_what_is_no_condition_is_refused(term):
    with pytest.raises(ValueError, match=r".{5}"):
        build_search(TICKET, [term])
    with pytest.raises(ValueError, match=r".{5}"):
        build_search(TICKET, [SearchTerm("status", "open"), term])


@given(st.text(max_size=40), st.sampled_from(["subject", "", "requester"]), st.booleans())
def test_no_value_breaks_out_of_its_property(value, field, is_negated):
    try:
        query = build_search(TICKET, [SearchTerm(field, value, is_negated=is_negated), SearchTerm("status", "open")])
    except ValueError:
        return
    first, found, last = parse_query(query)
    assert (first.name, first.value, last.name, last.value) == ("type", "ticket", "status", "open")
    assert (found.name, found.is_negated) == (field, is_negated)


def test_records_of_custom_objects_are_filtered_by_their_fields():
    terms = [SearchTerm("color", 'red "x"'), SearchTerm("created_at", "2026-01-01", ">"), SearchTerm("", "Volvo")]
    conditions, words = build_filter(terms)
    assert words == "Volvo"
    assert conditions == {
        "$and": [{"custom_object_fields.color": {"$eq": 'red "x"'}}, {"created_at": {"$gt": "2026-01-01"}}]
    }
    assert build_filter([SearchTerm("name", "A", is_negated=True)]) == ({"name": {"$noteq": "A"}}, "")
    with pytest.raises(ValueError, match="sign"):
        build_filter([SearchTerm("name", "A", "<", is_negated=True)])
