"""Sends a test event through the real intake, so that what becomes of it is what becomes of every event."""

from datetime import datetime

from django.db import transaction

from crm_integrations.models import Configuration, User
from crm_integrations.services.audit import record_audit
from memorialization.services.intake import accept_events
from memorialization.studio.sample_events import SampleWish, build_sample, new_contact_id

ORIGIN = "person"


class SampleRefused(Exception):
    """The intake did not take the event; str() says why."""


def send_sample(*, configuration: Configuration, wish: SampleWish, actor: User, now: datetime) -> str:
    """Have the event accepted and somebody woken; the Contact ID to look for. Raises SampleRefused."""
    contact_id = new_contact_id(now)
    payload = build_sample(wish, contact_id=contact_id, now=now)
    with transaction.atomic():
        result = accept_events(configuration=configuration, payloads=[payload], received_at=now, origin=ORIGIN)
        if not result.accepted:
            raise SampleRefused(" ".join(error.message for each in result.rejected for error in each.errors))
        record_audit(
            actor=actor,
            action="test_event_sent",
            subject=contact_id,
            configuration=configuration,
            details={"channel": wish.channel, "record": wish.record.id if wish.record else ""},
        )
    return contact_id
