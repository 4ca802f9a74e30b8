"""Data memorialization mappings: rows of CRM field ← channel · CXone data, and every version they had."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower
from django.utils.translation import gettext_lazy as _

from crm_integrations.models import DataMapping


class RowChannel(models.TextChoices):
    """Which interactions a row reads; the order is the one of the drop-down (product page §3.7)."""

    DIGITAL = "digital", _("Digital Contact")
    SCRIPT_VARIABLE = "script_variable", _("Script Variable")
    VOICE = "voice", _("Voice Call Contact")


class MemorializationMapping(DataMapping):
    """A named set of rows; any number may be active, but one CRM field has one row per channel (semantics §4.16)."""

    class Meta(DataMapping.Meta):
        abstract = False
        verbose_name = _("data memorialization mapping")
        verbose_name_plural = _("data memorialization mappings")
        constraints = [
            models.UniqueConstraint("configuration", Lower("name"), name="memorialization_mapping_name_once")
        ]


class MappedEntity(models.Model):
    """One record type of a mapping, in the order added."""

    mapping = models.ForeignKey(MemorializationMapping, models.CASCADE, related_name="entities")
    entity_type = models.CharField(_("entity type"), max_length=150)
    position = models.PositiveIntegerField(_("position"), default=0)

    class Meta:
        verbose_name = _("mapped entity")
        verbose_name_plural = _("mapped entities")
        ordering = ["position", "id"]
        constraints = [models.UniqueConstraint(fields=["mapping", "entity_type"], name="mapped_entity_once")]

    def __str__(self) -> str:
        return self.entity_type


class MappedField(models.Model):
    """One row: this CRM field gets that source field (or script variable) of this channel."""

    entity = models.ForeignKey(MappedEntity, models.CASCADE, related_name="fields")
    crm_field = models.CharField(_("External CRM Field"), max_length=200)
    channel = models.CharField(_("Select Channel"), max_length=20, choices=RowChannel.choices)
    source = models.CharField(_("CXone Mpower Data"), max_length=200)
    position = models.PositiveIntegerField(_("position"), default=0)
    definition = models.JSONField(_("field definition"), default=dict)  # CRMField at the time of saving

    class Meta:
        verbose_name = _("mapped field")
        verbose_name_plural = _("mapped fields")
        ordering = ["position", "id"]
        constraints = [
            models.UniqueConstraint(fields=["entity", "crm_field", "channel"], name="mapped_field_once_per_channel"),
            models.CheckConstraint(condition=Q(channel__in=RowChannel.values), name="mapped_field_channel_known"),
            models.CheckConstraint(
                condition=~Q(channel="script_variable") | Q(source=Lower("source")),
                name="script_variable_in_lower_case",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.crm_field} ← {self.channel} · {self.source}"


class MappingVersion(models.Model):
    """What a mapping said from one save to the next; deliveries name the version that planned them.

    `contents` has the shape of `memorialization.mappings.contents.MappingContents`: name, is_active and the entities
    with their rows and field definitions.
    """

    mapping = models.ForeignKey(MemorializationMapping, models.CASCADE, related_name="versions")
    number = models.PositiveIntegerField(_("version"))
    contents = models.JSONField(_("contents"))
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+")
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)

    class Meta:
        verbose_name = _("mapping version")
        verbose_name_plural = _("mapping versions")
        ordering = ["-number"]
        constraints = [models.UniqueConstraint(fields=["mapping", "number"], name="mapping_version_once")]

    def __str__(self) -> str:
        return f"{self.mapping} v{self.number}"
