"""The switchboard page: faults, limits, tokens, users and the refresh, by form; it calls what the control API calls."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from flask import Blueprint, abort, redirect, render_template, request

from demo.zendesk import switches
from demo.zendesk.consent import staff
from demo.zendesk.control import summarise
from demo.zendesk.control_calls import CONTROL_CALLS
from demo.zendesk.faults import KINDS
from demo.zendesk.limits import BUCKETS, PLANS
from demo.zendesk.pages import open_account, version_of
from demo.zendesk.rights import role_name
from demo.zendesk.state import Account

CALLS_SHOWN = 15
NUMBERS: dict[str, Callable[[str], Any]] = {
    "count": int,
    "probability": float,
    "status": int,
    "retry_after": lambda text: [int(part) for part in text.split("-")] if "-" in text else int(text),
    "retry_after_share": float,
    "seconds": float,
    "ms": int,
    "after": float,
    "until": float,
    "entries": int,
}

blueprint = Blueprint("switchboard", __name__)
Action = Callable[[Account, datetime], Any]


@blueprint.get("/<sub:subdomain>/switchboard")
def show_switchboard(subdomain: str) -> Any:
    """All switches and the latest calls."""
    world, account = open_account(subdomain)
    with account.lock:
        state = summarise(account, world.clock(account))
        calls = list(reversed(account.log.since(account.log.last - CALLS_SHOWN, CALLS_SHOWN)))
        people = [{**user, "words": role_name(account, user)} for user in account.table("users").values()]
        people = [user for user in people if user["role"] != "end-user" or not user["active"] or user["suspended"]]
        choices = {
            "control_calls": CONTROL_CALLS,
            "kinds": KINDS,
            "plans": PLANS,
            "buckets": BUCKETS,
            "people": people,
            "roles": switches.ROLES,
        }
        return render_template(
            "zendesk/switchboard.html",
            subdomain=subdomain,
            state=state,
            calls=calls,
            version=version_of(world, account),
            acting=switches.find_user(account, "acting") if staff(account) else None,
            problem=request.args.get("problem"),
            **choices,
        )


@blueprint.post("/<sub:subdomain>/switchboard/<action>")
def turn_switch(subdomain: str, action: str) -> Any:
    """One form of the page."""
    world, account = open_account(subdomain)
    if action == "reset":
        world.reset(account)
        return redirect(f"/{subdomain}/switchboard")
    if action not in ACTIONS:
        abort(404)
    problem = ""
    with account.lock:
        try:
            ACTIONS[action](account, world.clock(account))
        except ValueError as refusal:
            problem = f"?problem={refusal}"
    return redirect(f"/{subdomain}/switchboard{problem}")


def add_fault(account: Account, _now: datetime) -> None:
    """Empty boxes mean the default."""
    values: dict[str, Any] = {name: value for name, value in request.form.items() if value.strip()}
    for name, convert in NUMBERS.items():
        if name in values:
            values[name] = convert(values[name])
    values["applied"] = "applied" in values
    account.faults.add(values)


def remove_fault(account: Account, _now: datetime) -> None:
    """One, or all without a number."""
    account.faults.remove(request.form.get("id", None, int))


def change_latency(account: Account, _now: datetime) -> None:
    """Every call waits."""
    account.faults.latency_ms = max(0, int(request.form.get("ms") or 0))


def change_limits(account: Account, _now: datetime) -> None:
    """Plan, on or off, and own values."""
    values = {name: int(request.form[name]) for name in BUCKETS if request.form.get(name, "").strip()}
    chosen = {"enabled": "enabled" in request.form, "plan": request.form.get("plan", "enterprise"), "values": values}
    switches.switch_limits(account, chosen)


def change_refresh(account: Account, _now: datetime) -> None:
    """What the next refreshes get."""
    count = request.form.get("count", "").strip()
    switches.switch_refresh(account, {"mode": request.form.get("mode", "ok"), "count": int(count) if count else None})


def change_user(account: Account, now: datetime) -> None:
    """Suspend, delete, demote …"""
    switches.switch_user(account, request.form.get("user", "acting"), dict(request.form), now)


def change_settings(account: Account, _now: datetime) -> None:
    """How a dead user is answered, how late the search is."""
    given = {name: request.form[name] for name in switches.SETTINGS if request.form.get(name, "").strip()}
    switches.switch_settings(account, given)


def end_tokens(account: Account, now: datetime) -> None:
    """Revoke or expire."""
    switches.switch_tokens(account, request.form.get("action", ""), now)


ACTIONS: dict[str, Action] = {
    "add-fault": add_fault,
    "remove-fault": remove_fault,
    "latency": change_latency,
    "limits": change_limits,
    "refresh": change_refresh,
    "user": change_user,
    "settings": change_settings,
    "tokens": end_tokens,
}
