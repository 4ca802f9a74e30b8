"""Forms for intake keys."""

from datetime import timedelta

from django import forms
from django.utils.translation import gettext_lazy as _

from crm_integrations.models import IntakeKey

OVERLAPS = {
    "0": (timedelta(0), _("At once")),
    "1h": (timedelta(hours=1), _("In 1 hour")),
    "1d": (timedelta(days=1), _("In 24 hours")),
    "7d": (timedelta(days=7), _("In 7 days")),
}


class KeyForm(forms.Form):
    """A new key: what it is called and how senders use it."""

    label = forms.CharField(
        label=_("Label"), max_length=100, help_text=_("Where the key is used, for example “Studio script, support”.")
    )
    kind = forms.ChoiceField(
        label=_("Kind"),
        initial=IntakeKey.Kind.BEARER,
        choices=[
            (IntakeKey.Kind.BEARER, _("Bearer key: sent with each call, for scripts that cannot sign")),
            (IntakeKey.Kind.SIGNING, _("Signing secret: signs each call and is never sent (Standard Webhooks)")),
        ],
        widget=forms.RadioSelect,
    )


class RotationForm(forms.Form):
    """How long the old key is still accepted beside its successor."""

    overlap = forms.ChoiceField(
        label=_("The old key ends"),
        initial="1d",
        choices=[(key, label) for key, (_span, label) in OVERLAPS.items()],
        widget=forms.RadioSelect,
    )

    def overlap_span(self) -> timedelta:
        """The chosen overlap of a valid form."""
        return OVERLAPS[self.cleaned_data["overlap"]][0]
