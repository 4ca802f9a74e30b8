"""The filters of the ledger's lists, as they stand in the address."""

from collections.abc import Mapping
from datetime import date
from typing import Any
from uuid import UUID

from django import forms
from django.http import QueryDict
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy

from crm_integrations.selectors.configurations import present_configurations
from memorialization.models import Interaction
from memorialization.reasons import DELIVERY_REASONS, explain_reason
from memorialization.selectors.ledger_filters import LedgerFilters

TEXT_LIMIT = 200  # characters, as the longest id
DAYS = ("since", "until")
Choices = list[tuple[str, str]]


class LedgerFilterForm(forms.Form):
    """What is asked for; a criterion that cannot be read is named and left out, the others count."""

    q = forms.CharField(
        label=gettext_lazy("Contact, interaction, agent, record or event ID"),
        max_length=TEXT_LIMIT,
        required=False,
        widget=forms.SearchInput,
    )
    state = forms.ChoiceField(label=gettext_lazy("State"), required=False, widget=forms.HiddenInput)
    configuration = forms.TypedChoiceField(
        label=gettext_lazy("CRM configuration"), required=False, coerce=UUID, empty_value=None
    )
    channel = forms.ChoiceField(label=gettext_lazy("Channel"), required=False)
    since = forms.DateField(label=pgettext_lazy("date filter", "From"), required=False)
    until = forms.DateField(label=pgettext_lazy("date filter", "To"), required=False)
    reason = forms.ChoiceField(label=gettext_lazy("Reason"), required=False)

    def __init__(self, query: QueryDict, *, states: Mapping[str, str | Promise], has_reason: bool) -> None:
        super().__init__(query, auto_id="filter-%s")
        self.states = states
        for name in DAYS:
            self.fields[name].widget = forms.DateInput({"type": "date"}, format="%Y-%m-%d")
        self._offer("state", [(key, str(label)) for key, label in states.items()])
        names = present_configurations().order_by("name").values_list("pk", "name")
        self._offer("configuration", [("", _("Every configuration")), *((str(pk), name) for pk, name in names)])
        channels = Interaction._meta.get_field("channel").choices or []
        self._offer("channel", [("", _("Every channel")), *((str(key), str(label)) for key, label in channels)])
        if has_reason:
            reasons = sorted((explain_reason(key).what, key) for key in DELIVERY_REASONS)
            self._offer("reason", [("", _("Every reason")), *((key, what) for what, key in reasons)])
        else:
            del self.fields["reason"]

    def clean(self) -> dict[str, Any]:
        """Days in their order."""
        cleaned = super().clean() or {}
        since, until = cleaned.get("since"), cleaned.get("until")
        if since and until and since > until:
            self.add_error("until", _("This day lies before the first one."))
        if until == date.max:
            self.add_error("until", _("Choose an earlier day."))
        return cleaned

    def filters(self) -> LedgerFilters:
        """The criteria that could be read."""
        self.is_valid()
        known = {name: value for name, value in self.cleaned_data.items() if value}
        if "q" in known:
            known["q"] = known["q"].replace("\0", "").strip()
        return LedgerFilters(**known)

    def described(self, name: str) -> str:
        """The value of one criterion as people read it."""
        value = self.cleaned_data[name]
        choices = dict(getattr(self.fields[name], "choices", ()))
        return str(choices.get(str(value), value))

    @property
    def folded_fields(self) -> list[forms.BoundField]:
        """The criteria that a page folds away beside the text."""
        return [field for field in self if field.name not in {"q", "state"}]

    @property
    def is_open(self) -> bool:
        """Whether a folded criterion needs to be seen: it could not be read."""
        return any(field.errors for field in self.folded_fields)

    def _offer(self, name: str, choices: Choices) -> None:
        self.fields[name].choices = choices  # type: ignore[attr-defined]
