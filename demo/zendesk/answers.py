"""Answers as they leave: whole, cut off, dropped, or one byte at a time."""

import json
import uuid
from collections.abc import Callable, Iterable, Iterator
from http import HTTPStatus
from typing import Any

from demo.zendesk.replies import Encoded, Reply
from demo.zendesk.server import ConnectionDropped

STATUS_LINES = {status.value: f"{status.value} {status.phrase}" for status in HTTPStatus}


class Answer:
    """A complete answer, as WSGI wants it."""

    def __init__(self, reply: Reply) -> None:
        self.status = reply.status
        self.body, mimetype = encode(reply.body)
        self.headers = [
            ("Content-Type", mimetype),
            ("Content-Length", str(len(self.body))),
            ("X-Request-Id", uuid.uuid4().hex),
            ("X-Zendesk-Api-Version", "v2"),
            *reply.headers.items(),
        ]

    def __call__(self, _environ: Any, start_response: Any) -> Iterable[bytes]:
        """Send it."""
        start_response(STATUS_LINES.get(self.status, f"{self.status} Unknown"), self.headers)
        return [self.body]


class DroppedAnswer(Answer):
    """No answer at all: the connection is closed."""

    def __init__(self) -> None:
        super().__init__(Reply())
        self.status = 0

    def __call__(self, _environ: Any, _start_response: Any) -> Iterable[bytes]:
        """Break off before the first byte."""
        raise ConnectionDropped


class TruncatedAnswer(Answer):
    """An answer that ends in the middle."""

    def __call__(self, environ: Any, start_response: Any) -> Iterable[bytes]:
        """Promise everything, send half."""
        super().__call__(environ, start_response)
        return self._half()

    def _half(self) -> Iterator[bytes]:
        yield self.body[: len(self.body) // 2]
        raise ConnectionDropped


class DrippingAnswer(Answer):
    """The headers at once, then one byte after the other."""

    def __init__(self, reply: Reply, wait: Callable[[], None]) -> None:
        super().__init__(reply)
        self._wait = wait

    def __call__(self, environ: Any, start_response: Any) -> Iterable[bytes]:
        """Start, and wait before each byte."""
        super().__call__(environ, start_response)
        return self._drops()

    def _drops(self) -> Iterator[bytes]:
        yield b""  # the headers
        for place in range(len(self.body)):
            self._wait()
            yield self.body[place : place + 1]


def encode(body: Any) -> tuple[bytes, str]:
    """The bytes of a body and their type: plain text for a string, JSON for everything else, nothing for None."""
    if body is None:
        return b"", "text/html; charset=utf-8"
    if isinstance(body, str):
        return body.encode("utf-8", "replace"), "text/plain; charset=utf-8"
    return _dumps(body).encode("utf-8", "replace"), "application/json; charset=utf-8"


def _dumps(body: Any) -> str:
    if not isinstance(body, dict) or not any(isinstance(value, Encoded) for value in body.values()):
        return json.dumps(body, ensure_ascii=False)
    parts = (
        f"{json.dumps(name)}: {value.text if isinstance(value, Encoded) else json.dumps(value, ensure_ascii=False)}"
        for name, value in body.items()
    )
    return "{" + ", ".join(parts) + "}"
