"""Workers killed with -9 at the worst moments, and a broker wiped: nothing lost, nothing doubled, final values right.

Real worker processes against the demo Zendesk. KILL_TEST_SIZE sets the number of interactions (100).
"""

import os
import random
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import redis

from config.stack.processes import wait_until
from crm_integrations.models import Configuration
from memorialization.models import Attempt, Delivery, RecordLane
from memorialization.services.intake import accept_events
from tests.end_to_end.kill_stage import (
    END_PATIENCE_S,
    SUBDOMAIN,
    DemoZendesk,
    Workers,
    running_demo_zendesk,
    worker_environment,
)
from tests.factories import make_authentication, make_configuration, make_mapping

pytestmark = pytest.mark.django_db(transaction=True)

SIZE = int(os.environ.get("KILL_TEST_SIZE", "100"))
SEGMENTS_PER_TICKET = 4
START = datetime(2026, 1, 15, 9, tzinfo=UTC)
ROWS = {"ticket": [("subject", "voice", "agentName"), ("comment", "voice", "contactId"), ("tags", "voice", "tags")]}


@dataclass
class Stage:
    """Everything that is set up, and what should stand in the tickets in the end."""

    zendesk: DemoZendesk
    workers: Workers
    broker: redis.Redis
    expected: dict[str, list[str]]  # ticket → contact ids, in the order of their ends

    def wait_until_delivered(self) -> bool:
        """Whether every interaction's delivery is over, in time."""
        finished = Delivery.objects.exclude(state__in=["waiting", "sending"])
        return wait_until(lambda: finished.count() >= SIZE, patience_s=END_PATIENCE_S + SIZE / 4)


@pytest.fixture
def stage(tmp_path: Path, valkey_url: str, settings: object) -> Iterator[Stage]:
    """A configuration of the demo Zendesk with interactions that have all ended, and no worker yet."""
    settings.CRM_PROVIDERS = ["crm_integrations.providers.zendesk.provider.ZendeskProvider"]
    with running_demo_zendesk(tmp_path) as zendesk, redis.Redis.from_url(valkey_url) as broker:
        environment = worker_environment(zendesk=zendesk, broker_url=valkey_url, folder=tmp_path)
        configuration = make_zendesk_configuration(zendesk)
        expected = end_interactions(configuration, zendesk.open_tickets(max(1, SIZE // SEGMENTS_PER_TICKET)))
        yield Stage(zendesk, Workers(environment, tmp_path / "workers.log"), broker, expected)


def make_zendesk_configuration(zendesk: DemoZendesk) -> Configuration:
    """An authenticated configuration with a mapping for tickets."""
    pair = zendesk.prepare()
    authentication = make_authentication(
        address=SUBDOMAIN,
        access_token=pair["access_token"],
        refresh_token=pair["refresh_token"],
        system_user_id=str(pair["user_id"]),
    )
    authentication.account.provider = "zendesk"
    authentication.account.save()
    configuration = make_configuration(authentication=authentication, integration_type="zendesk")
    make_mapping(configuration, ROWS)
    return configuration


def end_interactions(configuration: Configuration, tickets: list[str]) -> dict[str, list[str]]:
    """End SIZE calls, reported in a wild order; what each ticket should have seen, in the right one."""
    expected: dict[str, list[str]] = defaultdict(list)
    events = []
    for number in range(SIZE):
        ticket_id, contact_id = tickets[number % len(tickets)], f"contact-{number:05}"
        expected[ticket_id].append(contact_id)
        events.append(make_event(contact_id, ticket_id, START + timedelta(seconds=number)))
    random.Random(7).shuffle(events)
    for start in range(0, len(events), 100):
        batch = events[start : start + 100]
        result = accept_events(configuration=configuration, payloads=batch, received_at=datetime.now(UTC))
        assert len(result.accepted) == len(batch), result
    return expected


def make_event(contact_id: str, ticket_id: str, ended_at: datetime) -> dict[str, object]:
    return {
        "eventId": f"event-{contact_id}",
        "type": "interaction.ended",
        "occurredAt": ended_at.isoformat(),
        "channel": "voice",
        "contactId": contact_id,
        "endedBy": "agent",
        "fields": {"agentName": f"Agent of {contact_id}", "tags": [f"tag_{contact_id}"]},
        "records": [{"entityType": "ticket", "id": ticket_id}],
    }


def check_nothing_lost_nothing_doubled(stage: Stage) -> None:
    """The verdict: the ledger, and the tickets themselves."""
    states = Counter(Delivery.objects.values_list("state", "reason"))
    assert states == {("delivered", ""): SIZE}, f"{states}\n{stage.workers.tail()}"
    assert not Attempt.objects.filter(outcome=Attempt.Outcome.STARTED).exists()
    assert not RecordLane.objects.exclude(lease=None).exists()
    for ticket_id, contact_ids in stage.expected.items():
        shown = stage.zendesk.ticket(ticket_id)
        notes = Counter(comment["body"] for comment in shown["comments"] if comment["body"].startswith("contact-"))
        assert notes == dict.fromkeys(contact_ids, 1), f"ticket {ticket_id}: notes lost or doubled"
        assert shown["ticket"]["subject"] == f"Agent of {contact_ids[-1]}", f"ticket {ticket_id}: an older value stands"
        assert {f"tag_{contact_id}" for contact_id in contact_ids} <= set(shown["ticket"]["tags"])
        assert all(not comment["public"] for comment in shown["comments"] if comment["body"] in notes)


@pytest.mark.parametrize("kind", ["celery", "command"])
def test_workers_killed_at_every_point_lose_and_double_nothing(stage: Stage, kind: str) -> None:
    """Each worker dies at its third visit of the place; the broker is wiped before each, then one may live."""
    for failpoint in ("after_claim:kill", "before_call:kill:3", "after_call:kill:3", "during_commit:kill:3"):
        stage.broker.flushall()
        stage.workers.run_until_killed(kind, failpoint=failpoint)
    stage.broker.flushall()
    with stage.workers.running(kind):
        assert stage.wait_until_delivered(), stage.workers.tail()
    check_nothing_lost_nothing_doubled(stage)


def test_answers_that_are_lost_after_they_were_applied_double_nothing(stage: Stage) -> None:
    """The demo applies every third write and closes the connection without an answer; twice it wipes the broker."""
    stage.zendesk.ask(
        "faults", {"kind": "drop_after", "method": "PUT", "path": "api/v2/tickets/", "probability": 0.3, "count": 20}
    )
    with stage.workers.running("celery"):
        for _ in range(2):
            stage.broker.flushall()
        assert stage.wait_until_delivered(), stage.workers.tail()
    check_nothing_lost_nothing_doubled(stage)
    assert Attempt.objects.filter(outcome=Attempt.Outcome.UNKNOWN).exists(), (
        "no answer was lost: the test shows nothing"
    )
