"""Values for drop-downs, multi-selects and checkboxes (semantics §7). Pure."""

import re

from crm_integrations.providers.base import CRMField, FieldOption
from memorialization.events.schema import SourceValue
from memorialization.rendering.rendered import LIST_SEPARATOR, RenderContext, Rendered, as_text, leave_out, single_text

SEPARATORS = re.compile(r"[,;|]")
CHECKBOX_WORDS = {
    **dict.fromkeys(("true", "yes", "1", "oui", "vrai"), True),
    **dict.fromkeys(("false", "no", "0", "non", "faux"), False),
}


class OptionUnclear(Exception):
    """Several choices have the title."""


def find_option(field: CRMField, text: str) -> str | None:
    """The value of the choice meant: by its value, else its title, ignoring case. Raises OptionUnclear."""
    wanted = text.strip()
    if not field.options:
        return wanted  # the CRM did not tell its choices, so it is the judge
    for compare in (_is_value, _is_value_ignoring_case, _is_title_ignoring_case):
        found = {option.value for option in field.options if compare(option, wanted)}
        if len(found) > 1:
            raise OptionUnclear
        if found:
            return found.pop()
    return None


def _is_value(option: FieldOption, text: str) -> bool:
    return option.value == text


def _is_value_ignoring_case(option: FieldOption, text: str) -> bool:
    return option.value.casefold() == text.casefold()


def _is_title_ignoring_case(option: FieldOption, text: str) -> bool:
    return option.title.strip().casefold() == text.casefold()


def render_option(field: CRMField, value: SourceValue, context: RenderContext) -> Rendered:
    """One choice of a drop-down."""
    text = single_text(value)
    if text is None:
        return leave_out("several_values")
    try:
        found = find_option(field, text)
    except OptionUnclear:
        return leave_out("ambiguous_option")
    return leave_out("unknown_option") if found is None else Rendered(found)


def render_options(field: CRMField, value: SourceValue, context: RenderContext) -> Rendered:
    """The choices of a multi-select; what is no choice is left out and named."""
    found: dict[str, None] = {}
    unknown: list[str] = []
    for text in _split_choices(field, value):
        try:
            option = find_option(field, text)
        except OptionUnclear:
            return leave_out("ambiguous_option")
        if option is None:
            unknown.append(text)
        else:
            found[option] = None
    if not found:
        return leave_out("unknown_option")
    if not unknown:
        return Rendered(list(found))
    return Rendered(list(found), reason="shortened_options", params={"left_out": LIST_SEPARATOR.join(unknown)[:200]})


def _split_choices(field: CRMField, value: SourceValue) -> list[str]:
    if isinstance(value, list):
        return value
    text = as_text(value)
    try:
        if find_option(field, text) is not None:  # a choice may have a comma in its title
            return [text]
    except OptionUnclear:
        return [text]
    return [part.strip() for part in SEPARATORS.split(text) if part.strip()]


def render_checkbox(field: CRMField, value: SourceValue, context: RenderContext) -> Rendered:
    """Ticked or not, from a boolean or a word for it."""
    if isinstance(value, bool):
        return Rendered(value)
    text = single_text(value)
    if text is None or text.lower() not in CHECKBOX_WORDS:
        return leave_out("not_a_checkbox_value")
    return Rendered(CHECKBOX_WORDS[text.lower()])
