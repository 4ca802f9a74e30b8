"""Values for number fields: numbers as they are, and as people and scripts write them (semantics §7). Pure."""

import re
from decimal import Decimal, InvalidOperation

from crm_integrations.providers.base import CRMField, FieldType
from memorialization.events.schema import SourceValue
from memorialization.rendering.rendered import RenderContext, Rendered, leave_out, single_text

LARGEST_WHOLE = 2**53 - 1  # beyond it a JSON reader may lose digits
TEXT_LIMIT = 100  # characters; no number worth writing is longer
SPACE = r"[ \u00a0\u2009\u202f'’]"
GROUPED_BY_SPACES = re.compile(rf"([+-]?\d{{1,3}}(?:{SPACE}\d{{3}})+)(?:[.,](\d+))?")
PLAIN = re.compile(r"[+-]?\d+(\.\d+)?")
GROUPED = re.compile(r"[+-]?\d{1,3}([.,])\d{3}(\1\d{3})*(?!\1)([.,]\d+)?")
DECIMAL_COMMA = re.compile(r"[+-]?\d+,\d+")
AMBIGUOUS = re.compile(r"[+-]?[1-9]\d{0,2},\d{3}")  # 1,234: a thousand, or a fraction with a decimal comma?


class NumberUnclear(Exception):
    """Two readings are possible."""


def read_number(text: str) -> Decimal | None:
    """The number behind a text such as `1 234,56` or `1,234.56`; None when it is none. Raises NumberUnclear.

    A single point is a decimal point, because that is how machines write it.
    """
    text = text.strip()
    if len(text) > TEXT_LIMIT:
        return None
    spaced = GROUPED_BY_SPACES.fullmatch(text)
    if spaced:
        return _decimal(f"{re.sub(SPACE, '', spaced[1])}.{spaced[2] or 0}")
    if PLAIN.fullmatch(text):
        return _decimal(text)
    if AMBIGUOUS.fullmatch(text):
        raise NumberUnclear
    if DECIMAL_COMMA.fullmatch(text):
        return _decimal(text.replace(",", "."))
    grouped = GROUPED.fullmatch(text)
    if grouped is None:
        return None
    plain = text.replace(grouped[1], "")
    return _decimal(plain.replace(",", "."))


def render_number(field: CRMField, value: SourceValue, context: RenderContext) -> Rendered:
    """A whole number, or a decimal one that a JSON number can carry exactly."""
    try:
        number = _number_of(value)
    except NumberUnclear:
        return leave_out("ambiguous_number")
    if number is None or not number.is_finite():
        return leave_out("not_a_number")
    is_whole = number == number.to_integral_value()
    if field.type is FieldType.INTEGER and not is_whole:
        return leave_out("not_a_whole_number")
    if is_whole:
        return Rendered(int(number)) if abs(number) <= LARGEST_WHOLE else leave_out("number_out_of_range")
    is_exact = Decimal(repr(float(number))) == number
    return Rendered(float(number)) if is_exact else leave_out("number_out_of_range")


def _number_of(value: SourceValue) -> Decimal | None:
    if isinstance(value, bool):
        return None
    if isinstance(value, (int, float)):
        return Decimal(repr(value))
    text = single_text(value)
    return read_number(text) if text else None


def _decimal(text: str) -> Decimal | None:
    try:
        return Decimal(text) if text.isascii() else None
    except InvalidOperation:
        return None
