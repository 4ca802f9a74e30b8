"""Links and unlinks records by hand: a person's act becomes an event like any other, so every rule holds for it."""

from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from crm_integrations.error_explanations import explain_crm_error
from crm_integrations.models import Configuration, User
from crm_integrations.providers.errors import CRMError, Reauthenticate, RecordGone
from crm_integrations.services.audit import record_audit
from crm_integrations.services.connections import run_on_connection
from memorialization.events.schema import RecordLink
from memorialization.models import Interaction
from memorialization.services.linking import change_link

ORIGIN = "person"
CLOSED = _("The record is closed in the CRM and may take no changes.")


class RecordMissing(Exception):
    """The CRM says that there is no such record, or that the system user may not see it."""


class RecordUnchecked(Exception):
    """The CRM could not be asked, or the record may take no changes; str() says it in words."""


def check_record(*, configuration: Configuration, record: RecordLink) -> None:
    """Ask the CRM for the record. Call it outside a transaction. Raises RecordMissing, RecordUnchecked."""
    authentication = configuration.authentication
    if authentication is None:
        raise RecordUnchecked(explain_crm_error(Reauthenticate("")))
    try:
        found = run_on_connection(
            authentication=authentication, act=lambda live: live.get_records(record.entity_type, [record.id])
        )
    except RecordGone as error:
        raise RecordMissing from error
    except CRMError as error:
        raise RecordUnchecked(explain_crm_error(error)) from error
    if record.id not in found:
        raise RecordMissing
    if found[record.id].is_closed:
        raise RecordUnchecked(str(CLOSED))


def link_record(*, interaction: Interaction, record: RecordLink, event_id: UUID, actor: User, now: datetime) -> bool:
    """Tie the record to the interaction and plan what follows from it; False when this very act was done before."""
    return _report("record_linked", interaction, record, event_id, actor, now, is_linked=True)


def unlink_record(*, interaction: Interaction, record: RecordLink, event_id: UUID, actor: User, now: datetime) -> bool:
    """Untie the record: what was not sent is skipped, what was written stays. False when it was done before."""
    return _report("record_unlinked", interaction, record, event_id, actor, now, is_linked=False)


def _report(
    action: str,
    interaction: Interaction,
    record: RecordLink,
    event_id: UUID,
    actor: User,
    now: datetime,
    *,
    is_linked: bool,
) -> bool:
    with transaction.atomic():
        result = change_link(
            interaction=interaction,
            record={"entityType": record.entity_type, "id": record.id},
            is_linked=is_linked,
            now=now,
            origin=ORIGIN,
            event_id=f"person-{event_id}",
        )
        if not result.accepted:
            return False
        record_audit(
            actor=actor,
            action=action,
            subject=f"{record.entity_type} {record.id}",
            configuration=interaction.configuration,
            details={"interaction": interaction.pk},
        )
    return True
