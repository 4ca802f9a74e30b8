"""Formats that `ingest_events` reads: each turns one document of a source into events of our own."""

from collections.abc import Callable, Mapping
from typing import Any

from memorialization.formats.completed_contacts import read_completed_contact
from memorialization.formats.digital_events import read_digital_event


def read_native_event(document: Any) -> list[Any]:
    """Events in the shape of the API stay as they are."""
    return [document]


FormatReader = Callable[[Any], list[Any]]
"""One document → its events (maybe none). Raises `rows.RowRefused` with a sentence."""

FORMATS: Mapping[str, FormatReader] = {
    "native": read_native_event,
    "cxone-contacts-completed": read_completed_contact,
    "cxone-digital": read_digital_event,
}
