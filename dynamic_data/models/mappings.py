"""Dynamic data mappings; their model carries the permissions of the resource *Dynamic Data*."""

from django.db.models import UniqueConstraint
from django.db.models.functions import Lower
from django.utils.translation import gettext_lazy as _

from crm_integrations.models import DataMapping


class DynamicDataMapping(DataMapping):
    """A named choice of record fields that agents see."""

    class Meta(DataMapping.Meta):
        abstract = False
        verbose_name = _("dynamic data mapping")
        verbose_name_plural = _("dynamic data mappings")
        constraints = [UniqueConstraint("configuration", Lower("name"), name="dynamic_data_mapping_name_once")]
