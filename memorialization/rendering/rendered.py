"""What rendering a value yields. Pure; shared by the modules that render one kind of field each."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from zoneinfo import ZoneInfo

from crm_integrations.providers.base import CRMField, CRMValue
from memorialization.events.schema import SourceValue
from memorialization.events.times import ReadTime, read_time

LIST_SEPARATOR = ", "

BLANK = "blank"  # FieldResult.BLANK and LEFT_OUT, as words: pure modules import no tables
LEFT_OUT = "left_out"


@dataclass(frozen=True, slots=True)
class RenderContext:
    """The configuration's zone, and whether the source field is one of the times (Start Time, End Time)."""

    time_zone: ZoneInfo
    is_time: bool = False


@dataclass(frozen=True, slots=True)
class Rendered:
    """`value` is what is to be sent, None when nothing is.

    `result` is set when nothing is sent (blank, left_out); a reason without it says what was done to the value.
    """

    value: CRMValue = None
    result: str = ""
    reason: str = ""
    params: Mapping[str, Any] = field(default_factory=dict)

    @property
    def is_sent(self) -> bool:
        """Whether there is something to write."""
        return self.value is not None


def leave_out(reason: str, **params: Any) -> Rendered:
    """Nothing is sent, and why."""
    return Rendered(None, LEFT_OUT, reason, params)


def as_text(value: SourceValue) -> str:
    """Any value as text: lists joined, booleans as words, numbers without an exponent."""
    if isinstance(value, list):
        return LIST_SEPARATOR.join(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return format(value, "f") if abs(value) >= 1e16 else repr(value)
    return str(value)


def single_text(value: SourceValue) -> str | None:
    """The text of one value, stripped; None for a list of several."""
    if isinstance(value, list):
        return value[0].strip() if len(value) == 1 else None
    return as_text(value).strip()


def time_behind(value: SourceValue) -> ReadTime | None:
    """The moment that a text names."""
    text = single_text(value) if isinstance(value, (str, list)) else None
    return read_time(text) if text else None


def limit_of(field_definition: CRMField) -> int | None:
    """How many characters the field takes, when that is known."""
    return field_definition.max_length if field_definition.max_length and field_definition.max_length > 0 else None
