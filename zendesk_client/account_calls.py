"""Calls about the account itself: who we are in it, and which fields its records have."""

from dataclasses import dataclass

from zendesk_client.calls import Calls
from zendesk_client.catalogue import read_keyed_fields, read_object_fields, read_ticket_fields
from zendesk_client.fields import ORGANIZATION_PROPERTIES, USER_PROPERTIES, FieldDefinition
from zendesk_client.paging import iterate_records
from zendesk_client.record_types import CUSTOM_OBJECT_PREFIX, TICKET, USER, RecordType, get_record_type
from zendesk_client.users import CustomRole, Identity, read_custom_role, read_identity


@dataclass(frozen=True, slots=True)
class CustomObject:
    """One custom object type of the account; its entity type is ``custom_object:<key>``."""

    key: str
    title: str
    title_pluralized: str

    @property
    def entity_type(self) -> str:
        """The name every other method takes."""
        return CUSTOM_OBJECT_PREFIX + self.key


class AccountCalls(Calls):
    """Identity, role, custom objects, field catalogues."""

    def whoami(self) -> Identity:
        """Return the authorising user. Raises AnonymousUser when Zendesk answers for nobody, Unauthorized on 401."""
        return read_identity(self._get("/api/v2/users/me").read_object("user"))

    def custom_role(self, role_id: str | int) -> CustomRole:
        """Return a role. Raises Forbidden / NotFound on plans, or for users, without access to roles."""
        path = f"/api/v2/custom_roles/{USER.check_id(role_id)}"
        return read_custom_role(self._get(path).read_object("custom_role"))

    def list_custom_objects(self) -> list[CustomObject]:
        """Return the custom object types of the account. Raises Forbidden on plans without them."""
        listed = iterate_records(self._transport, "/api/v2/custom_objects", "custom_objects", page_size=None)
        return [
            CustomObject(found["key"], str(found.get("title") or ""), str(found.get("title_pluralized") or ""))
            for found in listed
            if isinstance(found.get("key"), str)
        ]

    def list_fields(self, entity_type: str) -> list[FieldDefinition]:
        """Return the field catalogue of an entity type: active fields, writable or not.

        Zendesk allows few of these calls (20 a minute for ticket fields on a trial): keep the answer.
        """
        record_type = get_record_type(entity_type)
        if record_type.object_key:
            return self._list_object_fields(record_type)
        if record_type is TICKET:  # unpaged is documented to be all of them, in the account's own order
            listed = iterate_records(self._transport, "/api/v2/ticket_fields", "ticket_fields", page_size=None)
            return read_ticket_fields(listed)
        properties = USER_PROPERTIES if record_type is USER else ORGANIZATION_PROPERTIES
        path, key = f"/api/v2/{record_type.container}", record_type.container
        return read_keyed_fields(iterate_records(self._transport, path, key), record_type.container, properties)

    def _list_object_fields(self, record_type: RecordType) -> list[FieldDefinition]:
        path = f"/api/v2/custom_objects/{record_type.object_key}/fields"
        params = {"include_standard_fields": "true"}
        return read_object_fields(iterate_records(self._transport, path, "custom_object_fields", params=params))
