"""The values of a new record as a script writes them in JSON: read into canonical ones, or refused with a sentence."""

import math
from collections.abc import Callable
from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _

from crm_integrations.providers.base import CRMValue

LONGEST_KEY = 255
BOOLS = {"true": True, "false": False}


def read_text(value: Any) -> str:
    """A text; a number is one too, since scripts have no types."""
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        raise ValueError(_("This must be a text."))
    return _storable(str(value))


def _storable(text: str) -> str:
    """The text, unless it has signs that neither a database nor the CRM takes: NUL, half a pair of code units."""
    try:
        text.encode()
    except UnicodeEncodeError:
        text = "\0"
    if "\0" in text:
        raise ValueError(_("This text holds signs that cannot be stored."))
    return text


def read_words(value: Any) -> str:
    """A text that is not empty."""
    text = read_text("" if value is None else value)
    if not text.strip():
        raise ValueError(_("This must not be empty."))
    return text


def read_key(value: Any) -> str:
    """An id of another system."""
    text = read_words(value)
    if len(text) > LONGEST_KEY:
        raise ValueError(_("This is longer than %(most)s characters.") % {"most": LONGEST_KEY})
    return text


def read_email(value: Any) -> str:
    """An e-mail address, as far as can be seen."""
    text = read_words(value).strip()
    name, _at, domain = text.rpartition("@")
    if not name or not domain or any(char.isspace() for char in text):
        raise ValueError(_("This must be an e-mail address."))
    return text


def read_id(value: Any) -> str:
    """The id of a record."""
    text = str(value).strip()
    if isinstance(value, bool) or not (text.isascii() and text.isdigit()):
        raise ValueError(_("This must be the number of a record."))
    return text


def read_number(value: Any) -> int:
    """The same as a number, for what is handed on as it is."""
    return int(read_id(value))


def read_bool(value: Any) -> bool:
    """true or false; scripts write them as texts."""
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and value.strip().lower() in BOOLS:
        return BOOLS[value.strip().lower()]
    raise ValueError(_("This must be true or false."))


def read_moment(value: Any) -> str:
    """A date or a time."""
    try:
        return datetime.fromisoformat(read_text(value)).isoformat()
    except ValueError:
        raise ValueError(_("This must be a date such as 2026-11-22.")) from None


def read_texts(value: Any) -> CRMValue:
    """A list of texts."""
    if not isinstance(value, list) or not all(isinstance(each, str) and each.strip() for each in value):
        raise ValueError(_("This must be a list of texts."))
    return [_storable(str(each)) for each in value]


def read_any(value: Any) -> CRMValue:
    """The value of a field whose type only the account knows."""
    if isinstance(value, str):
        return _storable(value)
    if isinstance(value, float) and not math.isfinite(value):
        raise ValueError(_("This must be a text."))
    if value is None or isinstance(value, (bool, int, float)):
        return value
    return read_texts(value)


def choice(*known: str) -> Callable[[Any], str]:
    """A reader of one of a few words."""

    def read(value: Any) -> str:
        text = read_text(value).strip().lower()
        if text not in known:
            raise ValueError(_("This must be one of %(known)s.") % {"known": ", ".join(known)})
        return text

    return read
