"""Rows as CXone's interfaces send them: keys in several spellings, ids as numbers or text, any offset. Pure."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from django.utils.translation import gettext as _

from memorialization.events.canonical_json import hash_payload
from memorialization.events.times import format_utc, read_time

DIGEST_LENGTH = 16  # characters of a hash that make an event id of our own unique within its contact
Payload = dict[str, Any]


class RowRefused(Exception):
    """A row that no event can be made of; str() says why."""


class Row:
    """A JSON object whose keys are found whatever their case and underscores; an absent one answers None."""

    def __init__(self, source: Any) -> None:
        self._values = {_fold_key(key): value for key, value in source.items()} if isinstance(source, dict) else {}

    def get(self, *names: str) -> Any:
        """The first of these keys that has a value."""
        for name in names:
            value = self._values.get(_fold_key(name))
            if value is not None:
                return value
        return None

    def has(self, name: str) -> bool:
        """Whether the key is there, with a value or without."""
        return _fold_key(name) in self._values

    def row(self, *names: str) -> "Row":
        """A nested object; an empty row when there is none."""
        return Row(self.get(*names))

    def rows(self, *names: str) -> list["Row"]:
        """A nested list of objects."""
        value = self.get(*names)
        return [Row(entry) for entry in value] if isinstance(value, list) else []

    def text(self, *names: str) -> str:
        """A text without the space around it; empty when there is none."""
        value = self.get(*names)
        return value.strip() if isinstance(value, str) else ""

    def id(self, *names: str) -> str:
        """An id as exact text; the number 0 means “unknown” there, and yields nothing."""
        value = self.get(*names)
        if isinstance(value, bool) or not isinstance(value, (str, int)):
            return ""
        text = str(value).strip()
        return "" if text == "0" else text

    def number(self, *names: str) -> float | None:
        """A number, also one written as text."""
        value = self.get(*names)
        try:
            return None if isinstance(value, bool) or value is None else float(value)
        except (TypeError, ValueError):
            return None

    def truth(self, *names: str) -> bool | None:
        """A boolean, also one written as text."""
        value = self.get(*names)
        if isinstance(value, str):
            return {"true": True, "false": False}.get(value.strip().lower())
        return value if isinstance(value, bool) else None

    def time(self, *names: str) -> datetime | None:
        """A moment in UTC; these interfaces report UTC where they give no offset."""
        found = read_time(self.text(*names))
        return found.moment if found else None


def read_row(document: Any) -> Row:
    """The document as a row. Raises RowRefused."""
    if not isinstance(document, dict):
        raise RowRefused(_("A row is a JSON object."))
    return Row(document)


def full_name(*parts: str) -> str:
    """First and last name as one."""
    return " ".join(part for part in parts if part)


def without_blanks(values: Mapping[str, Any]) -> Payload:
    """Only what says something."""
    return {key: value for key, value in values.items() if value not in (None, "", [], {})}


def format_time(moment: datetime | None) -> str:
    """ISO 8601 in UTC, empty for none."""
    return format_utc(moment.astimezone(UTC)) if moment else ""


def with_event_id(prefix: str, payload: Payload) -> Payload:
    """The payload under an id made of its content: the same row again is a duplicate, a changed one is news."""
    return {"eventId": f"{prefix}-{hash_payload(payload)[:DIGEST_LENGTH]}", **payload}


def _fold_key(key: str) -> str:
    return key.replace("_", "").lower()
