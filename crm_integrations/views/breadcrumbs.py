"""Breadcrumbs of the configuration pages."""

from django.urls import reverse
from django.utils.translation import gettext as _

from crm_integrations.models import Configuration
from crm_integrations.navigation import Crumb


def list_trail(*names: str) -> list[Crumb]:
    """Agent Integrations › names; the last is the page itself."""
    return [Crumb(_("Agent Integrations"), reverse("configuration_list")), *(Crumb(name) for name in names)]


def configuration_trail(configuration: Configuration, *names: str) -> list[Crumb]:
    """Agent Integrations › the configuration › names."""
    if not names:
        return list_trail(configuration.name)
    own = Crumb(configuration.name, reverse("configuration_detail", args=[configuration.pk]))
    return [*list_trail(), own, *(Crumb(name) for name in names)]
