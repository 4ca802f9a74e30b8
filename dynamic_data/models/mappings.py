"""Dynamic data mappings; their model carries the permissions of the resource *Dynamic Data*."""

from django.conf import settings
from django.db import models
from django.db.models import Q, UniqueConstraint
from django.db.models.functions import Lower
from django.utils.translation import gettext_lazy as _

from crm_integrations.card_fields import FIELDS_LIMIT
from crm_integrations.models import DataMapping


class DynamicDataMapping(DataMapping):
    """A named choice of record fields that agents see; a record type is shown by one active mapping at most."""

    changed_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+")

    class Meta(DataMapping.Meta):
        abstract = False
        verbose_name = _("dynamic data mapping")
        verbose_name_plural = _("dynamic data mappings")
        constraints = [UniqueConstraint("configuration", Lower("name"), name="dynamic_data_mapping_name_once")]


class ShownEntity(models.Model):
    """One record type of a mapping, in the order added."""

    mapping = models.ForeignKey(DynamicDataMapping, models.CASCADE, related_name="entities")
    entity_type = models.CharField(_("entity type"), max_length=150)
    position = models.PositiveIntegerField(_("position"), default=0)

    class Meta:
        verbose_name = _("shown entity")
        verbose_name_plural = _("shown entities")
        ordering = ["position", "id"]
        constraints = [models.UniqueConstraint(fields=["mapping", "entity_type"], name="shown_entity_once")]

    def __str__(self) -> str:
        return self.entity_type


class ShownField(models.Model):
    """One line of the card, in its place: five places there are, so that a record type has five fields at most."""

    entity = models.ForeignKey(ShownEntity, models.CASCADE, related_name="fields")
    crm_field = models.CharField(_("External CRM Field"), max_length=200)
    position = models.PositiveSmallIntegerField(_("position"))
    definition = models.JSONField(_("field definition"), default=dict)  # CRMField at the time of saving

    class Meta:
        verbose_name = _("shown field")
        verbose_name_plural = _("shown fields")
        ordering = ["position"]
        constraints = [
            models.UniqueConstraint(fields=["entity", "crm_field"], name="shown_field_once"),
            models.UniqueConstraint(fields=["entity", "position"], name="shown_field_place_once"),
            models.CheckConstraint(
                condition=Q(position__gte=0, position__lt=FIELDS_LIMIT), name="shown_fields_five_at_most"
            ),
        ]

    def __str__(self) -> str:
        return self.crm_field
