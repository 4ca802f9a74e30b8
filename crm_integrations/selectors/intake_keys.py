"""Intake keys as pages show them."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q, QuerySet
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from crm_integrations.models import Configuration, IntakeKey

STATE_LABELS: Mapping[str, str | Promise] = {
    "active": _("Active"),
    "waiting": _("Being replaced"),
    "expired": _("Ended"),
    "revoked": _("Revoked"),
}


@dataclass(frozen=True, slots=True)
class KeyRow:
    """A key with its state at a moment: active, waiting (for the end of its rotation), expired or revoked."""

    key: IntakeKey
    state: str

    @property
    def state_label(self) -> str | Promise:
        """The state in words."""
        return STATE_LABELS[self.state]

    @property
    def is_usable(self) -> bool:
        """Whether a sender can still use it."""
        return self.state in {"active", "waiting"}


def readable_keys(configuration: Configuration) -> QuerySet[IntakeKey]:
    """The configuration's keys, newest first, without their secrets."""
    return configuration.intake_keys.defer("secret").order_by("-id")


def key_rows(configuration: Configuration, *, now: datetime) -> list[KeyRow]:
    """All keys, usable ones first."""
    rows = [KeyRow(key, key_state(key, now=now)) for key in readable_keys(configuration)]
    return sorted(rows, key=lambda row: not row.is_usable)


def key_state(key: IntakeKey, *, now: datetime) -> str:
    """What a sender would find with the key now."""
    if key.revoked_at:
        return "revoked"
    if key.expires_at is None:
        return "active"
    return "waiting" if key.expires_at > now else "expired"


def has_usable_key(configuration: Configuration, *, now: datetime) -> bool:
    """Whether anything can send events to the configuration."""
    rows = configuration.intake_keys.filter(Q(expires_at=None) | Q(expires_at__gt=now), revoked_at=None)
    return rows.exists()
