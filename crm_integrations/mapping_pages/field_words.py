"""CRM fields in words: their types, limits and options, as the small print of mapping editors."""

from django.utils.formats import number_format
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy, ngettext

from crm_integrations.providers.base import CRMField, FieldType

FIELD_TYPE_LABELS: dict[FieldType, str | Promise] = {
    FieldType.TEXT: gettext_lazy("Text"),
    FieldType.TEXTAREA: gettext_lazy("Multi-line text"),
    FieldType.INTEGER: gettext_lazy("Whole number"),
    FieldType.DECIMAL: gettext_lazy("Decimal number"),
    FieldType.DATE: gettext_lazy("Date"),
    FieldType.DATETIME: gettext_lazy("Date and time"),
    FieldType.CHECKBOX: gettext_lazy("Checkbox"),
    FieldType.DROPDOWN: gettext_lazy("Drop-down"),
    FieldType.MULTISELECT: gettext_lazy("Multi-select"),
    FieldType.REGEXP: gettext_lazy("Text with a pattern"),
    FieldType.LOOKUP: gettext_lazy("Lookup"),
    FieldType.TAGS: gettext_lazy("Tags"),
    FieldType.COMMENT: gettext_lazy("Multi-line text"),
}


def describe_options(field: CRMField) -> str:
    """“3 options”, or nothing for a field without any."""
    count = len(field.options)
    return ngettext("%(count)s option", "%(count)s options", count) % figure(count) if count else ""


def describe_kind(field: CRMField) -> str:
    """Type and options: “Drop-down · 3 options”."""
    return " · ".join(filter(None, [str(FIELD_TYPE_LABELS[field.type]), describe_options(field)]))


def figure(count: int) -> dict[str, str]:
    """A localised number for a sentence with a place for `count`."""
    return {"count": number_format(count, force_grouping=True)}
