"""People paste all sorts of things; only accounts under zendesk.com come out."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from zendesk_client.subdomain import REASONS, SUBDOMAIN, InvalidSubdomain, check_subdomain, normalize_subdomain


@pytest.mark.parametrize(
    "text",
    [
        "ven12345",
        "VEN12345",
        "  ven12345\t",
        "ven12345.",
        "ven12345/",
        "ven12345.zendesk.com",
        "Ven12345.Zendesk.COM.",
        "ven12345.zendesk.com//",
        "https://ven12345.zendesk.com",
        "https://ven12345.zendesk.com/",
        "http://ven12345.zendesk.com",
        "https://ven12345.zendesk.com/agent/tickets/1?x=https://evil.example/#y@z:1",
        "//ven12345.zendesk.com/agent",
        "ven12345.zendesk.com/agent/dashboard",
        "ven12345.zendesk.com?brand=1",
    ],
)
def test_whatever_names_the_account_gives_its_subdomain(text):
    assert normalize_subdomain(text) == "ven12345"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "empty"),
        ("   ", "empty"),
        ("https://ven.zendesk.com@evil.com", "credentials"),
        ("https://evil.com@ven.zendesk.com", "credentials"),
        ("https://ven.zendesk.com:8443/", "port"),
        ("ven.zendesk.com:443", "port"),
        ("127.0.0.1", "foreign_host"),
        ("https://10.0.0.1/", "foreign_host"),
        ("http://[::1]/", "port"),
        ("evil.com", "foreign_host"),
        ("evil.com/x?.zendesk.com", "foreign_host"),
        ("https://evil.com/ven.zendesk.com", "foreign_host"),
        ("https://evil.com#.zendesk.com", "foreign_host"),
        ("https://evil.com?ven.zendesk.com", "foreign_host"),
        ("https://evil", "foreign_host"),
        ("evil/x", "foreign_host"),
        ("ven.zendesk.com.evil.com", "foreign_host"),
        ("venzendesk.com", "foreign_host"),
        ("a.b.zendesk.com", "foreign_host"),
        ("help.acme.org", "foreign_host"),
        ("https://evil.com\\.zendesk.com", "characters"),
        ("ven_123", "characters"),
        ("-ven", "characters"),
        ("ven-.zendesk.com", "characters"),
        ("v" * 64, "characters"),
        ("two words", "characters"),
        ("ven\n.zendesk.com", "characters"),
        ("vеn12345", "characters"),  # a Cyrillic е
        ("ven12345。zendesk。com", "characters"),
        ("ftp://ven.zendesk.com", "scheme"),
        ("javascript://ven.zendesk.com", "scheme"),
        ("zendesk.com", "foreign_host"),
        ("https://.zendesk.com", "characters"),
        ("www.zendesk.com", "reserved"),
    ],
)
def test_anything_else_is_refused_with_its_reason(text, reason):
    with pytest.raises(InvalidSubdomain) as caught:
        normalize_subdomain(text)
    assert caught.value.reason == reason
    assert str(caught.value) == REASONS[reason]


PIECES = st.sampled_from(
    ["https://", "//", "ven", ".zendesk.com", "evil.com", "@", ":", "/", "?", "#", ".", "-", "[", "]", "\\", "%2e", " "]
)


@given(st.text() | st.lists(PIECES, max_size=8).map("".join))
@example("https://[")
@example("ｖｅｎ.zendesk.com")
def test_a_result_is_always_a_plain_subdomain(text):
    try:
        result = normalize_subdomain(text)
    except InvalidSubdomain:
        return
    assert SUBDOMAIN.fullmatch(result)
    assert normalize_subdomain(result) == result


def test_a_stored_subdomain_is_checked_without_being_changed():
    assert check_subdomain("ven-1") == "ven-1"
    for text in ("VEN", "ven.zendesk.com", "ven\n", ""):
        with pytest.raises(InvalidSubdomain):
            check_subdomain(text)
