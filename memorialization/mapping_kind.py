"""Data memorialization mappings as their pages know them."""

from django.utils.translation import gettext_lazy as _

from crm_integrations import permissions
from crm_integrations.mapping_pages.kinds import MappingKind, MappingWords

KIND = MappingKind(
    label=_("Data Memorialization"),
    prefix="memorialization_mapping",
    resource=permissions.DATA_MEMORIALIZATION,
    has_versions=True,
)
WORDS = MappingWords(
    lead=_("Data memorialization mappings say which interaction data are written into which CRM fields."),
    table=_("Data memorialization mappings"),
    nothing_yet=_(
        "A mapping says which data of an interaction are written into which fields of the CRM's records. "
        "Until there is an active one, nothing is written."
    ),
    no_account=_("A mapping writes into the fields of the connected CRM account, and this configuration has none yet."),
)
