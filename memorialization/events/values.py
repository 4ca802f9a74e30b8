"""Reading single values of an event: ids, texts, numbers, lists. Each reader answers a value or says what is wrong.

Pure. Refusals are `ValueRefused` with a sentence for whoever wrote the script.
"""

import math
from typing import Any

from django.utils.translation import gettext as _

from crm_integrations.record_names import is_entity_type, is_record_id
from memorialization.events.canonical_json import canonical_text
from memorialization.events.schema import DEPTH_LIMIT, ID_LIMIT, SourceValue

NUL_IN_JSON = "\\u0000"
WORDS_OF_TRUTH = {"true": True, "false": False}


class ValueRefused(Exception):
    """The value does not fit; str() is the sentence."""


def is_blank(value: Any) -> bool:
    """Missing, null, white space only, or an empty list; false and 0 are values (semantics §2.7)."""
    if isinstance(value, str):
        return not value.strip()
    if isinstance(value, list):
        return all(is_blank(entry) for entry in value)
    return value is None


def read_id(value: Any, *, limit: int = ID_LIMIT) -> str:
    """An id as exact text; whole numbers are taken digit by digit. Raises ValueRefused."""
    if isinstance(value, bool):
        raise ValueRefused(_("This is an id: send it as a string, not as true or false."))
    if isinstance(value, int):
        value = str(value)
    if not isinstance(value, str):
        raise ValueRefused(_("This is an id: send it as a string, so that no digit is lost."))
    if len(value) > limit:
        raise ValueRefused(_("Use at most %(limit)s characters.") % {"limit": limit})
    return value


def read_record_id(value: Any) -> str:
    """The id of a CRM record, fit to be part of an address. Raises ValueRefused.

    A number has one id, however it was padded: "0035" would be a second record beside 35, with an order of its own.
    """
    text = read_id(value).strip()
    if not is_record_id(text):
        raise ValueRefused(_("A record id consists of letters, digits and the signs _ . : @ + -."))
    return text.lstrip("0") or "0" if text.isdigit() else text


def read_entity_type(value: Any) -> str:
    """The name of a record type. Raises ValueRefused."""
    if not isinstance(value, str) or not is_entity_type(value):
        raise ValueRefused(_("Name the record type, such as ticket, user or custom_object:device."))
    return value


def read_truth(value: Any) -> bool:
    """A boolean, or the word for one. Raises ValueRefused."""
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and value.strip().lower() in WORDS_OF_TRUTH:
        return WORDS_OF_TRUTH[value.strip().lower()]
    raise ValueRefused(_("Send true or false."))


def read_source_value(value: Any) -> SourceValue:
    """A string, number, boolean or list of strings. Raises ValueRefused."""
    if isinstance(value, (str, bool, int, float)):
        return value
    if isinstance(value, list):
        return [_read_entry(entry) for entry in value if not is_blank(entry)]
    raise ValueRefused(_("Send a string, a number, true or false, or a list of strings."))


def _read_entry(entry: Any) -> str:
    if isinstance(entry, str):
        return entry
    if isinstance(entry, (int, float)) and not isinstance(entry, bool):
        return str(entry)
    raise ValueRefused(_("A list may hold strings only."))


def storable_text(payload: Any) -> str:
    """The canonical text of a payload that a database can keep exactly. Raises ValueRefused.

    PostgreSQL's JSON knows neither NUL, nor half a surrogate pair, nor infinite numbers. Almost every event shows as a
    whole that it has none of them; what does not is looked at value by value, for the sentence.
    """
    try:
        text = canonical_text(payload)
        text.encode()
    except (ValueError, RecursionError):
        text = ""
    if not text or NUL_IN_JSON in text or text.count("{") + text.count("[") > DEPTH_LIMIT:
        _check_each_value(payload)
    return text


def _check_each_value(payload: Any) -> None:
    waiting: list[tuple[Any, int]] = [(payload, 0)]
    while waiting:
        value, depth = waiting.pop()
        if depth > DEPTH_LIMIT:
            raise ValueRefused(_("The event is nested too deeply."))
        if isinstance(value, dict):
            waiting += [(entry, depth + 1) for pair in value.items() for entry in pair]
        elif isinstance(value, list):
            waiting += [(entry, depth + 1) for entry in value]
        elif isinstance(value, str):
            _check_text(value)
        elif isinstance(value, float) and not math.isfinite(value):
            raise ValueRefused(_("The event has a number that is too large."))


def _check_text(text: str) -> None:
    if "\0" in text:
        raise ValueRefused(_("The event has a NUL character (\\u0000), which cannot be stored."))
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise ValueRefused(_("The event has half of a surrogate pair (\\ud800 to \\udfff) in a text.")) from error
