"""Form fields for `components/field.html`; Django itself ties help and errors to the control (aria-describedby)."""

from django import forms, template
from django.forms import BoundField
from django.utils.safestring import SafeString

register = template.Library()

GROUPS = (forms.RadioSelect, forms.CheckboxSelectMultiple)  # their class would also go on the list around them


@register.simple_tag
def control(field: BoundField) -> SafeString:
    """The field's control with the classes of its kind; its own classes stay."""
    widget = field.field.widget
    classes = [str(widget.attrs.get("class", "")), _control_class(widget), "is-invalid" if field.errors else ""]
    return field.as_widget(attrs={"class": " ".join(name for name in classes if name)})


@register.filter
def is_check(field: BoundField) -> bool:
    """Whether the label follows the control on the same line."""
    return isinstance(field.field.widget, forms.CheckboxInput)


@register.filter
def is_group(field: BoundField) -> bool:
    """Whether the field is several controls, so that its label is a legend."""
    return bool(field.use_fieldset)


@register.filter
def first_id(field: BoundField) -> str:
    """Where a link from the error summary goes: the field's (first) control."""
    widget = field.field.widget
    return f"{field.auto_id}_0" if isinstance(widget, forms.RadioSelect) else str(field.id_for_label)


def _control_class(widget: forms.Widget) -> str:
    if isinstance(widget, GROUPS):
        return ""
    if isinstance(widget, forms.CheckboxInput):
        return "form-check-input"
    return "form-select" if isinstance(widget, forms.Select) else "form-control"
