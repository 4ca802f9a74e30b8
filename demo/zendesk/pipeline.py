"""How an API request is answered: endpoint, user, scope, limits, handler, and the log entry."""

import json
from datetime import datetime
from typing import Any

from flask import Blueprint, Response, current_app, request

from demo.zendesk.acting_user import identify
from demo.zendesk.call_log import Outcome
from demo.zendesk.delivery import build_response, deliver
from demo.zendesk.limits import LimitExceeded
from demo.zendesk.replies import ApiError, Call, Reply, endpoint_missing, not_authenticated, scope_missing
from demo.zendesk.routes import Endpoint, match_endpoint
from demo.zendesk.scopes import is_covered, required_scopes
from demo.zendesk.state import Account
from demo.zendesk.token_endpoint import answer_token_request
from demo.zendesk.world import World

METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"]
blueprint = Blueprint("api", __name__)


@blueprint.route("/<sub:subdomain>/api/v2/<path:rest>", methods=METHODS)
def answer_api(subdomain: str, rest: str) -> Response:
    """Every API call."""
    world: World = current_app.extensions["world"]
    account = world.account(subdomain)
    if account is None:
        return build_response(no_help_desk(subdomain))
    path = rest.removesuffix(".json").rstrip("/")
    matched = match_endpoint(request.method, path)
    outcome = Outcome(endpoint=matched[0].path if matched else "unknown")
    return deliver(world, account, f"api/v2/{path}", outcome, lambda: run_call(world, account, path, outcome))


@blueprint.post("/<sub:subdomain>/oauth/tokens")
def answer_tokens(subdomain: str) -> Response:
    """The token endpoint."""
    world: World = current_app.extensions["world"]
    account = world.account(subdomain)
    if account is None:
        return build_response(no_help_desk(subdomain))
    outcome = Outcome(endpoint="oauth/tokens")
    return deliver(world, account, "oauth/tokens", outcome, lambda: run_token_request(world, account, outcome))


def no_help_desk(subdomain: str) -> Reply:
    """The answer of a subdomain nobody has."""
    message = "There is no help desk configured at this address. This means that the address is available."
    return Reply({"error": {"title": f"No help desk at {subdomain}.zendesk.com", "message": message}}, 404)


def run_token_request(world: World, account: Account, outcome: Outcome) -> Reply:
    """Form and JSON bodies are both taken."""
    values: Any = request.get_json(silent=True) if request.is_json else request.form.to_dict()
    with account.lock:
        try:
            reply = answer_token_request(account, world.client, values or {}, world.catch_up(account))
            outcome.applied = True
        except ApiError as refusal:
            reply = refusal.reply
        account.commit()
    return reply


def run_call(world: World, account: Account, path: str, outcome: Outcome) -> Reply:
    """One API call under the account's lock; what it changed is stored before it is answered."""
    with account.lock:
        now = world.catch_up(account)
        headers: dict[str, str] = {}
        try:
            call, endpoint = prepare_call(account, path, now)
            authorise(call, endpoint)
            outcome.user_id = call.user["id"] if call.user else None
            headers = spend_limits(call, endpoint)
            reply = run_handler(call, endpoint, outcome)
        except ApiError as refusal:
            reply = refusal.reply
        account.commit()
    reply.headers = headers | reply.headers
    return reply


def prepare_call(account: Account, path: str, now: datetime) -> tuple[Call, Endpoint]:
    """The request as a call of a known endpoint."""
    matched = match_endpoint(request.method, path)
    if matched is None:
        raise endpoint_missing()
    endpoint, params = matched
    base_url = f"{request.host_url.rstrip('/')}/{account.subdomain}"
    call = Call(
        account=account,
        method=request.method,
        path=f"api/v2/{path}",
        params=params,
        args=request.args,
        body={},
        raw=request.get_data(),
        headers={name.lower(): value for name, value in request.headers.items()},
        base_url=base_url,
        now=now,
    )
    call.body = read_body(call.raw)
    return call, endpoint


def read_body(raw: bytes) -> dict[str, Any]:
    """The JSON object of the request; a body of another type is not looked at."""
    if not raw or not request.is_json:
        return {}
    try:
        body = json.loads(raw)
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


def spend_limits(call: Call, endpoint: Endpoint) -> dict[str, str]:
    """Take the call out of its buckets; the headers that say what is left."""
    user = str(call.user["id"]) if call.user else "anonymous"
    try:
        return call.account.limits.spend(
            endpoint.buckets, record=call.params.get("id", "none"), user=user, now=call.now
        )
    except LimitExceeded as refusal:
        raise ApiError(429, refusal.body, refusal.headers) from None


def run_handler(call: Call, endpoint: Endpoint, outcome: Outcome) -> Reply:
    """Let the endpoint work, and keep what it wrote for the log, refused or not."""
    try:
        return endpoint.handler(call)
    finally:
        outcome.applied, outcome.records, outcome.fields = call.applied, call.records, call.fields
        if not outcome.records and "id" in call.params:
            outcome.records = [f"{endpoint.path.split('/')[0]}/{call.params['id']}"]
