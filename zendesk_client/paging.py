"""Walks through Zendesk's lists, page after page, without ever walking in circles.

Cursor pages are followed by ``meta.has_more`` and ``meta.after_cursor``: ``links.next`` is filled in on the last page
too, and may name another host. Lists Zendesk hands out whole, or by offset only, are followed through the query of
``next_page``, never through its host. https://developer.zendesk.com/api-reference/introduction/pagination/
"""

from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from zendesk_client.errors import InvalidAnswer
from zendesk_client.transport import Transport

PAGE_SIZE = 100  # the most Zendesk gives a cursor page
MAX_PAGES = 100  # 10,000 records: no list this client reads is longer
CURSOR = "page[after]"


def iterate_records(
    transport: Transport,
    path: str,
    key: str,
    *,
    params: Mapping[str, str] | None = None,
    page_size: int | None = PAGE_SIZE,
    max_pages: int = MAX_PAGES,
) -> Iterator[dict[str, Any]]:
    """Yield the objects of the list ``key``. ``page_size=None`` asks for the list as a whole.

    Raises InvalidAnswer when a page repeats or does not say how to go on, or when the pages do not end (the records
    of the pages before have been handed out by then: a list cut short is never passed off as complete).
    """
    asked = {**(params or {}), **({} if page_size is None else {"page[size]": str(page_size)})}
    seen: set[tuple[tuple[str, str], ...]] = set()
    step: Mapping[str, str] | None = {}
    while step is not None:
        if len(seen) >= max_pages:
            raise InvalidAnswer(f"The list did not end after {max_pages} pages.", status=200, code="TooManyPages")
        position = tuple(sorted(step.items()))
        if position in seen:
            raise InvalidAnswer("The list goes round in circles.", status=200, code="RepeatedPage")
        seen.add(position)
        answer = transport.send("GET", path, params={**asked, **step})
        page = answer.read_json()
        yield from (record for record in answer.check_shape(page.get(key), list, key) if isinstance(record, dict))
        step = find_next_step(page)


def find_next_step(page: Mapping[str, Any]) -> dict[str, str] | None:
    """Return the parameters that lead to the next page, or None at the end."""
    meta = page.get("meta")
    if isinstance(meta, dict):
        return _find_cursor(meta, page.get("links")) if meta.get("has_more") is True else None
    next_page = page.get("next_page")
    if not isinstance(next_page, str) or not next_page:
        return None
    return {name: value for name, value in _read_query(next_page).items() if name in ("page", "per_page", CURSOR)}


def _find_cursor(meta: Mapping[str, Any], links: Any) -> dict[str, str]:
    cursor = meta.get("after_cursor")
    if not cursor and isinstance(links, dict) and isinstance(links.get("next"), str):
        cursor = _read_query(links["next"]).get(CURSOR)
    if not isinstance(cursor, str) or not cursor:
        raise InvalidAnswer("There are more pages, but no cursor to them.", status=200, code="MissingCursor")
    return {CURSOR: cursor}


def _read_query(address: str) -> dict[str, str]:
    try:
        return dict(parse_qsl(urlsplit(address).query))
    except ValueError:
        return {}
