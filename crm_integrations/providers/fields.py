"""Record types and fields of any CRM, and the canonical values that they take."""

from dataclasses import dataclass
from enum import StrEnum

CRMValue = str | int | float | bool | list[str] | None
"""A canonical value: text, number, bool, ISO date (YYYY-MM-DD) or date-time text, list of texts, None = unset."""


class FieldType(StrEnum):
    """How a CRM field takes its values; canonical values in brackets."""

    TEXT = "text"  # one line
    TEXTAREA = "textarea"  # several lines
    INTEGER = "integer"
    DECIMAL = "decimal"
    DATE = "date"  # "YYYY-MM-DD"
    DATETIME = "datetime"  # ISO 8601 with offset
    CHECKBOX = "checkbox"  # bool
    DROPDOWN = "dropdown"  # an option's value
    MULTISELECT = "multiselect"  # list of option values
    REGEXP = "regexp"  # text that matches `pattern`
    LOOKUP = "lookup"  # a record's id as text
    TAGS = "tags"  # list of texts; written by adding, never by replacing
    COMMENT = "comment"  # text; written once, as an internal note


@dataclass(frozen=True, slots=True)
class FieldOption:
    """A choice of a drop-down: what is stored and what people see."""

    value: str
    title: str


@dataclass(frozen=True, slots=True)
class CRMField:
    """One field of a record type. `key` is what mappings and files name it by (docs: configuration file)."""

    key: str
    title: str
    type: FieldType
    is_writable: bool = True
    is_custom: bool = False
    is_required: bool = False
    max_length: int | None = None  # characters
    pattern: str = ""
    options: tuple[FieldOption, ...] = ()
    hint: str = ""


@dataclass(frozen=True, slots=True)
class EntityType:
    """A record type: `ticket`, `user`, `organization` or `custom_object:<key>`."""

    key: str
    title: str
    title_plural: str
    is_custom: bool = False
