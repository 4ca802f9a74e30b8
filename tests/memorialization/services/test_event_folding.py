"""Folding stored events: few statements, whoever does it, and no contact keeps back another."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db import OperationalError, connection
from django.test.utils import CaptureQueriesContext

from crm_integrations.models import Authentication
from memorialization.models import Contact, Delivery, Interaction, InteractionEvent
from memorialization.services import event_folding
from memorialization.services.event_folding import (
    EVENTS_PER_TRANSACTION,
    FOLD_AGAIN_AFTER,
    fold_account_events,
    fold_all_events,
    fold_contact_events,
)
from memorialization.services.heartbeats import FOLD, last_heartbeat
from memorialization.services.intake import accept_events
from tests.factories import make_configuration, make_mapping
from tests.memorialization.event_payloads import voice

NOW = datetime(2026, 11, 22, 16, 0, tzinfo=UTC)
LATER = NOW + FOLD_AGAIN_AFTER
TICKET = {"records": [{"entityType": "ticket", "id": "35436"}]}
pytestmark = pytest.mark.django_db


@pytest.fixture
def configuration():
    found = make_configuration()
    make_mapping(found, {"ticket": [("subject", "voice", "skillName")]})
    return found


def store(configuration, *contact_ids):
    """One ended call for each."""
    events = [voice(contactId=each, fields={"skillName": "S"}, **TICKET) for each in contact_ids]
    accept_events(configuration=configuration, payloads=events, received_at=NOW)


def fold(now=NOW):
    return fold_all_events(clock=lambda: now, most_s=60)


def waiting():
    return InteractionEvent.objects.filter(contact__isnull=True).count()


def test_a_stored_event_waits_until_somebody_folds_it(configuration):
    store(configuration, "1")
    assert waiting() == 1 and not Interaction.objects.exists()
    assert fold() == 1
    assert waiting() == 0 and Delivery.objects.get().interaction.contact.contact_id == "1"
    assert fold() == 0


def test_many_events_need_hardly_more_statements_than_one(configuration, monkeypatch):
    monkeypatch.setattr(event_folding, "_note_work", lambda _now: None)  # each ten seconds, whoever folds
    store(configuration, "first")
    with CaptureQueriesContext(connection) as one:
        fold()
    store(configuration, *map(str, range(EVENTS_PER_TRANSACTION)))
    with CaptureQueriesContext(connection) as many:
        fold()
    assert Delivery.objects.count() == EVENTS_PER_TRANSACTION + 1
    assert len(many) <= len(one) + 2  # the record's lane is there already


def test_more_events_than_one_transaction_takes_are_all_folded(configuration):
    store(configuration, *map(str, range(2 * EVENTS_PER_TRANSACTION + 1)))
    assert fold() == Contact.objects.count() == 2 * EVENTS_PER_TRANSACTION + 1


def test_an_account_folds_its_own_configurations_only(configuration):
    other = make_configuration(address="globex")
    store(configuration, "1")
    store(other, "2")
    assert not fold_account_events(account_id=other.authentication.account_id, clock=lambda: NOW, most_s=60)
    assert Contact.objects.get().contact_id == "2"


def test_an_account_whose_time_is_over_says_that_more_waits(configuration):
    store(configuration, "1")
    assert fold_account_events(account_id=configuration.authentication.account_id, clock=lambda: NOW, most_s=0)


def test_whoever_looks_at_a_contact_has_its_events_folded_and_the_worker_woken(configuration, monkeypatch):
    woken = []
    monkeypatch.setattr(event_folding, "wake_on_commit", lambda *, account_id: woken.append(account_id))
    store(configuration, "1", "2")
    for _again in range(2):
        fold_contact_events(configuration=configuration, contact_id="1", now=NOW)
    assert Contact.objects.get().contact_id == "1" and woken == [configuration.authentication.account_id]


def test_events_of_a_contact_that_cannot_be_folded_wait_and_keep_back_no_other(configuration, monkeypatch, caplog):
    known, is_broken = event_folding.fold_contacts, True

    def fail_for_one(*, contacts, **keys):
        if is_broken and "2" in {contact.contact_id for contact in contacts}:
            raise RuntimeError("poison")
        return known(contacts=contacts, **keys)

    monkeypatch.setattr(event_folding, "fold_contacts", fail_for_one)
    store(configuration, "1", "2", "3")
    fold()
    assert sorted(Contact.objects.values_list("contact_id", flat=True)) == ["1", "3"] and waiting() == 1
    assert "cannot be folded" in caplog.text
    assert fold(LATER - timedelta(seconds=1)) == 0
    is_broken = False
    assert fold(LATER) == 1 and Delivery.objects.count() == 3


def test_a_database_that_fails_is_no_fault_of_the_events(configuration, monkeypatch):
    def fail(**_keys):
        raise OperationalError("gone")

    monkeypatch.setattr(event_folding, "fold_contacts", fail)
    store(configuration, "1")
    with pytest.raises(OperationalError):
        fold()
    assert InteractionEvent.objects.get().fold_after is None


def test_events_of_a_deleted_configuration_wait_for_its_restoration(configuration):
    store(configuration, "1")
    configuration.state, configuration.deleted_at = "deleted", NOW
    configuration.save()
    assert fold() == 0
    configuration.state, configuration.deleted_at = "active", None
    configuration.save()
    assert fold() == 1


def test_events_without_an_account_are_folded_and_stay_due(configuration):
    store(configuration, "1")
    configuration.authentication, configuration.state = None, "draft"
    configuration.save()
    assert fold() == 1
    assert Interaction.objects.get().state == "due" and not Delivery.objects.exists()


def test_events_that_another_worker_has_in_hand_are_left_to_it_without_asking_again_and_again(monkeypatch):
    configuration = make_configuration()
    accept_events(configuration=configuration, payloads=[voice()], received_at=NOW)
    asked = []
    monkeypatch.setattr(event_folding, "_fold_some", lambda *_chosen: asked.append(1) or 0)  # as SKIP LOCKED has it
    account_id = configuration.authentication.account_id
    assert not fold_account_events(account_id=account_id, clock=lambda: NOW, most_s=1)
    assert fold_all_events(clock=lambda: NOW, most_s=1) == 0
    assert len(asked) == 2


def test_an_error_of_folding_is_logged_without_its_words(configuration, monkeypatch, caplog):
    store(configuration, "1")

    def fail(*_chosen, waits=False):
        raise ValueError("what the customer said")

    monkeypatch.setattr(event_folding, "_fold_some", fail)
    fold()
    assert "ValueError at" in caplog.text and "customer said" not in caplog.text


def test_a_contact_that_is_pruned_just_before_it_is_locked_is_made_anew(configuration, monkeypatch):
    store(configuration, "1")
    fold()
    Delivery.objects.all().delete()
    store(configuration, "1")
    read = event_folding.read_rows

    def read_late(model, *arguments):
        Contact.objects.filter(interactions__created_at__lt=began).delete()
        return read(model, *arguments)

    began = Interaction.objects.get().created_at + timedelta(microseconds=1)
    monkeypatch.setattr(event_folding, "read_rows", read_late)
    assert fold() == 1 and waiting() == 0
    assert Interaction.objects.get().contact.contact_id == "1"


def test_what_is_folded_for_a_person_who_looks_is_no_sign_that_workers_fold(configuration, monkeypatch):
    monkeypatch.setattr(event_folding, "_noted_at", [])
    store(configuration, "1", "2")
    fold_contact_events(configuration=configuration, contact_id="1", now=NOW)
    assert InteractionEvent.objects.filter(contact__isnull=True).count() == 1
    assert last_heartbeat(name=FOLD) is None
    assert fold_all_events(clock=lambda: NOW, most_s=1) == 1
    assert last_heartbeat(name=FOLD) == NOW


def test_tokens_that_no_key_opens_keep_no_event_from_being_folded(configuration):
    store(configuration, "1")
    with connection.cursor() as cursor:
        cursor.execute(f"UPDATE {Authentication._meta.db_table} SET access_token = 'v1:AAAA'")  # noqa: S608
    fold()
    assert not InteractionEvent.objects.filter(contact=None).exists()


def test_events_that_cannot_be_folded_are_no_sign_that_workers_fold(configuration, monkeypatch):
    def fail(*_chosen, waits=False):
        raise ValueError

    noted = []
    monkeypatch.setattr(event_folding, "_note_work", noted.append)
    store(configuration, "1")
    with monkeypatch.context() as patched:
        patched.setattr(event_folding, "_fold_some", fail)
        fold()
    assert noted == []
    store(configuration, "2")
    fold()
    assert len(noted) == 1
