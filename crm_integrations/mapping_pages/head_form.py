"""The head of a mapping editor: name, description, active."""

from django import forms
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from crm_integrations.mapping_pages.account_fields import DESCRIPTION_LIMIT, NAME_LIMIT
from crm_integrations.mapping_pages.editor_state import EditorState, R


class MappingHeadForm(forms.Form):
    """Shows what was typed and the problems found; the rules themselves are each kind's checks."""

    name = forms.CharField(label=_("Name"), max_length=NAME_LIMIT)
    description = forms.CharField(
        label=_("Description"),
        max_length=DESCRIPTION_LIMIT,
        required=False,
        widget=forms.Textarea(attrs={"rows": 2}),
    )
    is_active = forms.BooleanField(label=pgettext_lazy("mapping", "Active"), required=False)


def build_head_form(
    state: EditorState[R], problems: dict[str, list[str]], *, active_help: str | Promise
) -> MappingHeadForm:
    """The form with what was typed and the sentences to show at its fields; `active_help` says what active means."""
    values = {"name": state.name, "description": state.description, "is_active": state.is_active}
    if problems:
        form = MappingHeadForm(data=values, use_required_attribute=False)
        form.errors.clear()  # the service has said what is wrong, in its own words
    else:
        form = MappingHeadForm(initial=values, use_required_attribute=False)
    form.fields["is_active"].help_text = str(active_help)
    for name, sentences in problems.items():
        for sentence in sentences:
            form.add_error(name, sentence)
    return form
