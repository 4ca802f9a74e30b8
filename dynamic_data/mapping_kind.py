"""Dynamic data mappings as their pages know them."""

from django.utils.translation import gettext_lazy as _

from crm_integrations import permissions
from crm_integrations.mapping_pages.kinds import MappingKind, MappingWords

KIND = MappingKind(label=_("Dynamic Data"), prefix="dynamic_mapping", resource=permissions.DYNAMIC_DATA)
WORDS = MappingWords(
    lead=_("Dynamic data mappings say which fields of the CRM's records agents see on the customer card."),
    table=_("Dynamic data mappings"),
    nothing_yet=_(
        "A mapping says which fields of each record type agents see during an interaction, up to five. "
        "Until there is an active one, they see the records' names and links."
    ),
    no_account=_("A mapping shows fields of the connected CRM account, and this configuration has none yet."),
)
