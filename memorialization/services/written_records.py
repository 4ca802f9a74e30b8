"""Records that carry an interaction's Contact ID or Master Contact ID in a mapped field, because they were written
earlier: our own deliveries first, which know at once what a search learns minutes later, then the CRM (product §6.3).
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Q

from crm_integrations.providers.base import CRMConnection, CRMField, CRMRecord, FieldType, SearchCriterion
from memorialization.deliveries.plan import FieldRows
from memorialization.models import Delivery, Interaction
from memorialization.services.frozen_targets import id_fields
from memorialization.targeting import ID_SOURCES

State = Delivery.State
OWED = (State.WAITING, State.SENDING)  # what it carries will be there before anything later is written
WRITTEN = (State.DELIVERED, State.PARTIAL)
STANDING = {None, "written", "unchanged", "superseded"}
RELATED_READ = 50  # interactions of the same call or case, the newest
FOUND_READ = 10  # records of one search
EXTERNAL_ID = "external_id"  # the field of any CRM that is found without the lag of a search


@dataclass(frozen=True, slots=True)
class ContactNames:
    """By what a record says which contact it was written for."""

    contact_id: str
    master_id: str

    @property
    def values(self) -> tuple[str, ...]:
        """The ids, the nearest first."""
        return tuple(dict.fromkeys(each for each in (self.contact_id, self.master_id) if each))


def names_of(interaction: Interaction) -> ContactNames:
    """The ids of an interaction's contact."""
    return ContactNames(interaction.contact.contact_id, interaction.master_contact_id or "")


def find_own_records(*, interaction: Interaction, entity_type: str) -> dict[str, dict[str, bool]]:
    """Id that is carried → records that carry it as far as our own deliveries know → whether that is owed only."""
    names = names_of(interaction)
    deliveries = Delivery.objects.filter(
        interaction__in=_related_interactions(interaction, names),
        entity_type=entity_type,
        record_id__gt="",
        state__in=(*OWED, *WRITTEN),
    ).order_by("-pk")
    found: dict[str, dict[str, bool]] = {value: {} for value in names.values}
    for record_id, state, fields in deliveries.values_list("record_id", "state", "fields"):
        for value in names.values:
            if _carries(fields, value):
                found[value][record_id] = found[value].get(record_id, True) and state in OWED
    return found


def _related_interactions(interaction: Interaction, names: ContactNames) -> list[int]:
    """Other parts of the same call or case."""
    same_contact = Interaction.objects.filter(contact=interaction.contact_id).exclude(pk=interaction.pk)
    found = list(same_contact.order_by("-pk").values_list("pk", flat=True)[:RELATED_READ])
    others = Interaction.objects.filter(configuration=interaction.configuration_id).exclude(
        contact=interaction.contact_id
    )
    conditions = [Q(master_contact_id__in=names.values)]
    if names.master_id != names.contact_id:
        conditions += [Q(contact__contact_id=names.master_id)] if names.master_id else []
    for condition in conditions:
        found += others.filter(condition).order_by("-pk").values_list("pk", flat=True)[:RELATED_READ]
    return list(dict.fromkeys(found))


def _carries(fields: Sequence[Mapping[str, Any]], value: str) -> bool:
    """Whether a delivery put this id into a mapped field, or will."""
    return any(
        entry["source"] in ID_SOURCES
        and entry["channel"] != "script_variable"
        and str(entry.get("rendered", "")) == value
        and entry.get("result") in STANDING
        for entry in fields
    )


@dataclass(frozen=True, slots=True)
class WrittenSearch:
    """The search for records of one type that carry the ids of one contact."""

    connection: CRMConnection
    entity_type: str
    names: ContactNames
    fields: tuple[tuple[CRMField, str], ...]  # each with the source field that it takes

    @classmethod
    def of(
        cls, connection: CRMConnection, entity_type: str, interaction: Interaction, rows: Mapping[str, FieldRows]
    ) -> "WrittenSearch":
        """The search for an interaction whose type is mapped by `rows`."""
        return cls(connection, entity_type, names_of(interaction), tuple(id_fields(rows)))

    def find(self, *, own: Mapping[str, Mapping[str, bool]], excluded: Collection[str]) -> list[CRMRecord]:
        """Records as they are now: of the nearest id that any carries, those of our own tables first."""
        for value in self.names.values:
            known = [record_id for record_id in own.get(value, {}) if record_id not in excluded]
            found = self._confirm(known, value, owed={key for key in known if own[value][key]})
            if found:
                return found
        for value in self.names.values:
            found = self._ask(value, excluded)
            if found:
                return found
        return []

    def _ask(self, value: str, excluded: Collection[str]) -> list[CRMRecord]:
        """What the CRM finds, each read again: what a search knows of a record may be minutes old."""
        ids: dict[str, None] = {}
        for crm_field in self._fields_for(value):
            if crm_field.key == EXTERNAL_ID:
                records: Sequence[CRMRecord] = self.connection.find_by_external_id(self.entity_type, value)
            else:
                criterion = SearchCriterion(crm_field.key, value)
                records = self.connection.find_records(self.entity_type, [criterion], limit=FOUND_READ).records
            ids |= {record.id: None for record in records if record.id not in excluded}
        return self._confirm(list(ids), value, owed=set())

    def _fields_for(self, value: str) -> Iterator[CRMField]:
        """Fields of the customer's own, which hold nothing but what was mapped, that may carry the id."""
        for crm_field, source in self.fields:
            is_own = crm_field.is_custom or crm_field.key == EXTERNAL_ID
            if is_own and (source == "contactId" or value == self.names.master_id):
                yield crm_field

    def _confirm(self, ids: list[str], value: str, *, owed: Collection[str]) -> list[CRMRecord]:
        """Those of the records that exist and carry the id now, or to which a write of it is owed."""
        if not ids:
            return []
        types: dict[str, FieldType] = {crm_field.key: crm_field.type for crm_field, _source in self.fields}
        records = self.connection.get_records(self.entity_type, ids[:FOUND_READ], types=types)
        return [
            records[record_id]
            for record_id in ids
            if record_id in records and (record_id in owed or self._holds(records[record_id], value))
        ]

    def _holds(self, record: CRMRecord, value: str) -> bool:
        return any(str(record.values.get(crm_field.key, "")) == value for crm_field, _source in self.fields)
