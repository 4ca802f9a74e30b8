"""A contact centre in memory with a clock that only moves when a test moves it, and a product that answers as told."""

import json
import threading
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask, Response, request

from demo.contact_centre.centre import Centre
from demo.contact_centre.customers import Customer, CustomerBook
from demo.contact_centre.storage import Storage
from demo.contact_centre.targets import TargetFile
from demo.zendesk.server import build_server

KEY = "ai_secret-of-the-seeded-configuration"


class Clock:
    def __init__(self):
        self.moment = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)

    def __call__(self):
        return self.moment

    def advance(self, seconds):
        self.moment += timedelta(seconds=seconds)


@dataclass
class Product:
    """Answers 202 unless `answers` has something else to say first; remembers what it was sent."""

    url: str = ""
    calls: list = field(default_factory=list)
    answers: list = field(default_factory=list)
    accepted: set = field(default_factory=set)

    @property
    def events(self):
        return [
            event
            for call in self.calls
            for event in (call["body"] if isinstance(call["body"], list) else [call["body"]])
        ]

    def answer(self, path):
        body = json.loads(request.get_data())
        self.calls.append({"path": path, "body": body, "headers": dict(request.headers)})
        if self.answers:
            status, headers = self.answers.pop(0)
            return Response(json.dumps({"title": "As told"}), status, {"Content-Type": "application/json", **headers})
        if path == "customer-card/address" and not self.answers:
            return Response(json.dumps({"url": f"http://localhost:8000/card/{body['contactId']}/"}), 200)
        if path.startswith("workflows/"):
            said = {"records": [{"entityType": "user", "id": "1"}], "created": path.endswith("create-ticket")}
            return Response(json.dumps(said), 200, {"Content-Type": "application/json"})
        ids = [event.get("eventId", "link") for event in (body if isinstance(body, list) else [body])]
        fresh = [event_id for event_id in ids if event_id not in self.accepted]
        self.accepted.update(fresh)
        answer = {"accepted": fresh, "duplicates": [each for each in ids if each not in fresh], "rejected": []}
        return Response(json.dumps(answer), 202, {"Content-Type": "application/json"})


@pytest.fixture
def product():
    product = Product()
    app = Flask("product")
    app.add_url_rule("/api/v1/configurations/c1/<path:path>", view_func=product.answer, methods=["POST"])
    server = build_server(app, "127.0.0.1", 0)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    product.url = f"http://127.0.0.1:{server.server_address[1]}/api/v1/configurations/c1/events"
    yield product
    server.shutdown()
    server.server_close()


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def book():
    return CustomerBook(
        (
            Customer("Zoé Lapointe", "zoe@mail.example", "+15145551666", True, "36001", ("2", "11"), ("7",)),
            Customer("Lucas Reid", "lucas@mail.example", "+14165551703", False, "36002", ("3",), ()),
            Customer("Ava Morrison", "ava@mail.example", "", False, "36003", (), ("8",)),
        )
    )


@pytest.fixture
def target_path(tmp_path, product):
    path = tmp_path / "target.json"
    write_target(path, product.url)
    return path


def write_target(path, events_url, key=KEY):
    said = {"configuration_id": "c1", "events_url": events_url, "intake_key": key}
    path.write_text(json.dumps(said | {"product_url": "http://localhost:8000/configurations/c1/"}))


@pytest.fixture
def centre(clock, target_path):
    centre = Centre(Storage(None), target_file=TargetFile(str(target_path), desk_url=""), now=clock, rate=0)
    yield centre
    centre.storage.close()
