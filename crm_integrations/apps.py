"""Django's entry for the core."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class CRMIntegrationsConfig(AppConfig):
    """The core app; it knows no CRM by name."""

    name = "crm_integrations"
    verbose_name = _("Agent Integrations")
