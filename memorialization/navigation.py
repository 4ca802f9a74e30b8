"""What data memorialization adds to the frame's navigation, the configuration's tabs and Administration."""

from django.utils.translation import gettext_lazy as _

from crm_integrations.administration import AdministrationSection
from crm_integrations.navigation import NavigationEntry
from crm_integrations.permissions import VIEW_CONFIGURATIONS, VIEW_DATA_MEMORIALIZATION
from crm_integrations.tabs import ConfigurationTab

ENTRIES = (
    NavigationEntry(_("Interactions"), "interaction_list", "interactions", VIEW_CONFIGURATIONS, order=30),
    NavigationEntry(_("Deliveries"), "delivery_list", "deliveries", VIEW_CONFIGURATIONS, order=40),
)
TABS = (
    ConfigurationTab(_("Data Memorialization"), "memorialization_mapping_list", VIEW_DATA_MEMORIALIZATION, order=20),
    ConfigurationTab(_("Record matching"), "record_matching", VIEW_CONFIGURATIONS, order=40),
    ConfigurationTab(_("Activity"), "configuration_activity", VIEW_CONFIGURATIONS, order=50),
    ConfigurationTab(_("Next step"), "configuration_next_step", VIEW_CONFIGURATIONS, order=60),
)
SECTIONS = (
    AdministrationSection(
        _("CRM accounts"), "account_list", VIEW_CONFIGURATIONS, account_url_name="account_detail", order=10
    ),
)
