"""What a dynamic data mapping says, as data, and as somebody wants it before anything is checked. Pure."""

from crm_integrations.mapping_pages.contents import Contents, EntityRows
from crm_integrations.providers.base import CRMField

EntityContents = EntityRows[CRMField]
MappingContents = Contents[CRMField]
"""The fields of each record type, in the order shown."""

EntityDraft = EntityRows[str]
MappingDraft = Contents[str]
"""The same with the fields' keys: what the editor and configuration files hand over."""
