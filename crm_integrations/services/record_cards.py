"""Cards of CRM records for people: the fields that agents see, as text in their language and time zone, and a link.

Who wants to show records hands in their types and ids; which fields are shown is decided above (card_fields).
"""

import zoneinfo
from collections.abc import Sequence
from dataclasses import dataclass

from django.utils import translation
from django.utils.translation import gettext_lazy

from crm_integrations.card_fields import card_fields
from crm_integrations.contact_links import RecordReference
from crm_integrations.database_clock import Clock, read_steady_clock
from crm_integrations.definitions import display_title, title_of_key
from crm_integrations.models import Configuration
from crm_integrations.providers.base import CRMField
from crm_integrations.record_display.values import display_value
from crm_integrations.selectors.configurations import find_provider
from crm_integrations.services.call_places import SLOW
from crm_integrations.services.card_accounts import CardAccount, read_card_account
from crm_integrations.services.reading_cache import RecordReading
from crm_integrations.services.record_readings import FRESH_S, read_records

SAID_STALE_AFTER_S = 30  # a reading so much older than asked for is said to be old
PROBLEM_WORDS = {
    "busy": SLOW,
    "limited": gettext_lazy("The CRM limits its calls just now."),
    "unavailable": gettext_lazy("The CRM cannot be reached just now."),
    "held": gettext_lazy("The CRM no longer accepts the access. Tell an administrator."),
    "denied": gettext_lazy("The CRM does not let its records of this type be read. Tell an administrator."),
    "refused": gettext_lazy("The CRM refused to be read."),
}


@dataclass(frozen=True, slots=True)
class CardField:
    """One line of a card; a blank value is unset."""

    key: str
    label: str
    value: str


@dataclass(frozen=True, slots=True)
class RecordCard:
    """A record as agents see it. `is_linked` is for whoever knows the contact to say.

    `is_gone`: the CRM has no such record. `problem`: why it could not be read now, a sentence; then `stale_s` is the
    age in seconds of what is shown, or None with no fields at all when nothing is known.
    """

    entity_type: str
    id: str
    title: str
    url: str
    fields: tuple[CardField, ...] = ()
    is_linked: bool = False
    is_gone: bool = False
    is_closed: bool = False
    entity_title: str = ""
    stale_s: int | None = None
    problem: str = ""

    @property
    def reference(self) -> RecordReference:
        """The record's type and id."""
        return RecordReference(self.entity_type, self.id)


def build_cards(
    configuration: Configuration,
    references: Sequence[RecordReference],
    *,
    language: str,
    time_zone: str,
    clock: Clock = read_steady_clock,
    max_age_s: float = FRESH_S,
    account: CardAccount | None = None,
) -> list[RecordCard]:
    """The records' cards in the order asked for, each once; raises none of the port's errors.

    `time_zone`: an IANA name. At most one call per record type and 100 records; none for what was read within the last
    `max_age_s`. `account`: when the caller has read it. Call it outside atomic().
    """
    wanted = list(dict.fromkeys(references))
    fields, account = card_fields(configuration), account or read_card_account(configuration)
    if configuration.authentication is None:
        readings = {each: RecordReading(None, problem="held") for each in wanted}
    else:
        readings = read_records(
            authentication=configuration.authentication,
            references=wanted,
            fields=fields,
            clock=clock,
            max_age_s=max_age_s,
        )
    with translation.override(language):
        words = _CardWords(configuration, account, zoneinfo.ZoneInfo(time_zone), max_age_s + SAID_STALE_AFTER_S)
        return [words.build(each, readings[each], fields.get(each.entity_type, ())) for each in wanted]


class _CardWords:
    """Names and links of one configuration's records, in the active language."""

    def __init__(
        self, configuration: Configuration, known: CardAccount, time_zone: zoneinfo.ZoneInfo, stale_after_s: float
    ) -> None:
        self._stale_after_s = stale_after_s
        self._configuration = configuration
        self._account, self._entity_types = known.account, known.entity_types
        self._provider = find_provider(configuration)
        self._time_zone = time_zone

    def build(self, reference: RecordReference, reading: RecordReading, fields: Sequence[CRMField]) -> RecordCard:
        """The card of one reading."""
        record, entity_title = reading.record, self._entity_title(reference.entity_type)
        is_stale = record is not None and (reading.problem != "" or reading.age_s >= self._stale_after_s)
        return RecordCard(
            entity_type=reference.entity_type,
            id=reference.record_id,
            title=(record.title if record else "") or f"{entity_title} {reference.record_id}",
            url=self._url(reference),
            fields=tuple(self._field(field, reading) for field in fields) if record else (),
            is_gone=reading.is_gone,
            is_closed=bool(record and record.is_closed),
            entity_title=entity_title,
            stale_s=int(reading.age_s) if is_stale else None,
            problem=str(PROBLEM_WORDS[reading.problem]) if reading.problem else "",
        )

    def _field(self, field: CRMField, reading: RecordReading) -> CardField:
        record = reading.record
        value = record.values.get(field.key) if record else None
        name = record.names.get(field.key, "") if record else ""
        shown = display_value(field, value, time_zone=self._time_zone, name=name)
        return CardField(field.key, display_title(field), shown)

    def _entity_title(self, entity_type: str) -> str:
        known = self._entity_types.get(entity_type)
        return display_title(known) if known else title_of_key(entity_type)

    def _url(self, reference: RecordReference) -> str:
        if self._account is None or self._provider is None:
            return ""
        address, external = self._account.address, self._configuration.external_domain
        return self._provider.record_url(address, external, reference.entity_type, reference.record_id)
