"""What people read for the action of an audit entry; the floors above register theirs."""

from collections.abc import Mapping

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

_labels: dict[str, str | Promise] = {
    "configuration_created": _("Configuration created"),
    "configuration_changed": _("Settings changed"),
    "configuration_activated": _("Configuration activated"),
    "configuration_deactivated": _("Configuration deactivated"),
    "configuration_reactivated": _("Configuration reactivated"),
    "configuration_deleted": _("Configuration deleted"),
    "configuration_restored": _("Configuration restored"),
    "configuration_imported": _("Configuration imported"),
    "authentication_created": _("Authentication created"),
    "authentication_selected": _("Authentication selected"),
    "authentication_renewed": _("Re-authenticated"),
    "authentication_held": _("Authentication held"),
    "authentication_released": _("Authentication released"),
    "authentication_removed": _("Authentication removed"),
    "rights_checked": _("Rights of the system user checked"),
    "intake_key_created": _("Intake key created"),
    "intake_key_rotated": _("Intake key rotated"),
    "intake_key_revoked": _("Intake key revoked"),
    "head_room_changed": _("Head-room of an account changed"),
    "encryption_keys_rotated": _("Encryption keys rotated"),
}


def register_actions(labels: Mapping[str, str | Promise]) -> None:
    """Add labels in `AppConfig.ready`."""
    _labels.update(labels)


def action_label(action: str) -> str:
    """The words for an action; an unknown one stays readable."""
    return str(_labels.get(action, action.replace("_", " ")))
