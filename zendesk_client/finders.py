"""How records are looked for by what another system knows of them: addresses and parameters, as data.

Search lags behind by minutes and matches loosely: look in your own tables first, and check every record found.
"""

from collections.abc import Mapping

from zendesk_client.record_types import RecordType
from zendesk_client.search_terms import build_query

MAX_FOUND = 100  # records a finder asks for; more than a handful is no match anyway


def build_external_id_search(record_type: RecordType, external_id: str) -> tuple[str, Mapping[str, str]]:
    """Return path and parameters that list the records with this external id (exact; not unique for tickets).

    Users and organizations are shown by it, not searched: no lag, no limit of the search, no right to edit needed.
    """
    if not external_id.strip():
        raise ValueError("a search needs an external id")
    if record_type.object_key:
        return record_type.path, {"filter[external_ids]": external_id}
    if record_type.name == "ticket":
        return record_type.path, {"external_id": external_id}
    if "," in external_id:  # which separates several ids below
        return f"{record_type.path}/search", {"external_id": external_id}
    return f"{record_type.path}/show_many", {"external_ids": external_id}


def build_user_search(keyword: str, *values: str) -> tuple[str, Mapping[str, str]]:
    """Return path and parameters of a user search, e.g. ``phone`` and ``+15145550123``; offset pages only.

    Of several values any will do: a property that is named twice is met by either (Zendesk's search reference).
    """
    query = " ".join(build_query(keyword, value) for value in values)
    return "/api/v2/users/search", {"query": query, "per_page": str(MAX_FOUND)}


def build_show_many(record_type: RecordType, ids: list[str]) -> tuple[str, Mapping[str, str]]:
    """Return path and parameters that show up to 100 records at once."""
    if record_type.object_key:
        return record_type.path, {"filter[ids]": ",".join(ids), "page[size]": "100"}
    return f"{record_type.path}/show_many", {"ids": ",".join(ids)}
