"""Zendesk's search language, written from terms: no value of a term can become another term.

https://support.zendesk.com/hc/en-us/articles/4408886879258 – terms side by side must all be met; a property that is
named twice is met by either value. There is no way to escape a quote, so what would end the quotes is taken out.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from zendesk_client.record_types import RecordType

PROPERTY = re.compile(r"[A-Za-z_][\w.]{0,99}")
PLAIN_VALUE = re.compile(r"\w[\w.@/+-]*")  # needs no quotes, and reads as one word
PLAIN_MOMENT = re.compile(r"\w[\w.@/+:-]*")  # behind < and > a time is no property of its own
COMPARISONS = {":": "$eq", "<": "$lt", ">": "$gt", "<=": "$lte", ">=": "$gte"}
STEERING = frozenset({"order_by", "sort", "sort_by", "sort_order", "include"})

# Field key -> the word that the search has for it.
WORDS: Mapping[str, str] = {
    "assignee_id": "assignee",
    "created_at": "created",
    "due_at": "due_date",
    "group_id": "group",
    "organization_id": "organization",
    "requester_id": "requester",
    "updated_at": "updated",
}
OBJECT_PROPERTIES = frozenset({"created_at", "updated_at", "created_by_user", "updated_by_user", "name", "external_id"})


@dataclass(frozen=True, slots=True)
class SearchTerm:
    """A condition: a field's key or a word of the search, how it compares (``: < > <= >=``) and with what.

    ``field`` "" looks in any text.
    """

    field: str
    value: str
    operator: str = ":"
    is_negated: bool = False


def build_search(record_type: RecordType, terms: Sequence[SearchTerm]) -> str:
    """Return the query that finds records of one type. Raises ValueError for terms that would steer the search."""
    described = [_build_term(record_type, term) for term in terms]
    return " ".join([f"type:{record_type.name}", *filter(None, described)])


def build_query(keyword: str, value: str) -> str:
    """Return ``keyword:"value"``; raises ValueError when nothing is left: an unlimited search is never meant."""
    return f'{keyword}:"{clean_value(value)}"'


def clean_value(value: str) -> str:
    """Return a value without what would end its quotes or act as a wildcard; raises ValueError when nothing is left."""
    term = " ".join("".join(" " if char in '"\\*' or not char.isprintable() else char for char in value).split())
    if not term:
        raise ValueError("a search needs a word")
    return term


def build_filter(terms: Sequence[SearchTerm]) -> tuple[dict[str, Any], str]:
    """Return the filter of a search for records of a custom object, and the words looked for in any of their texts."""
    words = " ".join(clean_value(term.value) for term in terms if not term.field and not term.is_negated)
    if any(term.is_negated and not term.field for term in terms):
        raise ValueError("records of custom objects cannot be searched for what they do not mention")
    conditions = [_build_condition(term) for term in terms if term.field]
    if len(conditions) > 1:
        return {"$and": conditions}, words
    return (conditions[0] if conditions else {}), words


def _build_term(record_type: RecordType, term: SearchTerm) -> str:
    """One term; "" for one that says the record type again."""
    word = _find_word(record_type, term)
    if word == "type":
        return ""
    value = clean_value(term.value)
    is_comparison = term.operator != ":"
    pattern = PLAIN_MOMENT if is_comparison else PLAIN_VALUE
    written = value if term.field and value == term.value and pattern.fullmatch(value) else f'"{value}"'
    return f"{'-' if term.is_negated else ''}{word}{term.operator if word else ''}{written}"


def _find_word(record_type: RecordType, term: SearchTerm) -> str:
    _check_term(term)
    if term.field == "type":
        if term.value == record_type.name and not term.is_negated:
            return "type"
        if record_type.name != "ticket":
            raise ValueError(f"a search for a {record_type.name} has no type")
        return "ticket_type"  # "type" is the record type to the search: a second one would widen it
    return WORDS.get(term.field, term.field)


def _build_condition(term: SearchTerm) -> dict[str, Any]:
    _check_term(term)
    if term.is_negated and term.operator != ":":
        raise ValueError("a comparison cannot be turned round; use the other sign")
    name = term.field if term.field in OBJECT_PROPERTIES else f"custom_object_fields.{term.field}"
    return {name: {"$noteq" if term.is_negated else COMPARISONS[term.operator]: term.value}}


def _check_term(term: SearchTerm) -> None:
    if term.operator not in COMPARISONS:
        raise ValueError("a search compares with : < > <= or >=")
    if not term.field:
        return
    if not PROPERTY.fullmatch(term.field):
        raise ValueError("a search needs the name of a field before the sign")
    if term.field.lower() in STEERING:
        raise ValueError(f"{term.field} is no condition; records come with the latest change first")
