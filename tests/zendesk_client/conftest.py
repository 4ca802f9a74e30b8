"""Fixtures of the client's tests: no Django, no outside network; a local server where a mock cannot show the fault."""

import contextlib
import json
import os
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import responses

from zendesk_client import FieldDefinition, ZendeskClient

FIXTURES = Path(__file__).parent / "fixtures"
BASE = "https://acme.zendesk.com"
OPENAPI = os.environ.get("ZENDESK_OPENAPI", "")

collect_ignore = [] if OPENAPI and Path(OPENAPI).is_file() else ["test_openapi_contract.py"]


def pytest_report_header() -> str:
    if collect_ignore:
        return "Zendesk's OpenAPI file: not given (ZENDESK_OPENAPI), its contract test is not collected"
    return "Zendesk's OpenAPI file: given, every request of the client is checked against it"


@pytest.fixture
def zendesk() -> Iterator[responses.RequestsMock]:
    """Zendesk's answers, mocked; a request nobody expects fails, an expectation nobody asks for fails too."""
    with responses.RequestsMock() as mock:
        yield mock


@pytest.fixture
def client() -> ZendeskClient:
    return ZendeskClient("acme", "token-of-acme")


@pytest.fixture
def ticket_fields() -> dict[str, FieldDefinition]:
    definitions = (
        FieldDefinition("custom_field_1", "integer", "Amount"),
        FieldDefinition("custom_field_2", "date", "Day"),
        FieldDefinition("custom_field_3", "checkbox", "Vip"),
        FieldDefinition("custom_field_4", "dropdown", "Reason"),
        FieldDefinition("custom_field_5", "multiselect", "Topics"),
        FieldDefinition("custom_field_6", "decimal", "Rate"),
        FieldDefinition("custom_field_7", "text", "Code"),
        FieldDefinition("custom_field_8", "text", "Computed", writable=False),
    )
    return {definition.key: definition for definition in definitions}


@pytest.fixture
def body_of() -> Callable[[Any], Any]:
    """Reads the JSON body of a mocked call."""
    return lambda call: json.loads(call.request.body)


class ScriptedServer:
    """A socket that answers each connection with one script: bytes to send, or an event to wait for."""

    def __init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.template = f"http://127.0.0.1:{self._listener.getsockname()[1]}/{{subdomain}}"
        self.requests: list[bytes] = []
        self.connections = 0
        self.greeting = b""  # sent before anything is read
        self._open: list[socket.socket] = []
        self.release = threading.Event()
        self._scripts: list[list[Any]] = []
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def answer(self, *steps: Any) -> None:
        """Steps: bytes, ``"hang"`` (until the test ends), ``"drip"`` (a byte at a time until then), ``"reset"``."""
        self._scripts.append(list(steps))

    def close(self) -> None:
        self.release.set()
        for opened in [self._listener, *self._open]:
            with contextlib.suppress(OSError):
                opened.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join(5)

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            self._open.append(connection)
            with connection:
                connection.sendall(self.greeting)
                self._answer(connection)

    def _answer(self, connection: socket.socket) -> None:
        while self._scripts:
            try:
                received = self._read_request(connection)
                if not received:
                    return
                self.requests.append(received)
                for step in self._scripts.pop(0):
                    self._take(connection, step)
            except (OSError, StopIteration):
                return

    def _take(self, connection: socket.socket, step: Any) -> None:
        if isinstance(step, bytes):
            connection.sendall(step)
        elif step == "hang":
            self.release.wait(20)
            raise StopIteration
        elif step == "drip":
            while not self.release.wait(0.02):
                connection.sendall(b" ")
            raise StopIteration
        elif step == "reset":
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00")
            raise StopIteration
        elif step == "close":
            raise StopIteration

    @staticmethod
    def _read_request(connection: socket.socket) -> bytes:
        received = b""
        while b"\r\n\r\n" not in received:
            chunk = connection.recv(65536)
            if not chunk:
                return b""
            received += chunk
        head, _, body = received.partition(b"\r\n\r\n")
        lengths = [line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
        expected = int(lengths[0].split(b":")[1]) if lengths else 0
        while len(body) < expected:
            body += connection.recv(65536)
        return head + b"\r\n\r\n" + body


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    scripted = ScriptedServer()
    yield scripted
    scripted.close()
