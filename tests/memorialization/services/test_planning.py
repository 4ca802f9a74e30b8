"""What a limit makes due is planned by the sweep, once."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db import OperationalError

from crm_integrations.models import Configuration
from memorialization.models import Delivery, Interaction, MappingVersion
from memorialization.services import planning
from memorialization.services.planning import plan_due_interactions
from tests.engine import take_in
from tests.factories import make_configuration, make_mapping
from tests.memorialization.event_payloads import digital, voice

START = datetime(2026, 11, 22, 15, 1, tzinfo=UTC)
LIMIT = datetime(2026, 11, 22, 16, 0, tzinfo=UTC)
LATER = LIMIT + timedelta(minutes=7)
pytestmark = pytest.mark.django_db


@pytest.fixture
def configuration():
    found = make_configuration()
    make_mapping(found, {"ticket": [("subject", "voice", "skillName"), ("subject", "digital", "status")]})
    MappingVersion.objects.update(created_at=START - timedelta(days=1))
    return found


def wait_for_acw(configuration, contact_id="1"):
    event = voice(
        contactId=contact_id,
        acwConfigured=True,
        fields={"skillName": "S"},
        records=[{"entityType": "ticket", "id": contact_id}],
    )
    take_in(configuration, event, now=START)


def test_an_acw_that_never_completes_is_planned_after_the_limit_and_the_run_says_so(configuration):
    wait_for_acw(configuration)
    waiting = Interaction.objects.get()
    assert (waiting.state, waiting.due_at) == ("waiting", LIMIT)
    assert plan_due_interactions(now=LIMIT - timedelta(seconds=1), limit=10) == 0
    assert plan_due_interactions(now=LIMIT, limit=10) == 1
    planned = Interaction.objects.get()
    assert (planned.state, planned.verdict_rule, planned.flags) == ("planned", "voice_acw_limit", ["acw_limit_reached"])
    assert Delivery.objects.get().state == "waiting"


def test_a_digital_case_that_its_agent_never_lets_go_of_is_planned_after_the_limit(configuration):
    events = [digital("started", "14:00:00"), digital("ended", "15:00:00", endedBy="agent", fields={"status": "x"})]
    take_in(configuration, *events, now=START)
    assert plan_due_interactions(now=LATER, limit=10) == 1
    assert Interaction.objects.get().flags == ["agent_end_not_reported"]


def test_a_second_sweep_plans_nothing_again(configuration):
    wait_for_acw(configuration)
    assert [plan_due_interactions(now=LATER, limit=10) for _time in range(2)] == [1, 0]
    assert Delivery.objects.count() == 1


def test_a_sweep_takes_no_more_than_its_limit_and_the_longest_due_first(configuration):
    for number in range(3):
        wait_for_acw(configuration, str(number))
    assert plan_due_interactions(now=LATER, limit=2) == 2
    assert plan_due_interactions(now=LATER, limit=2) == 1


def change_mapping(mapping, contents, *, at):
    mapping.version += 1
    mapping.save()
    changed = MappingVersion.objects.create(mapping=mapping, number=mapping.version, contents=contents)
    MappingVersion.objects.filter(pk=changed.pk).update(created_at=at)


def test_the_plan_uses_the_mapping_version_that_was_active_when_the_limit_passed(configuration):
    wait_for_acw(configuration)
    mapping = configuration.memorializationmappings.get()
    contents = mapping.versions.get().contents
    contents["entities"][0]["rows"][0]["source"] = "contactId"
    change_mapping(mapping, contents, at=LIMIT + timedelta(minutes=1))
    plan_due_interactions(now=LATER, limit=10)
    assert Delivery.objects.get().fields[0]["rendered"] == "S"


def test_acw_that_completed_in_time_but_was_reported_late_plans_by_its_own_rule(configuration):
    wait_for_acw(configuration)
    done = voice("acw_completed", "15:02:00", contactId="1")
    take_in(configuration, done, now=LATER)
    assert Interaction.objects.get().verdict_rule == "voice_acw_completed"
    assert plan_due_interactions(now=LATER, limit=10) == 0


def test_one_interaction_that_cannot_be_planned_keeps_back_no_other(configuration, monkeypatch, caplog):
    for number in range(3):
        wait_for_acw(configuration, str(number))
    fold = planning.fold_contacts

    def fail_for_one(*, contacts, **keys):
        if "1" in {contact.contact_id for contact in contacts}:
            raise RuntimeError("poison")
        return fold(contacts=contacts, **keys)

    monkeypatch.setattr(planning, "fold_contacts", fail_for_one)
    assert plan_due_interactions(now=LATER, limit=10) == 2
    assert "cannot be planned" in caplog.text


def test_interactions_of_a_deleted_configuration_are_not_planned(configuration):
    wait_for_acw(configuration)
    configuration.state, configuration.deleted_at = "deleted", START
    configuration.save()
    assert plan_due_interactions(now=LATER, limit=10) == 0


def test_a_limit_that_was_raised_meanwhile_moves_the_due_time(configuration):
    wait_for_acw(configuration)
    configuration.acw_limit_minutes = 120
    configuration.save()
    assert plan_due_interactions(now=LATER, limit=10) == 0
    assert Interaction.objects.get().due_at == LIMIT + timedelta(minutes=60)


def test_a_configuration_that_cannot_be_planned_does_not_keep_back_the_others(configuration, caplog):
    broken = make_configuration(address="broken")
    for number in range(3):
        wait_for_acw(broken, contact_id=f"b{number}")
    wait_for_acw(configuration)
    Interaction.objects.filter(configuration=configuration).update(due_at=LIMIT + timedelta(minutes=1))
    Configuration.objects.filter(pk=broken.pk).update(time_zone="Nowhere/Known")  # stands for any fault of ours
    assert plan_due_interactions(now=LATER, limit=3) == 0
    assert plan_due_interactions(now=LATER, limit=3) == 1
    assert plan_due_interactions(now=LATER, limit=3) == 0
    assert len(caplog.records) == 3
    Configuration.objects.filter(pk=broken.pk).update(time_zone="UTC")
    assert plan_due_interactions(now=LATER + timedelta(minutes=5), limit=3) == 3
    assert set(Interaction.objects.values_list("due_at", flat=True)) == {LIMIT}


def test_trouble_of_the_database_puts_nobody_off(configuration, monkeypatch):
    wait_for_acw(configuration)
    fold = planning._fold_locked
    troubles = [OperationalError("database is locked")]

    def fold_or_fail(*args):
        if troubles:
            raise troubles.pop()
        return fold(*args)

    monkeypatch.setattr(planning, "_fold_locked", fold_or_fail)
    assert plan_due_interactions(now=LATER, limit=3) == 0
    assert plan_due_interactions(now=LATER, limit=3) == 1
