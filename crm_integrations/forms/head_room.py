"""How much of an account's limits deliveries leave to others."""

from django import forms
from django.utils.translation import gettext_lazy

from crm_integrations.services.head_room import MOST_PERCENT


class HeadRoomForm(forms.Form):
    """A share in percent."""

    percent = forms.IntegerField(
        label=gettext_lazy("Head-room in percent"),
        min_value=0,
        max_value=MOST_PERCENT,
        help_text=gettext_lazy(
            "Deliveries leave this share of every limit to your other integrations and to people. What others are seen"
            " to use is already part of it. More makes a backlog slower; 0 uses everything that the CRM allows."
        ),
        widget=forms.NumberInput(attrs={"inputmode": "numeric", "class": "head-room-input"}),
    )
