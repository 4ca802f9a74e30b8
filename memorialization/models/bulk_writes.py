"""Bulk writes: one call that hands many records' writes to a CRM, which works them off by itself."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from crm_integrations.models import Authentication, CRMAccount

UNCONCLUDED = "NOT (state = 'concluded')"  # in the words of the index bulk_write_open, or SQLite would not read it


class BulkWrite(models.Model):
    """Committed with its members before the call (semantics §6.23). From then on it owns the lanes of its records.

    The members are the attempts that point at it, one per record. `lease` is what its lanes are leased with;
    `poll_lease` belongs to the one process that asks the CRM about it now.
    """

    class State(models.TextChoices):
        """Where it stands."""

        PREPARED = "prepared", _("Prepared")  # the call is about to be made, or its maker died
        SEARCHING = "searching", _("Looked for")  # the call's outcome is unknown: the CRM may have it under way
        RUNNING = "running", _("Running")  # the CRM gave it a handle
        FINISHED = "finished", _("Finished")  # its results are stored; the records are not read back yet
        CONCLUDED = "concluded", _("Concluded")

    account = models.ForeignKey(CRMAccount, models.PROTECT, related_name="bulk_writes")
    authentication = models.ForeignKey(Authentication, models.SET_NULL, null=True, related_name="+")
    entity_type = models.CharField(_("entity type"), max_length=150)
    size = models.PositiveIntegerField(_("records"))
    deliveries = models.PositiveIntegerField(_("deliveries"), default=0)  # that share its writes
    state = models.CharField(_("state"), max_length=10, choices=State.choices, default=State.PREPARED)
    handle = models.CharField(_("the CRM's handle"), max_length=200, blank=True)
    was_searched = models.BooleanField(_("was looked for"), default=False)  # by its records, which others may have had
    lease = models.UUIDField(_("lease"))
    created_at = models.DateTimeField(_("created at"))
    poll_at = models.DateTimeField(_("next look at"), null=True, blank=True)  # of a concluded one: it was given up
    poll_lease = models.UUIDField(_("poll lease"), null=True, blank=True)
    poll_lease_until = models.DateTimeField(_("poll lease ends at"), null=True, blank=True)
    lost_polls = models.PositiveIntegerField(_("lost polls"), default=0)  # in a row; what kills its workers shows here
    done = models.PositiveIntegerField(_("records done"), default=0)
    progressed_at = models.DateTimeField(_("last progress at"))
    finished_at = models.DateTimeField(_("finished at"), null=True, blank=True)  # seen to be
    refusals = models.JSONField(_("refusals"), default=dict, blank=True)  # record id → [error, the CRM's words]
    unknown = models.JSONField(_("records of unknown outcome"), default=list, blank=True)
    concluded_at = models.DateTimeField(_("concluded at"), null=True, blank=True)
    mended = models.JSONField(_("mended fields"), default=list, blank=True)  # [record id, field] it overwrote late

    class Meta:
        verbose_name = _("bulk write")
        verbose_name_plural = _("bulk writes")
        indexes = [
            models.Index(fields=["account", "poll_at"], condition=~Q(state="concluded"), name="bulk_write_open"),
            models.Index(fields=["concluded_at"], name="bulk_write_concluded"),
            models.Index(
                fields=["account", "poll_at"],
                condition=Q(state="concluded", poll_at__isnull=False),
                name="bulk_write_late",
            ),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(state="concluded") | Q(poll_at__isnull=False), name="open_bulk_write_has_a_time"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.entity_type} × {self.size} ({self.state})"


class DeliveryMinute(models.Model):
    """What the engine did for an account in one minute: how many deliveries, record writes and calls it took."""

    account = models.ForeignKey(CRMAccount, models.CASCADE, related_name="delivery_minutes")
    minute = models.DateTimeField(_("minute"))
    deliveries = models.PositiveIntegerField(_("deliveries"), default=0)  # concluded with their values on the record
    writes = models.PositiveIntegerField(_("record writes"), default=0)  # fewer than deliveries: they shared writes
    bulk_writes = models.PositiveIntegerField(_("records in bulk"), default=0)  # those of them that went in bulk
    calls = models.PositiveIntegerField(_("calls"), default=0)  # everything the engine asked of the CRM
    bulk_calls = models.PositiveIntegerField(_("calls for bulk writes"), default=0)  # those of them, looks included

    class Meta:
        verbose_name = _("delivery minute")
        verbose_name_plural = _("delivery minutes")
        constraints = [models.UniqueConstraint(fields=["account", "minute"], name="delivery_minute_once")]

    def __str__(self) -> str:
        return f"{self.account} {self.minute:%H:%M}"
