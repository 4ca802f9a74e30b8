"""One record as Zendesk shows it, read into a flat mapping of field key -> canonical value."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from zendesk_client.fields import (
    CUSTOM_FIELD_PREFIX,
    OBJECT_PROPERTIES,
    ORGANIZATION_PROPERTIES,
    TICKET_PROPERTIES,
    TICKET_SYSTEM_FIELDS,
    USER_PROPERTIES,
    FieldDefinition,
    build_custom_key,
)
from zendesk_client.record_types import RecordType
from zendesk_client.values import read_value

Definitions = Mapping[str, FieldDefinition]

SYSTEM_DEFINITIONS: dict[str, dict[str, FieldDefinition]] = {
    container: {definition.key: definition for definition in definitions if definition.type != "comment"}
    for container, definitions in {
        "custom_fields": (*TICKET_SYSTEM_FIELDS.values(), *TICKET_PROPERTIES),
        "user_fields": USER_PROPERTIES,
        "organization_fields": ORGANIZATION_PROPERTIES,
        "custom_object_fields": OBJECT_PROPERTIES,
    }.items()
}

ABSENT: Any = object()


class RecordValues(Mapping[str, Any]):
    """Field key -> canonical value. Each is read when it is asked for: a record shows many, of which few matter."""

    __slots__ = ("_body", "_custom", "_definitions", "_properties", "_read", "_type")

    def __init__(self, record_type: RecordType, body: Mapping[str, Any], definitions: Definitions) -> None:
        self._type, self._body, self._definitions = record_type, body, definitions
        self._properties = SYSTEM_DEFINITIONS[record_type.container]
        self._custom: Mapping[Any, Any] | None = None
        self._read: dict[str, Any] = {}

    def __getitem__(self, key: str) -> Any:
        value = self.get(key, ABSENT)
        if value is ABSENT:
            raise KeyError(key)
        return value

    def __contains__(self, key: object) -> bool:
        return self.get(str(key), ABSENT) is not ABSENT

    def get(self, key: str, default: Any = None) -> Any:
        """The value, or `default` when the record shows no such field."""
        if key not in self._read:
            self._read[key] = self._read_value(key)
        value = self._read[key]
        return default if value is ABSENT else value

    def __iter__(self) -> Iterator[str]:
        yield from (key for key in self._properties if key in self._body)
        yield from (key if isinstance(key, str) else f"{CUSTOM_FIELD_PREFIX}{key}" for key in self._list_custom())

    def __len__(self) -> int:
        return sum(1 for _key in self)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({len(self)} fields)"

    def _read_value(self, key: str) -> Any:
        custom = self._list_custom()
        raw_key = key if key in custom else _read_number(key)
        if raw_key in custom:
            known = self._definitions.get(key)
            return read_value(known.type, custom[raw_key]) if known else custom[raw_key]
        if key in self._properties and key in self._body:
            return read_value(self._properties[key].type, self._body[key])
        return ABSENT

    def _list_custom(self) -> Mapping[Any, Any]:
        if self._custom is None:
            self._custom = _list_custom_values(self._type, self._body)
        return self._custom


@dataclass(frozen=True, slots=True)
class Record:
    """One record.

    ``values``: field key -> canonical value (see ``values``); None = unset. ``title``: subject or name.
    ``updated_at``: Zendesk's own text, to be given back as ``updated_stamp``. ``is_gone``: deleted although Zendesk
    still shows it. ``body``: the object as received, for what no field definition covers.
    """

    entity_type: str
    id: str
    title: str
    values: Mapping[str, Any]
    updated_at: str = ""
    is_gone: bool = False
    is_closed: bool = False
    body: Mapping[str, Any] = field(default_factory=dict, repr=False)


def read_record(record_type: RecordType, body: Mapping[str, Any], definitions: Definitions | None = None) -> Record:
    """Return the record in ``body``.

    ``definitions`` (of the account) tell how to read custom values: without them they stay as Zendesk shows them.
    """
    status = body.get("status") if record_type.name == "ticket" else None
    return Record(
        entity_type=record_type.name,
        id=str(body.get("id") or ""),
        title=str(body.get("subject") or body.get("name") or ""),
        values=RecordValues(record_type, body, definitions or {}),
        updated_at=str(body.get("updated_at") or ""),
        is_gone=status == "deleted" or (record_type.name == "user" and body.get("active") is False),
        is_closed=status == "closed",
        body=body,
    )


def _list_custom_values(record_type: RecordType, body: Mapping[str, Any]) -> Mapping[Any, Any]:
    """By key; a ticket's, of which there are dozens, by their numbers alone, and by key where one is no number."""
    held = body.get(record_type.container)
    if isinstance(held, dict):
        return {build_custom_key(record_type.container, key): value for key, value in held.items()}
    if not isinstance(held, list):
        return {}
    try:
        numbered = {entry["id"]: entry["value"] for entry in held}
    except (KeyError, TypeError):  # one of them is no field
        numbered = {"": None}
    if set(map(type, numbered)) <= {int}:
        return numbered
    entries = [entry for entry in held if isinstance(entry, dict) and "id" in entry]
    return {f"{CUSTOM_FIELD_PREFIX}{entry['id']}": entry.get("value") for entry in entries}


@lru_cache(maxsize=4096)
def _read_number(key: str) -> int | None:
    """The number in a ticket's field key; None in any other key."""
    number = key.removeprefix(CUSTOM_FIELD_PREFIX)
    is_number = number != key and number.isascii() and number.isdigit() and not number.startswith("0")
    return int(number) if is_number else None
