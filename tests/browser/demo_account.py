"""An account of the demo Zendesk as a test sees it: its address, and what stands in its records."""

from dataclasses import dataclass
from typing import Any

import requests

PATIENCE_S = 10
SIGNED_IN = "Integration System User"  # whom the consent page offers first


@dataclass(frozen=True)
class DemoAccount:
    """One account, by its subdomain."""

    url: str  # of the whole demo
    subdomain: str

    @property
    def page_address(self) -> str:
        """What a person copies out of the address bar of their Zendesk."""
        return f"https://{self.subdomain}.zendesk.com/agent/tickets/35?brand=1"

    def read(self, path: str) -> Any:
        """Read something through the control API."""
        return requests.get(f"{self.url}/_control/{self.subdomain}/{path}", timeout=PATIENCE_S).json()

    def change(self, path: str, **body: Any) -> Any:
        """Change something through the control API."""
        answer = requests.post(f"{self.url}/_control/{self.subdomain}/{path}", json=body, timeout=PATIENCE_S)
        answer.raise_for_status()
        return answer.json()

    def open_ticket(self) -> str:
        """The id of a ticket that takes changes."""
        return next(str(found["id"]) for found in self.read("records/tickets")["tickets"] if found["status"] == "open")

    def customer(self) -> dict[str, Any]:
        """An end user."""
        return next(found for found in self.read("records/users")["users"] if found["role"] == "end-user")

    def ticket_value(self, ticket_id: str, title: str) -> Any:
        """What a custom field of a ticket holds."""
        fields = self.read("records/ticket_fields")["ticket_fields"]
        field_id = next(found["id"] for found in fields if found["title"] == title)
        ticket = self.read(f"records/tickets/{ticket_id}")["ticket"]
        return next(found["value"] for found in ticket["custom_fields"] if found["id"] == field_id)

    def user_name(self, user_id: str) -> str:
        """A user's name."""
        return str(self.read(f"records/users/{user_id}")["user"]["name"])

    def token_count(self) -> int:
        """How many pairs of tokens the account has given out and not taken back."""
        return len(self.read("tokens")["tokens"])
