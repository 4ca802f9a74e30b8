"""Forms of the Authentication window; what an account needs to be found is the provider's own form."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from crm_integrations.forms.configurations import clean_external_domain, external_domain_field
from crm_integrations.models import Authentication, AuthorizationRequest, Configuration
from crm_integrations.providers.base import CRMProvider
from crm_integrations.services.authentications import NAME_LIMIT, find_free_name, name_is_taken

PREVIEW_TARGET = "account-address"  # the id of the line that shows what the typed address is read as


class NameForm(forms.Form):
    """How the new authentication is called; prefilled, so that nobody has to think of a name."""

    authentication_name = forms.CharField(label=gettext_lazy("Your authentication name"), max_length=NAME_LIMIT)

    def clean_authentication_name(self) -> str:
        """Names tell authentications apart in every list."""
        name: str = self.cleaned_data["authentication_name"]
        if name_is_taken(name):
            raise ValidationError(_("Another authentication has this name. Choose a different one."), code="taken")
        return name


class SelectionForm(forms.Form):
    """One of the accounts that exist already."""

    authentication = forms.ModelChoiceField(
        queryset=Authentication.objects.none(),
        label=gettext_lazy("Authenticated accounts"),
        error_messages={
            "required": gettext_lazy("Select one of the accounts, or create a new authentication."),
            "invalid_choice": gettext_lazy("This account is not available any more. Select another one."),
        },
    )

    def __init__(self, *args: Any, choices: QuerySet[Authentication], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["authentication"].queryset = choices  # type: ignore[attr-defined]


class ExternalDomainForm(forms.Form):
    """The last question of the window, for integration types that ask it."""

    def __init__(self, *args: Any, provider: CRMProvider, configuration: Configuration, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.provider = provider
        self.fields["external_domain"] = external_domain_field(provider, _first_domain(provider, configuration))

    def clean_external_domain(self) -> str:
        """The pasted domain as an origin."""
        return clean_external_domain(self.provider, self.cleaned_data["external_domain"])


def make_name_form(
    *, configuration: Configuration, provider: CRMProvider, earlier: AuthorizationRequest | None, data: Any = None
) -> NameForm:
    """The name as typed before, or a free one made of what is known."""
    usual = f"{provider.label} {configuration.name}"[:NAME_LIMIT]
    return NameForm(data, initial={"authentication_name": earlier.name if earlier else find_free_name(usual)})


def make_account_form(
    *, configuration: Configuration, provider: CRMProvider, earlier: AuthorizationRequest | None, data: Any = None
) -> forms.Form:
    """The provider's form, which shows while one types what account it understands."""
    initial = {"address": earlier.address, **earlier.options} if earlier else {}
    form = provider.authentication_form(data, initial=initial)
    form.fields["address"].widget.attrs.update(
        {
            "hx-get": reverse("configuration_account_address", args=[configuration.pk]),
            "hx-trigger": "load, input changed delay:250ms",
            "hx-target": f"#{PREVIEW_TARGET}",
        }
    )
    return form


def folded_names(form: forms.Form) -> tuple[str, ...]:
    """Fields that few accounts need: shown folded away, as the provider says."""
    return tuple(getattr(form, "folded_fields", ()))


def _first_domain(provider: CRMProvider, configuration: Configuration) -> str:
    if configuration.external_domain or configuration.authentication is None:
        return configuration.external_domain
    return provider.account_url(configuration.authentication.account.address)
