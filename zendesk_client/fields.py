"""What a field of a Zendesk record is, whatever its record type: the one shape of all catalogues.

Field keys: a system property by its API name (``subject``, ``type``, ``assignee_id``), a ticket's custom field as
``custom_field_<id>``, a custom field of users, organizations and custom objects by its key. Should such a key equal
a system property (an account may well define a user field ``phone``), it reads ``user_fields.phone``.
"""

from dataclasses import dataclass

COMMENT = "comment"
TAGS = "tags"
CUSTOM_FIELD_PREFIX = "custom_field_"

# Characters. Zendesk documents none of these; they are observed or the safe side of what is observed.
SUBJECT_MAX_LENGTH = 255
EXTERNAL_ID_MAX_LENGTH = 255
TEXT_MAX_LENGTH = 65_535


@dataclass(frozen=True, slots=True)
class FieldOption:
    """One choice of a drop-down: ``value`` is written and read, ``title`` is what agents see."""

    value: str
    title: str


@dataclass(frozen=True, slots=True)
class FieldDefinition:
    """One field.

    ``type``: text, textarea, integer, decimal, date, datetime, checkbox, regexp, dropdown, multiselect, lookup,
    currency, parent, partialcreditcard, tags, comment, or Zendesk's own name for a type this client does not know.
    ``max_length``: characters, None when unknown. ``pattern``: Zendesk's regular expression (Ruby's dialect).
    ``required``: to solve a ticket, or to save the record. ``relationship_target``: ``zen:user`` and the like.
    """

    key: str
    type: str
    title: str
    options: tuple[FieldOption, ...] = ()
    max_length: int | None = None
    pattern: str = ""
    required: bool = False
    writable: bool = True
    is_system: bool = False
    relationship_target: str = ""


def _system(key: str, type_: str, title: str, **more: object) -> FieldDefinition:
    return FieldDefinition(key, type_, title, is_system=True, **more)  # type: ignore[arg-type]


def _fixed(key: str, type_: str, title: str, target: str = "") -> FieldDefinition:
    """A property that is shown and never written: computed, or with consequences no mapping should have."""
    return _system(key, type_, title, writable=False, relationship_target=target)


_EXTERNAL_ID = _system("external_id", "text", "External ID", max_length=EXTERNAL_ID_MAX_LENGTH)
_TAGS = _system(TAGS, "tags", "Tags")
_STAMPS = (_fixed("created_at", "datetime", "Created"), _fixed("updated_at", "datetime", "Updated"))

# What Zendesk's lists of ticket fields do not mention.
TICKET_PROPERTIES = (
    _EXTERNAL_ID,
    _system("due_at", "datetime", "Due date"),
    _TAGS,
    _system(COMMENT, "comment", "Comment", max_length=TEXT_MAX_LENGTH),
    _fixed("id", "integer", "ID"),
    _fixed("requester_id", "lookup", "Requester", "zen:user"),
    _fixed("organization_id", "lookup", "Organization", "zen:organization"),
    *_STAMPS,
)

# E-mail: an update adds a second address instead. Organization: an update removes all other memberships.
# Role, suspension: rights. https://developer.zendesk.com/api-reference/ticketing/users/users/
USER_PROPERTIES = (
    _system("name", "text", "Name", required=True, max_length=255),
    _system("phone", "text", "Phone"),
    _system("alias", "text", "Alias"),
    _system("details", "textarea", "Details", max_length=TEXT_MAX_LENGTH),
    _system("notes", "textarea", "Notes", max_length=TEXT_MAX_LENGTH),
    _EXTERNAL_ID,
    _system("time_zone", "text", "Time zone"),
    _system("locale", "text", "Locale"),
    _TAGS,
    _fixed("id", "integer", "ID"),
    _fixed("email", "text", "Email"),
    _fixed("role", "text", "Role"),
    _fixed("organization_id", "lookup", "Organization", "zen:organization"),
    _fixed("suspended", "checkbox", "Suspended"),
    *_STAMPS,
)

ORGANIZATION_PROPERTIES = (
    _system("name", "text", "Name", required=True, max_length=255),
    _system("details", "textarea", "Details", max_length=TEXT_MAX_LENGTH),
    _system("notes", "textarea", "Notes", max_length=TEXT_MAX_LENGTH),
    _EXTERNAL_ID,
    _TAGS,
    _fixed("id", "integer", "ID"),
    *_STAMPS,
)

OBJECT_PROPERTIES = (
    _system("name", "text", "Name", max_length=255),
    _EXTERNAL_ID,
    _fixed("id", "text", "ID"),
    *_STAMPS,
)

# Zendesk's type of a system ticket field -> our definition; title, options and rights come from the account.
TICKET_SYSTEM_FIELDS: dict[str, FieldDefinition] = {
    "subject": _system("subject", "text", "Subject", max_length=SUBJECT_MAX_LENGTH),
    "description": _fixed("description", "textarea", "Description"),  # silently ignored on update
    "status": _system("status", "dropdown", "Status"),
    "custom_status": _system("custom_status_id", "dropdown", "Ticket status"),
    "tickettype": _system("type", "dropdown", "Type"),
    "priority": _system("priority", "dropdown", "Priority"),
    "basic_priority": _system("priority", "dropdown", "Priority"),
    "group": _system("group_id", "lookup", "Group", relationship_target="zen:group"),
    "assignee": _system("assignee_id", "lookup", "Assignee", relationship_target="zen:user"),
}

SYSTEM_KEYS: dict[str, frozenset[str]] = {
    "user_fields": frozenset(definition.key for definition in USER_PROPERTIES),
    "organization_fields": frozenset(definition.key for definition in ORGANIZATION_PROPERTIES),
    "custom_object_fields": frozenset(definition.key for definition in OBJECT_PROPERTIES),
}


def build_custom_key(container: str, key: str) -> str:
    """Return the field key of a custom field; ``container`` is its record type's, e.g. ``user_fields``."""
    return f"{container}.{key}" if key in SYSTEM_KEYS[container] else key
