"""A worker folds a contact or writes its record while somebody links and unlinks it (PostgreSQL).

SQLite has one writer at a time.
"""

import threading
from contextlib import contextmanager
from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.utils import timezone

from crm_integrations.contact_links import RecordReference
from crm_integrations.models import IntakeKey
from crm_integrations.services.intake_keys import create_key
from memorialization.models import Delivery, Interaction
from memorialization.services import event_folding
from memorialization.services.contact_links import EventLinks
from memorialization.services.event_folding import fold_all_events, fold_contact_events
from memorialization.services.intake import accept_events
from memorialization.services.linking import change_link
from memorialization.services.unwanted import skip_unwanted
from tests.engine import LONG_S
from tests.factories import make_configuration, make_mapping
from tests.memorialization.event_payloads import digital, link, voice

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("memory_crm")]
TICKET = {"entityType": "ticket", "id": "35"}
STORED = [{"entity_type": "ticket", "id": "35"}]
PAUSE_S = 0.5  # of the worker, during which somebody else acts


@pytest.fixture
def configuration():
    if connection.vendor != "postgresql":
        pytest.skip("one writer at a time")
    found = make_configuration()
    make_mapping(found, {"ticket": [("subject", "digital", "channelName"), ("subject", "voice", "skillName")]})
    return found


def report(configuration, event):
    accept_events(configuration=configuration, payloads=[event], received_at=timezone.now())


def case_event(type_, agent, minutes, **columns):
    at = timezone.now() - timedelta(minutes=minutes)
    return digital(type_, at.isoformat(), agent, contactId="1", **columns)


@contextmanager
def folding(monkeypatch):
    """A worker stands inside the transaction that folds what waits, and goes on a moment later."""
    inside = threading.Event()

    def stop_there(_name):
        if threading.current_thread().name == "worker":
            inside.set()
            threading.Event().wait(PAUSE_S)

    def work():
        try:
            fold_all_events(clock=timezone.now, most_s=LONG_S)
        finally:
            connection.close()

    monkeypatch.setattr(event_folding, "visit_failpoint", stop_there)
    worker = threading.Thread(target=work, name="worker")
    worker.start()
    assert inside.wait(LONG_S)
    yield
    worker.join()


def links_of(agent):
    return Interaction.objects.get(agent_id=agent).links


def test_a_link_for_the_latest_segment_finds_the_one_that_is_being_folded(configuration, client, monkeypatch):
    kind, now = IntakeKey.Kind.BEARER, timezone.now()
    _key, text = create_key(configuration=configuration, kind=kind, label="Script", actor=None, now=now)
    report(configuration, case_event("started", "A", 9))
    report(configuration, case_event("transferred", "A", 7))
    fold_all_events(clock=timezone.now, most_s=LONG_S)
    address, headers = f"/api/v1/configurations/{configuration.pk}/interactions/1", {"Authorization": f"Bearer {text}"}
    assert client.get(address, headers=headers).status_code == 200  # the first call takes longer than the worker stands
    report(configuration, case_event("started", "B", 1))
    with folding(monkeypatch):
        answer = client.post(f"{address}/records", TICKET, content_type="application/json", headers=headers)
    assert answer.status_code == 202
    fold_all_events(clock=timezone.now, most_s=LONG_S)
    assert (links_of("A"), links_of("B")) == ([], STORED)


def test_an_agents_unlink_counts_while_the_contacts_first_event_is_being_folded(configuration, monkeypatch):
    report(configuration, case_event("started", "A", 1, records=[TICKET]))
    with folding(monkeypatch):
        EventLinks().unlink(
            configuration=configuration,
            contact_id="1",
            record=RecordReference("ticket", "35"),
            origin="person",
            now=timezone.now(),
        )
    fold_all_events(clock=timezone.now, most_s=LONG_S)
    assert links_of("A") == []


def test_nobody_waits_for_ever_for_a_worker_that_stands_still(configuration, monkeypatch):
    monkeypatch.setattr(event_folding, "LONGEST_WAIT_MS", 50)
    report(configuration, case_event("started", "A", 1))
    with folding(monkeypatch):
        fold_contact_events(configuration=configuration, contact_id="1", now=timezone.now())
        assert not Interaction.objects.exists()
    assert Interaction.objects.count() == 1


def test_what_is_linked_again_while_its_call_is_under_way_is_still_owed(configuration, monkeypatch):
    now = timezone.now()
    ended_at = (now - timedelta(minutes=5)).isoformat()
    report(configuration, voice(at=ended_at, contactId="1", fields={"skillName": "S"}, records=[TICKET]))
    fold_all_events(clock=timezone.now, most_s=LONG_S)
    Delivery.objects.update(state="sending")
    change_link(interaction=Interaction.objects.get(), record=TICKET, is_linked=False, now=now)
    later = now + timedelta(seconds=2)
    report(configuration, link(later.isoformat(), contactId="1", record="35"))
    with folding(monkeypatch), transaction.atomic():  # the CRM said 503: as outcomes.store_conclusions
        delivery = Delivery.objects.get()
        list(type(delivery.lane).objects.select_for_update().filter(pk=delivery.lane_id))
        Delivery.objects.update(state="waiting", next_attempt_at=now)
        skip_unwanted(delivery_ids=[delivery.pk], now=timezone.now())
    fold_all_events(clock=timezone.now, most_s=LONG_S)
    assert Interaction.objects.get().links == STORED
    assert Delivery.objects.filter(state="waiting").count() == 1
