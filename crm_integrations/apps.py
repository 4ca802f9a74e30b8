"""Django's entry for the core."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class CRMIntegrationsConfig(AppConfig):
    """The core app; it knows no CRM by name."""

    name = "crm_integrations"
    verbose_name = _("Agent Integrations")

    def ready(self) -> None:
        """Bring the core's own entries of the navigation and tabs of a configuration."""
        from crm_integrations.administration import AdministrationSection, register_sections
        from crm_integrations.navigation import NavigationEntry, register_navigation
        from crm_integrations.permissions import EDIT_CONFIGURATIONS, VIEW_CONFIGURATIONS
        from crm_integrations.tabs import ConfigurationTab, register_tabs

        register_tabs(
            ConfigurationTab(_("Overview"), "configuration_detail", VIEW_CONFIGURATIONS, order=10),
            ConfigurationTab(_("Settings"), "configuration_settings", EDIT_CONFIGURATIONS, order=55),
        )

        register_navigation(
            NavigationEntry(_("Home"), "home", "home", VIEW_CONFIGURATIONS, order=10),
            NavigationEntry(
                _("Agent Integrations"), "configuration_list", "integrations", VIEW_CONFIGURATIONS, order=20
            ),
            NavigationEntry(_("Administration"), "administration", "administration", VIEW_CONFIGURATIONS, order=90),
        )
        register_sections(
            AdministrationSection(_("Raw tables"), "admin:index", "crm_integrations.change_user", order=90)
        )
