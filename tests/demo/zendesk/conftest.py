"""A demo Zendesk in memory, with a clock that only moves when a test moves it."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from demo.zendesk.app import create_app


class Clock:
    def __init__(self) -> None:
        self.moment = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.moment

    def advance(self, seconds: float) -> None:
        self.moment += timedelta(seconds=seconds)


class Desk:
    """One account as a client with a token sees it, and its control API."""

    def __init__(self, client: FlaskClient, subdomain: str = "acme", **minted: Any) -> None:
        self.client = client
        self.subdomain = subdomain
        self.pair = self.control("POST", "tokens", minted).get_json()
        self.headers = {"Authorization": f"Bearer {self.pair['access_token']}"}

    def call(self, method: str, path: str, body: Any = None, **headers: str) -> TestResponse:
        sent = self.headers | {name.replace("_", "-"): value for name, value in headers.items()}
        return self.client.open(f"/{self.subdomain}/api/v2/{path}", method=method, json=body, headers=sent)

    def get(self, path: str) -> Any:
        answer = self.call("GET", path)
        assert answer.status_code == 200, answer.data
        return answer.get_json()

    def put_ticket(self, ticket_id: int, **change: Any) -> TestResponse:
        return self.call("PUT", f"tickets/{ticket_id}.json", {"ticket": change})

    def control(self, method: str, path: str, body: Any = None) -> TestResponse:
        answer = self.client.open(f"/_control/{self.subdomain}/{path}", method=method, json=body)
        assert answer.status_code < 300, answer.data
        return answer

    def field(self, title: str) -> int:
        fields = self.control("GET", "records/ticket_fields").get_json()["ticket_fields"]
        return next(field["id"] for field in fields if field["title"] == title)

    def user(self, name: str) -> dict[str, Any]:
        users = self.control("GET", "records/users").get_json()["users"]
        return next(user for user in users if user["name"] == name)

    def value(self, ticket: dict[str, Any], title: str) -> Any:
        wanted = self.field(title)
        return next(pair["value"] for pair in ticket["custom_fields"] if pair["id"] == wanted)

    def acting_as(self, name: str) -> "Desk":
        return Desk(self.client, self.subdomain, user_id=self.user(name)["id"])


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def waits() -> list[float]:
    return []


@pytest.fixture
def client(clock: Clock, waits: list[float]) -> FlaskClient:
    return create_app(now=clock, sleep=waits.append).test_client()


@pytest.fixture
def desk(client: FlaskClient) -> Desk:
    return Desk(client)
