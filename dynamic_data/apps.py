"""Django's entry for dynamic data."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class DynamicDataConfig(AppConfig):
    """The app whose mappings choose what agents see."""

    name = "dynamic_data"
    verbose_name = _("Dynamic Data")

    def ready(self) -> None:
        """Join the tabs, the facts, the audit trail and the configuration files, and say what cards show."""
        from crm_integrations.audit_actions import register_actions
        from crm_integrations.card_fields import register_card_fields
        from crm_integrations.configuration_sections import register_section
        from crm_integrations.demo_parts import register_demo_part
        from crm_integrations.overview import register_facts, register_impact
        from crm_integrations.permissions import VIEW_DYNAMIC_DATA
        from crm_integrations.tabs import ConfigurationTab, register_tabs
        from dynamic_data.mapping_kind import KIND
        from dynamic_data.mappings.audit import MAPPING_ACTIONS
        from dynamic_data.selectors.mappings import dynamic_data_facts, dynamic_data_impact
        from dynamic_data.selectors.shown_fields import shown_fields
        from dynamic_data.services.demo_mapping import add_demo_mapping
        from dynamic_data.services.mapping_files import SECTION

        register_tabs(ConfigurationTab(KIND.label, KIND.list_url, VIEW_DYNAMIC_DATA, order=30))
        register_facts("dynamic_data", dynamic_data_facts)
        register_impact("dynamic_data", dynamic_data_impact)
        register_actions(MAPPING_ACTIONS)
        register_section("dynamicDataMappings", SECTION)
        register_card_fields(shown_fields)
        register_demo_part("dynamic_data", add_demo_mapping)
