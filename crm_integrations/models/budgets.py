"""What may be called of an account, limit by limit, and what was called, minute by minute."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from crm_integrations.models.accounts import CRMAccount
from crm_integrations.providers.limits import LimitScope


class CallBudget(models.Model):
    """One limit of an account; its rules are crm_integrations.budgets. Changed under the account's row lock only."""

    class Scope(models.TextChoices):
        ACCOUNT = LimitScope.ACCOUNT.value, _("Calls per window")
        IN_FLIGHT = LimitScope.IN_FLIGHT.value, _("At the same time")

    account = models.ForeignKey(CRMAccount, on_delete=models.CASCADE, related_name="budgets", verbose_name=_("account"))
    limit_class = models.CharField(_("limit"), max_length=100)
    scope = models.CharField(_("kind"), max_length=10, choices=Scope.choices, default=Scope.ACCOUNT)
    calls = models.PositiveIntegerField(_("calls per window"), null=True, blank=True)
    window_s = models.FloatField(_("window in seconds"))
    window_ends_at = models.DateTimeField(_("window ends at"), null=True, blank=True)
    epoch = models.PositiveBigIntegerField(_("window number"), default=0)
    granted = models.PositiveIntegerField(_("granted"), default=0)
    in_flight = models.PositiveIntegerField(_("without an answer"), default=0)
    answered = models.PositiveIntegerField(_("answered"), default=0)
    reported = models.PositiveIntegerField(_("used, as reported"), default=0)
    foreign = models.PositiveIntegerField(_("used by others"), default=0)
    granted_at = models.DateTimeField(_("last granted at"), null=True, blank=True)
    blocked_until = models.DateTimeField(_("blocked until"), null=True, blank=True)
    block_reason = models.CharField(_("why it is blocked"), max_length=200, blank=True)
    is_confirmed = models.BooleanField(_("confirmed by an answer"), default=False)

    class Meta:
        verbose_name = _("call budget")
        verbose_name_plural = _("call budgets")
        constraints = [models.UniqueConstraint(fields=["account", "limit_class"], name="call_budget_once")]

    def __str__(self) -> str:
        return f"{self.account_id}:{self.limit_class}"


class CallMinute(models.Model):
    """What was called of a limit in one minute; `limited`: refused by it, `failed`: without a usable answer."""

    account = models.ForeignKey(CRMAccount, on_delete=models.CASCADE, related_name="+", verbose_name=_("account"))
    limit_class = models.CharField(_("limit"), max_length=100)
    minute = models.DateTimeField(_("minute"), db_index=True)
    calls = models.PositiveIntegerField(_("calls"), default=0)
    limited = models.PositiveIntegerField(_("refused"), default=0)
    failed = models.PositiveIntegerField(_("failed"), default=0)

    class Meta:
        verbose_name = _("calls of a minute")
        verbose_name_plural = _("calls by minute")
        constraints = [models.UniqueConstraint(fields=["account", "limit_class", "minute"], name="call_minute_once")]

    def __str__(self) -> str:
        return f"{self.account_id}:{self.limit_class} {self.minute:%Y-%m-%d %H:%M}"
