"""Zendesk's two kinds of paging: cursors (`page[size]`) and offsets (`page`, `per_page`)."""

import base64
import binascii
import json
from collections.abc import Callable, Sequence
from typing import Any
from urllib.parse import urlencode

from demo.zendesk.replies import Call, Reply, bad_paging
from demo.zendesk.state import Record

PAGE_MOST = 100
OFFSET_MOST = 10_000
DEPTH_WORDS = (
    "Pagination requests using Offset Pagination are limited to page 100 or up to 10000 records (page * per_page)"
)

Render = Callable[[Record], Record]


def wants_cursor(call: Call) -> bool:
    """Did the client ask for cursors?"""
    return any(name.startswith("page[") for name in call.args)


def page_reply(
    call: Call, name: str, records: Sequence[Record], render: Render, *, sorts: tuple[str, ...] = ("id",)
) -> Reply:
    """The list in the style the client asked for; without any paging parameter by offsets."""
    if wants_cursor(call):
        return cursor_reply(call, name, records, render, sorts=sorts)
    return offset_reply(call, name, records, render)


def offset_reply(call: Call, name: str, records: Sequence[Record], render: Render) -> Reply:
    """`count`, `next_page` and `previous_page`, at most 10,000 records deep."""
    page, size = offset_of(call)
    if page > 100 or page * size > OFFSET_MOST:
        raise bad_paging(DEPTH_WORDS, "InvalidPaginationDepth")
    return Reply(offset_page(call, name, records, render, page, size))


def offset_of(call: Call) -> tuple[int, int]:
    """Page and size. Raises 400 when they are no integers."""
    given = call.args.get("page", "1"), call.args.get("per_page", str(PAGE_MOST))
    if not (given[0].isdigit() and given[1].isdigit()) or wants_cursor(call):
        raise bad_paging("page must be an integer")
    return max(1, int(given[0])), min(PAGE_MOST, max(1, int(given[1])))


def offset_page(
    call: Call, name: str, records: Sequence[Record], render: Render, page: int, size: int
) -> dict[str, Any]:
    """One page by offset."""
    chosen = records[(page - 1) * size : page * size]
    before = link(call, {"page": page - 1, "per_page": size}) if page > 1 else None
    after = link(call, {"page": page + 1, "per_page": size}) if page * size < len(records) else None
    rows = [render(record) for record in chosen]
    return {name: rows, "count": len(records), "next_page": after, "previous_page": before}


def cursor_reply(
    call: Call, name: str, records: Sequence[Record], render: Render, *, sorts: tuple[str, ...] = ("id",)
) -> Reply:
    """`meta` and `links`; `links.next` is there even on the last page, as in Zendesk."""
    size = size_of(call)
    field, is_falling = sort_of(call, sorts)
    ordered = sorted(records, key=lambda record: _place(record, field), reverse=is_falling)
    after = call.args.get("page[after]")
    if after:
        mark = read_cursor(after)
        ordered = [record for record in ordered if _is_behind(_place(record, field), mark, is_falling)]
    chosen = ordered[:size]
    meta: dict[str, Any] = {"has_more": len(ordered) > size, "after_cursor": None, "before_cursor": None}
    links: dict[str, Any] = {"prev": None, "next": None}
    if chosen:
        meta["after_cursor"] = write_cursor(_place(chosen[-1], field))
        meta["before_cursor"] = write_cursor(_place(chosen[0], field))
        links["next"] = link(call, {"page[after]": meta["after_cursor"], "page[size]": size})
    return Reply({name: [render(record) for record in chosen], "meta": meta, "links": links})


def size_of(call: Call) -> int:
    """`page[size]`, 1 to 100."""
    given = call.args.get("page[size]", str(PAGE_MOST))
    if not given.isdigit() or not 1 <= int(given) <= PAGE_MOST:
        raise bad_paging(f"page[size] must be an integer between 1 and {PAGE_MOST}")
    return int(given)


def sort_of(call: Call, sorts: tuple[str, ...]) -> tuple[str, bool]:
    """The field to sort by, and whether falling."""
    given = call.args.get("sort", sorts[0])
    field = given.removeprefix("-")
    if field not in sorts:
        raise bad_paging(f"sort is not valid. Valid values: {', '.join(sorts)}")
    return field, given.startswith("-")


def read_cursor(text: str) -> list[str]:
    """The place behind a cursor."""
    try:
        place = json.loads(base64.urlsafe_b64decode(text.encode()))
    except (binascii.Error, ValueError):
        raise bad_paging("page[after] is not valid") from None
    return [str(part) for part in place]


def write_cursor(place: list[str]) -> str:
    """A place as a cursor."""
    return base64.urlsafe_b64encode(json.dumps(place).encode()).decode()


def link(call: Call, changed: dict[str, Any]) -> str:
    """The address of another page of the same list."""
    kept = {name: value for name, value in call.args.items() if not name.startswith("page") and name != "per_page"}
    return f"{call.base_url}/{call.path}?{urlencode({**kept, **changed})}"


def _place(record: Record, field: str) -> list[str]:
    return [_sortable(record.get(field)), _sortable(record["id"])]


def _sortable(value: Any) -> str:
    return f"{value:020d}" if isinstance(value, int) else str(value or "")


def _is_behind(place: list[str], mark: list[str], is_falling: bool) -> bool:
    return place < mark if is_falling else place > mark
