"""Deletes history that is over: whole contacts, with their events, interactions, deliveries and tries.

A contact's state is the fold of all its events, so it goes as a whole or stays as a whole. It goes when nothing was
heard of it and nothing was finished for it since a given time, and nothing is owed any more: no event waits to be
folded, no interaction is open or still looked for, no delivery is unfinished (semantics §6.28). What guards the records
stays: their lanes and marks, so that an old value that comes late never overwrites a newer one; what was created once
for a contact; the audit trail. So does the row of a contact that was erased: what comes late must lose its text.

It may be cut off anywhere and run beside everything else: each transaction takes some contacts that nobody has locked,
looks at them again, and locks lanes before it touches deliveries, like everybody. A folder that waits for such a
contact makes it anew afterwards.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any

from django.db import connection, transaction
from django.db.models import Exists, Model, OuterRef, Q, QuerySet

from crm_integrations.row_sql import places_for, table_of
from crm_integrations.services.audit import record_audit
from memorialization.models import (
    Attempt,
    Contact,
    Delivery,
    FieldMark,
    Interaction,
    InteractionEvent,
    ReplayStep,
)
from memorialization.services.claims import lock_lanes
from memorialization.services.rework_marks import DUE as REWORKS_DUE

EVENT_IDS_KEPT = timedelta(days=30)  # semantics §6.28: so long is a repeated event known for one
PAGE = 1_000  # contacts that are looked at by one statement
CONTACTS_PER_TRANSACTION = 50  # short transactions: on SQLite they keep everybody else waiting
ROWS_PER_STATEMENT = 500

Deleted = Counter[str]
"""How many rows of each kind: contacts, interactions, deliveries, attempts, events."""


def prune_history(*, before: datetime) -> Iterator[Deleted]:
    """Delete what is over since `before`, some contacts at a time; after each time, how much that was."""
    for contact_ids in _find_old(before):
        for start in range(0, len(contact_ids), CONTACTS_PER_TRANSACTION):
            yield _prune(contact_ids[start : start + CONTACTS_PER_TRANSACTION], before)


def count_history(*, before: datetime) -> Iterator[Deleted]:
    """The same without deleting anything. Attempts are not counted: deliveries may share them."""
    for contact_ids in _find_old(before):
        for start in range(0, len(contact_ids), ROWS_PER_STATEMENT):
            part = contact_ids[start : start + ROWS_PER_STATEMENT]
            yield Counter(
                contacts=Contact.objects.filter(pk__in=part, erased_at__isnull=True).count(),
                interactions=Interaction.objects.filter(contact__in=part).count(),
                deliveries=Delivery.objects.filter(interaction__contact__in=part).count(),
                events=InteractionEvent.objects.filter(contact__in=part).count(),
            )


def note_pruning(*, days: int, deleted: Deleted) -> None:
    """Write into the audit trail what was deleted."""
    record_audit(actor=None, action="history_pruned", subject=f"{days} d", details={"days": days, **deleted})


def _find_old(before: datetime) -> Iterator[list[int]]:
    """Contacts that may go, page by page in the order of their ids, which is about that of their times.

    So it ends at the first page of newer ones, and what it passes over again at the next run is what has to stay.
    """
    after, contacts = 0, Contact.objects.order_by("pk").values_list("pk", "created_at")
    while page := list(contacts.filter(pk__gt=after)[:PAGE]):
        old = Contact.objects.filter(pk__gt=after, pk__lte=page[-1][0], created_at__lt=before)
        after = page[-1][0]
        if all(created_at >= before for _pk, created_at in page):
            return
        yield list(_prunable(old, before).order_by("pk").values_list("pk", flat=True))


def _prunable(contacts: QuerySet[Contact], before: datetime) -> QuerySet[Contact]:
    """Those of the contacts of which nothing is owed and nothing is new."""
    events, own = InteractionEvent.objects.order_by(), Interaction.objects.filter(contact=OuterRef("pk"))
    recent = events.filter(contact=OuterRef("pk"), received_at__gte=before)
    unfolded = events.filter(
        contact__isnull=True,
        configuration=OuterRef("configuration"),
        source_contact_id=OuterRef("contact_id"),
    )
    unfinished = own.exclude(state=Interaction.State.PLANNED) | own.filter(match_due_at__isnull=False)
    owed = Delivery.objects.filter(
        Q(state__in=(Delivery.State.WAITING, Delivery.State.SENDING))
        | Q(reason__in=REWORKS_DUE)
        | Q(created_at__gte=before)
        | Q(finished_at__gte=before),
        interaction__contact=OuterRef("pk"),
    )
    return contacts.filter(~Exists(recent), ~Exists(unfolded), ~Exists(unfinished), ~Exists(owed))


@transaction.atomic
def _prune(contact_ids: Sequence[int], before: datetime) -> Deleted:
    """One transaction: those of these contacts that nobody has in hand and that may still go."""
    free = Contact.objects.select_for_update(skip_locked=True).filter(pk__in=contact_ids).order_by("pk")
    locked = list(free.values_list("pk", flat=True))
    found = _prunable(Contact.objects.filter(pk__in=locked), before).values_list("pk", "erased_at")
    contacts = {pk: erased_at is not None for pk, erased_at in found}
    interactions = list(Interaction.objects.filter(contact__in=contacts).values_list("pk", flat=True))
    deliveries = dict(Delivery.objects.filter(interaction__in=interactions).values_list("pk", "lane_id"))
    if lane_ids := sorted({lane_id for lane_id in deliveries.values() if lane_id is not None}):
        lock_lanes(f"id IN ({places_for(lane_ids)})", lane_ids)
    return Counter(
        attempts=_forget_deliveries(list(deliveries)),
        deliveries=len(deliveries),
        interactions=_delete(Interaction, "id", interactions),
        events=_delete(InteractionEvent, "contact_id", list(contacts)),
        contacts=_delete(Contact, "id", [pk for pk, is_erased in contacts.items() if not is_erased]),
    )


def _forget_deliveries(ids: Sequence[int]) -> int:
    """Delete deliveries, untie what stays, and delete tries that no delivery shares any more; how many of these."""
    shared = Attempt.deliveries.through
    tried = set(shared._default_manager.filter(delivery__in=ids).values_list("attempt_id", flat=True))
    FieldMark.objects.filter(delivery__in=ids).update(delivery=None)
    ReplayStep.objects.filter(replay__in=ids).update(replay=None)
    Delivery.objects.filter(pk__in=ids, replay_of__isnull=False).update(replay_of=None)
    _delete(ReplayStep, "delivery_id", ids)
    _delete(shared, "delivery_id", ids)
    _delete(Delivery, "id", ids)
    alone = Attempt.objects.filter(pk__in=tried, deliveries__isnull=True, finished_at__isnull=False)
    return _delete(Attempt, "id", list(alone.order_by().values_list("pk", flat=True)))


def _delete(model: type[Model], column: str, ids: Sequence[Any]) -> int:
    """Delete rows by ids; how many. Django would read every row first, with all that customers said."""
    deleted = 0
    for start in range(0, len(ids), ROWS_PER_STATEMENT):
        part = ids[start : start + ROWS_PER_STATEMENT]
        with connection.cursor() as cursor:
            cursor.execute(f"DELETE FROM {table_of(model)} WHERE {column} IN ({places_for(part)})", part)  # noqa: S608
            deleted += cursor.rowcount
    return deleted
