"""What every data mapping has, whichever way the data go."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from crm_integrations.models.configurations import Configuration


class DataMapping(models.Model):
    """A named set of rows of one configuration; each save counts its version up and keeps the version's contents."""

    configuration = models.ForeignKey(Configuration, models.CASCADE, related_name="%(class)ss")
    name = models.CharField(_("Name"), max_length=100)
    description = models.TextField(_("Description"), max_length=1000, blank=True)
    is_active = models.BooleanField(_("active"), default=True)
    version = models.PositiveIntegerField(_("version"), default=1)
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)
    updated_at = models.DateTimeField(_("updated at"), auto_now=True)

    class Meta:
        abstract = True
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name
