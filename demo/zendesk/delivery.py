"""The way of an answer to the client, through the faults that are switched on, and into the call log."""

import json
import uuid
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from flask import Response, request

from demo.zendesk.call_log import Outcome
from demo.zendesk.faults import Fault
from demo.zendesk.limits import refusal_body
from demo.zendesk.replies import Reply
from demo.zendesk.server import ConnectionDropped
from demo.zendesk.state import Account
from demo.zendesk.world import World

APPLYING = {"drop_after", "truncate"}  # these strike after the call did its work
NO_ANSWER = {"drop_before", "drop_after", "hang"}
FAULT_WORDS = "Number of allowed API requests per minute exceeded"


class DroppedResponse(Response):
    """No answer at all: the connection is closed."""

    def __call__(self, environ: Any, start_response: Any) -> Iterable[bytes]:
        """Break off before the first byte."""
        raise ConnectionDropped


class TruncatedResponse(Response):
    """An answer that ends in the middle."""

    def __call__(self, environ: Any, start_response: Any) -> Iterable[bytes]:
        """Promise everything, send half."""
        body = self.get_data()
        start_response(self.status, list(self.headers))
        return self._half(body)

    def _half(self, body: bytes) -> Iterator[bytes]:
        yield body[: len(body) // 2]
        raise ConnectionDropped


def deliver(world: World, account: Account, path: str, outcome: Outcome, produce: Callable[[], Reply]) -> Response:
    """Answer a call, or fail it the way the switchboard wants."""
    with account.lock:
        struck = account.faults.pick(request.method, path)
        latency_ms = account.faults.latency_ms + sum(fault.ms for fault in struck if fault.kind == "slow")
    if latency_ms:
        world.sleep(latency_ms / 1000)
    fault = next((fault for fault in struck if fault.kind != "slow"), None)
    reply = Reply(status=0)
    if fault is None or fault.applied or fault.kind in APPLYING:
        reply = produce()
    response = spoil(world, fault, reply)
    write_log(world, account, path, outcome, fault or next(iter(struck), None), response)
    if fault is not None and fault.kind == "hang":
        world.sleep(fault.seconds)
    return response


def spoil(world: World, fault: Fault | None, reply: Reply) -> Response:
    """The answer after the fault had its way with it."""
    if fault is None:
        return build_response(reply)
    if fault.kind in NO_ANSWER:
        return DroppedResponse()
    if fault.kind == "truncate":
        whole = build_response(reply)
        return TruncatedResponse(whole.get_data(), whole.status_code, whole.headers)
    headers = {} if fault.retry_after is None else {"Retry-After": str(fault.retry_after)}
    body = refusal_body(fault.shape, FAULT_WORDS) if fault.status == 429 else "Service temporarily unavailable"
    return build_response(Reply(body, fault.status, headers))


def build_response(reply: Reply) -> Response:
    """JSON, plain text or nothing, with the headers Zendesk sends along."""
    if reply.body is None:
        response = Response(b"", reply.status)
    elif isinstance(reply.body, str):
        response = Response(reply.body, reply.status, mimetype="text/plain")
    else:
        response = Response(json.dumps(reply.body, ensure_ascii=False), reply.status)
        response.headers["Content-Type"] = "application/json; charset=utf-8"
    response.headers["X-Request-Id"] = uuid.uuid4().hex
    response.headers["X-Zendesk-Api-Version"] = "v2"
    for name, value in reply.headers.items():
        response.headers[name] = value
    return response


def write_log(
    world: World, account: Account, path: str, outcome: Outcome, fault: Fault | None, response: Response
) -> None:
    """One entry per call; status 0 when the client got no answer."""
    query = request.query_string.decode("latin-1")
    with account.lock:
        account.log.append(
            at=world.clock(account),
            method=request.method,
            path=f"{path}?{query}" if query else path,
            endpoint=outcome.endpoint,
            status=0 if isinstance(response, DroppedResponse) else response.status_code,
            applied=outcome.applied,
            records=outcome.records,
            fields=outcome.fields,
            fault=fault.kind if fault else None,
            user_id=outcome.user_id,
        )
