"""A web host whose own clock is wrong: due times, the circuit and readiness go by the database's (semantics §6.27).

On SQLite the host's clock is the database's, so these need PostgreSQL.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from uuid import uuid4

import pytest
from django.db import connection
from django.urls import reverse
from django.utils import timezone

from crm_integrations.database_clock import read_database_clock
from crm_integrations.models import CRMAccount
from crm_integrations.services.intake_keys import create_key
from memorialization.models import Delivery, InteractionEvent, RecordLane
from tests.engine import account_of, make_delivery, push_all
from tests.factories import make_configuration, make_mapping, make_user
from tests.memorialization.ledger_scene import EDIT, ROWS, end_call, make_record

pytestmark = [
    pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite's clock is the host's"),
    pytest.mark.django_db,
    pytest.mark.usefixtures("memory_crm"),
]


@contextmanager
def host_ahead_by(minutes: int) -> Iterator[None]:
    right_now = timezone.now
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(timezone, "now", lambda: right_now() + timedelta(minutes=minutes))
        yield


@pytest.fixture
def configuration():
    return make_configuration()


@pytest.fixture
def editor(client):
    client.force_login(make_user(EDIT))
    return client


@pytest.fixture
def script(client, configuration):
    _key, text = create_key(configuration=configuration, kind="bearer", label="script", actor=None, now=timezone.now())

    def send(path, body):
        return client.post(
            f"/api/v1/configurations/{configuration.pk}/{path}",
            body,
            content_type="application/json",
            headers={"Authorization": f"Bearer {text}"},
        )

    return send


def make_past(configuration, **columns):
    delivery = make_delivery(configuration, ended_at=timezone.now() - timedelta(hours=1))
    Delivery.objects.filter(pk=delivery.pk).update(**columns)
    return delivery


def test_what_is_replayed_or_tried_now_is_due_at_once(editor, configuration):
    failed = make_past(configuration, state="failed", next_attempt_at=None)
    waiting = make_past(configuration, next_attempt_at=timezone.now() + timedelta(hours=1))
    with host_ahead_by(minutes=10):
        for delivery in (failed, waiting):
            editor.post(reverse("delivery_replay", args=[delivery.pk]))
        editor.post(reverse("delivery_replay_selection") + f"?delivery={waiting.pk}")
    push_all(configuration, read_database_clock)
    waiting.refresh_from_db()
    assert (failed.replays.get().state, waiting.state) == ("delivered", "delivered")


@pytest.mark.parametrize("is_script", [True, False])
def test_what_a_link_leads_to_is_due_at_once(editor, script, configuration, is_script):
    make_mapping(configuration, ROWS, name="Calls")
    interaction = end_call(configuration, "415", record="")
    make_record("7")
    form = {"entity_type": "ticket", "record_id": "7", "event_id": str(uuid4())}
    with host_ahead_by(minutes=10):
        if is_script:
            answer = script("interactions/415/records", {"entityType": "ticket", "id": "7"})
        else:
            answer = editor.post(reverse("interaction_link", args=[interaction.pk]), form)
    assert answer.status_code in {202, 302}, answer.content
    push_all(configuration, read_database_clock)
    assert Delivery.objects.get(record_id="7").state == "delivered"
    assert InteractionEvent.objects.latest("pk").received_at <= read_database_clock()


def test_a_script_is_no_early_probe_and_keeps_nobody_from_probing(script, configuration):
    now = timezone.now()
    probe_at = now + timedelta(minutes=5)
    CRMAccount.objects.update(circuit_state="open", circuit_opened_at=now, circuit_probe_at=probe_at)
    with host_ahead_by(minutes=10):
        answer = script("workflows/search-email", {"workflowInput": {"email": "a@b.example"}})
    assert answer.status_code == 503, answer.content
    assert account_of(configuration).calls == []
    assert CRMAccount.objects.get().circuit_probe_at == probe_at


def test_the_web_host_is_ready_and_counts_what_is_due(client, configuration):
    """The worker's lease was taken just now, and what waits is due in some minutes, both by the database's clock."""
    lane = make_past(configuration).lane
    soon = timezone.now() + timedelta(minutes=5)
    make_delivery(configuration, record_id="36", next_attempt_at=soon)
    RecordLane.objects.filter(pk=lane.pk).update(lease=uuid4(), lease_until=soon)
    with host_ahead_by(minutes=10):
        checks = client.get("/readyz").json()["checks"]
        figures = client.get("/metrics", REMOTE_ADDR="127.0.0.1").content.decode().splitlines()
    assert checks["deliveries"]["ready"], checks
    due = [line for line in figures if line.startswith("agent_integrations_account_due_records{")]
    assert [line.rsplit(" ", 1)[1] for line in due] == ["0.0"]
