"""The control API for those who prepare and check a run: `/_control/{subdomain}/…`, continued from `control`.

- `GET writes?since=n&limit=m&record=tickets/12&texts=comment,subject`: every applied write in order, in rows under
  `columns`, up to 50,000 at a time; `next` is the `since` of the next page. `texts` leaves out all other values and
  keeps the digest. `DELETE` forgets them.
- `GET records/{kind}?ids=1,2&fields=subject,custom_fields.360,comments` (or `POST` with {"ids", "fields"}): chosen
  fields of many records, in the order of the ids, unknown ids left out; `comments` are a ticket's comments.
- `POST tickets` {"count": n, "subject": "…"} and `POST users` {"count": n, "name": "…"}: makes plain open tickets,
  or end users; answers their ids. At most 20,000 at once.
- `POST seed` {"seed": n}: the sequence of chances of the faults begins again.
"""

from collections.abc import Collection
from datetime import datetime
from typing import Any

from flask import Blueprint, Response, request

from demo.zendesk.audits import add_audit, comment_event, comments_of
from demo.zendesk.control import body, with_account
from demo.zendesk.state import Account, Record, stamp
from demo.zendesk.tickets import blank_ticket
from demo.zendesk.user_records import blank_user

MADE_MOST = 20_000
PAGE = 5_000
PAGE_MOST = 50_000
blueprint = Blueprint("checks", __name__, url_prefix="/_control")


@blueprint.route("/<sub:subdomain>/writes", methods=["GET", "DELETE"])
def show_writes(subdomain: str) -> Response:
    """Every applied write, or forget them."""

    def work(account: Account, _now: datetime) -> Any:
        if request.method == "DELETE":
            account.writes.clear()
        limit = min(PAGE_MOST, max(1, request.args.get("limit", PAGE, int)))
        texts = request.args["texts"].split(",") if "texts" in request.args else None
        since, record = request.args.get("since", 0, int), request.args.get("record")
        return account.writes.page(since, limit, record=record, texts=texts)

    return with_account(subdomain, work)


@blueprint.route("/<sub:subdomain>/records/<path:kind>", methods=["GET", "POST"])
def list_records(subdomain: str, kind: str) -> Response:
    """Any table as it is stored: tickets, users, organizations, ticket_fields, custom_object_records, …"""
    given = body() if request.method == "POST" else split_lists(dict(request.args))

    def work(account: Account, _now: datetime) -> Any:
        table = account.tables.get(kind, {})
        if "ids" not in given and "fields" not in given:
            return {kind: list(table.values())}
        keys = [int(key) if str(key).isdigit() else key for key in given.get("ids", table)]
        found = [table[key] for key in keys if key in table]
        return {kind: [project(account, kind, record, given.get("fields")) for record in found]}

    return with_account(subdomain, work)


def split_lists(args: dict[str, str]) -> dict[str, Any]:
    """`ids` and `fields` of a query as lists."""
    return {name: args[name].split(",") for name in ("ids", "fields") if name in args}


def project(account: Account, kind: str, record: Record, fields: Collection[str] | None) -> Record:
    """The chosen fields of a record, and its id; all of them without a choice."""
    if fields is None:
        return record
    chosen = {"id": record["id"]}
    for name in fields:
        holder, _, key = name.partition(".")
        if name == "comments" and kind == "tickets":
            chosen[name] = [told_comment(comment) for comment in comments_of(account, record["id"])]
        else:
            chosen[name] = (record.get(holder) or {}).get(key) if key else record.get(name)
    return chosen


def told_comment(comment: Record) -> Record:
    """What a checker wants to know of a comment."""
    kept = {name: comment[name] for name in ("id", "body", "public", "author_id", "created_at")}
    return {**kept, "metadata": comment["metadata"]["custom"]}


@blueprint.post("/<sub:subdomain>/tickets")
def make_tickets(subdomain: str) -> Response:
    """Many plain open tickets of the first end user."""
    given = body()

    def work(account: Account, now: datetime) -> Any:
        requester = next(user for user in account.table("users").values() if user["role"] == "end-user")
        agent = account.setting("system_user_id", 0)
        subject = str(given.get("subject", "Made for a run"))
        ids = [make_ticket(account, requester, agent, subject, now) for _ in range(wanted_count(given))]
        account.commit()
        return {"ids": ids}

    return with_account(subdomain, work, 201)


def make_ticket(account: Account, requester: Record, agent_id: int, subject: str, now: datetime) -> int:
    """One ticket with its first comment."""
    key = account.new_id("tickets")
    blank = blank_ticket(subject, requester, stamp(now))
    account.put("tickets", key, blank | {"id": key, "status": "open", "assignee_id": agent_id})
    event = comment_event(subject, author_id=requester["id"], is_public=True)
    add_audit(account, key, [event], author_id=requester["id"], now=now)
    return key


@blueprint.post("/<sub:subdomain>/users")
def make_users(subdomain: str) -> Response:
    """Many end users without addresses, each with an external id of its own: `made-` and its id."""
    given = body()

    def work(account: Account, now: datetime) -> Any:
        ids = [account.new_id("users") for _ in range(wanted_count(given))]
        for number, key in enumerate(ids, start=1):
            user = blank_user(key, f"{given.get('name', 'Made for a run')} {number}", now)
            account.put("users", key, user | {"external_id": f"made-{key}"})
        account.commit()
        return {"ids": ids}

    return with_account(subdomain, work, 201)


def wanted_count(given: dict[str, Any]) -> int:
    """How many records to make. Raises ValueError beyond the bounds."""
    count = given.get("count")
    if not isinstance(count, int) or not 1 <= count <= MADE_MOST:
        raise ValueError(f"count must be between 1 and {MADE_MOST}")
    return count


@blueprint.post("/<sub:subdomain>/seed")
def seed_chance(subdomain: str) -> Response:
    """{"seed": n} for everything that strikes by chance."""
    given = body()

    def work(account: Account, _now: datetime) -> Any:
        number = int(given.get("seed", 1))
        account.faults.seed(number)
        return {"seed": number}

    return with_account(subdomain, work)
