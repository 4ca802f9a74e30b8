"""A source value becomes the value of a CRM field, or is left out with a reason (semantics §7). Pure.

`RENDERERS` has one function per kind of field. A value wrong for its field never fails: it is left out, and the other
fields are written.
"""

from collections.abc import Callable, Mapping

from crm_integrations.providers.base import CRMField, FieldType
from memorialization.events.schema import SourceValue
from memorialization.events.values import is_blank
from memorialization.rendering.choices import render_checkbox, render_option, render_options
from memorialization.rendering.numbers import render_number
from memorialization.rendering.rendered import BLANK, RenderContext, Rendered, leave_out, time_behind
from memorialization.rendering.texts import render_pattern, render_record_id, render_tags, render_text

__all__ = ["RENDERERS", "RenderContext", "Rendered", "render"]

Renderer = Callable[[CRMField, SourceValue, RenderContext], Rendered]


def render(field: CRMField, value: SourceValue | None, context: RenderContext) -> Rendered:
    """What is to be written into `field`."""
    if value is None or is_blank(value):
        return Rendered(None, BLANK, BLANK)
    if not field.is_writable:
        return leave_out("field_not_writable")
    return RENDERERS[field.type](field, value, context)


def render_date(field: CRMField, value: SourceValue, context: RenderContext) -> Rendered:
    """The day in the configuration's zone; a date without a time of day is that day everywhere."""
    found = time_behind(value)
    if found is None:
        return leave_out("not_a_date")
    moment = found.moment if found.is_date_only else found.moment.astimezone(context.time_zone)
    return Rendered(moment.date().isoformat())


def render_datetime(field: CRMField, value: SourceValue, context: RenderContext) -> Rendered:
    """ISO 8601 with the offset of the configuration's zone; a date alone begins that day there."""
    found = time_behind(value)
    if found is None:
        return leave_out("not_a_time")
    if found.is_date_only:
        moment = found.moment.replace(tzinfo=context.time_zone)
    else:
        moment = found.moment.astimezone(context.time_zone)
    return Rendered(moment.isoformat(timespec="seconds"))


RENDERERS: Mapping[FieldType, Renderer] = {
    FieldType.TEXT: render_text,
    FieldType.TEXTAREA: render_text,
    FieldType.COMMENT: render_text,
    FieldType.INTEGER: render_number,
    FieldType.DECIMAL: render_number,
    FieldType.DATE: render_date,
    FieldType.DATETIME: render_datetime,
    FieldType.CHECKBOX: render_checkbox,
    FieldType.DROPDOWN: render_option,
    FieldType.MULTISELECT: render_options,
    FieldType.REGEXP: render_pattern,
    FieldType.LOOKUP: render_record_id,
    FieldType.TAGS: render_tags,
}
