"""`{tickets|users|organizations}/{id}/tags`: GET shows, PUT adds, POST sets, DELETE removes."""

from demo.zendesk.field_values import normalise_tags
from demo.zendesk.organizations import change_organization, found_organization
from demo.zendesk.replies import Call, Reply, parameter_missing
from demo.zendesk.rights import (
    require_agent,
    require_organization_editing,
    require_ticket_editing,
    require_user_editing,
)
from demo.zendesk.state import Record
from demo.zendesk.ticket_reads import visible_ticket
from demo.zendesk.tickets import change_ticket
from demo.zendesk.users import change_user, found_user


def show_ticket_tags(call: Call) -> Reply:
    """The tags of a ticket."""
    return Reply({"tags": visible_ticket(call)["tags"]})


def show_user_tags(call: Call) -> Reply:
    """The tags of a user."""
    require_agent(call.actor)
    return Reply({"tags": found_user(call)["tags"]})


def show_organization_tags(call: Call) -> Reply:
    """The tags of an organization."""
    require_agent(call.actor)
    return Reply({"tags": found_organization(call)["tags"]})


def write_ticket_tags(call: Call) -> Reply:
    """Change the tags of a ticket; `safe_update` and `updated_stamp` are understood."""
    ticket = visible_ticket(call)
    change = {"tags": new_tags(call, ticket)}
    change |= {name: call.body[name] for name in ("safe_update", "updated_stamp") if name in call.body}
    require_ticket_editing(call.account, call.actor, change)
    change_ticket(call, ticket, change)
    return _answer(call, call.account.table("tickets")[ticket["id"]])


def write_user_tags(call: Call) -> Reply:
    """Change the tags of a user."""
    user = found_user(call)
    require_user_editing(call.account, call.actor, user)
    return _answer(call, change_user(call, user, {"tags": new_tags(call, user)}))


def write_organization_tags(call: Call) -> Reply:
    """Change the tags of an organization."""
    organization = found_organization(call)
    change = {"tags": new_tags(call, organization)}
    require_organization_editing(call.account, call.actor, change)
    return _answer(call, change_organization(call, organization, change))


def new_tags(call: Call, record: Record) -> list[str]:
    """The tags after the call's method did its work."""
    if "tags" not in call.body:
        raise parameter_missing("tags")
    given, kept = set(normalise_tags(call.body["tags"])), set(record["tags"])
    results = {"PUT": kept | given, "POST": given, "DELETE": kept - given}
    return sorted(results[call.method])


def _answer(call: Call, record: Record) -> Reply:
    return Reply({"tags": record["tags"]}, 201 if call.method == "POST" else 200)
