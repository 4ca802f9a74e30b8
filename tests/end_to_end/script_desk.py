"""What a contact centre's script does at the demo Zendesk's account: workflows and customer cards, through the API."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.test import Client
from django.utils import timezone

from crm_integrations.models import Configuration
from crm_integrations.providers.base import CRMField
from crm_integrations.providers.zendesk.provider import ZendeskProvider
from crm_integrations.services.intake_keys import create_key
from tests.end_to_end.demo_account import ACCOUNT, Demo

CONTACT = "415203958123"
NOTE = {"body": "The customer called about the “VIP” plan."}
TICKET = {"data": {"ticket": {"subject": "Call", "comment": NOTE, "priority": "high", "tags": ["phone_call"]}}}
USER = {"data": {"user": {"name": "Ms Roy", "email": "roy@mail.example", "phone": "+15145550123"}}}
DEVICE = {
    "table": "custom_object:device",
    "data": {
        "custom_object_record": {
            "name": "Modem of Ms Roy",
            "custom_object_fields": {"model": "Aurora 3", "storage_gb": 64, "under_warranty": True},
        }
    },
}
CREATIONS = {  # workflow, body, and the demo's table
    "ticket": ("create-ticket", TICKET, "tickets"),
    "user": ("create-user", USER, "users"),
    "device": ("create-record", DEVICE, "custom_object_records"),
}
CUSTOMER_ROLE = "end-user"
SOLVED = {"solved", "closed"}


@dataclass(frozen=True)
class ScriptDesk:
    """The script's side: an intake key of the configuration, and what it may ask with it."""

    configuration: Configuration
    key: str

    def send(self, workflow: str, body: Mapping[str, Any], **headers: str) -> Any:
        """The whole answer of a workflow; each call by a client of its own, so that threads do not meet."""
        return Client().post(
            f"/api/v1/configurations/{self.configuration.pk}/workflows/{workflow}",
            json.dumps(body),
            content_type="application/json",
            headers={"Authorization": f"Bearer {self.key}", **headers},
        )

    def run(self, workflow: str, body: Mapping[str, Any], *, status: int = 200) -> dict[str, Any]:
        """The body of the answer, which has this status."""
        answer = self.send(workflow, body)
        assert answer.status_code == status, answer.content
        return answer.json()

    def report(self, event: Mapping[str, Any]) -> None:
        """Send an event of the interaction."""
        answer = Client().post(
            f"/api/v1/configurations/{self.configuration.pk}/events",
            json.dumps(event),
            content_type="application/json",
            headers={"Authorization": f"Bearer {self.key}"},
        )
        assert answer.status_code == 202 and not answer.json()["rejected"], answer.content

    def card(self, contact_id: str) -> dict[str, Any]:
        """The contact's customer card, whole."""
        answer = Client().get(
            f"/api/v1/configurations/{self.configuration.pk}/customer-card",
            {"contactId": contact_id},
            headers={"Authorization": f"Bearer {self.key}"},
        )
        assert answer.status_code == 200, answer.content
        return answer.json()

    def card_names(self, contact_id: str) -> tuple[list[tuple[str, str]], list[tuple[str, str]]]:
        """Which records it shows: those of the interaction, and those that were found for it."""
        shown = self.card(contact_id)
        return names(shown["current"]), names(shown["related"])


def open_desk(configuration: Configuration) -> ScriptDesk:
    """A desk with a key of its own."""
    _key, text = create_key(configuration=configuration, kind="bearer", label="Studio", actor=None, now=timezone.now())
    return ScriptDesk(configuration, text)


def names(records: Iterable[Mapping[str, Any]]) -> list[tuple[str, str]]:
    """The records of an answer, by type and id."""
    return [(record["entityType"], record["id"]) for record in records]


def customers(demo: Demo) -> list[dict[str, Any]]:
    """The account's customers in the order in which it was seeded."""
    people = [user for user in demo.rows("users") if user["role"] == CUSTOMER_ROLE]
    return sorted(people, key=lambda user: user["id"])


def open_tickets(demo: Demo, user: Mapping[str, Any]) -> list[tuple[str, str]]:
    """What a customer's unsolved tickets are called, the latest change first."""
    own = [row for row in demo.rows("tickets") if row["requester_id"] == user["id"] and row["status"] not in SOLVED]
    own.sort(key=lambda row: (row["updated_at"], row["id"]), reverse=True)
    return [("ticket", str(row["id"])) for row in own]


def field_id(demo: Demo, title: str) -> int:
    """The id of one of the account's own ticket fields."""
    return next(row["id"] for row in demo.rows("ticket_fields") if row["title"] == title)


def read_definitions(configuration: Configuration, *entity_types: str) -> dict[str, list[CRMField]]:
    """The fields that the account says it has, by record type."""
    token = configuration.authentication.access_token
    connection = ZendeskProvider().connect(ACCOUNT, access_token=token, options={})
    try:
        return {entity_type: connection.list_fields(entity_type) for entity_type in entity_types}
    finally:
        connection.close()
