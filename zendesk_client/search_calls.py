"""Calls that look for records: by what another system knows of them, by search terms, by their owner."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from zendesk_client.answers import Answer
from zendesk_client.calls import MAX_RECORDS, Calls, read_shown
from zendesk_client.finders import build_external_id_search, build_user_search
from zendesk_client.paging import iterate_records
from zendesk_client.record_types import TICKET, USER, RecordType, get_record_type
from zendesk_client.records import Definitions, Record, read_record
from zendesk_client.search_terms import SearchTerm, build_filter, build_search

IDENTITY_KINDS = frozenset({"email", "phone_number"})


@dataclass(frozen=True, slots=True)
class SearchResult:
    """What a search found on its first page; not complete when there is more."""

    records: tuple[Record, ...]
    is_complete: bool


class SearchCalls(Calls):
    """Find. Search lags behind by minutes and matches loosely: check every record found."""

    def find_by_external_id(
        self, entity_type: str, external_id: str, *, fields: Definitions | None = None
    ) -> list[Record]:
        """Return the records with this external id; tickets may share one."""
        record_type = get_record_type(entity_type)
        path, params = build_external_id_search(record_type, external_id)
        return self._list_once(record_type, path, params, fields)

    def find_users_by_phone(self, *spellings: str, fields: Definitions | None = None) -> list[Record]:
        """Return users Zendesk's search finds for any spelling of a number; compare their ``phone`` yourself."""
        return self._list_once(USER, *build_user_search("phone", *spellings), fields)

    def find_users_by_email(self, email: str, *, fields: Definitions | None = None) -> list[Record]:
        """Return users Zendesk's search finds for an e-mail address, secondary addresses included."""
        return self._list_once(USER, *build_user_search("email", email), fields)

    def list_identities(self, user_id: str | int, kind: str) -> list[str]:
        """Return the further addresses (``email``) or numbers (``phone_number``) of a user."""
        if kind not in IDENTITY_KINDS:
            raise ValueError(f"identities are {' and '.join(sorted(IDENTITY_KINDS))}")
        path = f"{USER.build_record_path(user_id)}/identities"
        answer = self._get(path, {"type[]": kind, "page[size]": str(MAX_RECORDS)})
        listed = answer.check_shape(answer.read_json().get("identities"), list, "identities")
        return [str(each.get("value") or "") for each in listed if isinstance(each, dict) and each.get("type") == kind]

    def search(
        self,
        entity_type: str,
        terms: Sequence[SearchTerm],
        *,
        limit: int = 25,
        fields: Definitions | None = None,
    ) -> SearchResult:
        """Return up to ``limit`` (at most 100) records that meet all terms, the latest change first.

        Raises ValueError for terms that no search of Zendesk's can be made of.
        """
        record_type = get_record_type(entity_type)
        size = max(1, min(limit, MAX_RECORDS))
        if record_type.object_key:
            return self._filter_records(record_type, terms, size, fields)
        params = {"query": build_search(record_type, terms), "sort_by": "updated_at", "sort_order": "desc"}
        answer = self._get("/api/v2/search", {**params, "per_page": str(size)})
        found = [body for body in _list_bodies(answer, "results") if body.get("result_type") == record_type.name]
        has_more = bool(answer.read_json().get("next_page"))
        return SearchResult(tuple(read_shown(answer, record_type, body, fields) for body in found[:size]), not has_more)

    def _filter_records(
        self, record_type: RecordType, terms: Sequence[SearchTerm], size: int, fields: Definitions | None
    ) -> SearchResult:
        conditions, words = build_filter(terms)
        params = {"sort": "-updated_at", "page[size]": str(size), **({"query": words} if words else {})}
        path = f"{record_type.path}/search"
        if conditions:
            answer = self._transport.send(
                "POST", path, params=params, json_body={"filter": conditions}, is_question=True
            )
        else:
            answer = self._get(path, params)
        found = _list_bodies(answer, record_type.plural)
        meta = answer.read_json().get("meta")
        has_more = isinstance(meta, dict) and meta.get("has_more") is True
        return SearchResult(tuple(read_shown(answer, record_type, body, fields) for body in found[:size]), not has_more)

    def list_requested_tickets(
        self, user_id: str | int, *, limit: int = 25, fields: Definitions | None = None
    ) -> list[Record]:
        """Return up to ``limit`` (at most 100) tickets a user requested, latest change first; no search lag."""
        path = f"{USER.build_record_path(user_id)}/tickets/requested"
        params = {"sort": "-updated_at", "page[size]": str(max(1, min(limit, MAX_RECORDS)))}
        return self._list_once(TICKET, path, params, fields)

    def iterate_requested_tickets(
        self, user_id: str | int, *, most: int, fields: Definitions | None = None
    ) -> Iterator[Record]:
        """Yield at most ``most`` tickets a user requested, latest change first, a hundred a call."""
        path = f"{USER.build_record_path(user_id)}/tickets/requested"
        listed = iterate_records(self._transport, path, "tickets", params={"sort": "-updated_at"})
        for body in islice(listed, most):
            yield read_record(TICKET, body, fields)


def _list_bodies(answer: Answer, key: str) -> list[Mapping[str, Any]]:
    listed = answer.check_shape(answer.read_json().get(key), list, key)
    return [body for body in listed if isinstance(body, dict)]
