"""Erases what is stored of a contact: customers' text goes, the ids that keep things from happening twice stay.

A contact that is marked as erased is never folded or planned again, and what comes of it later is stored without text
(`event_folding`). What waits is skipped. What a worker is sending right now cannot be taken from it: it is skipped when
it comes back, and until then the events stay, so that the contact is found again by whoever repeats the erasure.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime

from django.db import transaction
from django.db.models import Q
from django.utils.crypto import salted_hmac

from crm_integrations.models import FoundRecord, RecordCreation
from crm_integrations.row_inserts import insert_missing
from crm_integrations.services.audit import record_audit
from memorialization.deliveries.outcome_reasons import DeliveryReason
from memorialization.erased_text import bare_entries, bare_event, bare_params, bare_targets, bare_values
from memorialization.models import Attempt, BulkWrite, Contact, Delivery, Interaction, InteractionEvent
from memorialization.services.contact_search import ContactKey
from memorialization.services.delivery_storage import skip_unsent
from memorialization.services.rework_marks import DUE as REWORKS_DUE

State = Delivery.State
ERASED_FLAG = "contact_erased"
DELIVERY_COLUMNS = ("fields", "state", "reason", "reason_params")
INTERACTION_COLUMNS = (
    *("state", "planned_at", "due_at", "values", "script_variables", "search_text", "targets", "flags"),
    *("match_due_at", "match_lease", "match_reason"),
)
ROWS_PER_STATEMENT = 200

Erased = Counter[str]
"""How many: contacts, interactions, deliveries, events; skipped deliveries; deliveries under_way."""


def count_stored(contacts: Sequence[ContactKey]) -> Erased:
    """What there is of these contacts."""
    total: Erased = Counter()
    for configuration_id, contact_id in contacts:
        own = {"configuration": configuration_id, "contact_id": contact_id}
        deliveries = Delivery.objects.filter(
            configuration=configuration_id, interaction__contact__contact_id=contact_id
        )
        events = InteractionEvent.objects.filter(configuration=configuration_id)
        total.update(
            contacts=1,
            interactions=Interaction.objects.filter(contact__in=Contact.objects.filter(**own)).count(),
            deliveries=deliveries.count(),
            unsent=deliveries.filter(state=State.WAITING).count(),
            events=events.filter(contact__in=Contact.objects.filter(**own)).count()
            + events.filter(contact__isnull=True, source_contact_id=contact_id).count(),
        )
    return total


@transaction.atomic
def erase_contact(key: ContactKey, *, now: datetime) -> Erased:
    """Erase one contact, by one transaction. Events are locked before contacts, these before lanes, as folders do."""
    contact = _mark(key, now)
    interactions = list(Interaction.objects.filter(contact=contact).order_by("pk"))
    found = Delivery.objects.filter(interaction__in=interactions).order_by("pk")
    waiting = list(found.filter(state__in=(State.WAITING, State.SENDING)))
    skip_unsent(deliveries=waiting, reason=DeliveryReason.ERASED, now=now)
    deliveries = list(found)
    settled = [delivery for delivery in deliveries if delivery.state != State.SENDING]
    _erase_deliveries(settled)
    _erase_attempts([delivery.pk for delivery in settled])
    _erase_interactions(interactions, now)
    FoundRecord.objects.filter(configuration=key[0], contact_id=key[1]).delete()
    _erase_own_ids(key)
    under_way = len(deliveries) - len(settled)
    before = {delivery.pk for delivery in waiting if delivery.state == State.WAITING}
    return Counter(
        contacts=1,
        interactions=len(interactions),
        deliveries=len(settled),
        skipped=sum(delivery.pk in before and delivery.state == State.SKIPPED for delivery in settled),
        under_way=under_way,
        events=0 if under_way else _erase_events(contact),
    )


def note_erasure(*, key: str, erased: Erased) -> None:
    """Write into the audit trail that it was done, under a keyed hash: whoever knows the key finds it again."""
    name = salted_hmac("erase_contact", key.strip().casefold(), algorithm="sha256").hexdigest()[:32]
    record_audit(actor=None, action="contact_erased", subject=name, details=dict(erased))


def _mark(key: ContactKey, now: datetime) -> Contact:
    """The contact, locked and marked, with the events that wait for it and that nobody is folding."""
    configuration_id, contact_id = key
    waiting = InteractionEvent.objects.filter(
        configuration=configuration_id, source_contact_id=contact_id, contact__isnull=True
    )
    taken = list(waiting.select_for_update(skip_locked=True).order_by("pk").values_list("pk", flat=True))
    contact = None
    while contact is None:  # one that was there and is gone when its lock is free was pruned just now
        insert_missing(Contact, ("configuration_id", "contact_id"), [key], returning=("id",))
        own = Contact.objects.select_for_update().filter(configuration=configuration_id, contact_id=contact_id)
        contact = own.first()
    Contact.objects.filter(pk=contact.pk, erased_at__isnull=True).update(erased_at=now)
    InteractionEvent.objects.filter(pk__in=taken).update(contact=contact, fold_after=None)
    return contact


def _erase_deliveries(deliveries: Sequence[Delivery]) -> None:
    for delivery in deliveries:
        delivery.fields = bare_entries(delivery.fields)
        delivery.reason_params = bare_params(delivery.reason_params)
        if delivery.reason in REWORKS_DUE:
            delivery.state, delivery.reason = State.SKIPPED, DeliveryReason.ERASED
    Delivery.objects.bulk_update(deliveries, DELIVERY_COLUMNS, batch_size=ROWS_PER_STATEMENT)


def _erase_attempts(delivery_ids: Sequence[int]) -> None:
    """The CRM's words and answers; other contacts' deliveries that shared a try lose them too.

    Two erasures at once may share tries and bulk writes: each locks them in the order of their ids.
    """
    shared = Attempt.deliveries.through._default_manager.filter(delivery__in=delivery_ids)
    over = Attempt.objects.filter(pk__in=list(shared.values_list("attempt_id", flat=True)), finished_at__isnull=False)
    _erase_refusals(over.filter(bulk_write__isnull=False).values_list("bulk_write_id", "lane__record_id"))
    locked = over.select_for_update().order_by("pk").values_list("pk", flat=True)
    Attempt.objects.filter(pk__in=list(locked)).update(message="", answer={})


def _erase_refusals(places: Iterable[tuple[int | None, str]]) -> None:
    """The CRM's words about records of bulk writes; all of a bulk write's are one value."""
    records: dict[int | None, set[str]] = defaultdict(set)
    for bulk_write_id, record_id in places:
        records[bulk_write_id].add(record_id)
    concluded = BulkWrite.objects.select_for_update().filter(pk__in=list(records), state=BulkWrite.State.CONCLUDED)
    for bulk in concluded.only("refusals").order_by("pk"):
        refused = records[bulk.pk] & bulk.refusals.keys()
        bulk.refusals |= {record_id: [bulk.refusals[record_id][0], ""] for record_id in refused}
        bulk.save(update_fields=["refusals"])


def _erase_interactions(interactions: Sequence[Interaction], now: datetime) -> None:
    """Nothing of them falls due or is looked for any more; a search under way loses its lease."""
    for row in interactions:
        row.values, row.script_variables = bare_values(row.values), {}
        row.search_text, row.targets = "", bare_targets(row.targets)
        row.state, row.planned_at, row.due_at = Interaction.State.PLANNED, row.planned_at or now, None
        row.match_due_at, row.match_lease, row.match_reason = None, None, ""
        row.flags = list(dict.fromkeys([*row.flags, ERASED_FLAG]))
    Interaction.objects.bulk_update(interactions, INTERACTION_COLUMNS, batch_size=ROWS_PER_STATEMENT)


def _erase_own_ids(key: ContactKey) -> None:
    """The ids that scripts gave new records; not of one that may exist, since only by its id is it found again."""
    creations = RecordCreation.objects.filter(configuration=key[0], contact_id=key[1])
    creations.filter(Q(finished_at__isnull=False) | Q(may_exist=False, lease_until__isnull=True)).update(own_id="")


def _erase_events(contact: Contact) -> int:
    events = list(InteractionEvent.objects.filter(contact=contact).order_by("pk"))
    for event in events:
        event.body, event.ignored_keys = bare_event(event.body), []
    InteractionEvent.objects.bulk_update(events, ("body", "ignored_keys"), batch_size=ROWS_PER_STATEMENT)
    return len(events)
