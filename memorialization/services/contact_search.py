"""Finds the contacts of a person, by what somebody who asks to be erased can name: an id, an e-mail address, a number.

Everything that is known of a contact came by its events, so these are read, all of them: no index knows what customers
said. A value counts when it is the address or the number, however it is written; a text that only mentions it does not.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from uuid import UUID

from crm_integrations.models import Configuration
from crm_integrations.phone_numbers import PhoneNumber, read_phone_number
from memorialization.erased_text import customers_texts
from memorialization.models import Contact, Interaction, InteractionEvent
from memorialization.person_keys import read_address, read_number

EVENTS_PER_READ = 500  # at once in memory: one may hold a whole transcript
REPORT_EVERY = 10_000  # events
TAIL = 5  # digits by which a number is told from most others without reading it
NOT_A_DIGIT = re.compile(r"\D")
ContactKey = tuple[UUID, str]
"""Configuration and Contact ID."""


@dataclass(frozen=True, slots=True)
class _Wanted:
    """A number, and the digits without which a text is not it."""

    number: PhoneNumber
    tail: str

    def is_in(self, text: str) -> bool:
        """Whether the text is the number."""
        written = read_number(text)
        return self.tail in NOT_A_DIGIT.sub("", written) and self.number.matches(written)


@dataclass
class FoundContacts:
    """Contacts by what they were found by; the same may be in all of them."""

    by_id: set[ContactKey] = field(default_factory=set)
    by_email: set[ContactKey] = field(default_factory=set)
    by_phone: set[ContactKey] = field(default_factory=set)

    @property
    def every(self) -> list[ContactKey]:
        """Each once, in an order of their own."""
        return sorted(self.by_id | self.by_email | self.by_phone)

    @property
    def is_ambiguous(self) -> bool:
        """Whether the key is the id of some contacts and the number of others: these may be two persons."""
        return bool(self.by_id and self.by_phone and self.by_id != self.by_phone)


def find_contacts(key: str, *, report: Callable[[int], None]) -> FoundContacts:
    """Contacts of every configuration, deleted ones too. `report` is told how many events were read so far."""
    found = FoundContacts(by_id=_find_by_id(key))
    email, phones = read_address(key), _read_phones(key)
    if not email and not phones:
        return found
    for contact, texts in _events(report):
        number = phones.get(contact[0])
        for text in texts:
            if email and read_address(text) == email:
                found.by_email.add(contact)
            if number is not None and number.is_in(text):
                found.by_phone.add(contact)
    return found


def _find_by_id(key: str) -> set[ContactKey]:
    contacts = set(Contact.objects.filter(contact_id=key).values_list("configuration_id", "contact_id"))
    configuration_ids = list(Configuration.objects.values_list("pk", flat=True))
    parts = Interaction.objects.filter(configuration__in=configuration_ids, master_contact_id=key)
    contacts |= set(parts.values_list("configuration_id", "contact__contact_id"))
    waiting = InteractionEvent.objects.filter(
        configuration__in=configuration_ids, source_contact_id=key, contact__isnull=True
    )
    return contacts | set(waiting.order_by().values_list("configuration_id", "source_contact_id"))


def _read_phones(key: str) -> "dict[UUID, _Wanted]":
    """The number as each configuration would read it; none for what is no number there."""
    written = read_number(key)
    if not written:
        return {}
    countries = Configuration.objects.values_list("pk", "phone_country")
    read = {pk: read_phone_number(written, country=country) for pk, country in countries}
    whole = {pk: number for pk, number in read.items() if number is not None and number.is_whole}
    return {pk: _Wanted(number, number.e164[-TAIL:]) for pk, number in whole.items()}


def _events(report: Callable[[int], None]) -> Iterator[tuple[ContactKey, Iterator[str]]]:
    """Every stored event: its contact, and what it tells of a customer."""
    rows = InteractionEvent.objects.order_by("pk").values_list(
        "pk", "configuration_id", "source_contact_id", "contact__contact_id", "body"
    )
    read, after = 0, 0
    while page := list(rows.filter(pk__gt=after)[:EVENTS_PER_READ]):
        for pk, configuration_id, source_id, contact_id, body in page:
            after = pk
            yield (configuration_id, contact_id or source_id), customers_texts(body)
        read += len(page)
        if read % REPORT_EVERY == 0:
            report(read)
