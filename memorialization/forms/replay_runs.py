"""Starting and cancelling a replay run."""

import uuid
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy

LARGEST_ID = 2**63 - 1


class ReplayRunForm(forms.Form):
    """`key` is given out with the form, so that sending it twice starts one run; `up_to` is how far its count went."""

    key = forms.UUIDField(widget=forms.HiddenInput)
    up_to = forms.IntegerField(widget=forms.HiddenInput, min_value=0, max_value=LARGEST_ID)

    def __init__(self, *args: Any, newest: int, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.initial.update(key=uuid.uuid4(), up_to=newest)


class CancelRunForm(forms.Form):
    """How far a run is taken back."""

    takes_back = forms.BooleanField(
        label=gettext_lazy("Also take back what still waits"),
        help_text=gettext_lazy("What was queued and is not sent yet is skipped; it can be replayed again later."),
        required=False,
    )
