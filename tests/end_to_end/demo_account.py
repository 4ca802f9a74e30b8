"""An account of a demo Zendesk that runs in this process, and real deliveries to it."""

import json
import urllib.request
from datetime import timedelta
from typing import Any

from crm_integrations.models import Configuration
from memorialization.models import Delivery
from tests.engine import NOW, FakeClock, make_delivery, push_all

ACCOUNT = "acme"
TABLES = {"ticket": "tickets", "user": "users", "organization": "organizations"}


class Demo:
    """The demo Zendesk in this process, and its switchboard."""

    def __init__(self, url: str) -> None:
        self.url = url

    def ask(self, path: str, body: dict[str, Any] | None = None) -> Any:
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"{self.url}/_control/{ACCOUNT}/{path}", data=data)
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.load(answer)

    def rows(self, table: str) -> list[dict[str, Any]]:
        return self.ask(f"records/{table}")[table]

    def record_ids(self, entity_type: str) -> list[str]:
        """Records of a type that take changes."""
        key = entity_type.partition(":")[2]
        rows = self.rows(TABLES.get(entity_type, "custom_object_records"))
        return [
            str(row["id"])
            for row in rows
            if (not key or row["custom_object_key"] == key)
            and row.get("status") not in {"closed", "solved"}
            and row.get("active") is not False
            and row.get("role") not in {"admin", "agent"}
        ]

    def writes(self) -> list[str]:
        return [call["method"] for call in self.ask("log")["calls"] if call["method"] != "GET"]


def deliver(configuration: Configuration, entity_type: str, record_id: str, *entries: Any, **columns: Any) -> Delivery:
    delivery = make_delivery(
        configuration, *entries, entity_type=entity_type, record_id=record_id, has_record=False, **columns
    )
    a_minute_after_the_last = NOW + timedelta(hours=1, minutes=Delivery.objects.count())  # records rest after a write
    push_all(configuration, FakeClock(a_minute_after_the_last))
    delivery.refresh_from_db()
    return delivery
