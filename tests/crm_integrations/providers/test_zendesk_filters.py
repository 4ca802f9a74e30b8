"""Filters as scripts write them for Zendesk."""

import pytest

from crm_integrations.providers.base import SearchCriterion
from crm_integrations.providers.zendesk.filters import read_filter


@pytest.mark.parametrize(
    ("text", "criteria"),
    [
        ("status:open", [SearchCriterion("status", "open")]),
        (
            "status:open requester:John Smith priority:high",
            [
                SearchCriterion("status", "open"),
                SearchCriterion("requester", "John Smith"),
                SearchCriterion("priority", "high"),
            ],
        ),
        (
            'subject:"a b: c" created>2026-01-01T10:00:00Z -tags:vip',
            [
                SearchCriterion("subject", "a b: c"),
                SearchCriterion("created", "2026-01-01T10:00:00Z", ">"),
                SearchCriterion("tags", "vip", is_negated=True),
            ],
        ),
        ("subject:Re: the door", [SearchCriterion("subject", "Re: the door")]),
        ("subject: lost parcel", [SearchCriterion("subject", "lost parcel")]),
        ("custom_field_36: 4 status<=pending", [
            SearchCriterion("custom_field_36", "4"), SearchCriterion("status", "pending", "<=")
        ]),
        ("lost parcel status:new", [SearchCriterion("", "lost parcel"), SearchCriterion("status", "new")]),
        ('-"lost parcel" status:new', [
            SearchCriterion("", "lost parcel", is_negated=True), SearchCriterion("status", "new")
        ]),
        ("requester:Zoé O'Neil-Côté", [SearchCriterion("requester", "Zoé O'Neil-Côté")]),
        ("phone:+1 514 555-0123", [SearchCriterion("phone", "+1 514 555-0123")]),
    ],
)  # fmt: skip
def test_a_filter_is_taken_apart_into_conditions(text, criteria):
    assert read_filter(text) == criteria


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "empty"),
        ("status:", "status has no value"),
        ("status: priority:high", "status has no value"),
        ('subject:""', "subject has no value"),
        ('subject:"a b', "quotation mark"),
        ('subject:"a"b', "quotation mark"),
        ("subject:do*r", "wildcards"),
        ("status:open OR status:new", "AND, OR and NOT"),
        ("status:open order_by:created_at", "order_by sorts"),
        ("subject:" + "x" * 2000, "longer than 2000"),
    ],
)
def test_what_cannot_be_read_is_explained(text, words):
    with pytest.raises(ValueError, match=words):
        read_filter(text)
