"""The consent page: who is signed in, what the app asks for, Allow or Deny."""

from typing import Any
from urllib.parse import urlencode, urlsplit

from flask import Blueprint, current_app, redirect, render_template, request
from werkzeug.wrappers import Response

from demo.zendesk.oauth import create_code
from demo.zendesk.rights import role_name
from demo.zendesk.scopes import OUTSIDE_CEILING, describe_scope
from demo.zendesk.state import Account, Record
from demo.zendesk.world import World

LOCAL_HOSTS = {"localhost", "127.0.0.1", "::1"}
ASKED = ("response_type", "client_id", "redirect_uri", "scope", "state", "code_challenge", "code_challenge_method")
DENIED = {"error": "access_denied", "error_description": "The end-user or authorization server denied the request."}

blueprint = Blueprint("consent", __name__)


@blueprint.get("/<sub:subdomain>/oauth/authorizations/new")
def show_consent(subdomain: str) -> Any:
    """Ask the person."""
    world: World = current_app.extensions["world"]
    account = world.account(subdomain)
    if account is None:
        return render_template("zendesk/no_account.html", subdomain=subdomain), 404
    asked = read_request(request.args)
    problem = find_problem(asked, world)
    if problem:
        return render_template("zendesk/consent_error.html", subdomain=subdomain, problem=problem), 400
    if OUTSIDE_CEILING & set(asked["scope"].split()):
        return send_back(asked, {"error": "invalid_scope"})
    with account.lock:
        people = [
            {"id": user["id"], "words": f"{user['name']} – {role_name(account, user)}"} for user in staff(account)
        ]
    scopes = [describe_scope(scope) for scope in asked["scope"].split() or ["read", "write"]]
    page = {"subdomain": subdomain, "asked": asked, "people": people, "scopes": scopes, "app": world.client.name}
    return render_template("zendesk/consent.html", **page)


@blueprint.post("/<sub:subdomain>/oauth/authorizations/new")
def decide(subdomain: str) -> Any:
    """Carry the decision back to the app."""
    world: World = current_app.extensions["world"]
    account = world.account(subdomain)
    if account is None:
        return render_template("zendesk/no_account.html", subdomain=subdomain), 404
    asked = read_request(request.form)
    problem = find_problem(asked, world)
    if problem:
        return render_template("zendesk/consent_error.html", subdomain=subdomain, problem=problem), 400
    if request.form.get("decision") != "allow":
        return send_back(asked, DENIED)
    with account.lock:
        chosen = request.form.get("user_id", "")
        user = account.find("users", int(chosen) if chosen.isdigit() else staff(account)[0]["id"])
        if user is None or user["role"] == "end-user":
            return send_back(asked, DENIED)
        code = create_code(account, user_id=user["id"], asked=asked, now=world.clock(account))
        account.commit()
    return send_back(asked, {"code": code})


def read_request(values: Any) -> dict[str, str]:
    """The parameters of the authorization request."""
    return {name: values.get(name, "") for name in ASKED}


def find_problem(asked: dict[str, str], world: World) -> str | None:
    """Why the request must not be answered by a redirect."""
    if asked["client_id"] != world.client.client_id:
        return "No such client: the identifier is not known in this account."
    target = urlsplit(asked["redirect_uri"])
    if target.scheme not in ("http", "https") or target.hostname not in LOCAL_HOSTS:
        return "Invalid redirect URI: this address is not registered for the client."
    if asked["response_type"] != "code":
        return "Unsupported response type: only “code” is supported."
    if asked["code_challenge"] and asked["code_challenge_method"] != "S256":
        return "Invalid request: the code challenge method must be S256."
    return None


def send_back(asked: dict[str, str], answer: dict[str, str]) -> Response:
    """Redirect to the app with the outcome and its state."""
    if asked["state"]:
        answer = {**answer, "state": asked["state"]}
    joint = "&" if urlsplit(asked["redirect_uri"]).query else "?"
    return redirect(asked["redirect_uri"] + joint + urlencode(answer))


def staff(account: Account) -> list[Record]:
    """Agents and administrators who could be signed in, the system user first."""
    people = [user for user in account.table("users").values() if user["role"] != "end-user" and user["active"]]
    return sorted(people, key=lambda user: (user["id"] != account.setting("system_user_id", 0), user["id"]))
