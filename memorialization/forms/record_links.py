"""Linking a CRM record to an interaction by hand."""

import uuid
from collections.abc import Sequence
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy

from memorialization.events.schema import ID_LIMIT
from memorialization.events.values import ValueRefused, read_record_id


class RecordLinkForm(forms.Form):
    """Which record. `event_id` is given out with the form, so that sending it twice links once."""

    entity_type = forms.ChoiceField(label=gettext_lazy("Record type"))
    record_id = forms.CharField(
        label=gettext_lazy("Record ID"),
        max_length=ID_LIMIT,
        help_text=gettext_lazy("As it stands in the record's address in the CRM."),
    )
    event_id = forms.UUIDField(widget=forms.HiddenInput)
    is_unchecked = forms.BooleanField(
        label=gettext_lazy("Link it anyway"),
        required=False,
        widget=forms.HiddenInput,
        help_text=gettext_lazy("The delivery then says what the CRM answers."),
    )

    def __init__(self, *args: Any, types: Sequence[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.initial.setdefault("event_id", uuid.uuid4())
        self.fields["entity_type"].choices = types  # type: ignore[attr-defined]

    def clean_record_id(self) -> str:
        """The id as the CRM writes it."""
        try:
            return read_record_id(self.cleaned_data["record_id"])
        except ValueRefused as refusal:
            raise ValidationError(str(refusal)) from refusal

    def offer_unchecked(self, why: str) -> None:
        """Say why the record could not be checked, and let the person link it nevertheless."""
        self.add_error(None, why)
        self.fields["is_unchecked"].widget = forms.CheckboxInput()
