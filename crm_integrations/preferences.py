"""How a person likes the pages: language and theme, on the account when signed in and in cookies otherwise."""

from typing import Any

from django import forms
from django.conf import settings

from crm_integrations.models.users import Theme


class PreferencesForm(forms.Form):
    """One or both choices; what is absent stays as it is."""

    language = forms.ChoiceField(choices=settings.LANGUAGES, required=False)
    theme = forms.ChoiceField(choices=Theme.choices, required=False)

    def choices_made(self) -> dict[str, Any]:
        """The valid choices that were sent, by field name."""
        return {name: value for name, value in self.cleaned_data.items() if value}
