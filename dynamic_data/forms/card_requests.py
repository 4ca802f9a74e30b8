"""What scripts ask of the customer card, read and checked: every doubt with the parameter that it is about."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from django.conf import settings
from django.utils.translation import gettext as _

from crm_integrations.contact_links import RecordReference
from crm_integrations.record_names import is_entity_type, is_record_id
from crm_integrations.time_zones import time_zone_names

ID_LIMIT = 200  # characters of contact and agent ids


class RequestRefused(ValueError):
    """Parameters are missing or wrong; `errors`: {"field", "message"} for whoever wrote the script."""

    def __init__(self, errors: list[dict[str, str]]) -> None:
        super().__init__("; ".join(error["message"] for error in errors))
        self.errors = errors


@dataclass
class RequestReader:
    """Reads parameters of a query or body, noting what is wrong."""

    sent: Mapping[str, Any]
    errors: list[dict[str, str]] = field(default_factory=list)

    def refuse(self, name: str, sentence: str) -> None:
        """Note a problem."""
        self.errors.append({"field": name, "message": sentence})

    def read_id(self, name: str) -> str:
        """An id as text; whole numbers are taken digit by digit. Blank when it was not sent."""
        value = self.sent.get(name)
        if isinstance(value, int) and not isinstance(value, bool):
            value = str(value)
        if value is None:
            return ""
        if not isinstance(value, str):
            self.refuse(name, _("This is an id: send it as a string, so that no digit is lost."))
            return ""
        if len(value.strip()) > ID_LIMIT:
            self.refuse(name, _("Use at most %(limit)s characters.") % {"limit": ID_LIMIT})
        elif not _is_storable(value):
            self.refuse(name, _("This id has characters that no id can have."))
        else:
            return value.strip()
        return ""

    def read_record(self) -> RecordReference:
        """`entityType` and `id`."""
        entity_type, record_id = self.read_id("entityType"), self.read_id("id")
        if not is_entity_type(entity_type):
            self.refuse("entityType", _("Name the record type, such as ticket, user or custom_object:device."))
        if not is_record_id(record_id):
            self.refuse("id", _("A record id consists of letters, digits and the signs _ . : @ + -."))
        return RecordReference(entity_type, record_id)

    def read_time_zone(self, default: str) -> str:
        """`timeZone`: an IANA name."""
        name = self.sent.get("timeZone") or default
        if not isinstance(name, str) or name not in time_zone_names():
            words = {"name": str(name)[:60]}
            self.refuse("timeZone", _("“%(name)s” is not a time zone. Use a name such as America/Toronto.") % words)
            return default
        return name

    def read_language(self, default: str) -> str:
        """`language`: one of the product's, or a plain or regional form of it."""
        wanted = self.sent.get("language") or default
        known = find_language(str(wanted))
        if known is None:
            self.refuse("language", _("Send en or fr-CA."))
        return known or default

    def finish(self) -> None:
        """Raise RequestRefused when anything is wrong."""
        if self.errors:
            raise RequestRefused(self.errors)


def find_language(code: str) -> str | None:
    """The product's language for a code such as `fr`, `fr-CA` or `en_US`."""
    first = code.lower().replace("_", "-").partition("-")[0]
    return next((key for key, _label in settings.LANGUAGES if key.partition("-")[0] == first), None)


def _is_storable(text: str) -> bool:
    """PostgreSQL refuses NUL and halves of surrogate pairs."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return "\0" not in text
