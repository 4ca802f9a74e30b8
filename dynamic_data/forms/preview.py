"""Which record an administrator wants to see as its card: its type and id, or a link to it."""

from collections.abc import Sequence

from django import forms
from django.utils.translation import gettext_lazy as _

from crm_integrations.contact_links import RecordReference
from crm_integrations.definitions import display_title
from crm_integrations.models import Configuration
from crm_integrations.providers.base import EntityType
from crm_integrations.record_names import RECORD_ID_LIMIT, is_record_id
from crm_integrations.selectors.record_addresses import find_by_address

LINK_LIMIT = 2000  # characters


class PreviewForm(forms.Form):
    """A link wins over type and id."""

    entityType = forms.ChoiceField(label=_("Select Entity Type"), required=False)  # noqa: N815 - as the API names it
    id = forms.CharField(label=_("Record ID"), max_length=RECORD_ID_LIMIT, required=False)
    link = forms.CharField(
        label=_("Link to a record"),
        max_length=LINK_LIMIT,
        required=False,
        help_text=_("Paste the address of a record's page in the CRM, in place of type and ID."),
    )

    def __init__(
        self, *args: object, configuration: Configuration, entity_types: Sequence[EntityType], **more: object
    ) -> None:
        super().__init__(*args, **more)  # type: ignore[arg-type]
        self._configuration = configuration
        choices = [(found.key, display_title(found)) for found in entity_types]
        self.fields["entityType"] = forms.ChoiceField(
            label=_("Select Entity Type"), required=False, choices=[("", _("Select an entity type")), *choices]
        )
        self.order_fields(["entityType", "id", "link"])
        self.reference: RecordReference | None = None

    def clean(self) -> dict[str, object]:
        """Find the record that is meant."""
        cleaned: dict[str, object] = super().clean() or {}
        pasted, record_id = str(cleaned.get("link") or "").strip(), str(cleaned.get("id") or "").strip()
        if pasted:
            self.reference = find_by_address(self._configuration, pasted)
            if self.reference is None:
                self.add_error("link", _("This is no link to a record of the connected account."))
            return cleaned
        if not cleaned.get("entityType") and "entityType" not in self.errors:
            self.add_error("entityType", _("Select an entity type first."))
        if "id" not in self.errors and not is_record_id(record_id):
            self.add_error("id", _("Type the record's ID as the CRM shows it."))
        if not self.errors:
            self.reference = RecordReference(str(cleaned["entityType"]), record_id)
        return cleaned
