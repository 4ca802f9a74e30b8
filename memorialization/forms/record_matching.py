"""The rules of record matching as a form: a switch for each, and what it needs to know."""

from collections.abc import Callable, Mapping
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from crm_integrations.models import ClosedCasePolicy, Configuration
from crm_integrations.providers.base import CRMProvider
from crm_integrations.services.matching_settings import MATCHING_COLUMNS, matching_version

VARIABLE_PREFIX = "variable_"
VARIABLE_LIMIT = 100  # characters of a script variable's name
COLUMNS = tuple(name for name in MATCHING_COLUMNS if name != "record_variables")
VARIABLES = ("email_variable", "external_id_variable")
SEARCH_COLUMNS = ("searches_by_phone", *VARIABLES)
LABELS = {
    "case_age_hours": gettext_lazy("Hours since the case last changed, at most"),
    "closed_case_policy": gettext_lazy("Data for a closed case"),
}
HELP_TEXTS = {
    "searches_by_phone": gettext_lazy("The contact's number, however the CRM has it written."),
    "phone_country": gettext_lazy("Its two letters, such as CA."),
    "email_variable": gettext_lazy("No other variable is taken for an address."),
    "case_age_hours": gettext_lazy("An older case is not taken."),
    "creates_people": gettext_lazy("Only when a number, an e-mail address or an external id is known."),
    "checks_caller": gettext_lazy("Needs a person whom the number, e-mail address or external id names."),
}


class RecordMatchingForm(forms.ModelForm):  # type: ignore[type-arg]
    """`seen` says which settings it was made from, so that nobody undoes what was changed meanwhile.

    `title_of` names a record type in the reader's language.
    """

    class Meta:
        model = Configuration
        fields = COLUMNS
        labels = LABELS
        help_texts = HELP_TEXTS
        widgets = {
            "closed_case_policy": forms.RadioSelect,
            "phone_country": forms.TextInput(attrs={"autocapitalize": "characters", "autocomplete": "off"}),
        }

    seen = forms.CharField(widget=forms.HiddenInput, required=False)

    def __init__(
        self, *args: Any, provider: CRMProvider | None, title_of: Callable[[str], str], may_edit: bool, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.initial["seen"] = matching_version(self.instance)
        closed: Any = self.fields["closed_case_policy"]
        closed.choices = ClosedCasePolicy.choices
        offered = dict.fromkeys(provider.default_record_variables if provider else {}, "")
        for entity_type, name in {**offered, **self.instance.record_variables}.items():
            self.fields[VARIABLE_PREFIX + entity_type] = _variable_field(title_of(entity_type), str(name))
        for name in VARIABLES:
            self.fields[name].widget.attrs.update({"autocomplete": "off", "spellcheck": "false", "class": "mono"})
        if not may_edit:
            for field in self.fields.values():
                field.disabled = True

    def clean_phone_country(self) -> str:
        """The two letters as they are kept; whether they are a country is the column's own question."""
        return str(self.cleaned_data["phone_country"]).upper()

    def clean(self) -> dict[str, Any]:
        """Variables are kept in lower case; a search needs something to search by."""
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        for name in VARIABLES:
            cleaned[name] = str(cleaned.get(name) or "").strip().lower()
        if cleaned.get("searches_records") and not any(cleaned.get(name) for name in SEARCH_COLUMNS):
            message = _("Search by ANI, or name a script variable to search by.")
            self.add_error("searches_records", ValidationError(message))
        return cleaned

    def validate_unique(self) -> None:
        """Nothing of it is unique."""

    def validate_constraints(self) -> None:
        """Nor constrained: the columns say themselves what they take."""

    def settings(self) -> dict[str, Any]:
        """The columns of a valid form."""
        columns = {name: self.cleaned_data[name] for name in COLUMNS}
        named: Mapping[str, str] = {
            name.removeprefix(VARIABLE_PREFIX): value.lower()
            for name, value in self.cleaned_data.items()
            if name.startswith(VARIABLE_PREFIX) and value
        }
        return {**columns, "record_variables": dict(named)}

    @property
    def variable_fields(self) -> list[forms.BoundField]:
        """The fields for names of script variables."""
        return [field for field in self if field.name.startswith(VARIABLE_PREFIX)]


def _variable_field(title: str, name: str) -> forms.CharField:
    return forms.CharField(
        label=_("Script variable for the record type “%(entity_type)s”") % {"entity_type": title},
        max_length=VARIABLE_LIMIT,
        required=False,
        initial=name,
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false", "class": "mono"}),
    )
