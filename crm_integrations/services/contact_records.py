"""What workflows found for a contact, until its next search; and what of all that nobody asks for any more."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import QuerySet

from crm_integrations.contact_links import RecordReference
from crm_integrations.models import Configuration, FoundRecord, RecordCreation

FOUND_KEPT = timedelta(days=30)
CREATIONS_KEPT = timedelta(days=365)
ROWS_PER_ROUND = 500
ROUNDS_AT_ONCE = 20  # a search keeps up to fifty rows, and this is done every ten minutes


def keep_found_records(
    *,
    configuration: Configuration,
    contact_id: str,
    workflow: str,
    records: Sequence[RecordReference],
    now: datetime,
) -> None:
    """Keep what the workflow found, in its order, instead of what it found before for the contact."""
    rows = [
        FoundRecord(
            configuration=configuration,
            contact_id=contact_id,
            workflow=workflow,
            entity_type=record.entity_type,
            record_id=record.record_id,
            position=position,
            found_at=now,
        )
        for position, record in enumerate(dict.fromkeys(records))
    ]
    with transaction.atomic():
        Configuration.objects.select_for_update(no_key=True).only("pk").get(
            pk=configuration.pk
        )  # two searches take turns
        FoundRecord.objects.filter(configuration=configuration, contact_id=contact_id, workflow=workflow).delete()
        FoundRecord.objects.bulk_create(
            rows,
            update_conflicts=True,
            unique_fields=["configuration", "contact_id", "entity_type", "record_id"],
            update_fields=["workflow", "position", "found_at"],
        )


def prune_contact_records(*, now: datetime) -> int:
    """Forget what was found a month ago and what was created or refused a year ago; never what is not finished.

    Bounded, so that it never holds up a sweep; how many rows.
    """
    found = FoundRecord.objects.filter(found_at__lt=now - FOUND_KEPT)
    finished = RecordCreation.objects.exclude(state=RecordCreation.State.STARTED)
    return _delete_some(found) + _delete_some(finished.filter(finished_at__lt=now - CREATIONS_KEPT))


def _delete_some(rows: QuerySet[Any]) -> int:
    deleted = 0
    for _round in range(ROUNDS_AT_ONCE):
        old = list(rows.order_by().values_list("pk", flat=True)[:ROWS_PER_ROUND])
        rows.model.objects.filter(pk__in=old).delete()
        deleted += len(old)
        if len(old) < ROWS_PER_ROUND:
            break
    return deleted
