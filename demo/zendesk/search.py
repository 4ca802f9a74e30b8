"""The search endpoints: `search`, `users/search`, `users/autocomplete`."""

from datetime import timedelta

from demo.zendesk.organizations import render_with as render_organization
from demo.zendesk.paging import offset_of, offset_page
from demo.zendesk.replies import ApiError, Call, Reply, parameter_missing
from demo.zendesk.rights import can_see_ticket, require_agent
from demo.zendesk.search_query import Condition, find_matching, parse_query, sort_matching
from demo.zendesk.state import Record, moment_of
from demo.zendesk.ticket_reads import render_with as render_ticket
from demo.zendesk.user_records import render_user

RESULTS_MOST = 1_000
USERS_MOST = 10_000
AUTOCOMPLETE_MOST = 100
KINDS = {"ticket": "tickets", "user": "users", "organization": "organizations"}


def search_all(call: Call) -> Reply:
    """`GET search?query=`: offsets only, and never beyond 1,000 results."""
    require_agent(call.actor)
    if not call.args.get("query"):
        raise parameter_missing("query")
    page, size = offset_of(call)
    if page * size > RESULTS_MOST:
        words = "Invalid search: Requested response size was greater than Search Response Limits"
        raise ApiError(422, {"error": "invalid", "description": words})
    conditions = parse_query(call.args["query"])
    wanted = {condition.value.lower() for condition in conditions if condition.name == "type"} or set(KINDS)
    found: list[Record] = []
    for result_type in KINDS.keys() & wanted:
        found += [{**record, "result_type": result_type} for record in matching(call, KINDS[result_type], conditions)]
    ordered = sort_matching(found, conditions, call.args)
    body = offset_page(call, "results", ordered, lambda record: render_result(call, record), page, size)
    return Reply({**body, "facets": None})


def matching(call: Call, kind: str, conditions: list[Condition]) -> list[Record]:
    """Records that match, are indexed by now and visible to the acting user."""
    indexed_until = call.now - timedelta(seconds=call.account.setting("search_lag_s", 0))
    return [
        record
        for record in find_matching(call.account, kind, conditions)
        if moment_of(record["created_at"]) <= indexed_until
        and (kind != "tickets" or can_see_ticket(call.account, call.actor, record))
    ]


def render_result(call: Call, record: Record) -> Record:
    """A result with its `result_type`."""
    plain = {name: value for name, value in record.items() if name != "result_type"}
    if record["result_type"] == "ticket":
        shown = render_ticket(call, plain)
    elif record["result_type"] == "user":
        shown = render_user(call.account, plain, call.base_url)
    else:
        shown = render_organization(call, plain)
    return {**shown, "result_type": record["result_type"]}


def search_users(call: Call) -> Reply:
    """`GET users/search?query=` or `external_id=`."""
    require_agent(call.actor)
    page, size = offset_of(call)
    if page * size > USERS_MOST:
        raise ApiError(422, {"error": "invalid", "description": "Invalid search: result set too large"})
    if "external_id" in call.args:
        wanted = call.args["external_id"].lower()
        users = [user for user in active_users(call) if (user["external_id"] or "").lower() == wanted]
    elif call.args.get("query"):
        conditions = parse_query(call.args["query"])
        users = sort_matching(matching(call, "users", conditions), conditions, call.args)
    else:
        raise parameter_missing("query")
    return Reply(
        offset_page(call, "users", users, lambda user: render_user(call.account, user, call.base_url), page, size)
    )


def autocomplete_users(call: Call) -> Reply:
    """`GET users/autocomplete?name=` or `phone=`."""
    require_agent(call.actor)
    name, phone = call.args.get("name", "").lower(), call.args.get("phone", "")
    if not name and not phone:
        raise parameter_missing("name")
    if phone:
        users = matching(call, "users", [Condition("phone", ":", phone)])
    else:
        users = [
            user
            for user in active_users(call)
            if any(word.startswith(name) for word in [user["name"].lower(), *user["name"].lower().split()])
        ]
    rows = [render_user(call.account, user, call.base_url) for user in users[:AUTOCOMPLETE_MOST]]
    return Reply({"users": rows, "count": len(rows), "next_page": None, "previous_page": None})


def active_users(call: Call) -> list[Record]:
    """Users that were not deleted."""
    return [user for user in call.account.table("users").values() if user["active"]]
