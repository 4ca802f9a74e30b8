"""Django's entry for data memorialization."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class MemorializationConfig(AppConfig):
    """The app that writes interaction data into CRM records."""

    name = "memorialization"
    verbose_name = _("Data Memorialization")

    def ready(self) -> None:
        """Join the navigation, the readiness checks, the figures, the tabs and the configuration files."""
        from crm_integrations.administration import register_sections
        from crm_integrations.audit_actions import register_actions
        from crm_integrations.authentication_needs import register_need
        from crm_integrations.configuration_sections import register_section
        from crm_integrations.contact_links import register_contact_links
        from crm_integrations.metrics import register_metrics
        from crm_integrations.navigation import register_navigation
        from crm_integrations.overview import register_facts, register_impact
        from crm_integrations.readiness import register_check
        from crm_integrations.tabs import register_tabs
        from memorialization.ledger_audit import LEDGER_ACTIONS
        from memorialization.mappings.audit import MAPPING_ACTIONS
        from memorialization.metrics import memorialization_metrics
        from memorialization.navigation import ENTRIES, SECTIONS, TABS
        from memorialization.readiness import check_deliveries
        from memorialization.selectors.authentication_needs import explain_need
        from memorialization.selectors.ledger_facts import memorialization_facts, memorialization_impact
        from memorialization.services.contact_links import EventLinks
        from memorialization.services.mapping_files import SECTION

        register_navigation(*ENTRIES)
        register_check("deliveries", check_deliveries)
        register_metrics("memorialization", memorialization_metrics)
        register_tabs(*TABS)
        register_sections(*SECTIONS)
        register_actions(MAPPING_ACTIONS)
        register_actions(LEDGER_ACTIONS)
        register_need("memorialization", explain_need)
        register_facts("memorialization", memorialization_facts)
        register_impact("memorialization", memorialization_impact)
        register_section("memorializationMappings", SECTION)
        register_contact_links(EventLinks())
