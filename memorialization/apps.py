"""Django's entry for data memorialization."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class MemorializationConfig(AppConfig):
    """The app that writes interaction data into CRM records."""

    name = "memorialization"
    verbose_name = _("Data Memorialization")
