"""Which fields of a record agents see: the floor above registers who decides, so the core imports nothing of it."""

from collections.abc import Callable, Mapping, Sequence

from crm_integrations.models import Configuration
from crm_integrations.providers.base import CRMField

FIELDS_LIMIT = 5  # per record type (product page §3.8)

CardFields = Mapping[str, Sequence[CRMField]]
"""Entity type → at most FIELDS_LIMIT fields, in the order shown."""

_deciders: list[Callable[[Configuration], CardFields]] = []


def register_card_fields(decide: Callable[[Configuration], CardFields]) -> None:
    """Say in `AppConfig.ready` who decides; the last one counts."""
    _deciders[:] = [decide]


def card_fields(configuration: Configuration) -> CardFields:
    """The fields that the configuration's agents see, of every record type that has any."""
    return _deciders[0](configuration) if _deciders else {}
