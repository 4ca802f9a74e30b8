"""What the audit trail says of mappings, in words."""

from django.utils.translation import gettext_lazy as _

MAPPING_ACTIONS = {
    "mapping_created": _("Data mapping created"),
    "mapping_changed": _("Data mapping changed"),
    "mapping_activated": _("Data mapping activated"),
    "mapping_deactivated": _("Data mapping deactivated"),
    "mapping_deleted": _("Data mapping deleted"),
}
