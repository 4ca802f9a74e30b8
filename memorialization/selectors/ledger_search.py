"""The ledger's text filter: ids of contacts, events and records through their indexes, then words of the newest rows.

Customers' text is never searched. An id that is found exactly wins, whatever its age. Anything else – part of an id,
an agent, an Interaction ID – is looked for in `Interaction.search_text` (lower case) of the newest rows of the days
asked for, so that no search reads a whole table.
"""

from functools import reduce
from operator import or_
from typing import Any

from django.db.models import Q, QuerySet

from crm_integrations.models import CatalogueSnapshot, Configuration, CRMAccount
from memorialization.models import Contact, Delivery, Interaction, InteractionEvent, MappedEntity, RecordLane

RECENT_ROWS = 100_000  # how far back part of a word is looked for: a fraction of a second on both databases
MATCHES_LIMIT = 500  # of one exact id; more rows than that are no page that anybody reads
PRESENT = Q(state__in=[state for state in Configuration.State if state != Configuration.State.DELETED])


def narrow_deliveries(rows: QuerySet[Delivery], text: str) -> QuerySet[Delivery]:
    """Those that `text` names. Small sets of ids come first, so that each filter is one index look-up."""
    contacts, lanes, named = find_contacts(text), find_lanes(text), _laneless_ids(text)
    if contacts:
        named += _first(Delivery.objects.filter(interaction__contact__in=contacts), "pk")
    if contacts or lanes or named:
        return rows.filter(_any_of(("lane__in", lanes), ("pk__in", named)))
    return _recent(rows).filter(interaction__search_text__contains=text.lower())


def narrow_interactions(rows: QuerySet[Interaction], text: str) -> QuerySet[Interaction]:
    """The same for interactions: a record finds those that are written to it."""
    contacts, lanes, laneless = find_contacts(text), find_lanes(text), _laneless_ids(text)
    written = _any_of(("lane__in", lanes), ("pk__in", laneless))
    interactions = _first(Delivery.objects.filter(written), "interaction_id") if lanes or laneless else []
    if contacts or interactions:
        return rows.filter(_any_of(("contact__in", contacts), ("pk__in", interactions)))
    return _recent(rows).filter(search_text__contains=text.lower())


def find_contacts(text: str) -> list[int]:
    """Contacts that have this Contact ID, or an event of this id; each an index look-up per configuration."""
    present = list(Configuration.objects.filter(PRESENT).values_list("pk", flat=True))
    named = Contact.objects.filter(configuration__in=present, contact_id=text).values_list("pk", flat=True)
    events = InteractionEvent.objects.filter(configuration__in=present, event_id=text)
    return [*named[:MATCHES_LIMIT], *events.values_list("contact_id", flat=True)[:MATCHES_LIMIT]]


def find_lanes(text: str) -> list[int]:
    """Records of this id in any account, of any type that is mapped or whose fields were ever read."""
    accounts = list(CRMAccount.objects.values_list("pk", flat=True))
    types = set(MappedEntity.objects.values_list("entity_type", flat=True).distinct())
    types |= set(CatalogueSnapshot.objects.values_list("entity_type", flat=True).distinct())
    lanes = RecordLane.objects.filter(account__in=accounts, entity_type__in=types, record_id=text)
    return list(lanes.values_list("pk", flat=True)[:MATCHES_LIMIT])


def _laneless_ids(text: str) -> list[int]:
    """Newest deliveries to this record that had nothing to write: they have a record and no lane."""
    return _first(_recent(Delivery.objects.all()).filter(lane=None, record_id=text), "pk")


def _any_of(*criteria: tuple[str, list[int]]) -> Q:
    """Any of these; an empty one is left out, because databases read the whole table for an OR they cannot split."""
    wanted = [Q((column, ids)) for column, ids in criteria if ids]
    return reduce(or_, wanted, Q(pk__in=[])) if len(wanted) != 1 else wanted[0]


def _first(rows: QuerySet[Any], column: str) -> list[int]:
    return list(rows.order_by("-pk").values_list(column, flat=True)[:MATCHES_LIMIT])


def _recent(rows: QuerySet[Any]) -> QuerySet[Any]:
    """The newest of the rows; ids are counted instead of rows, which is the same or less."""
    newest: int | None = rows.order_by("-pk").values_list("pk", flat=True).first()
    return rows.filter(pk__gt=(newest or 0) - RECENT_ROWS)
