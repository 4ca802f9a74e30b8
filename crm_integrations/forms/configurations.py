"""Forms of a configuration: its basics, its settings."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from crm_integrations.models import Configuration
from crm_integrations.providers.base import CRMProvider
from crm_integrations.providers.registry import all_providers
from crm_integrations.time_zones import time_zone_names

SETTING_COLUMNS = (
    "name",
    "description",
    "time_zone",
    "acw_limit_minutes",
    "contact_ends_first_voice",
    "memorialize_on_closed",
)
HELP_TEXTS = {
    "time_zone": gettext_lazy("Times written to date fields are days in this zone."),
    "acw_limit_minutes": gettext_lazy("After-call work that is not completed by then is taken as completed."),
    "contact_ends_first_voice": gettext_lazy(
        "When a caller hangs up first, status, disposition and tags are left out, as for digital contacts."
    ),
    "memorialize_on_closed": gettext_lazy(
        "Also write when a digital interaction's status is saved as Closed, not only when the agent lets go of it."
    ),
}


class BasicsForm(forms.Form):
    """Part 1 of the set-up page; the only kind of CRM there is needs no choosing."""

    integration_type = forms.ChoiceField(label=gettext_lazy("Integration Type"))
    name = forms.CharField(label=gettext_lazy("Configuration Name"), max_length=100)
    description = forms.CharField(
        label=gettext_lazy("Description"), max_length=1000, required=False, widget=forms.Textarea(attrs={"rows": 3})
    )

    def __init__(self, *args: Any, configuration: Configuration | None = None, **kwargs: Any) -> None:
        kwargs["initial"] = _basics(configuration) if configuration else {}
        super().__init__(*args, **kwargs)
        field = self.fields["integration_type"]
        choices = [(provider.slug, str(provider.label)) for provider in all_providers()]
        is_choice = len(choices) > 1 and not configuration
        field.choices = [("", _("Select…")), *choices] if is_choice else choices  # type: ignore[attr-defined]
        if configuration and configuration.authentication_id:
            field.disabled = True
            field.help_text = _("Cannot change any more: an account of this type is connected.")


class SettingsForm(forms.ModelForm):  # type: ignore[type-arg]
    """Everything that can be changed about a configuration that has its account."""

    class Meta:
        model = Configuration
        fields = SETTING_COLUMNS
        help_texts = HELP_TEXTS
        widgets = {"description": forms.Textarea(attrs={"rows": 3})}

    time_zone = forms.ChoiceField(
        label=gettext_lazy("Time zone"),
        help_text=HELP_TEXTS["time_zone"],
        widget=forms.Select(attrs={"data-searchable": ""}),
    )

    def __init__(self, *args: Any, provider: CRMProvider | None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.provider = provider
        names = sorted(time_zone_names())
        self.fields["time_zone"].choices = [(name, name.replace("_", " ")) for name in names]  # type: ignore[attr-defined]
        if provider and provider.asks_external_domain:
            self.fields["external_domain"] = external_domain_field(provider, self.instance.external_domain)

    def clean_external_domain(self) -> str:
        """The pasted domain as an origin."""
        return clean_external_domain(self.provider, self.cleaned_data["external_domain"])

    def validate_unique(self) -> None:
        """Names are compared by the database when they are written, so that two tabs cannot both win."""

    def validate_constraints(self) -> None:
        """Likewise."""

    def settings(self) -> dict[str, Any]:
        """The columns of a valid form."""
        columns = {name: self.cleaned_data[name] for name in SETTING_COLUMNS}
        if "external_domain" in self.fields:
            columns["external_domain"] = self.cleaned_data["external_domain"]
        return columns


def external_domain_field(provider: CRMProvider, initial: str) -> forms.CharField:
    """The provider's question for the domain that record links are built with."""
    return forms.CharField(
        label=provider.external_domain_label,
        max_length=200,
        required=False,
        initial=initial,
        help_text=_(
            "The full domain under which agents open the CRM; used for links to records only, never for calls."
        ),
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false", "inputmode": "url"}),
    )


def clean_external_domain(provider: CRMProvider | None, text: str) -> str:
    """The provider's reading of the domain; blank stays blank."""
    if not text or provider is None:
        return text
    try:
        return provider.clean_external_domain(text)
    except ValueError as error:
        raise ValidationError(str(error)) from error


def _basics(configuration: Configuration) -> dict[str, str]:
    return {name: getattr(configuration, name) for name in ("integration_type", "name", "description")}
