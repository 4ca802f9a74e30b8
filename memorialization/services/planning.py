"""Planning what a limit made due while nothing was heard of it; what events make due is planned as they are folded."""

import logging
from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from django.db import transaction

from crm_integrations.models import Configuration
from memorialization.models import Contact, Interaction
from memorialization.services.contact_folding import fold_contacts
from memorialization.services.event_folding import DATABASE_TROUBLES, FOLD_AGAIN_AFTER
from memorialization.services.working_configurations import get_working_configuration
from memorialization.unexpected_errors import describe_error

logger = logging.getLogger(__name__)

CONTACTS_PER_TRANSACTION = 50  # short transactions: on SQLite they keep everybody else waiting


def plan_due_interactions(*, now: datetime, limit: int) -> int:
    """Plan interactions whose limit has passed, the longest due first; how many were planned.

    Safe to run twice or at once: each contact is locked and folded anew, so what somebody else planned stays planned.
    """
    planned = 0
    for configuration_id, contact_ids in _due_contacts(now, limit).items():
        for start in range(0, len(contact_ids), CONTACTS_PER_TRANSACTION):
            planned += _plan_contacts(configuration_id, contact_ids[start : start + CONTACTS_PER_TRANSACTION], now)
    return planned


def _due_contacts(now: datetime, limit: int) -> dict[UUID, list[int]]:
    """Contacts with interactions past their limit, by configuration; without an account nothing can be planned."""
    due = (
        Interaction.objects.filter(state=Interaction.State.WAITING, due_at__lte=now)
        .filter(configuration__authentication__isnull=False)
        .exclude(configuration__state=Configuration.State.DELETED)
        .order_by("due_at")
        .values_list("configuration_id", "contact_id")[:limit]
    )
    found: dict[UUID, dict[int, None]] = defaultdict(dict)
    for configuration_id, contact_id in due:
        found[configuration_id][contact_id] = None
    return {configuration_id: sorted(contact_ids) for configuration_id, contact_ids in found.items()}


def _plan_contacts(configuration_id: UUID, contact_ids: Sequence[int], now: datetime) -> int:
    """Plan some contacts together; when that fails, one by one, so that one of them cannot keep back the others."""
    try:
        return _fold_locked(configuration_id, contact_ids, now)
    except DATABASE_TROUBLES as error:
        logger.warning("Interactions could not be planned now: %s.", describe_error(error))
        return 0
    except Exception as error:  # noqa: BLE001 - one contact's fault must not keep back the others
        if len(contact_ids) == 1:
            logger.error("The interactions of contact %s cannot be planned: %s.", contact_ids[0], describe_error(error))
            _come_back_later(contact_ids[0], now)
            return 0
    return sum(_plan_contacts(configuration_id, [contact_id], now) for contact_id in contact_ids)


def _come_back_later(contact_id: int, now: datetime) -> None:
    """Let the others have their turn. The next fold that succeeds works the time out anew, from the events."""
    due = Interaction.objects.filter(contact=contact_id, state=Interaction.State.WAITING, due_at__lte=now)
    due.update(due_at=now + FOLD_AGAIN_AFTER)


@transaction.atomic
def _fold_locked(configuration_id: UUID, contact_ids: Sequence[int], now: datetime) -> int:
    """Contacts that somebody else has locked are being folded right now, so they are passed over."""
    configuration = get_working_configuration(configuration_id)
    locked = Contact.objects.select_for_update(skip_locked=True).filter(pk__in=contact_ids).order_by("pk")
    return fold_contacts(configuration=configuration, contacts=list(locked), now=now)
