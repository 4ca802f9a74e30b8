"""A backlog in the product's ledger for one account of the demo Zendesk, seeded through the intake, and its drain."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import redis
from django.conf import settings
from django.db import connection
from django.utils import timezone

from crm_integrations.models import Configuration
from crm_integrations.providers.base import CRMField, FieldType
from memorialization.mappings.contents import EntityContents, MappingContents, Row
from memorialization.models import Delivery, MappingVersion, MemorializationMapping
from memorialization.services.event_folding import fold_all_events
from memorialization.services.hints import send_hint
from memorialization.services.intake import accept_events
from tests.benchmarks.scene import ROWS, make_body, make_scene
from tests.faults.zendesk_account import ZendeskAccount

BATCH = 100
FOLDING_S = 600.0  # more than any backlog takes
LOOK_S = 0.1
LOG_PAGE = 10_000
NOTE = Row(CRMField("comment", "Internal note", FieldType.COMMENT), "voice", "dispositionNotes")
DETAILS = Row(CRMField("details", "Details", FieldType.TEXTAREA), "voice", "skillName")
USER_NOTES = Row(CRMField("notes", "Notes", FieldType.TEXTAREA), "voice", "agentName")
ARRIVED = {Delivery.State.DELIVERED.value, Delivery.State.SKIPPED.value}  # skipped: all of it was superseded
UNFINISHED = (Delivery.State.WAITING, Delivery.State.SENDING)


@dataclass
class Backlog:
    """Deliveries that wait on one account; its configuration is inactive until `release`."""

    configuration: Configuration
    account: ZendeskAccount

    @property
    def account_id(self) -> int:
        """The product's row of the account."""
        found: int = self.configuration.authentication.account_id
        return found

    def unfinished(self) -> int:
        """How many deliveries are not over."""
        return Delivery.objects.filter(configuration=self.configuration, state__in=UNFINISHED).count()

    def count_by_state(self) -> dict[str, int]:
        """How the deliveries stand."""
        states = list(Delivery.objects.filter(configuration=self.configuration).values_list("state", flat=True))
        return {state: states.count(state) for state in sorted(set(states))}

    def activate(self) -> None:
        """Let the backlog be pushed; nobody is told."""
        Configuration.objects.filter(pk=self.configuration.pk).update(state=Configuration.State.ACTIVE)

    def release(self) -> float:
        """Let the workers have it, as when somebody switches the configuration on; the moment."""
        self.activate()
        send_hint(account_id=self.account_id)
        return time.monotonic()

    def wait(self, *, patience_s: float) -> float:
        """Wait until every delivery is over; the moment. Raises RuntimeError when that takes too long."""
        ends_at = time.monotonic() + patience_s
        while self.unfinished():
            if time.monotonic() > ends_at:
                raise RuntimeError(f"the backlog did not drain in {patience_s:.0f} s: {self.count_by_state()}")
            time.sleep(LOOK_S)
        return time.monotonic()

    def stop(self) -> None:
        """Let nothing more of it be sent."""
        Configuration.objects.filter(pk=self.configuration.pk).update(state="inactive")

    def check(self, expected: int) -> None:
        """Every delivery arrived. Raises RuntimeError."""
        found = self.count_by_state()
        if found.get("delivered", 0) > expected or set(found) - ARRIVED:
            raise RuntimeError(f"of {expected} deliveries not all arrived: {found}")

    def calls(self) -> list[dict[str, Any]]:
        """Every call that reached the account since it was made; what bulk jobs did is none."""
        return [call for call in read_log(self.account) if call["method"] != "JOB"]


def read_log(account: ZendeskAccount) -> list[dict[str, Any]]:
    """The demo's log of an account, records of bulk jobs included."""
    found: list[dict[str, Any]] = []
    while True:
        page = account.ask(f"log?since={found[-1]['n'] if found else 0}&limit={LOG_PAGE}")["calls"]
        found += page
        if len(page) < LOG_PAGE:
            return found


def worker_environment(url: str) -> dict[str, str]:
    """What workers need besides the environment of the stage."""
    return {"ZENDESK_BASE_URL": f"{url}/{{subdomain}}"}


def open_account(url: str, name: str, *, has_limits: bool = True, latency_ms: int = 100) -> ZendeskAccount:
    """An account of its own, answering so late, with the real limits of an Enterprise plan or none."""
    account = ZendeskAccount(url, name)
    account.ask("limits", {"enabled": has_limits, "plan": "enterprise"})
    account.ask("latency", {"ms": latency_ms})
    account.mint_pair()
    return account


def make_records(account: ZendeskAccount, kind: str, count: int) -> list[str]:
    """Plain `tickets` or `users`."""
    return [str(key) for key in account.ask(kind, {"count": count})["ids"]]


def seed_backlog(
    account: ZendeskAccount, bodies: Sequence[Mapping[str, Any]], *, has_notes: bool = False, has_users: bool = False
) -> Backlog:
    """Store the events and plan their deliveries; the log of the account begins anew."""
    pair = account.mint_pair()
    scene = make_scene(tokens=pair, address=account.subdomain)
    if has_notes:
        _map_only_a_note(scene.configuration)
    if has_users:
        _map_users(scene.configuration)
    # No record is looked for: the clients that it is compared with are told, too.
    Configuration.objects.filter(pk=scene.configuration.pk).update(state="inactive", uses_written_records=False)
    scene.configuration.refresh_from_db()
    for start in range(0, len(bodies), BATCH):
        result = accept_events(
            configuration=scene.configuration, payloads=bodies[start : start + BATCH], received_at=timezone.now()
        )
        if len(result.accepted) != len(bodies[start : start + BATCH]):
            raise RuntimeError(f"events were not accepted: {result.rejected[:1]}")
    fold_all_events(clock=timezone.now, most_s=FOLDING_S)
    backlog = Backlog(scene.configuration, account)
    if backlog.unfinished() != len(bodies):
        raise RuntimeError(f"{len(bodies)} events made deliveries {backlog.count_by_state()}")
    _forget_hints()
    account.ask("log", method="DELETE")
    return backlog


def ended_on(kind: str, record_id: str, number: int, *, prefix: str) -> dict[str, Any]:
    """An ended call that is linked to one record."""
    body = make_body(
        "ended", number, contact=f"{prefix}{number}", record_id=record_id, dispositionNotes=f"Called {number}"
    )
    body["records"] = [{"entityType": kind, "id": record_id}]
    return body


def values_of(kind: str, number: int) -> dict[str, Any]:
    """What the mapping makes of such a call, as a client of the API writes it."""
    if kind == "users":
        return {"details": f"Support {number}", "notes": f"Agent {number % 50}"}
    return {
        "subject": f"Support {number}",
        "external_id": f"b{number}",
        "priority": "high",
        "type": "task",
        "tags": ["vip", "billing"],
    }


def _map_users(configuration: Configuration) -> None:
    """What calls leave on users: two texts."""
    _store_mapping(configuration, "Callers", EntityContents("user", (DETAILS, USER_NOTES)))


def _map_only_a_note(configuration: Configuration) -> None:
    """Instead of fields, a note alone: one call per delivery."""
    MemorializationMapping.objects.filter(configuration=configuration).delete()
    _store_mapping(configuration, "Notes", EntityContents("ticket", (ROWS[0], NOTE)))


def _store_mapping(configuration: Configuration, name: str, entity: EntityContents) -> None:
    contents = MappingContents(name, "", True, (entity,))
    mapping = MemorializationMapping.objects.create(configuration=configuration, name=name)
    MappingVersion.objects.create(mapping=mapping, number=mapping.version, contents=contents.as_json())


def _forget_hints() -> None:
    """Nobody has begun: what the intake hinted is thrown away with the broker's content."""
    time.sleep(0.3)  # hints leave by a thread of their own
    with redis.Redis.from_url(settings.REDIS_URL) as broker:
        broker.flushall()
    connection.close()
