"""One record as a person sees it: its values, what changed last, its comments and its history."""

from typing import Any

from flask import Blueprint, abort, render_template

from demo.zendesk.audits import comments_of
from demo.zendesk.custom_objects import fields_of
from demo.zendesk.pages import open_account, version_of
from demo.zendesk.rights import role_name
from demo.zendesk.state import Account, Record
from demo.zendesk.ticket_reads import active_ticket_fields

HISTORY_LENGTH = 40
OBJECT_KIND = "custom_objects/"
TICKET_ROWS = ("subject", "status", "priority", "type", "external_id", "due_at")
USER_ROWS = ("name", "email", "phone", "external_id", "alias", "locale", "details", "notes", "suspended", "active")
ORGANIZATION_ROWS = ("name", "external_id", "domain_names", "details", "notes")
RECORD_ROWS = ("name", "external_id")

blueprint = Blueprint("record_pages", __name__)


@blueprint.get("/<sub:subdomain>/agent/tickets/<int:key>")
def show_ticket(subdomain: str, key: int) -> Any:
    """A ticket."""
    return show(subdomain, "tickets", "tickets", key)


@blueprint.get("/<sub:subdomain>/agent/users/<int:key>")
def show_user(subdomain: str, key: int) -> Any:
    """A user."""
    return show(subdomain, "users", "users", key)


@blueprint.get("/<sub:subdomain>/agent/organizations/<int:key>")
def show_organization(subdomain: str, key: int) -> Any:
    """An organization."""
    return show(subdomain, "organizations", "organizations", key)


@blueprint.get("/<sub:subdomain>/agent/custom-objects/<object_key>/records/<key>")
def show_object(subdomain: str, object_key: str, key: str) -> Any:
    """A record of a custom object."""
    return show(subdomain, "custom_object_records", OBJECT_KIND + object_key, key)


def show(subdomain: str, table: str, kind: str, key: Any) -> Any:
    """Any record's page."""
    world, account = open_account(subdomain)
    with account.lock:
        record = account.find(table, key)
        if record is None:
            abort(404)
        history = history_of(account, kind, key)
        fresh = {change["field"] for change in history[0]["fields"]} if history else set()
        rows = [{**row, "is_fresh": row["name"] in fresh} for row in ROWS[table](account, record)]
        comments = ticket_comments(account, key) if table == "tickets" else []
        page: dict[str, Any] = {
            "record": record,
            "rows": rows,
            "history": history,
            "comments": comments,
            "fresh": fresh,
        }
        page |= {"version": version_of(world, account), "title": record.get("subject") or record.get("name")}
        page |= {"kind": kind.removeprefix(OBJECT_KIND), "key": key, "tab": TAB_OF.get(table, table)}
        return render_template("zendesk/record.html", subdomain=subdomain, **page)


def history_of(account: Account, kind: str, key: Any) -> list[Record]:
    """The changes of a record in words, newest first; a ticket's come from its audits."""
    if kind == "tickets":
        entries = [audit_entry(account, audit) for audit in account.audits_of.get(key, [])]
    else:
        changes = account.table("changes").values()
        entries = [change for change in changes if change["kind"] == kind and str(change["id"]) == str(key)]
        entries.sort(key=lambda change: change["n"])
        entries = [{**entry, "fields": [named(entry, field) for field in entry["fields"]]} for entry in entries]
    return list(reversed(entries))[:HISTORY_LENGTH]


def named(_entry: Record, field: Record) -> Record:
    """A changed field with the words for it."""
    return {**field, "title": field["field"].rpartition(".")[2]}


def audit_entry(account: Account, audit: Record) -> Record:
    """An audit as an entry of the history."""
    author = account.find("users", audit["author_id"]) or {"name": "–"}
    fields = []
    for event in audit["events"]:
        if event["type"] == "Comment":
            words = "public reply" if event["public"] else "internal note"
            fields.append({"field": "comment", "title": words, "before": None, "after": event["body"][:200]})
            continue
        name = event["field_name"]
        custom = account.find("ticket_fields", int(name)) if name.isdigit() else None
        title = custom["title"] if custom else name
        if event["value"] not in (None, [], ""):
            fields.append(
                {"field": name, "title": title, "before": event.get("previous_value"), "after": event["value"]}
            )
        elif event.get("previous_value") is not None:
            fields.append({"field": name, "title": title, "before": event["previous_value"], "after": None})
    return {"n": audit["id"], "at": audit["created_at"], "actor": author["name"], "fields": fields}


def ticket_comments(account: Account, key: int) -> list[Record]:
    """The comments with their authors, newest first."""
    comments = comments_of(account, key)
    authors = account.table("users")
    return [{**comment, "author": authors[comment["author_id"]]["name"]} for comment in reversed(comments)]


def row(name: str, title: str, value: Any, kind: str = "") -> Record:
    """One line of the field table."""
    return {"name": name, "title": title, "value": value, "kind": kind}


def plain_rows(record: Record, names: tuple[str, ...]) -> list[Record]:
    """System properties."""
    return [row(name, name.replace("_", " ").capitalize(), record.get(name)) for name in names]


def ticket_rows(account: Account, ticket: Record) -> list[Record]:
    """A ticket's properties and custom fields."""
    rows = plain_rows(ticket, TICKET_ROWS)
    for name, table in (("requester_id", "users"), ("assignee_id", "users"), ("group_id", "groups")):
        found = account.find(table, ticket[name])
        rows.append(row(name, name.removesuffix("_id").capitalize(), found["name"] if found else None))
    organization = account.find("organizations", ticket["organization_id"])
    rows.append(row("organization_id", "Organization", organization["name"] if organization else None))
    for field in active_ticket_fields(account):
        value = ticket["custom_fields"].get(str(field["id"]))
        rows.append(row(str(field["id"]), field["title"], titled(field, value), field["type"]))
    return rows


def keyed_rows(account: Account, table: str, values: Record, holder: str) -> list[Record]:
    """Fields that are identified by keys."""
    return [
        row(f"{holder}.{field['key']}", field["title"], titled(field, values.get(field["key"])), field["type"])
        for field in account.table(table).values()
        if field["active"]
    ]


def user_rows(account: Account, user: Record) -> list[Record]:
    """A user's properties and fields."""
    organization = account.find("organizations", user["organization_id"])
    own = [row("role", "Role", role_name(account, user))]
    own.append(row("organization_id", "Organization", organization["name"] if organization else None))
    return plain_rows(user, USER_ROWS) + own + keyed_rows(account, "user_fields", user["user_fields"], "user_fields")


def organization_rows(account: Account, organization: Record) -> list[Record]:
    """An organization's properties and fields."""
    holder = "organization_fields"
    return plain_rows(organization, ORGANIZATION_ROWS) + keyed_rows(account, holder, organization[holder], holder)


def object_rows(account: Account, record: Record) -> list[Record]:
    """A custom object record's properties and fields."""
    values = record["custom_object_fields"]
    return plain_rows(record, RECORD_ROWS) + [
        row(
            f"custom_object_fields.{field['key']}",
            field["title"],
            titled(field, values.get(field["key"])),
            field["type"],
        )
        for field in fields_of(account, record["custom_object_key"])
        if field["active"] and not field["key"].startswith("standard::")
    ]


def titled(field: Record, value: Any) -> Any:
    """Options by their titles, nested ones with arrows."""
    names = {option["value"]: option["name"].replace("::", " › ") for option in field.get("custom_field_options") or []}
    if isinstance(value, list):
        return ", ".join(names.get(part, str(part)) for part in value)
    if isinstance(value, bool):
        return "Yes" if value else "No"
    return names.get(value, value)


ROWS = {
    "tickets": ticket_rows,
    "users": user_rows,
    "organizations": organization_rows,
    "custom_object_records": object_rows,
}
TAB_OF = {"custom_object_records": "objects"}
