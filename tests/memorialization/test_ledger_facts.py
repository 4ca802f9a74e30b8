"""What the ledger tells the list of configurations (memorialization.selectors.ledger_facts), and its raw tables."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from crm_integrations.models import Authentication
from crm_integrations.overview import configuration_facts, deletion_impact
from memorialization.models import Delivery
from memorialization.selectors.ledger_facts import facts_at
from tests.factories import make_configuration, make_mapping, make_user
from tests.memorialization.ledger_scene import ROWS, VIEW, delivery_of, end_call

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("memory_crm")]

NOW = datetime(2026, 11, 22, 15, 20, tzinfo=UTC)


def planned_at(delivery, at, **columns):
    Delivery.objects.filter(pk=delivery.pk).update(created_at=at, **columns)


@pytest.fixture
def configuration():
    configuration = make_configuration()
    make_mapping(configuration, ROWS)
    make_mapping(configuration, {}, is_active=False)
    return configuration


def test_a_quiet_configuration_has_mappings_and_nothing_else(configuration):
    facts = facts_at([configuration.pk], now=NOW)[configuration.pk]
    assert [(str(count.label), count.active) for count in facts.mappings] == [("Data Memorialization", 1)]
    assert (facts.last_delivery, facts.hourly_deliveries, facts.success_share) == (None, (), None)


def test_deliveries_are_counted_by_hours_of_the_clock_the_present_one_last(configuration):
    for number, minutes in enumerate((23 * 60 + 25, 23 * 60 + 15, 25, 15, 0)):
        planned_at(delivery_of(end_call(configuration, str(number))), NOW - timedelta(minutes=minutes))
    hours = facts_at([configuration.pk], now=NOW)[configuration.pk].hourly_deliveries
    assert len(hours) == 24
    assert (hours[23], hours[22], hours[0], sum(hours)) == (2, 1, 1, 4)


def test_success_is_a_share_of_what_ended_and_skipped_is_neither(configuration):
    for number, state in enumerate(("delivered", "partial", "failed", "failed", "skipped", "waiting")):
        planned_at(delivery_of(end_call(configuration, str(number))), NOW, state=state)
    assert facts_at([configuration.pk], now=NOW)[configuration.pk].success_share == 0.5


def test_the_newest_delivery_leads_to_its_page_and_may_be_held(configuration):
    end_call(configuration, "1")
    delivery = delivery_of(end_call(configuration, "2"))
    Authentication.objects.update(state=Authentication.State.REAUTHENTICATE)
    last = configuration_facts([configuration.pk])[configuration.pk].last_delivery
    assert (last.state, str(last.state_label)) == ("held", "Held")
    assert last.url == reverse("delivery_detail", args=[delivery.pk])


def test_facts_of_any_number_of_configurations_take_the_same_number_of_queries(configuration):
    def count(*ids) -> int:
        with CaptureQueriesContext(connection) as queries:
            facts_at(ids, now=NOW)
        return len(queries)

    end_call(configuration)
    others = [make_configuration(address=name) for name in ("globex", "initech")]
    for other in others:
        make_mapping(other, ROWS)
        end_call(other)
    assert count(configuration.pk) == count(configuration.pk, *(other.pk for other in others))


def test_a_deletion_takes_along_mappings_and_holds_what_waits(configuration):
    end_call(configuration)
    lines = {str(line.label): line.count for line in deletion_impact(configuration)}
    assert lines["Data memorialization mappings"] == 2
    assert lines["Deliveries that wait and are held from then on"] == 1


def test_the_list_of_configurations_shows_the_facts(client, configuration):
    end_call(configuration)
    client.force_login(make_user(VIEW))
    page = client.get(reverse("configuration_list")).content.decode()
    assert "Data Memorialization" in page
    assert "Waiting" in page


RAW_TABLES = ["contact", "interactionevent", "interaction", "delivery", "attempt", "recordlane", "fieldmark"]


@pytest.mark.parametrize("table", RAW_TABLES)
def test_operators_look_at_raw_tables_and_change_nothing(client, configuration, table):
    end_call(configuration)
    client.force_login(make_user(is_staff=True, is_superuser=True))
    assert client.get(reverse(f"admin:memorialization_{table}_changelist")).status_code == 200
    assert client.get(reverse(f"admin:memorialization_{table}_add")).status_code == 403
    delivery = Delivery.objects.get()
    assert client.get(reverse("admin:memorialization_delivery_delete", args=[delivery.pk])).status_code == 403
    assert client.post(reverse("admin:memorialization_delivery_change", args=[delivery.pk]), {}).status_code == 403
