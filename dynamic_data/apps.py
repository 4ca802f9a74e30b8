"""Django's entry for dynamic data."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class DynamicDataConfig(AppConfig):
    """The app whose mappings choose what agents see."""

    name = "dynamic_data"
    verbose_name = _("Dynamic Data")
