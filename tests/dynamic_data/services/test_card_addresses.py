"""Signed addresses of cards (dynamic_data.services.card_addresses)."""

import uuid
from datetime import UTC, datetime, timedelta

import pytest
from django.core import signing

from dynamic_data.services.card_addresses import (
    AddressExpired,
    AddressInvalid,
    CardAddress,
    full_address,
    read_address,
    sign_address,
)

START = datetime(2026, 11, 22, 15, 0, tzinfo=UTC)
ADDRESS = CardAddress(uuid.uuid4(), 7, "415203958123", "39185896", "fr-ca", "America/Toronto", START, START)


def after(**span: float) -> datetime:
    return START + timedelta(**span)


def test_an_address_says_what_was_signed():
    assert read_address(sign_address(ADDRESS), now=after(minutes=29)) == ADDRESS


def test_an_address_ends_after_half_an_hour():
    with pytest.raises(AddressExpired):
        read_address(sign_address(ADDRESS), now=after(minutes=30))


def test_a_renewed_address_goes_on_and_ends_eight_hours_after_the_first():
    address, now = ADDRESS, START
    while now < after(hours=7, minutes=40):
        now += timedelta(minutes=20)
        address = read_address(sign_address(address), now=now).renewed(now)
    assert address.ends_at == after(hours=8)
    with pytest.raises(AddressExpired):
        read_address(sign_address(address), now=after(hours=8))


def test_a_young_address_is_used_on():
    assert ADDRESS.renewed(after(minutes=4)) is ADDRESS
    assert ADDRESS.renewed(after(minutes=6)).signed_at == after(minutes=6)


@pytest.mark.parametrize(
    "signed",
    [
        "",
        "nonsense",
        sign_address(ADDRESS)[:-2],
        "x" + sign_address(ADDRESS),
        signing.dumps(["a", "list"], salt="dynamic_data.customer_card"),
        signing.dumps({"an": "object"}, salt="dynamic_data.customer_card"),
        signing.dumps(list(range(8)), salt="another.use"),
    ],
)
def test_what_was_not_signed_here_for_cards_is_invalid(signed):
    with pytest.raises(AddressInvalid):
        read_address(signed, now=START)


def test_the_whole_address_starts_with_the_products_own(settings):
    settings.SITE_URL = "https://integrations.example.com"
    assert full_address(ADDRESS).startswith("https://integrations.example.com/card/")
