"""Sending a test event: which channel, and which record it is written to."""

from collections.abc import Mapping, Sequence
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from crm_integrations.providers.base import CRMField
from memorialization.events.schema import ID_LIMIT, RecordLink
from memorialization.events.values import ValueRefused, read_record_id
from memorialization.source_fields import DIGITAL, VOICE
from memorialization.studio.sample_events import SampleWish

CHANNELS = ((VOICE, _("A call that has ended")), (DIGITAL, _("A digital interaction that the agent has let go of")))


class SampleEventForm(forms.Form):
    """Without a record id the rules decide, as they do for every event."""

    channel = forms.ChoiceField(label=_("What has happened"), choices=CHANNELS, initial=VOICE)
    entity_type = forms.ChoiceField(label=_("Record type"), required=False)
    record_id = forms.CharField(
        label=_("Record ID"),
        max_length=ID_LIMIT,
        required=False,
        help_text=_(
            "The example values are written to this record. Left empty, the rules look for one; "
            "for the made-up contact they seldom find any."
        ),
    )

    def __init__(self, *args: Any, types: Sequence[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["entity_type"].choices = types  # type: ignore[attr-defined]

    def clean_record_id(self) -> str:
        """The id as the CRM writes it."""
        text = self.cleaned_data["record_id"]
        try:
            return read_record_id(text) if text else ""
        except ValueRefused as refusal:
            raise ValidationError(str(refusal)) from refusal

    def wish(self, variables: Mapping[str, CRMField]) -> SampleWish:
        """What a valid form asks for; `variables` are filled in with a value that fits their field."""
        given = self.cleaned_data
        is_named = given["record_id"] and given["entity_type"]
        record = RecordLink(given["entity_type"], given["record_id"]) if is_named else None
        return SampleWish(given["channel"], variables, record)
