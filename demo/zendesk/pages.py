"""The pages where a person watches an account: the front page, the record lists and the feed of changes."""

import re
from collections.abc import Sequence
from typing import Any

from flask import Blueprint, abort, current_app, jsonify, render_template, request

from demo.zendesk.rights import role_name
from demo.zendesk.screens import list_pops
from demo.zendesk.state import Account, Record
from demo.zendesk.world import World

PAGE_SIZE = 50
FEED_LENGTH = 12
TABS = (("tickets", "Tickets"), ("users", "Users"), ("organizations", "Organizations"), ("objects", "Custom objects"))
EXAMPLES = ("acme", "ven12345", "large")

blueprint = Blueprint("pages", __name__)


def open_account(subdomain: str) -> tuple[World, Account]:
    """The account of a page, caught up with its bulk jobs; a 404 page otherwise."""
    world: World = current_app.extensions["world"]
    account = world.account(subdomain)
    if account is None:
        abort(404)
    with account.lock:
        world.catch_up(account)
    return world, account


@blueprint.app_errorhandler(404)
def show_not_found(_error: Any) -> Any:
    """A page, unless the control API was asked."""
    if request.path.startswith("/_control/"):
        return jsonify({"error": "not found"}), 404
    return render_template("zendesk/not_found.html"), 404


@blueprint.get("/")
def show_front() -> Any:
    """Which accounts there are, and what this is."""
    world: World = current_app.extensions["world"]
    known = world.known_subdomains()
    return render_template("zendesk/front.html", known=known, examples=[name for name in EXAMPLES if name not in known])


@blueprint.get("/<sub:subdomain>/pulse")
def show_pulse(subdomain: str) -> Any:
    """A number that changes whenever the account does, for pages that are open."""
    world, account = open_account(subdomain)
    return jsonify({"version": version_of(world, account)})


def version_of(world: World, account: Account) -> str:
    """The state a page shows."""
    return f"{id(world):x}-{account.version}"


@blueprint.get("/<sub:subdomain>/")
def show_account(subdomain: str) -> Any:
    """Lists of records in tabs, and what changed lately."""
    world, account = open_account(subdomain)
    tab = request.args.get("tab", "tickets")
    if tab not in dict(TABS):
        abort(404)
    words, page = request.args.get("q", "").strip(), max(1, request.args.get("page", 1, int))
    with account.lock:
        rows = list_rows(account, tab, words)
        shown = rows[(page - 1) * PAGE_SIZE : page * PAGE_SIZE]
        changes = sorted(account.table("changes").values(), key=lambda change: -change["n"])[:FEED_LENGTH]
        pops = list_pops(account)[:FEED_LENGTH]
        page_data = {"version": version_of(world, account), "tab": tab, "rows": shown, "words": words, "page": page}
    page_data |= {"has_more": len(rows) > page * PAGE_SIZE, "count": len(rows), "tabs": TABS}
    page_data["pops"] = [{**pop, "href": href_of(subdomain, pop["kind"], pop["id"])} for pop in pops]
    feed = [{**change, "href": href_of(subdomain, change["kind"], change["id"])} for change in changes]
    return render_template("zendesk/account.html", subdomain=subdomain, feed=feed, **page_data)


def list_rows(account: Account, tab: str, words: str) -> Sequence[Record]:
    """The rows of a tab that contain the words, the latest change first."""
    builders = {
        "tickets": ("tickets", ticket_row),
        "users": ("users", user_row),
        "organizations": ("organizations", organization_row),
        "objects": ("custom_object_records", object_row),
    }
    kind, build = builders[tab]
    records = sorted(
        account.table(kind).values(), key=lambda record: (record["updated_at"], record["id"]), reverse=True
    )
    rows = [build(account, record) for record in records]
    return [row for row in rows if words.lower() in " ".join(map(str, row["cells"])).lower()]


def ticket_row(account: Account, ticket: Record) -> Record:
    """A ticket in the list."""
    requester = account.find("users", ticket["requester_id"]) or {"name": "–"}
    href = href_of(account.subdomain, "tickets", ticket["id"])
    cells = [f"#{ticket['id']}", ticket["subject"], requester["name"], ticket["updated_at"]]
    return {"href": href, "cells": cells, "status": ticket["status"], "place": 0}


def user_row(account: Account, user: Record) -> Record:
    """A user in the list."""
    state = "deleted" if not user["active"] else "suspended" if user["suspended"] else None
    cells = [user["name"], role_name(account, user), user["phone"] or "–", user["email"] or "–", user["updated_at"]]
    return {"href": href_of(account.subdomain, "users", user["id"]), "cells": cells, "status": state, "place": 0}


def organization_row(account: Account, organization: Record) -> Record:
    """An organization in the list."""
    cells = [organization["name"], ", ".join(organization["domain_names"]), organization["updated_at"]]
    href = href_of(account.subdomain, "organizations", organization["id"])
    return {"href": href, "cells": cells, "status": None, "place": 0}


def object_row(account: Account, record: Record) -> Record:
    """A custom object's record in the list."""
    kind = f"custom_objects/{record['custom_object_key']}"
    cells = [record["name"], record["custom_object_key"], record["external_id"] or "–", record["updated_at"]]
    return {"href": href_of(account.subdomain, kind, record["id"]), "cells": cells, "status": None, "place": 0}


def href_of(subdomain: str, kind: str, key: Any) -> str | None:
    """Where a record's page is, with Zendesk's own agent paths."""
    found = re.fullmatch(r"custom_objects/(\w+)", kind)
    if found:
        return f"/{subdomain}/agent/custom-objects/{found[1]}/records/{key}"
    return f"/{subdomain}/agent/{kind}/{key}" if kind in ("tickets", "users", "organizations") else None
