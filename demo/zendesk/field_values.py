"""Custom field values: what each type accepts, how it is kept, and what happens to a wrong one.

On tickets a drop-down option that does not exist is dropped in silence and the answer is still 200
(github.com/facetoe/zenpy/issues/420); users, organizations and custom objects refuse it. Ticket numbers read back
as strings, user dates as `…T00:00:00+00:00`. The refusals of other wrong values are not documented; 422 is this
demo's choice.
"""

import re
from collections.abc import Callable
from datetime import date, datetime
from typing import Any, Final

from demo.zendesk.replies import ValueRefused
from demo.zendesk.state import Account, Record

TEXT_MOST = 65_536
DROPPED: Final = object()  # not applied, and nobody is told
TARGETS = {"zen:user": "users", "zen:organization": "organizations", "zen:ticket": "tickets"}


def accept_value(account: Account, field: Record, value: Any, *, on_ticket: bool) -> Any:
    """The value as it will be kept, or DROPPED. Raises ValueRefused."""
    if value is None or value == "":
        return False if field["type"] == "checkbox" else None
    return ACCEPTORS[field["type"]](account, field, value, on_ticket)


def _refuse(field: Record, words: str) -> ValueRefused:
    return ValueRefused(f"{field['title']}: {words}")


def _text(_account: Account, field: Record, value: Any, _on_ticket: bool) -> Any:
    text = _plain(field, value)
    if len(text) > TEXT_MOST:
        raise _refuse(field, f"is too long (maximum is {TEXT_MOST} characters)")
    return text


def _plain(field: Record, value: Any) -> str:
    if isinstance(value, bool | int | float | str):
        return str(value)
    raise _refuse(field, "is invalid")


def _regexp(account: Account, field: Record, value: Any, on_ticket: bool) -> Any:
    text = _text(account, field, value, on_ticket)
    if not re.search(field["regexp_for_validation"] or "", text):
        raise _refuse(field, "is invalid")
    return text


def _integer(_account: Account, field: Record, value: Any, on_ticket: bool) -> Any:
    text = _plain(field, value).strip()
    if not re.fullmatch(r"[-+]?\d{1,18}", text):
        raise _refuse(field, "must be an integer")
    return str(int(text)) if on_ticket else int(text)


def _decimal(_account: Account, field: Record, value: Any, on_ticket: bool) -> Any:
    text = _plain(field, value).strip()
    if not re.fullmatch(r"[-+]?\d{1,18}(\.\d{1,10})?", text):
        raise _refuse(field, "must be a decimal number")
    return text if on_ticket else float(text)


def _date(_account: Account, field: Record, value: Any, on_ticket: bool) -> Any:
    text = _plain(field, value)
    if not re.fullmatch(r"\d{4}-\d{2}-\d{2}([T ].*)?", text) or (on_ticket and len(text) > 10):
        raise _refuse(field, "is not a valid date")
    try:
        day = date.fromisoformat(text[:10])
        datetime.fromisoformat(text.replace("Z", "+00:00"))
    except ValueError:
        raise _refuse(field, "is not a valid date") from None
    return day.isoformat() if on_ticket else f"{day.isoformat()}T00:00:00+00:00"


def _checkbox(_account: Account, _field: Record, value: Any, _on_ticket: bool) -> Any:
    return value is True or str(value).lower() in ("true", "1", "yes")


def _card(_account: Account, field: Record, value: Any, _on_ticket: bool) -> Any:
    digits = re.sub(r"\D", "", _plain(field, value))
    if len(digits) < 4:
        raise _refuse(field, "is invalid")
    return "X" * 12 + digits[-4:]


def _option(_account: Account, field: Record, value: Any, on_ticket: bool) -> Any:
    if isinstance(value, str) and value in option_values(field):
        return value
    if on_ticket:
        return DROPPED
    raise _refuse(field, f"{value!r} is not a valid option")


def _options(_account: Account, field: Record, value: Any, on_ticket: bool) -> Any:
    given = [value] if isinstance(value, str) else value
    if not isinstance(given, list):
        raise _refuse(field, "must be a list of options")
    known = [option for option in option_values(field) if option in given]
    if len(known) == len(set(map(str, given))):
        return known
    if not on_ticket:
        raise _refuse(field, "contains an option that does not exist")
    return known or DROPPED


def _lookup(account: Account, field: Record, value: Any, _on_ticket: bool) -> Any:
    target = field.get("relationship_target_type") or "zen:user"
    if target.startswith("zen:custom_object:"):
        found = account.find("custom_object_records", str(value))
        is_there = found is not None and found["custom_object_key"] == target.rpartition(":")[2]
    else:
        is_there = str(value).isdigit() and account.find(TARGETS[target], int(value)) is not None
    if not is_there:
        raise _refuse(field, "is not a valid record")
    return str(value)


def _read_only(_account: Account, _field: Record, _value: Any, _on_ticket: bool) -> Any:
    return DROPPED


ACCEPTORS: dict[str, Callable[[Account, Record, Any, bool], Any]] = {
    "text": _text,
    "textarea": _text,
    "regexp": _regexp,
    "integer": _integer,
    "decimal": _decimal,
    "currency": _decimal,
    "date": _date,
    "checkbox": _checkbox,
    "partialcreditcard": _card,
    "tagger": _option,
    "dropdown": _option,
    "multiselect": _options,
    "lookup": _lookup,
    "rollup": _read_only,
}


def option_values(field: Record) -> list[str]:
    """The values a drop-down knows."""
    return [option["value"] for option in field.get("custom_field_options") or []]


def tags_of(field: Record, value: Any) -> list[str]:
    """The tags a value puts on its record: options are tags, a checkbox has one."""
    if field["type"] == "checkbox":
        return [field["tag"]] if value and field.get("tag") else []
    if field["type"] in ("tagger", "dropdown"):
        return [value] if value else []
    return list(value or []) if field["type"] == "multiselect" else []


def normalise_tags(value: Any) -> list[str]:
    """Tags as Zendesk keeps them: lower case, no spaces, sorted, each once."""
    given = value.split() if isinstance(value, str) else value if isinstance(value, list) else []
    tags = {re.sub(r"[\s,]+", "_", str(tag).strip().lower()) for tag in given}
    return sorted(tag for tag in tags if tag)


def accept_keyed(account: Account, kind: str, current: Record, given: Any) -> tuple[Record, dict[str, list[Record]]]:
    """New values of keyed fields, and the refusals by key. Unknown and inactive keys are ignored."""
    values, problems = dict(current), dict[str, list[Record]]()
    fields = {field["key"]: field for field in account.table(kind).values() if field["active"]}
    for key, value in (given if isinstance(given, dict) else {}).items():
        if key not in fields:
            continue
        try:
            accepted = accept_value(account, fields[key], value, on_ticket=False)
        except ValueRefused as refusal:
            problems[key] = [{"description": str(refusal), "error": "InvalidValue"}]
            continue
        if accepted is not DROPPED:
            values[key] = accepted
    return values, problems


def retag(account: Account, kind: str, tags: list[str], before: Record, after: Record) -> list[str]:
    """Tags after keyed drop-downs and checkboxes changed."""
    kept = set(tags)
    for field in account.table(kind).values():
        old, new = before.get(field["key"]), after.get(field["key"])
        if old != new:
            kept = (kept - set(tags_of(field, old))) | set(tags_of(field, new))
    return sorted(kept)
