"""What the audit trail says of dynamic data mappings and of what agents do on cards, in words."""

from django.utils.translation import gettext_lazy as _

MAPPING_ACTIONS = {
    "dynamic_mapping_created": _("Dynamic data mapping created"),
    "dynamic_mapping_changed": _("Dynamic data mapping changed"),
    "dynamic_mapping_activated": _("Dynamic data mapping activated"),
    "dynamic_mapping_deactivated": _("Dynamic data mapping deactivated"),
    "dynamic_mapping_deleted": _("Dynamic data mapping deleted"),
    "card_record_linked": _("Record linked on the customer card"),
    "card_record_unlinked": _("Record unlinked on the customer card"),
}
