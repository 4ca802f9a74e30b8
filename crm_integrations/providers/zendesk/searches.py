"""How people and records are found in Zendesk: the half of a connection that looks for what it does not know yet.

Zendesk's search is minutes late and matches loosely, so people it finds are compared with what is known of them.
"""

from collections.abc import Mapping, Sequence

from crm_integrations.phone_numbers import PhoneNumber
from crm_integrations.providers.base import (
    CRMConnection,
    CRMRecord,
    FieldType,
    FoundRecords,
    PersonClues,
    SearchCriterion,
)
from crm_integrations.providers.errors import ValueRefused
from crm_integrations.providers.zendesk.errors import translated_errors
from crm_integrations.providers.zendesk.fields import build_definitions, build_record
from zendesk_client import BadRequest, FieldDefinition, Record, RecordNotFound, SearchTerm, ZendeskClient

SOLVED = frozenset({"solved", "closed", "deleted"})  # custom statuses show the status of their category
MOST_CHECKED = 10  # people whose identities are read for one number or address: a call each
MOST_READ = 300  # tickets of a person that are looked through for unsolved ones: three calls


class ZendeskSearches(CRMConnection):
    """Searches, verified."""

    _client: ZendeskClient

    def find_people(self, clues: PersonClues, *, types: Mapping[str, FieldType] | None = None) -> list[CRMRecord]:
        """See the port. Suspended users are people too; deleted and merged ones, whom Zendesk still shows, are not."""
        fields = build_definitions(types)
        found: dict[str, Record] = {}
        with translated_errors():
            if clues.phone:
                found |= _by_id(self._find_by_phone(clues.phone, fields))
            if clues.email:
                found |= _by_id(self._find_by_email(clues.email, fields))
            if clues.external_id:
                found |= _by_id(self._find_carriers("user", clues.external_id, fields))
        return [build_record(record) for record in found.values()]

    def find_records(
        self,
        entity_type: str,
        criteria: Sequence[SearchCriterion],
        *,
        limit: int = 25,
        types: Mapping[str, FieldType] | None = None,
    ) -> FoundRecords:
        """See the port. A property that is named twice is met by either value, as everywhere in Zendesk's search."""
        terms = [SearchTerm(each.field, each.value, each.operator, each.is_negated) for each in criteria]
        with translated_errors():
            try:
                found = self._client.search(entity_type, terms, limit=limit, fields=build_definitions(types))
            except BadRequest as error:
                raise ValueRefused(error.message or str(error), status=error.status) from error
        shown = [build_record(record) for record in found.records if not record.is_gone]
        return FoundRecords(tuple(shown), found.is_complete)

    def find_by_external_id(self, entity_type: str, external_id: str) -> list[CRMRecord]:
        """See the port."""
        with translated_errors():
            return [build_record(record) for record in self._find_carriers(entity_type, external_id, {})]

    def list_open_records(
        self, owner_id: str, *, limit: int = 25, types: Mapping[str, FieldType] | None = None
    ) -> list[CRMRecord]:
        """See the port. Nobody has no tickets."""
        unsolved: list[CRMRecord] = []
        with translated_errors():
            try:
                for ticket in self._client.iterate_requested_tickets(
                    owner_id, most=MOST_READ, fields=build_definitions(types)
                ):
                    if ticket.body.get("status") not in SOLVED:
                        unsolved.append(build_record(ticket))
                    if len(unsolved) >= limit:
                        break
            except RecordNotFound:
                return []
        return unsolved

    def _find_by_phone(self, phone: PhoneNumber, fields: Mapping[str, FieldDefinition]) -> list[Record]:
        """Everybody with this number, however it is written: who is found first must not hide a second one."""
        candidates = _living(self._client.find_users_by_phone(*phone.spellings, fields=fields))
        others = [each for each in candidates if not phone.matches(str(each.values.get("phone") or ""))]
        further = {each.id for each in others[:MOST_CHECKED] if self._has_identity(each, phone)}
        return [each for each in candidates if each not in others or each.id in further]

    def _has_identity(self, record: Record, phone: PhoneNumber) -> bool:
        return any(phone.matches(number) for number in self._client.list_identities(record.id, "phone_number"))

    def _find_by_email(self, email: str, fields: Mapping[str, FieldDefinition]) -> list[Record]:
        found = _living(self._client.find_users_by_email(email, fields=fields))
        return [record for record in found[:MOST_CHECKED] if self._has_email(record, email)]

    def _has_email(self, record: Record, email: str) -> bool:
        if _is_same(record.values.get("email"), email):
            return True
        return any(_is_same(address, email) for address in self._client.list_identities(record.id, "email"))

    def _find_carriers(self, entity_type: str, external_id: str, fields: Mapping[str, FieldDefinition]) -> list[Record]:
        """Records that carry the external id; Zendesk makes no difference between capitals and small letters."""
        found = _living(self._client.find_by_external_id(entity_type, external_id, fields=fields))
        return [record for record in found if _is_same(record.values.get("external_id"), external_id)]


def _living(records: Sequence[Record]) -> list[Record]:
    return [record for record in records if not record.is_gone]


def _by_id(records: Sequence[Record]) -> dict[str, Record]:
    return {record.id: record for record in records}


def _is_same(shown: object, asked: str) -> bool:
    return str(shown or "").strip().casefold() == asked.strip().casefold()
