"""The way of an answer to the client, through the faults that are switched on, and into the call log."""

import re
from collections.abc import Callable

from demo.zendesk.answers import Answer, DrippingAnswer, DroppedAnswer, TruncatedAnswer
from demo.zendesk.api_front import Incoming
from demo.zendesk.call_log import Outcome
from demo.zendesk.faults import Fault
from demo.zendesk.limits import claimed_headers, refusal_body
from demo.zendesk.replies import Reply
from demo.zendesk.state import Account
from demo.zendesk.world import World

APPLYING = {"drop_after", "truncate", "drip"}  # these strike after the call did its work
NO_ANSWER = {"drop_before", "drop_after", "hang"}
SEARCH = re.compile(r"(^|/)search$")
SEARCH_WORDS = "Sorry, we could not complete your search query. Please try again in a moment."
FAULT_WORDS = "Number of allowed API requests per minute exceeded"


def deliver(
    world: World, account: Account, incoming: Incoming, outcome: Outcome, produce: Callable[[], Reply]
) -> Answer:
    """Answer a call, or fail it the way the switchboard wants. Nobody waits under the account's lock."""
    with account.lock:
        struck = account.faults.pick(incoming.method, logged_path(incoming))
        latency_ms = account.faults.latency_ms + sum(fault.ms for fault in struck if fault.kind == "slow")
    if latency_ms:
        world.sleep(latency_ms / 1000)
    fault = next((fault for fault in struck if fault.kind != "slow"), None)
    reply = Reply(status=0)
    if fault is None or fault.applied or fault.kind in APPLYING:
        reply = produce()
    answer = spoil(world, account, fault, reply, is_search=SEARCH.search(incoming.path) is not None)
    write_log(world, account, incoming, outcome, fault or next(iter(struck), None), answer)
    if fault is not None and fault.kind == "hang":
        world.sleep(fault.seconds)
    return answer


def spoil(world: World, account: Account, fault: Fault | None, reply: Reply, *, is_search: bool) -> Answer:
    """The answer after the fault had its way with it."""
    if fault is None:
        return Answer(reply)
    if fault.kind in NO_ANSWER:
        return DroppedAnswer()
    if fault.kind == "truncate":
        return TruncatedAnswer(reply)
    if fault.kind == "drip":
        return DrippingAnswer(reply, lambda: world.sleep(fault.ms / 1000))
    with account.lock:
        wait = account.faults.draw_wait(fault)
        total = account.limits.total(fault.limit_class) if fault.limit_class else 0
    headers = {} if wait is None else {"Retry-After": wait}
    if fault.limit_class:
        headers = claimed_headers(fault.limit_class, total, wait) | headers
    body: object = refusal_body(fault.shape, FAULT_WORDS) if fault.status == 429 else "Service temporarily unavailable"
    if fault.status == 503 and is_search:
        body = {"error": "unavailable", "description": SEARCH_WORDS}
    return Answer(Reply(body, fault.status, headers))


def write_log(
    world: World, account: Account, incoming: Incoming, outcome: Outcome, fault: Fault | None, answer: Answer
) -> None:
    """One entry per call; status 0 when the client got no answer."""
    told = next((value for name, value in answer.headers if name == "Retry-After"), None)
    path = logged_path(incoming)
    with account.lock:
        account.log.append(
            at=world.clock(account),
            real_at=world.now().timestamp(),
            method=incoming.method,
            path=f"{path}?{incoming.query}" if incoming.query else path,
            endpoint=outcome.endpoint,
            status=answer.status,
            applied=outcome.applied,
            records=outcome.records,
            fields=outcome.fields,
            fault=fault.kind if fault else None,
            user_id=outcome.user_id,
            retry_after=told,
            limit_class=fault.limit_class if fault and fault.kind == "status" else outcome.limit_class,
        )


def logged_path(incoming: Incoming) -> str:
    """The path faults and the log know a call by."""
    return incoming.path if incoming.is_token_request else f"api/v2/{incoming.path}"
