"""The choices of a mapping editor's lists, as plain selects and for its script."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext as _

from crm_integrations.definitions import display_title
from crm_integrations.providers.base import CRMField


@dataclass(frozen=True, slots=True)
class Option:
    """One choice of a plain select."""

    value: str
    label: str | Promise


@dataclass(frozen=True, slots=True)
class OptionGroup:
    """Choices under one heading."""

    label: str | Promise
    options: Sequence[Option]


def group_labels() -> list[str]:
    """The headings of lists of fields."""
    return [_("Standard fields"), _("Custom fields")]


def group_fields(fields: Iterable[CRMField]) -> list[OptionGroup]:
    """The fields under their headings, standard ones first; the key stands behind the title."""
    offered = list(fields)
    groups = []
    for is_custom, label in zip((False, True), group_labels(), strict=True):
        options = [
            Option(found.key, f"{display_title(found)} ({found.key})")
            for found in offered
            if found.is_custom is is_custom
        ]
        groups += [OptionGroup(label, options)] if options else []
    return groups


def short_field(found: CRMField, small_print: str) -> dict[str, Any]:
    """A field for the script: k key, t title, y type, d small print, c custom, m most characters."""
    short: dict[str, Any] = {"k": found.key, "t": display_title(found), "y": found.type.value, "d": small_print}
    if found.is_custom:
        short["c"] = 1
    return short if found.max_length is None else {**short, "m": found.max_length}
