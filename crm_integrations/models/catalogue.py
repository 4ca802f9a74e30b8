"""What a CRM account offers: its entity types and their fields, as last read."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from crm_integrations.models.accounts import CRMAccount


class CatalogueSnapshot(models.Model):
    """The fields of one entity type of one account; the list of entity types itself has an empty `entity_type`.

    `definitions` holds `CRMField` (or `EntityType`) dataclasses of providers.base as JSON objects. A row whose
    `fetched_at` is empty was never read with success; `reading_until` is the lease of whoever reads it just now.
    """

    account = models.ForeignKey(CRMAccount, models.CASCADE, related_name="catalogue")
    entity_type = models.CharField(_("entity type"), max_length=150, blank=True)
    definitions = models.JSONField(_("definitions"), default=list)
    fetched_at = models.DateTimeField(_("fetched at"), null=True, blank=True)
    reading_until = models.DateTimeField(_("being read until"), null=True, blank=True)
    retry_at = models.DateTimeField(_("not read again before"), null=True, blank=True)
    problem = models.CharField(_("why the last reading failed"), max_length=300, blank=True)  # the CRM's own words

    class Meta:
        verbose_name = _("catalogue snapshot")
        verbose_name_plural = _("catalogue snapshots")
        constraints = [models.UniqueConstraint(fields=["account", "entity_type"], name="catalogue_snapshot_once")]

    def __str__(self) -> str:
        return f"{self.account} {self.entity_type}"
