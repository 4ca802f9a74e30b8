"""One canonical value of a CRM field as text: titles of options, dates in the reader's zone, names of other records.

Numbers keep their digits together, as CRMs show them: many a number field holds an order number.
"""

from collections.abc import Callable
from datetime import date, datetime, tzinfo
from typing import Any

from django.utils.formats import date_format, number_format
from django.utils.translation import gettext as _

from crm_integrations.providers.base import CRMField, CRMValue, FieldType
from crm_integrations.record_display.texts import shorten

LIST_SEPARATOR = ", "


def display_value(definition: CRMField, value: CRMValue, *, time_zone: tzinfo, name: str = "") -> str:
    """The value in the active language; `name`: of the record that a lookup's value stands for. "" = unset.

    What does not fit its type is shown as it is.
    """
    if definition.type is FieldType.CHECKBOX and (value is None or isinstance(value, bool)):
        return _("Yes") if value else _("No")
    if value is None or value == "" or value == []:
        return ""
    if definition.type is FieldType.LOOKUP and name:
        return shorten(name)
    if definition.type is FieldType.DATETIME:
        return _display_moment(value, time_zone)
    return shorten(DISPLAYS.get(definition.type, _display_text)(definition, value))


def option_title(definition: CRMField, value: str) -> str:
    """What people see of a choice; titles of the CRM's own fields are said in the reader's language.

    CRMs do not list every value their own fields can have: the status `new` is no choice, since nobody may set it.
    """
    listed = next((option.title for option in definition.options if option.value == value), None)
    if definition.is_custom:
        return listed if listed is not None else value
    title = listed or value.replace("_", " ").capitalize()
    return _(title) if title else value


def _display_text(_definition: CRMField, value: Any) -> str:
    return LIST_SEPARATOR.join(str(entry) for entry in value) if isinstance(value, list) else str(value)


def _display_options(definition: CRMField, value: Any) -> str:
    chosen = value if isinstance(value, list) else [value]
    return LIST_SEPARATOR.join(option_title(definition, str(entry)) for entry in chosen)


def _display_number(definition: CRMField, value: Any) -> str:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return _display_text(definition, value)
    return str(number_format(value, use_l10n=True, force_grouping=False))


def _display_date(definition: CRMField, value: Any) -> str:
    try:
        return date_format(date.fromisoformat(str(value)), "DATE_FORMAT")
    except ValueError:
        return _display_text(definition, value)


def _display_moment(value: Any, time_zone: tzinfo) -> str:
    try:
        local = datetime.fromisoformat(str(value)).astimezone(time_zone)
    except (ValueError, OverflowError):
        return shorten(str(value))
    return f"{date_format(local, 'DATE_FORMAT')}, {local:%H:%M}"


DISPLAYS: dict[FieldType, Callable[[CRMField, Any], str]] = {
    FieldType.INTEGER: _display_number,
    FieldType.DECIMAL: _display_number,
    FieldType.DATE: _display_date,
    FieldType.DROPDOWN: _display_options,
    FieldType.MULTISELECT: _display_options,
}
