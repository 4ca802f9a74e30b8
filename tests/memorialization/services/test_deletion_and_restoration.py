"""What a deletion leaves waiting goes on once, in order, after the configuration is restored and reactivated."""

from datetime import timedelta

import pytest

from crm_integrations.services.configurations import delete_configuration, reactivate_configuration
from crm_integrations.services.restoration import restore_configuration
from memorialization.models import Delivery, Interaction, MappingVersion
from memorialization.services.event_folding import fold_all_events
from memorialization.services.intake import accept_events
from memorialization.services.planning import plan_due_interactions
from tests.engine import LONG_S, NOW, make_delivery, make_entry, push_all, take_in
from tests.factories import make_configuration, make_mapping
from tests.memorialization.event_payloads import voice
from tests.memory_provider import MemoryProvider

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("memory_crm")]
TICKET = {"records": [{"entityType": "ticket", "id": "35"}]}


@pytest.fixture
def configuration():
    found = make_configuration()
    make_mapping(found, {"ticket": [("subject", "voice", "skillName")]})
    MappingVersion.objects.update(created_at=NOW)  # before the events
    return found


def delete(configuration):
    delete_configuration(configuration=configuration, actor=None, now=NOW)


def bring_back(configuration):
    restore_configuration(configuration=configuration, actor=None, now=NOW)


def record():
    return MemoryProvider.accounts["acme"].records["ticket", "35"]


def fold(clock):
    return fold_all_events(clock=clock, most_s=LONG_S)


def test_deliveries_that_wait_are_kept_back_until_it_is_reactivated_and_are_sent_once(configuration, clock):
    older = make_delivery(configuration, make_entry("subject", "Older"), ended_at=NOW - timedelta(minutes=5))
    newer = make_delivery(configuration, make_entry("subject", "Newer"))
    delete(configuration)
    push_all(configuration, clock)
    bring_back(configuration)
    push_all(configuration, clock)
    assert record() == {} and set(Delivery.objects.values_list("state", flat=True)) == {"waiting"}
    reactivate_configuration(configuration=configuration, actor=None)
    clock.move(seconds=61)
    push_all(configuration, clock)
    assert record()["subject"] == "Newer"
    older.refresh_from_db()
    newer.refresh_from_db()
    assert (older.state, newer.state) == ("delivered", "delivered")
    assert newer.attempts.count() == 1


def test_events_that_were_acknowledged_before_are_folded_afterwards_and_planned_once(configuration, clock):
    accept_events(configuration=configuration, payloads=[voice(fields={"skillName": "S"}, **TICKET)], received_at=NOW)
    delete(configuration)
    assert fold(clock) == 0
    bring_back(configuration)
    assert fold(clock) == 1 and fold(clock) == 0
    assert Delivery.objects.get().state == "waiting"


def test_a_limit_that_passed_meanwhile_makes_the_interaction_due_afterwards(configuration, clock):
    take_in(configuration, voice(acwConfigured=True, fields={"skillName": "S"}, **TICKET))
    later = Interaction.objects.get().due_at
    delete(configuration)
    assert plan_due_interactions(now=later, limit=10) == 0
    bring_back(configuration)
    assert plan_due_interactions(now=later, limit=10) == 1
    assert Delivery.objects.get().state == "waiting"
