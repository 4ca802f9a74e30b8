"""Cards of records: few calls, in the reader's language, and the last known ones while the CRM cannot answer."""

from datetime import UTC, datetime, timedelta

import pytest
from django.core.cache import cache
from django.db import connection
from django.test.utils import CaptureQueriesContext

from crm_integrations import card_fields as registry
from crm_integrations.contact_links import RecordReference
from crm_integrations.failure_pauses import FailurePause
from crm_integrations.providers.base import CRMField, FieldOption, FieldType
from crm_integrations.providers.errors import AccessDenied, CRMUnavailable, GrantEnded, RecordGone, RetryLater
from crm_integrations.services import call_places, connections, reading_cache
from crm_integrations.services.call_budgets import BudgetSpent
from crm_integrations.services.call_places import CallPlaces
from crm_integrations.services.record_cards import build_cards
from tests.factories import make_authentication, make_configuration
from tests.memory_provider import MemoryProvider

pytestmark = pytest.mark.django_db
START = datetime(2026, 11, 22, 15, 0, tzinfo=UTC)
TICKET, OTHER, PERSON = RecordReference("ticket", "1"), RecordReference("ticket", "2"), RecordReference("user", "7")
FIELDS = {
    "ticket": [
        CRMField("subject", "Subject", FieldType.TEXT),
        CRMField("priority", "Priority", FieldType.DROPDOWN, options=(FieldOption("high", "High"),)),
        CRMField("requester_id", "Requester", FieldType.LOOKUP),
        CRMField("created_at", "Created", FieldType.DATETIME),
    ]
}


class Clock:
    """A clock that the test moves."""

    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> datetime:
        return self.now

    def pass_by(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def shown(monkeypatch):
    """The fields that agents see."""
    monkeypatch.setattr(registry, "_deciders", [lambda configuration: FIELDS])


@pytest.fixture
def crm(shown):
    account = MemoryProvider.accounts["acme"]
    account.records["ticket", "1"] = {
        "subject": "Broken printer",
        "priority": "high",
        "requester_id": "7",
        "created_at": "2026-11-22T15:04:58Z",
        "notes": "not shown",
    }
    account.records["ticket", "2"] = {"subject": "Second"}
    account.records["user", "7"] = {"name": "Ada Lovelace"}
    return account


@pytest.fixture
def configuration(crm):
    return make_configuration(external_domain="https://help.acme.test")


def build(configuration, *references, clock, language="en", **more):
    return build_cards(configuration, references, language=language, time_zone="America/Toronto", clock=clock, **more)


def reads(account):
    return [details for name, details in account.calls if name == "get_records"]


def test_a_card_has_the_fields_in_their_order_and_a_link(configuration, clock):
    [card] = build(configuration, TICKET, clock=clock)

    assert [(field.key, field.label, field.value) for field in card.fields] == [
        ("subject", "Subject", "Broken printer"),
        ("priority", "Priority", "High"),
        ("requester_id", "Requester", "Ada Lovelace"),
        ("created_at", "Created", "22 Nov 2026, 10:04"),
    ]
    assert card.url == "https://help.acme.test/ticket/1"
    assert (card.entity_title, card.stale_s, card.problem, card.is_gone) == ("Ticket", None, "", False)


def test_many_records_of_a_type_are_one_call_and_lookups_are_named_by_it(configuration, crm, clock):
    build(configuration, TICKET, OTHER, PERSON, TICKET, clock=clock)

    assert reads(crm) == [("ticket", ["1", "2"], ["requester_id"]), ("user", ["7"])]


def test_more_than_a_hundred_records_are_a_call_for_each_hundred(configuration, crm, clock):
    cards = build(configuration, *(RecordReference("user", str(number)) for number in range(150)), clock=clock)

    assert [len(details[1]) for details in reads(crm)] == [100, 50]
    assert len(cards) == 150


def test_the_language_decides_words_and_dates(configuration, clock):
    [card] = build(configuration, TICKET, clock=clock, language="fr-ca")
    assert card.fields[3].value == "22 novembre 2026, 10:04"


def test_looks_within_ten_seconds_are_one_call_whatever_the_language(configuration, crm, clock):
    build(configuration, TICKET, clock=clock)
    clock.pass_by(9)
    build(configuration, TICKET, clock=clock, language="fr-ca")
    assert len(reads(crm)) == 1

    clock.pass_by(2)
    build(configuration, TICKET, clock=clock)
    assert len(reads(crm)) == 2


def test_who_asks_for_younger_values_is_shown_the_change(configuration, crm, clock):
    build(configuration, TICKET, clock=clock)
    crm.records["ticket", "1"]["subject"] = "Repaired"
    clock.pass_by(2)

    [card] = build(configuration, TICKET, clock=clock, max_age_s=1)
    assert card.fields[0].value == "Repaired"


def test_only_what_is_shown_is_kept(configuration, clock, monkeypatch):
    kept = {}
    monkeypatch.setattr(cache, "set_many", lambda entries, timeout: kept.update(entries))
    build(configuration, TICKET, clock=clock)
    assert "not shown" not in str(kept) and "Broken printer" in str(kept)


def test_another_system_user_of_the_account_is_shown_nothing_that_this_one_read(configuration, crm, clock):
    build(configuration, TICKET, clock=clock)
    other = make_configuration(authentication=make_authentication())
    build(other, TICKET, clock=clock)
    assert len(reads(crm)) == 2


def test_other_fields_are_another_reading(configuration, crm, clock, monkeypatch):
    build(configuration, TICKET, clock=clock)
    fewer = {"ticket": FIELDS["ticket"][:1]}
    monkeypatch.setattr(registry, "_deciders", [lambda configuration: fewer])
    [card] = build(configuration, TICKET, clock=clock)
    assert len(reads(crm)) == 2
    assert len(card.fields) == 1


PASSING = [
    RetryLater("slow down", retry_after_s=20),
    BudgetSpent(limit_class="account", retry_after_s=20),
    CRMUnavailable("down", may_have_applied=False),
]


@pytest.mark.parametrize("fault", PASSING, ids=lambda fault: type(fault).__name__)
def test_the_last_known_card_is_shown_with_its_age_while_the_crm_cannot_answer(configuration, crm, clock, fault):
    build(configuration, TICKET, clock=clock)
    clock.pass_by(120)
    crm.faults.append(fault)

    [card] = build(configuration, TICKET, clock=clock)
    assert card.fields[0].value == "Broken printer"
    assert card.stale_s == 120
    assert card.problem.startswith("The CRM")


def test_without_a_last_known_card_there_is_its_link_and_the_reason(configuration, crm, clock):
    crm.faults.append(CRMUnavailable("down", may_have_applied=False))
    [card] = build(configuration, TICKET, clock=clock)
    assert (card.title, card.url, card.fields) == ("Ticket 1", "https://help.acme.test/ticket/1", ())
    assert (card.is_gone, card.stale_s, card.problem) == (False, None, "The CRM cannot be reached just now.")


def test_a_crm_that_is_down_is_left_alone_for_a_moment(configuration, crm, clock):
    crm.faults.append(CRMUnavailable("down", may_have_applied=False))
    for _look in range(5):
        build(configuration, TICKET, PERSON, clock=clock)
    assert len(reads(crm)) == 1


def test_that_this_process_is_busy_keeps_nobody_from_asking(configuration, clock, monkeypatch, settings):
    """Calls to another account may hold its places."""
    settings.INTERACTIVE_CALLS, places = 1, CallPlaces()
    monkeypatch.setattr(call_places, "BRISK_S", -1.0)
    monkeypatch.setattr(connections, "places", places)
    with places.taking():
        [card] = build(configuration, TICKET, clock=clock)
        assert card.problem == "The CRM is slow to answer just now. Try again in a moment."
    [card] = build(configuration, TICKET, clock=clock)
    assert (card.problem, card.fields[0].value) == ("", "Broken printer")


def test_an_ended_grant_is_said(configuration, crm, clock):
    crm.faults.append(GrantEnded("revoked"))
    [card] = build(configuration, TICKET, clock=clock)
    assert "administrator" in card.problem


def test_what_one_type_is_denied_the_others_still_show(configuration, crm, clock):
    crm.faults.append(AccessDenied("no", status=403))
    ticket, person = build(configuration, TICKET, PERSON, clock=clock)
    assert ticket.problem != ""
    assert person.problem == ""


def test_a_record_that_is_gone_says_so_and_so_does_a_type_that_is_gone(configuration, crm, clock):
    del crm.records["ticket", "2"]
    [card] = build(configuration, OTHER, clock=clock)
    assert card.is_gone and card.problem == ""

    crm.faults.append(RecordGone("no such type", status=404))
    [card] = build(configuration, RecordReference("custom_object:lost", "9"), clock=clock)
    assert card.is_gone


def test_a_closed_record_says_so(configuration, crm, clock):
    crm.closed.add(("ticket", "1"))
    [card] = build(configuration, TICKET, clock=clock)
    assert card.is_closed


def test_while_one_asks_others_are_served_what_is_known(configuration, crm, clock, monkeypatch):
    build(configuration, TICKET, clock=clock)
    clock.pass_by(15)
    monkeypatch.setattr(reading_cache.ReadingCache, "is_asked_by_me", lambda self, entity_type: False)
    ticket, other = build(configuration, TICKET, OTHER, clock=clock)
    assert reads(crm)[-1][1] == ["2"]  # nobody knows it yet, so waiting would help nobody
    assert (ticket.stale_s, ticket.problem) == (None, "")
    assert other.fields[0].value == "Second"


def test_a_cache_that_is_away_costs_calls_and_nothing_else(configuration, crm, clock, monkeypatch):
    tries = []

    def fail(*_args, **_more):
        tries.append(1)
        raise ConnectionError

    monkeypatch.setattr(reading_cache, "_pause", FailurePause(60))
    for name in ("get_many", "set_many", "add", "set", "delete"):
        monkeypatch.setattr(cache, name, fail)
    for _look in range(2):
        [card] = build(configuration, TICKET, clock=clock)
        assert card.fields[0].value == "Broken printer"
    assert len(reads(crm)) == 2
    assert len(tries) == 1  # and then left alone for a moment


def test_a_known_card_costs_no_call_and_hardly_a_query(configuration, crm, clock):
    build(configuration, TICKET, OTHER, clock=clock)
    calls = len(crm.calls)
    with CaptureQueriesContext(connection) as queries:
        build(configuration, TICKET, OTHER, clock=clock)
    assert len(crm.calls) == calls
    assert len(queries) <= 2


def test_a_configuration_without_an_account_shows_links_to_nothing(shown, clock):
    draft = make_configuration(state="draft")
    draft.authentication = None
    [card] = build(draft, TICKET, clock=clock)
    assert (card.url, card.fields) == ("", ())
