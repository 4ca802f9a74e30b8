"""Who did what, and when; rows are only ever added."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from crm_integrations.models.configurations import Configuration


class AuditEntry(models.Model):
    """One act of a person, a command or the product itself; `details` never holds secrets or customers' text."""

    at = models.DateTimeField(_("at"), auto_now_add=True, db_index=True)
    actor = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+")
    actor_name = models.CharField(_("who"), max_length=150)  # kept when the account is deleted
    action = models.SlugField(_("action"), max_length=60)
    configuration = models.ForeignKey(
        Configuration, models.SET_NULL, null=True, blank=True, related_name="audit_entries"
    )
    subject = models.CharField(_("subject"), max_length=200)
    details = models.JSONField(_("details"), default=dict, blank=True)

    class Meta:
        verbose_name = _("audit entry")
        verbose_name_plural = _("audit entries")
        ordering = ["-at", "-id"]

    def __str__(self) -> str:
        return f"{self.action} {self.subject}"
