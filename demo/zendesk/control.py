"""The control API for tests, `/_control/{subdomain}/…`: never counted or limited, no authentication.

Faults and their keys: `faults`. What prepares and checks a run: `checks`. Plans, users, tokens, fields: `switches`.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from flask import Blueprint, Response, abort, current_app, jsonify, request

from demo.zendesk import switches
from demo.zendesk.audits import comments_of
from demo.zendesk.custom_objects import render_record
from demo.zendesk.jobs import render_job
from demo.zendesk.oauth import render_token
from demo.zendesk.organizations import render_organization
from demo.zendesk.screens import list_pops
from demo.zendesk.state import Account, Record
from demo.zendesk.ticket_reads import render_ticket
from demo.zendesk.user_records import identities_of, render_user
from demo.zendesk.world import World

LOG_MOST = 10_000
blueprint = Blueprint("control", __name__, url_prefix="/_control")


def world() -> World:
    """The running world."""
    found: World = current_app.extensions["world"]
    return found


def with_account(subdomain: str, work: Callable[[Account, datetime], Any], status: int = 200) -> Response:
    """Do something under the account's lock and answer with it as JSON."""
    account = world().account(subdomain)
    if account is None:
        abort(404)
    with account.lock:
        try:
            answer = jsonify(work(account, world().catch_up(account)))
        except ValueError as refusal:
            answer, status = jsonify({"error": str(refusal)}), 422
    answer.status_code = status
    return answer


def body() -> dict[str, Any]:
    """The JSON object of the request, {} without one."""
    given = request.get_json(silent=True, force=True) if request.get_data() else {}
    return given if isinstance(given, dict) else {}


@blueprint.get("/")
def list_accounts() -> Response:
    """The accounts in use."""
    return jsonify({"accounts": world().known_subdomains()})


@blueprint.get("/<sub:subdomain>")
def show_account(subdomain: str) -> Response:
    """Everything that is switched on, at a glance."""
    return with_account(subdomain, summarise)


def summarise(account: Account, now: datetime) -> dict[str, Any]:
    """The state of the switchboard."""
    return {
        "subdomain": account.subdomain,
        "now": now.isoformat(),
        "time_scale": account.time.scale,
        "precise_seconds": account.limits.is_precise,
        "clock_offset_s": account.setting("clock_offset_s", 0),
        "system_user_id": account.setting("system_user_id", None),
        "limits": account.limits.export(),
        "limits_used": account.limits.usage(now),
        "faults": account.faults.export(),
        "latency_ms": account.faults.latency_ms,
        "refresh": account.setting("refresh", None),
        "inactive_user_answer": account.setting("inactive_user_answer", "401"),
        "search_lag_s": account.setting("search_lag_s", 0),
        "talk_partner": account.setting("talk_partner", "on"),
        "tokens": len(account.table("oauth_tokens")),
        "live_jobs": len(account.live_jobs),
        "last_call": account.log.last,
        "last_write": account.writes.last,
        "counts": {kind: len(records) for kind, records in account.tables.items()},
    }


@blueprint.route("/<sub:subdomain>/faults", methods=["GET", "POST", "DELETE"])
def change_faults(subdomain: str) -> Response:
    """List, add (one object) or clear the faults."""

    def work(account: Account, _now: datetime) -> Any:
        if request.method == "POST":
            account.faults.add(body())
        elif request.method == "DELETE":
            account.faults.remove()
        return {"faults": account.faults.export()}

    return with_account(subdomain, work, 201 if request.method == "POST" else 200)


@blueprint.delete("/<sub:subdomain>/faults/<int:fault_id>")
def remove_fault(subdomain: str, fault_id: int) -> Response:
    """Switch one fault off."""

    def work(account: Account, _now: datetime) -> Any:
        account.faults.remove(fault_id)
        return {"faults": account.faults.export()}

    return with_account(subdomain, work)


@blueprint.post("/<sub:subdomain>/latency")
def change_latency(subdomain: str) -> Response:
    """{"ms": n} for every call."""

    def work(account: Account, _now: datetime) -> Any:
        account.faults.latency_ms = max(0, int(body().get("ms", 0)))
        return {"latency_ms": account.faults.latency_ms}

    return with_account(subdomain, work)


@blueprint.post("/<sub:subdomain>/<any(limits, refresh, settings):name>")
def change_switch(subdomain: str, name: str) -> Response:
    """Limits, a failing refresh, small settings: see `switches`."""
    table: dict[str, Callable[[Account, dict[str, Any]], Any]] = {
        "limits": switches.switch_limits,
        "refresh": switches.switch_refresh,
        "settings": switches.switch_settings,
    }
    return with_account(subdomain, lambda account, _now: {name: table[name](account, body())})


@blueprint.route("/<sub:subdomain>/tokens", methods=["GET", "POST"])
def change_tokens(subdomain: str) -> Response:
    """List the tokens (no secrets), or mint a pair without the consent page."""

    def work(account: Account, now: datetime) -> Any:
        if request.method == "POST":
            return switches.mint_tokens(account, world().client.client_id, body(), now)
        return {"tokens": [render_token(token, "") for token in account.table("oauth_tokens").values()]}

    return with_account(subdomain, work, 201 if request.method == "POST" else 200)


@blueprint.post("/<sub:subdomain>/tokens/<any(revoke, expire):action>")
def end_tokens(subdomain: str, action: str) -> Response:
    """Revoke every pair, or expire every access token."""
    return with_account(subdomain, lambda account, now: {"count": switches.switch_tokens(account, action, now)})


@blueprint.post("/<sub:subdomain>/users/<wanted>")
def change_user(subdomain: str, wanted: str) -> Response:
    """Suspend, delete, demote … a user by id, or `acting`."""
    return with_account(subdomain, lambda account, now: {"user": switches.switch_user(account, wanted, body(), now)})


@blueprint.route("/<sub:subdomain>/fields/<surface>/<path:key>", methods=["POST", "DELETE"])
def change_field(subdomain: str, surface: str, key: str) -> Response:
    """{"active": false}, {"required": true} … or DELETE."""
    values = body() if request.method == "POST" else None
    return with_account(
        subdomain, lambda account, _now: {"field": switches.switch_field(account, surface, key, values)}
    )


@blueprint.post("/<sub:subdomain>/clock")
def move_clock(subdomain: str) -> Response:
    """{"advance_s": n}: the account's time goes forward."""

    def work(account: Account, _now: datetime) -> Any:
        offset = account.setting("clock_offset_s", 0) + float(body().get("advance_s", 0))
        account.set_setting("clock_offset_s", offset)
        account.commit()
        return {"clock_offset_s": offset, "now": world().catch_up(account).isoformat()}

    return with_account(subdomain, work)


@blueprint.post("/<sub:subdomain>/reset")
def reset_account(subdomain: str) -> Response:
    """Seed the account afresh; tokens, faults and log are gone."""

    def work(account: Account, _now: datetime) -> Any:
        world().reset(account)
        return {"reset": account.subdomain}

    return with_account(subdomain, work)


@blueprint.route("/<sub:subdomain>/log", methods=["GET", "DELETE"])
def show_log(subdomain: str) -> Response:
    """Calls with n > `since`, oldest first, at most `limit`."""

    def work(account: Account, _now: datetime) -> Any:
        if request.method == "DELETE":
            account.log.clear()
        since, limit = request.args.get("since", 0, int), request.args.get("limit", LOG_MOST, int)
        return {"calls": account.log.since(since, min(limit, LOG_MOST)), "last": account.log.last}

    return with_account(subdomain, work)


@blueprint.get("/<sub:subdomain>/counters")
def show_counters(subdomain: str) -> Response:
    """Calls by "METHOD endpoint status"."""
    return with_account(subdomain, lambda account, _now: {"counters": dict(account.log.counters)})


@blueprint.get("/<sub:subdomain>/jobs")
def list_jobs(subdomain: str) -> Response:
    """Bulk jobs, vanished ones too."""
    return with_account(
        subdomain,
        lambda account, now: {"jobs": [render_job(job, "", now) for job in account.table("bulk_jobs").values()]},
    )


@blueprint.get("/<sub:subdomain>/screens")
def list_screens(subdomain: str) -> Response:
    """What was popped up on agents' screens, the latest first."""
    return with_account(subdomain, lambda account, _now: {"pops": list_pops(account)})


@blueprint.get("/<sub:subdomain>/changes")
def list_changes(subdomain: str) -> Response:
    """The feed of changes, newest last."""
    return with_account(subdomain, lambda account, _now: {"changes": list(account.table("changes").values())})


@blueprint.route("/<sub:subdomain>/records/<kind>/<key>", methods=["GET", "PATCH", "DELETE"])
def show_record(subdomain: str, kind: str, key: str) -> Response:
    """One record with its history; PATCH changes stored properties behind everybody's back, DELETE removes it."""

    def work(account: Account, now: datetime) -> Any:
        record_id: Any = int(key) if key.isdigit() else key
        record = account.find(kind, record_id)
        if record is None:
            abort(404)
        if request.method == "DELETE":
            account.drop(kind, record_id)
        if request.method == "PATCH":
            # an update by somebody else is seen by safe updates
            account.put(kind, record_id, record | {"updated_at": f"{now:%Y-%m-%dT%H:%M:%SZ}"} | body())
        account.commit()
        return render_any(account, kind, account.find(kind, record_id))

    return with_account(subdomain, work)


def render_any(account: Account, kind: str, record: Record | None) -> dict[str, Any]:
    """A record as the API shows it, and what belongs to it."""
    if record is None:
        return {"deleted": True}
    if kind == "tickets":
        history = {"comments": comments_of(account, record["id"]), "audits": account.audits_of.get(record["id"], [])}
        return {"ticket": render_ticket(account, record, ""), **history}
    if kind == "users":
        return {"user": render_user(account, record, ""), "identities": identities_of(account, record["id"])}
    if kind == "organizations":
        return {"organization": render_organization(account, record, "")}
    if kind == "custom_object_records":
        return {"custom_object_record": render_record(account, record, "")}
    return {"record": record}
