"""What counts as an address or a number, and what only mentions one (memorialization.person_keys)."""

import pytest

from memorialization.person_keys import TEXT_LIMIT, read_address, read_number


@pytest.mark.parametrize(
    "text",
    ["Bob@X.com", " bob@x.com\n", "<bob@x.com>", "Bob <bob@x.com>", '"Roy, Bob" <BOB@x.com>', "mailto:bob@x.com"],
)
def test_an_address_is_read_however_it_is_written(text):
    assert read_address(text) == "bob@x.com"


@pytest.mark.parametrize(
    "text",
    [
        *("", "@", "@x.com", "bob@", "bob", "a@b@x.com"),
        *("bob@x.com, my husband, is ill", "bob@x.com, ann@x.com", "bob@x.com (my husband)", "bob@x.com;"),
        *("Write to bob@x.com", "Bob <bob@x.com> is ill", "bob @ x.com", "x" * TEXT_LIMIT + " <bob@x.com>"),
        "(" * 100_000,  # what readers of mail headers stumble over
    ],
)
def test_a_text_that_mentions_an_address_is_none(text):
    assert read_address(text) == ""


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("+15145550123", "+15145550123"),
        (" (514) 555-0123\n", "(514) 555-0123"),
        ("tel:+1-514-555-0123;ext=3", "+1-514-555-0123"),
        ("sip:+15145550123@sbc.example.com", "+15145550123"),
        ("514.555.0123 ext. 12", "514.555.0123"),
        ("514 555 0123 poste 12", "514 555 0123"),
    ],
)
def test_a_number_is_read_however_it_is_written(text, number):
    assert read_number(text) == number


@pytest.mark.parametrize(
    "text",
    [
        *("", "+", "bob", "Order 5145550123", "My neighbour is 514-555-0123.", "call +1 514 555 0123 back"),
        *("514-555-0123 or 514-555-0199", "514-555-0123, after seven", "5145550123@x.com is mine", "x5145550123"),
        *("1" * (TEXT_LIMIT + 1), "1 " * 100_000),
    ],
)
def test_a_text_that_mentions_a_number_is_none(text):
    assert read_number(text) == ""
