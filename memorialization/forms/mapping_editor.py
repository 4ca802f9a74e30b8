"""The head of the mapping editor: name, description, active."""

from django import forms
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from memorialization.forms.editor_state import EditorState
from memorialization.mappings.drafts import DESCRIPTION_LIMIT, NAME_LIMIT


class MappingHeadForm(forms.Form):
    """Shows what was typed and the problems found; the rules themselves are memorialization.mappings.checks'."""

    name = forms.CharField(label=_("Name"), max_length=NAME_LIMIT)
    description = forms.CharField(
        label=_("Description"),
        max_length=DESCRIPTION_LIMIT,
        required=False,
        widget=forms.Textarea(attrs={"rows": 2}),
    )
    is_active = forms.BooleanField(
        label=pgettext_lazy("mapping", "Active"),
        required=False,
        help_text=_("Interactions that fall due are written with the active mappings."),
    )


def build_head_form(state: EditorState, problems: dict[str, list[str]]) -> MappingHeadForm:
    """The form with what was typed and the sentences to show at its fields."""
    values = {"name": state.name, "description": state.description, "is_active": state.is_active}
    if not problems:
        return MappingHeadForm(initial=values, use_required_attribute=False)
    form = MappingHeadForm(data=values, use_required_attribute=False)
    form.errors.clear()  # the service has said what is wrong, in its own words
    for name, sentences in problems.items():
        for sentence in sentences:
            form.add_error(name, sentence)
    return form
