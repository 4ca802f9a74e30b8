"""The search workflows: who calls, who writes, which records meet a filter. Each asks the CRM and keeps nothing."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from django.utils.translation import gettext as _

from crm_integrations.contact_links import RecordReference
from crm_integrations.models import Configuration
from crm_integrations.phone_numbers import read_phone_number
from crm_integrations.problems import Problem
from crm_integrations.providers.base import CRMConnection, CRMProvider, CRMRecord, PersonClues, SearchCriterion
from crm_integrations.providers.errors import RecordGone, ValueRefused
from crm_integrations.workflows.bodies import CustomSearch, EmailSearch, PhoneSearch
from crm_integrations.workflows.body_reading import BodyRefused

RECORDS_LIMIT = 25  # of one search, and of the open cases beside it
PEOPLE_LOOKED_AT = 5  # so many people's open cases are listed: a call each


@dataclass(frozen=True, slots=True)
class Found:
    """What a search found. `related`: the open cases of the people; `notes`: sentences for whoever wrote the script."""

    records: tuple[RecordReference, ...] = ()
    related: tuple[RecordReference, ...] = ()
    is_complete: bool = True
    notes: tuple[str, ...] = ()


def search_phone(*, connection: CRMConnection, configuration: Configuration, asked: PhoneSearch) -> Found:
    """The people with this number, however it is written, and their open cases."""
    phone = read_phone_number(asked.phone, country=configuration.phone_country)
    if phone is None:
        return Found(notes=(_("This is no phone number, so nobody was looked for."),))
    return _search_people(connection, PersonClues(phone=phone))


def search_email(*, connection: CRMConnection, asked: EmailSearch) -> Found:
    """The people with this address, and their open cases."""
    return _search_people(connection, PersonClues(email=asked.email))


def search_records(*, connection: CRMConnection, provider: CRMProvider, asked: CustomSearch) -> Found:
    """What meets the filters, in their order. Raises BodyRefused for one that cannot be read, before any call."""
    read = list(_read_filters(provider, asked))
    records: list[CRMRecord] = []
    is_complete = True
    for index, (entity_type, criteria) in enumerate(read):
        try:
            found = connection.find_records(entity_type, criteria, limit=RECORDS_LIMIT)
        except (ValueRefused, RecordGone) as error:
            raise BodyRefused([_refused_search(index, error)]) from error
        records += found.records
        is_complete = is_complete and found.is_complete
    return Found(_references(records), is_complete=is_complete)


def _search_people(connection: CRMConnection, clues: PersonClues) -> Found:
    people = connection.find_people(clues)
    cases = [
        case
        for person in people[:PEOPLE_LOOKED_AT]
        for case in connection.list_open_records(person.id, limit=RECORDS_LIMIT)
    ]
    is_complete = len(people) <= PEOPLE_LOOKED_AT and len(cases) < RECORDS_LIMIT
    return Found(_references(people[:RECORDS_LIMIT]), _references(cases[:RECORDS_LIMIT]), is_complete)


def _read_filters(provider: CRMProvider, asked: CustomSearch) -> Iterator[tuple[str, list[SearchCriterion]]]:
    problems = []
    for index, search in enumerate(asked.searches):
        try:
            yield search.entity_type, provider.read_filter(search.filter)
        except ValueError as error:
            problems.append(Problem(("search", index, "filter"), str(error)))
    if problems:
        raise BodyRefused(problems)


def _refused_search(index: int, error: ValueRefused | RecordGone) -> Problem:
    if isinstance(error, RecordGone):
        return Problem(("search", index, "entity"), _("The CRM account has no such record type."))
    words = _("The CRM does not understand this filter: %(words)s") % {"words": error.message}
    return Problem(("search", index, "filter"), words)


def _references(records: Sequence[CRMRecord]) -> tuple[RecordReference, ...]:
    return tuple(dict.fromkeys(RecordReference(record.entity_type, record.id) for record in records))
