"""The record types of Zendesk as data: where each lives, how its bodies are wrapped, where its custom values sit."""

import re
from dataclasses import dataclass

from zendesk_client.errors import RecordNotFound

CUSTOM_OBJECT_PREFIX = "custom_object:"
OBJECT_KEY = re.compile(r"[A-Za-z0-9_-]{1,100}")
NUMERIC_ID = re.compile(r"[0-9]{1,19}")
OBJECT_RECORD_ID = re.compile(r"[A-Za-z0-9]{1,40}")  # a ULID


@dataclass(frozen=True, slots=True)
class RecordType:
    """``name`` is the entity type (``ticket``, ``custom_object:car``), ``path`` its list, ``envelope`` its JSON key."""

    name: str
    path: str
    envelope: str
    plural: str
    container: str
    update_method: str = "PUT"
    id_pattern: re.Pattern[str] = NUMERIC_ID
    object_key: str = ""

    def build_record_path(self, record_id: str | int) -> str:
        """Return the path of one record; raises RecordNotFound, without a call, for what can be no id of this type."""
        return f"{self.path}/{self.check_id(record_id)}"

    def check_id(self, record_id: str | int) -> str:
        """Return the id as text; raises RecordNotFound when no record of this type can have it."""
        text = str(record_id).strip()
        if not self.id_pattern.fullmatch(text):
            raise RecordNotFound(f"This is no id of a Zendesk {self.envelope}.", code="InvalidId")
        return text


TICKET = RecordType("ticket", "/api/v2/tickets", "ticket", "tickets", "custom_fields")
USER = RecordType("user", "/api/v2/users", "user", "users", "user_fields")
ORGANIZATION = RecordType(
    "organization", "/api/v2/organizations", "organization", "organizations", "organization_fields"
)
STANDARD_TYPES = {record_type.name: record_type for record_type in (TICKET, USER, ORGANIZATION)}


def get_record_type(entity_type: str) -> RecordType:
    """Return the record type called ``entity_type``; raises ValueError for a name that can be none."""
    if entity_type in STANDARD_TYPES:
        return STANDARD_TYPES[entity_type]
    key = entity_type.removeprefix(CUSTOM_OBJECT_PREFIX)
    if key == entity_type or not OBJECT_KEY.fullmatch(key):
        raise ValueError("an entity type is ticket, user, organization or custom_object:<key>")
    return RecordType(
        name=entity_type,
        path=f"/api/v2/custom_objects/{key}/records",
        envelope="custom_object_record",
        plural="custom_object_records",
        container="custom_object_fields",
        update_method="PATCH",
        id_pattern=OBJECT_RECORD_ID,
        object_key=key,
    )
