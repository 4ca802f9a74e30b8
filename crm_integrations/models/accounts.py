"""A CRM account: what budgets, blocks and record lanes hang on."""

from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy


class CRMAccount(models.Model):
    """One account of one kind of CRM, whatever number of authentications and configurations use it (semantics §1.1)."""

    class Circuit(models.TextChoices):
        CLOSED = "closed", pgettext_lazy("circuit", "Closed")
        OPEN = "open", pgettext_lazy("circuit", "Open")
        HALF_OPEN = "half_open", pgettext_lazy("circuit", "Half open")

    provider = models.SlugField(_("integration type"), max_length=40)
    address = models.CharField(_("address"), max_length=200, help_text=_("The provider's own name of the account."))
    head_room_percent = models.PositiveSmallIntegerField(
        _("head-room"),
        default=10,
        help_text=_("The share of every limit that deliveries leave to others, in percent."),
    )
    wake_at = models.DateTimeField(
        _("wake at"), null=True, blank=True, db_index=True, help_text=_("When a worker should look at it again.")
    )
    circuit_state = models.CharField(_("circuit"), max_length=10, choices=Circuit.choices, default=Circuit.CLOSED)
    circuit_opened_at = models.DateTimeField(_("circuit opened at"), null=True, blank=True)
    circuit_probe_at = models.DateTimeField(_("next probe at"), null=True, blank=True)
    circuit_probes = models.PositiveIntegerField(_("failed probes"), default=0)
    circuit_window_at = models.DateTimeField(_("calls counted since"), null=True, blank=True)
    circuit_calls = models.PositiveIntegerField(_("calls counted"), default=0)
    circuit_failures = models.PositiveIntegerField(_("failures counted"), default=0)

    class Meta:
        verbose_name = _("CRM account")
        verbose_name_plural = _("CRM accounts")
        constraints = [
            models.UniqueConstraint(fields=["provider", "address"], name="crm_account_once"),
            models.CheckConstraint(condition=models.Q(head_room_percent__lte=90), name="crm_account_head_room"),
        ]

    def __str__(self) -> str:
        return f"{self.provider}:{self.address}"
