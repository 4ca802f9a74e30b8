"""Builds the bodies of writes out of a flat mapping of field key -> value.

Only keys the caller names are sent. Zendesk drops unknown attributes without a word and overwrites whole lists, so
what would do harm is refused here with ValueError: tags in an update (they are *set*, see ``add_tags``), properties
that no mapping may write, a comment on anything but a ticket.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from zendesk_client.fields import COMMENT, CUSTOM_FIELD_PREFIX, TAGS
from zendesk_client.record_types import RecordType
from zendesk_client.records import SYSTEM_DEFINITIONS, Definitions
from zendesk_client.values import write_value

CREATE_ONLY = {
    "custom_fields": frozenset({"description", "requester_id", "organization_id", TAGS}),
    "user_fields": frozenset({"email", "organization_id", "role", TAGS}),
    "organization_fields": frozenset({TAGS}),
    "custom_object_fields": frozenset[str](),
}
# What a creation takes besides the record's fields.
CREATION_EXTRAS = {
    "custom_fields": frozenset(
        {"requester", "via_followup_source_id", "assignee_email", "ticket_form_id", "brand_id", "problem_id"}
    ),
    "user_fields": frozenset({"skip_verify_email", "verified"}),
}


@dataclass(frozen=True, slots=True)
class WriteOptions:
    """What goes with a write besides its values; all but the defaults is for tickets only.

    ``comment_is_public``: who sees ``values["comment"]``; it is always said, because Zendesk's own default is a
    property of the ticket and a wrong guess e-mails the customer. ``comment_is_html``: Zendesk strips tags elsewhere.
    ``metadata``: kept with the ticket's audit, under ``metadata.custom``. ``updated_stamp``: the record's
    ``updated_at``; a newer ticket answers UpdateConflict.
    """

    comment_is_public: bool = False
    comment_is_html: bool = False
    metadata: Mapping[str, Any] | None = None
    updated_stamp: str = ""


PLAIN = WriteOptions()


def build_update(
    record_type: RecordType,
    values: Mapping[str, Any],
    definitions: Definitions | None = None,
    options: WriteOptions = PLAIN,
) -> dict[str, Any]:
    """Return the object that goes under the envelope of an update. Raises ValueError for what must not be sent."""
    _refuse_keys(record_type, values, CREATE_ONLY[record_type.container], definitions or {})
    return _build(record_type, values, definitions or {}, options)


def build_creation(
    record_type: RecordType,
    values: Mapping[str, Any],
    definitions: Definitions | None = None,
    options: WriteOptions = PLAIN,
    extras: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Return the object that goes under the envelope of a creation; here tags, e-mail and requester may be given.

    ``extras``: attributes of ``CREATION_EXTRAS``, sent as they are.
    """
    _refuse_keys(record_type, values, frozenset(), definitions or {})
    unknown = set(extras or {}) - CREATION_EXTRAS.get(record_type.container, frozenset())
    if unknown:
        raise ValueError(f"{', '.join(sorted(unknown))} cannot be written here")
    return _build(record_type, values, definitions or {}, options) | dict(extras or {})


def _refuse_keys(
    record_type: RecordType, values: Mapping[str, Any], refused: frozenset[str], definitions: Definitions
) -> None:
    system = SYSTEM_DEFINITIONS[record_type.container]
    allowed = CREATE_ONLY[record_type.container] - refused
    for key in values:
        known = definitions.get(key) or system.get(key)
        if key in refused or (known is not None and not known.writable and key not in allowed):
            raise ValueError(f"{key} cannot be written here")
        if key == COMMENT and known is None and record_type.name != "ticket":
            raise ValueError("only tickets take comments")


def _build(
    record_type: RecordType, values: Mapping[str, Any], definitions: Definitions, options: WriteOptions
) -> dict[str, Any]:
    system = SYSTEM_DEFINITIONS[record_type.container]
    body: dict[str, Any] = {}
    custom: dict[str, Any] = {}
    for key, value in values.items():
        known = definitions.get(key) or system.get(key)
        if key == COMMENT and record_type.name == "ticket":
            text = "html_body" if options.comment_is_html else "body"
            body[COMMENT] = {text: str(value), "public": options.comment_is_public}
        elif key in system:
            body[key] = _write_property(key, known.type if known else "text", value)
        else:
            custom[key.removeprefix(record_type.container + ".")] = write_value(known.type if known else "", value)
    if custom:
        body[record_type.container] = _wrap_custom(record_type, custom)
    return body | _build_options(record_type, options)


def _write_property(key: str, field_type: str, value: Any) -> Any:
    written = write_value(field_type, value)
    is_id = key.endswith("_id") and key != "external_id"
    return int(written) if is_id and isinstance(written, str) and written.isdigit() else written


def _wrap_custom(record_type: RecordType, custom: Mapping[str, Any]) -> Any:
    if record_type.name != "ticket":
        return dict(custom)
    ids = {key: key.removeprefix(CUSTOM_FIELD_PREFIX) for key in custom}
    for key, field_id in ids.items():
        if field_id == key or not field_id.isdigit():
            raise ValueError(f"{key} is no field of a ticket")
    return [{"id": int(ids[key]), "value": value} for key, value in custom.items()]


def _build_options(record_type: RecordType, options: WriteOptions) -> dict[str, Any]:
    if record_type.name != "ticket":
        if options.metadata or options.updated_stamp:
            raise ValueError("only tickets take metadata and an updated_stamp")
        return {}
    body: dict[str, Any] = {}
    if options.metadata:
        body["metadata"] = dict(options.metadata)
    if options.updated_stamp:
        body.update(safe_update=True, updated_stamp=options.updated_stamp)
    return body
