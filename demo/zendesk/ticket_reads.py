"""Tickets as the API shows them: show, list, by requester, by external id."""

import json
import zlib
from collections.abc import Iterable

from demo.zendesk.paging import page_reply
from demo.zendesk.replies import Call, Encoded, Reply, ids_of, not_allowed, record_missing
from demo.zendesk.rights import can_see_ticket
from demo.zendesk.sideloads import sideload
from demo.zendesk.state import Account, Record, moment_of

STATUSES = ("new", "open", "pending", "hold", "solved", "closed")
SORTS = ("id", "updated_at", "status")


def visible_ticket(call: Call) -> Record:
    """The ticket in the path, or 404, or 403 when it is out of the user's sight."""
    ticket = call.account.find("tickets", call.record_id)
    if ticket is None:
        raise record_missing()
    if not can_see_ticket(call.account, call.actor, ticket):
        raise not_allowed()
    return ticket


def active_ticket_fields(account: Account) -> list[Record]:
    """Active custom fields by position."""

    def build() -> list[Record]:
        fields = [field for field in account.table("ticket_fields").values() if field["active"] and field["removable"]]
        return sorted(fields, key=lambda field: field["position"])

    found: list[Record] = account.derived("ticket_fields", "active", build)
    return found


def render_ticket(account: Account, ticket: Record, base_url: str) -> Record:
    """A ticket with every active custom field, unset ones as null (checkboxes false), repeated under `fields`."""
    values = ticket["custom_fields"]
    shown = [
        {"id": field["id"], "value": values.get(str(field["id"]), False if field["type"] == "checkbox" else None)}
        for field in active_ticket_fields(account)
    ]
    return {**render_plain(account, ticket, base_url), "custom_fields": shown, "fields": shown}


def encode_ticket(account: Account, ticket: Record, base_url: str) -> Encoded:
    """The same as JSON text. Most fields of most tickets are empty: their text is made once for all."""

    def build() -> list[tuple[str, str, str]]:
        return [
            (str(field["id"]), f'{{"id": {field["id"]}, "value": ', "false" if field["type"] == "checkbox" else "null")
            for field in active_ticket_fields(account)
        ]

    parts: list[tuple[str, str, str]] = account.derived("ticket_fields", "parts", build)
    values = {key: json.dumps(value, ensure_ascii=False) for key, value in ticket["custom_fields"].items()}
    shown = ", ".join([f"{start}{values.get(key, empty)}}}" for key, start, empty in parts])
    plain = json.dumps(render_plain(account, ticket, base_url), ensure_ascii=False)
    return Encoded(f'{plain[:-1]}, "custom_fields": [{shown}], "fields": [{shown}]}}')


def encode_tickets(account: Account, tickets: Iterable[Record], base_url: str) -> Encoded:
    """A list of tickets as JSON text."""
    return Encoded("[" + ", ".join([encode_ticket(account, ticket, base_url).text for ticket in tickets]) + "]")


def render_plain(account: Account, ticket: Record, base_url: str) -> Record:
    """A ticket without its custom fields."""
    updated = moment_of(ticket["updated_at"])
    return {
        **{name: value for name, value in ticket.items() if name != "custom_fields"},
        "url": f"{base_url}/api/v2/tickets/{ticket['id']}.json",
        "raw_subject": ticket["subject"],
        "custom_status_id": status_ids(account)[ticket["status"]],
        "generated_timestamp": int(updated.timestamp()),
        "encoded_id": f"D{zlib.crc32(str(ticket['id']).encode()):08X}",
        "from_messaging_channel": False,
        "support_type": "agent",
    }


def status_ids(account: Account) -> dict[str, int]:
    """The custom status behind each status; `closed` shares the one of `solved`."""

    def build() -> dict[str, int]:
        known = {status["status_category"]: key for key, status in account.table("custom_statuses").items()}
        return {status: known[{"closed": "solved"}.get(status, status)] for status in STATUSES}

    found: dict[str, int] = account.derived("custom_statuses", "ids", build)
    return found


def visible_tickets(call: Call) -> Iterable[Record]:
    """Every ticket the acting user may see."""
    tickets = call.account.table("tickets").values()
    return [ticket for ticket in tickets if can_see_ticket(call.account, call.actor, ticket)]


def render_with(call: Call, ticket: Record) -> Record:
    """A ticket for this call's answer."""
    return render_ticket(call.account, ticket, call.base_url)


def show_ticket(call: Call) -> Reply:
    """`GET tickets/{id}`."""
    ticket = visible_ticket(call)
    return Reply({"ticket": encode_ticket(call.account, ticket, call.base_url), **sideload(call, [ticket])})


def list_tickets(call: Call) -> Reply:
    """`GET tickets`, all or by external id."""
    tickets = list(visible_tickets(call))
    wanted = call.args.get("external_id")
    if wanted is not None:
        tickets = [ticket for ticket in tickets if (ticket["external_id"] or "").lower() == wanted.lower()]
    return _page(call, tickets)


def show_many_tickets(call: Call) -> Reply:
    """`GET tickets/show_many?ids=`; ids that do not exist are left out."""
    found = [call.account.find("tickets", key) for key in ids_of(call.args.get("ids", ""))]
    seen = [ticket for ticket in found if ticket and can_see_ticket(call.account, call.actor, ticket)]
    rows = encode_tickets(call.account, seen, call.base_url)
    paging = {"count": len(seen), "next_page": None, "previous_page": None}
    return Reply({"tickets": rows, **paging, **sideload(call, seen)})


def list_requested(call: Call) -> Reply:
    """`GET users/{id}/tickets/requested`."""
    if call.account.find("users", call.record_id) is None:
        raise record_missing()
    tickets = [ticket for ticket in visible_tickets(call) if ticket["requester_id"] == call.record_id]
    return _page(call, tickets)


def _page(call: Call, tickets: list[Record]) -> Reply:
    """A page of tickets, with what goes along with them."""
    reply = page_reply(call, "tickets", tickets, lambda ticket: render_with(call, ticket), sorts=SORTS)
    reply.body |= sideload(call, reply.body["tickets"])
    return reply
