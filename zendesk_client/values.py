"""One canonical form for the value of a field, so that what was sent and what came back can be compared.

Zendesk shows the same value in several ways: a ticket's integer as ``"745"``, a user's date as
``2022-11-30T00:00:00+00:00``, line ends changed, tags lower-cased. Canonical: text (``""`` is unset), int or float,
bool, ISO date, lists of text, ids as text, None when unset.
"""

import math
import re
from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from zendesk_client.fields import FieldDefinition

NUMBER = re.compile(r"[+-]?[0-9]{1,100}(?:\.[0-9]{0,100})?(?:[eE][+-]?[0-9]{1,2})?")


def read_value(field_type: str, value: Any) -> Any:
    """Return the canonical form of ``value``, as Zendesk shows it or as a caller means it; never raises.

    What does not fit its type comes back as it is.
    """
    if value is None or value == "":
        return None
    return READERS.get(field_type, _read_text)(value)


def write_value(field_type: str, value: Any) -> Any:
    """Return ``value`` as JSON for a request: None clears the field. Raises ValueError for what JSON cannot say."""
    canonical = read_value(field_type, value)
    if isinstance(canonical, float) and not math.isfinite(canonical):
        raise ValueError("a number must be finite")
    if canonical is not None and not isinstance(canonical, (str, int, float, bool, list)):
        raise ValueError(f"a value of type {type(value).__name__} cannot be written")
    if field_type == "lookup" and isinstance(canonical, str) and canonical.isdigit():
        return int(canonical)
    return canonical


def is_applied(definition: FieldDefinition, sent: Any, read: Any) -> bool:
    """Whether ``read`` (from the answer) shows that ``sent`` took effect.

    Zendesk answers 200 to an unknown option and keeps the old value. Tags are added, so there may be more of them;
    the order of choices, line ends and white space around a text do not count. A comment never shows in the record.
    """
    ours, theirs = read_value(definition.type, sent), read_value(definition.type, read)
    if definition.type == "comment":
        return True
    if definition.type == "tags":
        return {normalize_tag(tag) for tag in ours or ()} <= {normalize_tag(tag) for tag in theirs or ()}
    if definition.type == "multiselect":
        return set(ours or ()) == set(theirs or ())
    if definition.type == "checkbox":
        return bool(ours) == bool(theirs)  # an unticked box reads false or null
    if isinstance(ours, str) and isinstance(theirs, str):
        return _flatten(ours) == _flatten(theirs)
    return bool(ours == theirs)


def normalize_tag(tag: str) -> str:
    """Return a tag as Zendesk stores it: lower case, white space as underscores."""
    return "_".join(tag.lower().split())


def _flatten(text: str) -> str:
    return "\n".join(line.rstrip() for line in text.replace("\r\n", "\n").replace("\r", "\n").strip().split("\n"))


def _read_text(value: Any) -> Any:
    if isinstance(value, str):
        return value
    if isinstance(value, datetime):
        return _read_datetime(value)
    if isinstance(value, (date, Decimal)):
        return str(value)
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return str(value)
    return value


def _read_number(value: Any) -> Any:
    if isinstance(value, bool) or not isinstance(value, (int, float, str, Decimal)):
        return value
    if isinstance(value, int) or not NUMBER.fullmatch(str(value).strip()):
        return value
    number = Decimal(str(value).strip())
    if number == number.to_integral_value():
        return int(number)
    as_float = float(number)
    return as_float if Decimal(repr(as_float)) == number else str(number)  # never lose a digit


def _read_checkbox(value: Any) -> Any:
    return {"true": True, "false": False}.get(value.strip().lower(), value) if isinstance(value, str) else value


def _read_date(value: Any) -> Any:
    if isinstance(value, (date, datetime)):
        return value.isoformat()[:10]
    try:
        return date.fromisoformat(value[:10]).isoformat() if value[10:11] in ("", "T", " ") else value
    except (TypeError, ValueError):
        return value


def _read_datetime(value: Any) -> Any:
    """Times become ``2026-11-22T15:04:58Z``; one without an offset is UTC."""
    try:
        moment = value if isinstance(value, datetime) else datetime.fromisoformat(value)
        moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (TypeError, ValueError, OverflowError):
        return value
    return moment.isoformat(timespec="seconds").replace("+00:00", "Z")


def _read_list(value: Any) -> Any:
    return [str(entry) for entry in value] if isinstance(value, (list, tuple, set, frozenset)) else [str(value)]


READERS: dict[str, Callable[[Any], Any]] = {
    "integer": _read_number,
    "decimal": _read_number,
    "checkbox": _read_checkbox,
    "date": _read_date,
    "datetime": _read_datetime,
    "multiselect": _read_list,
    "tags": _read_list,
}
