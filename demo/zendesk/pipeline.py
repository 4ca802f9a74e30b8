"""How an API request is answered: endpoint, user, scope, limits, handler, and the log entry."""

import json
from datetime import datetime
from typing import Any

from demo.zendesk.acting_user import identify
from demo.zendesk.answers import Answer
from demo.zendesk.api_front import Incoming
from demo.zendesk.call_log import Outcome
from demo.zendesk.delivery import deliver
from demo.zendesk.limits import LimitExceeded
from demo.zendesk.replies import ApiError, Call, Reply, endpoint_missing, not_authenticated, scope_missing
from demo.zendesk.routes import Endpoint, match_endpoint
from demo.zendesk.scopes import is_covered, required_scopes
from demo.zendesk.state import Account
from demo.zendesk.token_endpoint import answer_token_request
from demo.zendesk.world import World

KNOWN_HEADERS = ("authorization", "idempotency-key")
Matched = tuple[Endpoint, dict[str, str]] | None


class Pipeline:
    """Answers what `api_front` lets in."""

    def __init__(self, world: World) -> None:
        self._world = world

    def answer(self, subdomain: str, incoming: Incoming) -> Answer:
        """One call of the API or the token endpoint."""
        world, account = self._world, self._world.account(subdomain)
        if account is None:
            return Answer(no_help_desk(subdomain))
        if incoming.is_token_request:
            outcome = Outcome(endpoint="oauth/tokens")
            return deliver(
                world, account, incoming, outcome, lambda: run_token_request(world, account, incoming, outcome)
            )
        matched = match_endpoint(incoming.method, incoming.path)
        outcome = Outcome(endpoint=matched[0].path if matched else "unknown")
        return deliver(world, account, incoming, outcome, lambda: run_call(world, account, incoming, matched, outcome))


def no_help_desk(subdomain: str) -> Reply:
    """The answer of a subdomain nobody has."""
    message = "There is no help desk configured at this address. This means that the address is available."
    return Reply({"error": {"title": f"No help desk at {subdomain}.zendesk.com", "message": message}}, 404)


def run_token_request(world: World, account: Account, incoming: Incoming, outcome: Outcome) -> Reply:
    """Form and JSON bodies are both taken."""
    values: dict[str, Any] = read_token_values(incoming)
    with account.lock:
        try:
            reply = answer_token_request(account, world.client, values, world.catch_up(account))
            outcome.applied = True
        except ApiError as refusal:
            reply = refusal.reply
        account.commit()
    return reply


def read_token_values(incoming: Incoming) -> dict[str, Any]:
    """The parameters of a token request; {} when they cannot be read."""
    if not incoming.is_json:
        return incoming.form()
    try:
        given = json.loads(incoming.raw)
    except ValueError:
        return {}
    return given if isinstance(given, dict) else {}


def run_call(world: World, account: Account, incoming: Incoming, matched: Matched, outcome: Outcome) -> Reply:
    """One API call under the account's lock; what it changed is stored before it is answered."""
    with account.lock:
        now = world.catch_up(account)
        headers: dict[str, str] = {}
        try:
            call, endpoint = prepare_call(account, incoming, matched, now)
            authorise(call, endpoint)
            outcome.user_id = call.user["id"] if call.user else None
            headers = spend_limits(call, endpoint, outcome)
            reply = run_handler(call, endpoint, outcome)
        except ApiError as refusal:
            reply = refusal.reply
        account.commit()
    reply.headers = headers | reply.headers
    return reply


def prepare_call(account: Account, incoming: Incoming, matched: Matched, now: datetime) -> tuple[Call, Endpoint]:
    """The request as a call of a known endpoint."""
    if matched is None:
        raise endpoint_missing()
    endpoint, params = matched
    call = Call(
        account=account,
        method=incoming.method,
        path=f"api/v2/{incoming.path}",
        params=params,
        args=incoming.args,
        body={},
        raw=incoming.raw,
        headers={name: value for name in KNOWN_HEADERS if (value := incoming.header(name)) is not None},
        base_url=f"{incoming.host_url}/{account.subdomain}",
        now=now,
    )
    call.body = read_body(incoming)
    return call, endpoint


def read_body(incoming: Incoming) -> dict[str, Any]:
    """The JSON object of the request; a body of another type is not looked at."""
    if not incoming.raw or not incoming.is_json:
        return {}
    try:
        body = json.loads(incoming.raw)
    except ValueError:
        raise ApiError(422, {"error": "Unprocessable Entity", "message": "Server could not parse JSON"}) from None
    return body if isinstance(body, dict) else {}


def authorise(call: Call, endpoint: Endpoint) -> None:
    """Who calls, and does the token's scope cover it?"""
    call.user, call.token = identify(call.account, call.headers.get("authorization", ""), call.now)
    if call.user is None and not endpoint.is_open:
        raise not_authenticated()
    if call.token is None or endpoint.access is None:
        return
    if not is_covered(call.token["scopes"], endpoint.resource, endpoint.access):
        raise scope_missing(required_scopes(endpoint.resource, endpoint.access))


def spend_limits(call: Call, endpoint: Endpoint, outcome: Outcome) -> dict[str, str]:
    """Take the call out of its buckets; the headers that say what is left."""
    user = str(call.user["id"]) if call.user else "anonymous"
    try:
        return call.account.limits.spend(
            endpoint.buckets, record=call.params.get("id", "none"), user=user, now=call.now
        )
    except LimitExceeded as refusal:
        outcome.limit_class = refusal.name
        raise ApiError(429, refusal.body, refusal.headers) from None


def run_handler(call: Call, endpoint: Endpoint, outcome: Outcome) -> Reply:
    """Let the endpoint work, and keep what it wrote for the log, refused or not."""
    try:
        return endpoint.handler(call)
    finally:
        outcome.applied, outcome.records, outcome.fields = call.applied, call.records, call.fields
        if not outcome.records and "id" in call.params:
            outcome.records = [f"{endpoint.path.split('/')[0]}/{call.params['id']}"]
