"""Permissions in words, as the product page's three resources with View, Create, Edit and Delete."""

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy

RESOURCES = {
    "configuration": gettext_lazy("Configurations"),
    "memorializationmapping": gettext_lazy("Data Memorialization"),
    "dynamicdatamapping": gettext_lazy("Dynamic Data"),
    "user": gettext_lazy("Users"),
}
ACTIONS = {
    "view": pgettext_lazy("permission", "View"),
    "add": pgettext_lazy("permission", "Create"),
    "change": pgettext_lazy("permission", "Edit"),
    "delete": pgettext_lazy("permission", "Delete"),
}


def permission_label(permission: str) -> str:
    """`crm_integrations.add_configuration` → “Configurations: Create”; an unknown name stays as it is."""
    action, _separator, model = permission.partition(".")[2].partition("_")
    if action not in ACTIONS or model not in RESOURCES:
        return permission
    return _("%(resource)s: %(action)s") % {"resource": RESOURCES[model], "action": ACTIONS[action]}
