"""Addresses of cards for an agent's desktop: signed, short-lived, and each good for one contact alone.

Whoever has the address sees the card, so it ends half an hour after it was signed, and at once with the intake key that
it was asked for with. The page itself signs the next one while the interaction goes on, up to eight hours after the
first.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.core import signing
from django.urls import reverse

SALT = "dynamic_data.customer_card"
LASTS = timedelta(minutes=30)  # without being renewed
LONGEST = timedelta(hours=8)  # from the first signature, however often it is renewed
RENEWED_AFTER = timedelta(minutes=5)  # younger addresses are used on, so that links on the page stay the same


class AddressExpired(Exception):
    """It was good once."""


class AddressInvalid(Exception):
    """Nobody here signed it."""


@dataclass(frozen=True, slots=True)
class CardAddress:
    """What a signed address says. `key_id`: of the intake key behind it; first signed `opened_at`, last `signed_at`."""

    configuration_id: UUID
    key_id: int
    contact_id: str
    agent_id: str
    language: str
    time_zone: str
    opened_at: datetime
    signed_at: datetime

    @property
    def ends_at(self) -> datetime:
        """When it is no longer good."""
        return min(self.signed_at + LASTS, self.opened_at + LONGEST)

    def renewed(self, now: datetime) -> "CardAddress":
        """The address for the page's next steps."""
        return self if now - self.signed_at < RENEWED_AFTER else replace(self, signed_at=now)


def sign_address(address: CardAddress) -> str:
    """The part of the address that carries the signature."""
    said = [
        str(address.configuration_id),
        address.key_id,
        address.contact_id,
        address.agent_id,
        address.language,
        address.time_zone,
        int(address.opened_at.timestamp()),
        int(address.signed_at.timestamp()),
    ]
    return signing.dumps(said, salt=SALT, compress=True)


def read_address(signed: str, *, now: datetime) -> CardAddress:
    """What was signed. Raises AddressInvalid, AddressExpired."""
    try:
        said: Any = signing.loads(signed, salt=SALT)
        configuration_id, key_id, contact_id, agent_id, language, time_zone, opened_at, signed_at = said
    except (signing.BadSignature, ValueError, TypeError) as error:
        raise AddressInvalid from error
    address = CardAddress(
        UUID(configuration_id),
        key_id,
        contact_id,
        agent_id,
        language,
        time_zone,
        datetime.fromtimestamp(opened_at, tz=now.tzinfo),
        datetime.fromtimestamp(signed_at, tz=now.tzinfo),
    )
    if now >= address.ends_at:
        raise AddressExpired
    return address


def full_address(address: CardAddress) -> str:
    """The whole address, for a desktop elsewhere."""
    return settings.SITE_URL + reverse("customer_card", args=[sign_address(address)])
