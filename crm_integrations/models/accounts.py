"""A CRM account: what budgets, pauses and record lanes hang on."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class CRMAccount(models.Model):
    """One account of one kind of CRM, whatever number of authentications and configurations use it (semantics §1.1)."""

    provider = models.SlugField(_("integration type"), max_length=40)
    address = models.CharField(_("address"), max_length=200, help_text=_("The provider's own name of the account."))
    paused_until = models.DateTimeField(_("paused until"), null=True, blank=True)
    pause_reason = models.CharField(_("pause reason"), max_length=200, blank=True)
    limits = models.JSONField(
        _("limits"),
        default=dict,
        blank=True,
        help_text=_("Per limit class: limit, remaining, resets_at, as last reported."),
    )

    class Meta:
        verbose_name = _("CRM account")
        verbose_name_plural = _("CRM accounts")
        constraints = [models.UniqueConstraint(fields=["provider", "address"], name="crm_account_once")]

    def __str__(self) -> str:
        return f"{self.provider}:{self.address}"
