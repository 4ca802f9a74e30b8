"""Who keeps which CRM records belong to a contact: the floor above registers its keeper; the core imports none of it.

Workflows link what they make and pin; the customer card shows what is linked and lets agents change it.
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from datetime import datetime

from crm_integrations.models import Configuration


@dataclass(frozen=True, slots=True, order=True)
class RecordReference:
    """A CRM record named by its type and id."""

    entity_type: str
    record_id: str


@dataclass(frozen=True, slots=True)
class ContactReading:
    """What is known of a contact: its linked records in their order, and whether an interaction of it is going on."""

    linked: tuple[RecordReference, ...] = ()
    is_live: bool = False


class ContactUnknown(LookupError):
    """Nothing was ever reported of this contact, so nothing can be linked to a part of it."""


class ContactLinks(ABC):
    """The links of contacts; a contact is named by its configuration and the source's Contact ID."""

    @abstractmethod
    def read_contact(self, *, configuration: Configuration, contact_id: str, now: datetime) -> ContactReading:
        """The contact with the records of its latest segment, or its own before it has any."""

    @abstractmethod
    def link(
        self,
        *,
        configuration: Configuration,
        contact_id: str,
        record: RecordReference,
        origin: str,
        now: datetime,
        event_id: str = "",
    ) -> None:
        """Link a record, also before anything else was heard of the contact.

        With an `event_id` it is done once in each of the contact's segments, which have links of their own.
        """

    @abstractmethod
    def unlink(
        self, *, configuration: Configuration, contact_id: str, record: RecordReference, origin: str, now: datetime
    ) -> None:
        """Unlink a record; one that is not linked stays so."""


_keepers: list[ContactLinks] = []


def register_contact_links(keeper: ContactLinks) -> None:
    """Say in `AppConfig.ready` who keeps the links; the last one counts."""
    _keepers[:] = [keeper]


def contact_links() -> ContactLinks:
    """The keeper."""
    return _keepers[0]
