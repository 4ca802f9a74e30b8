"""Who may do what: three resources with View, Create, Edit and Delete each; Edit implies View (product page §3).

Django's model permissions carry them, so roles are ordinary groups (`manage.py create_roles`).
"""

from typing import Any

from django.contrib.auth.backends import ModelBackend

CONFIGURATIONS = "crm_integrations.{action}_configuration"
DATA_MEMORIALIZATION = "memorialization.{action}_memorializationmapping"
DYNAMIC_DATA = "dynamic_data.{action}_dynamicdatamapping"
RESOURCES = (CONFIGURATIONS, DATA_MEMORIALIZATION, DYNAMIC_DATA)

VIEW_CONFIGURATIONS = CONFIGURATIONS.format(action="view")
CREATE_CONFIGURATIONS = CONFIGURATIONS.format(action="add")
EDIT_CONFIGURATIONS = CONFIGURATIONS.format(action="change")
DELETE_CONFIGURATIONS = CONFIGURATIONS.format(action="delete")
VIEW_DATA_MEMORIALIZATION = DATA_MEMORIALIZATION.format(action="view")
CREATE_DATA_MEMORIALIZATION = DATA_MEMORIALIZATION.format(action="add")
EDIT_DATA_MEMORIALIZATION = DATA_MEMORIALIZATION.format(action="change")
DELETE_DATA_MEMORIALIZATION = DATA_MEMORIALIZATION.format(action="delete")
VIEW_DYNAMIC_DATA = DYNAMIC_DATA.format(action="view")
CREATE_DYNAMIC_DATA = DYNAMIC_DATA.format(action="add")
EDIT_DYNAMIC_DATA = DYNAMIC_DATA.format(action="change")
DELETE_DYNAMIC_DATA = DYNAMIC_DATA.format(action="delete")


class PermissionBackend(ModelBackend):
    """Django's own backend, with Edit implying View."""

    def get_all_permissions(self, user_obj: Any, obj: Any = None) -> set[str]:
        """Every permission of the user, the implied ones added."""
        granted = set(super().get_all_permissions(user_obj, obj))
        granted |= {name.replace(".change_", ".view_") for name in granted if ".change_" in name}
        return granted
