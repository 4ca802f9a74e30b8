"""How the CRM in memory searches, and the words in which scripts ask it for records and new records."""

import shlex
from collections.abc import Iterator, Mapping
from typing import Any

from crm_integrations.providers.base import (
    CreationRefused,
    CreationRequest,
    CRMField,
    CRMValue,
    PersonClues,
    SearchCriterion,
)

STATUSES = ("new", "open", "pending", "hold", "solved", "closed")
SOLVED = {"solved", "closed"}
OPERATORS = ("<=", ">=", ":", "<", ">")
PLAIN_KEYS = {"subject", "name", "priority", "status", "comment", "tags", "external_id", "phone", "email"}
DETAIL_KEYS = {"owner_id", "is_public", "follows"}


def is_person(values: Mapping[str, CRMValue], identities: list[str], clues: PersonClues) -> bool:
    """Whether one of the clues is true of a person, or of their further phones and addresses."""
    phones, emails = [str(values.get("phone") or ""), *identities], [str(values.get("email") or ""), *identities]
    return bool(
        (clues.phone and any(clues.phone.matches(text) for text in phones))
        or (clues.email and clues.email.lower() in {text.lower() for text in emails})
        or (clues.external_id and values.get("external_id") == clues.external_id)
    )


def meets(values: Mapping[str, CRMValue], owner_id: str, criterion: SearchCriterion) -> bool:
    """Whether a record meets one condition."""
    known = {"requester": owner_id, "requester_id": owner_id, **values}
    held = known.values() if not criterion.field else [known.get(criterion.field)]
    return any(_compares(value, criterion) for value in held) is not criterion.is_negated


def _compares(value: CRMValue, criterion: SearchCriterion) -> bool:
    if isinstance(value, list):
        return criterion.value in value
    if value is None or value == "":
        return False
    held, asked = _rank(value), _rank(criterion.value)
    if criterion.operator == ":":
        return str(criterion.value).lower() in str(value).lower()
    if type(held) is not type(asked):
        held, asked = str(value), criterion.value
    return {
        "<": held < asked,  # type: ignore[operator]
        ">": held > asked,  # type: ignore[operator]
        "<=": held <= asked,  # type: ignore[operator]
        ">=": held >= asked,  # type: ignore[operator]
    }[criterion.operator]


def _rank(value: CRMValue) -> float | str:
    if str(value) in STATUSES:
        return float(STATUSES.index(str(value)))
    try:
        return float(str(value))
    except ValueError:
        return str(value)


def read_criteria(text: str) -> Iterator[SearchCriterion]:
    """`status:open -priority:low "some words"`; raises ValueError."""
    if not text.strip():
        raise ValueError("Write what is searched for.")
    for word in shlex.split(text):
        negated, bare = word.startswith("-"), word.removeprefix("-")
        operator = next((sign for sign in OPERATORS if sign in bare), "")
        name, _sign, value = bare.partition(operator) if operator else ("", "", bare)
        if operator and not (name and value):
            raise ValueError(f"Write {word} as field:value.")
        yield SearchCriterion(name, value, operator or ":", negated)


def read_creation(
    entity_type: str, body: Mapping[str, Any], fields: Mapping[str, CRMField], *, is_standard_only: bool
) -> CreationRequest:
    """`{"ticket": {"subject": …, "owner_id": …}}`: any field of the type by its key, and a few words more."""
    described = body.get(entity_type)
    if not isinstance(described, dict):
        raise CreationRefused([(entity_type, f"Describe the record under {entity_type}.")])
    errors = [
        (f"{entity_type}.{key}", "Custom fields are not for this." if key in fields else "There is no such field.")
        for key in described
        if not _may_set(key, fields, is_standard_only=is_standard_only)
    ]
    if errors:
        raise CreationRefused(errors)
    values = {key: value for key, value in described.items() if key not in DETAIL_KEYS}
    return CreationRequest(entity_type, values, {key: described[key] for key in described if key in DETAIL_KEYS})


def _may_set(key: str, fields: Mapping[str, CRMField], *, is_standard_only: bool) -> bool:
    if key in PLAIN_KEYS | DETAIL_KEYS:
        return True
    return key in fields and fields[key].is_writable and not (is_standard_only and fields[key].is_custom)
