"""The fields of the Authentication window for a Zendesk account."""

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from zendesk_client import InvalidSubdomain, normalize_subdomain

MARKETPLACE_HELP = _("Only for apps listed in the Zendesk Marketplace; sent with every call when filled in.")

PROBLEMS = {
    "empty": _("Type the subdomain of your Zendesk account, for example ven12345."),
    "characters": _("A Zendesk subdomain has letters, digits and hyphens only, for example ven12345."),
    "scheme": _("Paste an address that begins with https://, or only the subdomain."),
    "credentials": _("Paste the address without a name or password in it."),
    "port": _("Paste the address without a port number in it."),
    "foreign_host": _(
        "This is not an address under zendesk.com. Paste the address of your Zendesk, for example https://ven12345.zendesk.com."
    ),
    "reserved": _(
        "This is Zendesk's own address. Paste the address of your account, for example https://ven12345.zendesk.com."
    ),
}


class ZendeskAuthenticationForm(forms.Form):
    """The account, and what a Marketplace app says of itself. `address` is cleaned to the bare subdomain."""

    address = forms.CharField(
        label=_("Zendesk subdomain"),
        max_length=300,
        help_text=_("Paste the address of any page of your Zendesk; only https://ven12345.zendesk.com is kept."),
        widget=forms.TextInput(
            attrs={"autocomplete": "off", "spellcheck": "false", "data-address-suffix": ".zendesk.com"}
        ),
    )
    app_id = forms.CharField(label=_("App ID"), max_length=100, required=False, help_text=MARKETPLACE_HELP)
    organization_id = forms.CharField(
        label=_("Organization ID"), max_length=100, required=False, help_text=MARKETPLACE_HELP
    )
    marketplace_name = forms.CharField(
        label=_("Marketplace name"), max_length=100, required=False, help_text=MARKETPLACE_HELP
    )

    folded_fields = ("app_id", "organization_id", "marketplace_name")

    def clean_address(self) -> str:
        """The subdomain in whatever was pasted; anything but a Zendesk host is refused."""
        try:
            return normalize_subdomain(self.cleaned_data["address"])
        except InvalidSubdomain as error:
            raise ValidationError(PROBLEMS[error.reason], code=error.reason) from error
