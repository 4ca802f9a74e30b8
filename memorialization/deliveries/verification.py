"""Compares what was sent with what the CRM shows, field by field: an accepted write may still not be applied. Pure."""

import re
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any, NamedTuple

from crm_integrations.providers.base import CRMValue, FieldType
from memorialization.deliveries.outcome_reasons import FieldReason
from memorialization.models.deliveries import FieldResult

SHORTENABLE = {FieldType.TEXT, FieldType.TEXTAREA}  # elsewhere a beginning of the value is another value
FREELY_WRITTEN = {
    *(FieldType.TEXT, FieldType.TEXTAREA, FieldType.REGEXP),
    *(FieldType.INTEGER, FieldType.DECIMAL, FieldType.DATE, FieldType.DATETIME),
}
NUMBERS = {FieldType.INTEGER, FieldType.DECIMAL}
LISTS = {FieldType.TAGS, FieldType.MULTISELECT}
NOT_SHOWN: Any = object()


class Verdict(NamedTuple):
    """What became of one field, and why."""

    result: FieldResult
    reason: str = ""


WRITTEN = Verdict(FieldResult.WRITTEN)


def judge_field(sent: CRMValue, shown: CRMValue, *, field_type: FieldType | None, planned_reason: str = "") -> Verdict:
    """The verdict on a field that was sent; `shown` is NOT_SHOWN when the record has no such field.

    `planned_reason`: what the plan did to the value, e.g. shortened it.
    """
    if not planned_reason and sent == shown and type(sent) is type(shown):
        return WRITTEN  # the way of nearly all, cut short
    if shown is NOT_SHOWN:
        return Verdict(FieldResult.NOT_APPLIED, FieldReason.NOT_SHOWN)
    if values_agree(sent, shown, field_type=field_type):
        return _applied(planned_reason)
    if field_type in SHORTENABLE and _is_cut_off(sent, shown):
        return Verdict(FieldResult.SHORTENED, FieldReason.SHORTENED_BY_CRM)
    return Verdict(FieldResult.NOT_APPLIED, FieldReason.NOT_APPLIED)


def judge_comment(*, is_posted: bool | None, planned_reason: str = "") -> Verdict:
    """The verdict on a note: no property of the record, so the write that carried it counts, unless that denies it."""
    if is_posted is False:
        return Verdict(FieldResult.NOT_APPLIED, FieldReason.NOT_APPLIED)
    return _applied(planned_reason)


def values_agree(sent: CRMValue, shown: CRMValue, *, field_type: FieldType | None = None) -> bool:
    """Whether the record shows the value; tags were added to others, so they only have to be among them."""
    if sent == shown and type(sent) is type(shown):
        return True
    if _is_unset(sent) or _is_unset(shown):
        return _is_unset(sent) == _is_unset(shown) or (sent is False and _is_unset(shown))
    if field_type is FieldType.TAGS:
        ours, theirs = set(_as_list(sent)), set(_as_list(shown))
        return ours <= theirs or {_as_tag(tag) for tag in ours} <= {_as_tag(tag) for tag in theirs}
    if field_type in LISTS or isinstance(sent, list):
        return sorted(_as_list(sent)) == sorted(_as_list(shown))
    if isinstance(sent, bool) or isinstance(shown, bool):
        return sent is shown
    if field_type in NUMBERS or isinstance(sent, int | float):
        return _as_number(sent) == _as_number(shown)
    if field_type is FieldType.DATETIME:
        return _as_moment(sent) == _as_moment(shown)
    return _as_text(sent) == _as_text(shown)


def is_rewritten(result: FieldResult, shown: CRMValue, *, field_type: FieldType | None) -> bool:
    """Whether the CRM seems to have made something of its own of a value, such as fewer spaces or another spelling.

    It drops choices that it does not take, and shows what stood before; what people write freely it takes, or refuses.
    """
    return result is FieldResult.NOT_APPLIED and field_type in FREELY_WRITTEN and not _is_unset(shown)


def is_shortened(planned_reason: str) -> bool:
    """Whether the plan sends less than the source said."""
    return bool(planned_reason) and FieldResult.SHORTENED.value in planned_reason


def _applied(planned_reason: str) -> Verdict:
    result = FieldResult.SHORTENED if is_shortened(planned_reason) else FieldResult.WRITTEN
    return Verdict(result, planned_reason)


def _is_cut_off(sent: CRMValue, shown: CRMValue) -> bool:
    if not isinstance(sent, str) or not isinstance(shown, str):
        return False
    return bool(_as_text(shown)) and _as_text(sent).startswith(_as_text(shown))


def _is_unset(value: CRMValue) -> bool:
    return value is None or value == "" or value == []


def _as_list(value: CRMValue) -> list[str]:
    return [str(part) for part in value] if isinstance(value, list) else [str(value)]


def _as_number(value: CRMValue) -> Decimal | CRMValue:
    try:
        return Decimal(str(value))
    except InvalidOperation:
        return value


def _as_moment(value: CRMValue) -> datetime | CRMValue:
    try:
        return datetime.fromisoformat(str(value))
    except ValueError:
        return value


def _as_tag(tag: str) -> str:
    """A tag as CRMs keep it: any case, with something of their own for spaces and commas."""
    return re.sub(r"[\s,_]+", "_", tag.strip().casefold())


def _as_text(value: CRMValue) -> str:
    """Text as CRMs keep it: their line ends, no space at the end of a line or around it all."""
    lines = str(value).replace("\r\n", "\n").replace("\r", "\n").strip().split("\n")
    return "\n".join(line.rstrip() for line in lines)
