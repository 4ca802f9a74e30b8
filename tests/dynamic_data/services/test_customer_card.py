"""The customer card (dynamic_data.services.customer_card)."""

import pytest
from django.utils import timezone

from crm_integrations.contact_links import RecordReference
from crm_integrations.models import AuditEntry, FoundRecord
from dynamic_data.services.customer_card import (
    CardReader,
    CardRefused,
    RecordNotOffered,
    build_contact_card,
    build_record_card,
    change_link,
)
from tests.factories import make_authentication, make_configuration, make_dynamic_mapping
from tests.memory_provider import MemoryProvider

pytestmark = pytest.mark.django_db
READER = CardReader("en", "America/Toronto")
TICKET, PERSON = RecordReference("ticket", "1"), RecordReference("user", "7")


@pytest.fixture
def configuration():
    configuration = make_configuration()
    make_dynamic_mapping(configuration, {"ticket": ["subject", "priority"], "user": ["name"]})
    account = MemoryProvider.accounts["acme"]
    account.records["ticket", "1"] = {"subject": "Broken printer", "priority": "high"}
    account.records["ticket", "2"] = {"subject": "Second"}
    account.records["user", "7"] = {"name": "Ada"}
    return configuration


def find(configuration, *references: RecordReference) -> None:
    for position, record in enumerate(references):
        FoundRecord.objects.create(
            configuration=configuration,
            contact_id="c1",
            entity_type=record.entity_type,
            record_id=record.record_id,
            position=position,
            found_at=timezone.now(),
        )


def titles(cards) -> list[str]:
    return [card.title for card in cards]


def test_linked_records_are_current_and_found_ones_related(configuration, kept_links):
    kept_links.links["c1"] = [TICKET]
    find(configuration, RecordReference("ticket", "2"), PERSON, TICKET)
    card = build_contact_card(configuration=configuration, contact_id="c1", reader=READER)
    assert titles(card.current) == ["Broken printer"]
    assert titles(card.related) == ["Second", "Ada"]
    assert [record.is_linked for record in (*card.current, *card.related)] == [True, False, False]


def test_a_whole_card_is_one_call_for_each_record_type(configuration, kept_links):
    kept_links.links["c1"] = [TICKET]
    find(configuration, RecordReference("ticket", "2"), PERSON)
    build_contact_card(configuration=configuration, contact_id="c1", reader=READER)
    calls = [name for name, _details in MemoryProvider.accounts["acme"].calls if name != "close"]
    assert calls == ["get_records", "get_records"]


def test_a_contact_that_nobody_heard_of_has_an_empty_card(configuration, kept_links):
    card = build_contact_card(configuration=configuration, contact_id="unknown", reader=READER)
    assert (card.current, card.related, card.is_live) == ((), (), False)
    assert MemoryProvider.accounts["acme"].calls == []


def test_what_a_search_found_for_another_configuration_is_not_shown(configuration, kept_links):
    other = make_configuration()
    find(other, PERSON)
    assert build_contact_card(configuration=configuration, contact_id="c1", reader=READER).related == ()


def test_a_found_record_that_is_gone_is_left_out_and_a_linked_one_says_so(configuration, kept_links):
    lost = RecordReference("ticket", "99")
    kept_links.links["c1"] = [lost]
    find(configuration, RecordReference("user", "99"))
    card = build_contact_card(configuration=configuration, contact_id="c1", reader=READER)
    assert [record.is_gone for record in card.current] == [True]
    assert card.related == ()


def test_one_record_is_shown_whoever_it_belongs_to(configuration):
    card = build_record_card(configuration=configuration, reference=TICKET, reader=READER)
    assert [field.value for field in card.current[0].fields] == ["Broken printer", "High"]


@pytest.mark.parametrize("state", ["inactive", "system_user_removed"])
def test_a_stopped_configuration_shows_nothing(configuration, kept_links, state):
    """Product page §3: “it stops (workflows and customer card refuse, events are still accepted)”."""
    configuration.state = state
    with pytest.raises(CardRefused):
        build_contact_card(configuration=configuration, contact_id="c1", reader=READER)
    with pytest.raises(CardRefused):
        change_link(configuration=configuration, contact_id="c1", record=TICKET, is_linked=True)


def test_a_removed_system_user_stops_the_card_too(kept_links):
    stopped = make_configuration(authentication=make_authentication(state="system_user_removed"))
    with pytest.raises(CardRefused):
        build_contact_card(configuration=stopped, contact_id="c1", reader=READER)


def test_an_agent_links_what_was_found_and_unlinks_what_is_linked(configuration, kept_links):
    find(configuration, PERSON)
    for is_linked in (True, True, False, False):
        change_link(
            configuration=configuration, contact_id="c1", record=PERSON, is_linked=is_linked, agent_id="39185896"
        )
        assert (PERSON in kept_links.links["c1"]) is is_linked
    assert kept_links.origins == ["customer_card", "customer_card"]
    assert list(AuditEntry.objects.order_by("pk").values_list("action", flat=True)) == [
        "card_record_linked", "card_record_unlinked",
    ]  # fmt: skip
    assert AuditEntry.objects.first().details["agentId"] == "39185896"


def test_nothing_else_can_be_linked_from_a_card(configuration, kept_links):
    with pytest.raises(RecordNotOffered):
        change_link(configuration=configuration, contact_id="c1", record=TICKET, is_linked=True)
    assert kept_links.links == {}
