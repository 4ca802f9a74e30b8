"""Record lanes and marks: who may write a record now, and how new what it holds is."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from crm_integrations.models import CRMAccount


class RecordLane(models.Model):
    """What a worker claims: one CRM record, with all deliveries that wait for it (semantics §5.19).

    `next_due_at` is when the lane's first waiting delivery may be tried; empty when none waits. Whoever changes a
    waiting delivery sets it in the same transaction. `fence` counts the claims: a write of an older fence is refused.
    A lane that `goes_alone` has something that cannot share a bulk write; while a bulk write is on its way, the lane is
    leased to it. One with `lost_leases` is suspect: its deliveries go one by one until all have ended that waited when
    it went back, up to the id `suspect_to`.
    """

    account = models.ForeignKey(  # the constraint's index begins with it
        CRMAccount, models.PROTECT, related_name="lanes", db_index=False
    )
    entity_type = models.CharField(_("entity type"), max_length=150)
    record_id = models.CharField(_("record id"), max_length=200)
    next_due_at = models.DateTimeField(_("next due at"), null=True, blank=True)
    lease = models.UUIDField(_("lease"), null=True, blank=True)
    lease_until = models.DateTimeField(_("lease ends at"), null=True, blank=True)
    fence = models.PositiveBigIntegerField(_("fence"), default=0)
    lost_leases = models.PositiveIntegerField(_("lost leases"), default=0)  # in a row; a poison record shows here
    suspect_to = models.PositiveBigIntegerField(_("suspect up to"), null=True, blank=True)
    closed_until = models.DateTimeField(
        _("closed until"), null=True, blank=True
    )  # settle time after an unknown outcome, or the rest that the record's own limit asks for
    goes_alone = models.BooleanField(_("goes alone"), default=False)
    bulk_write = models.ForeignKey(
        "memorialization.BulkWrite", models.PROTECT, null=True, blank=True, related_name="lanes", db_index=False
    )

    class Meta:
        verbose_name = _("record lane")
        verbose_name_plural = _("record lanes")
        indexes = [
            # Only what can be claimed is in these two: a million lanes that wait for nothing cost a claim nothing.
            models.Index(
                fields=["account", "next_due_at"],
                condition=Q(next_due_at__isnull=False, lease__isnull=True),
                name="lane_due_by_account",
            ),
            models.Index(
                fields=["account", "entity_type", "goes_alone", "next_due_at"],
                condition=Q(next_due_at__isnull=False, lease__isnull=True),
                name="lane_due_by_type",
            ),
            models.Index(
                fields=["lease_until"], condition=Q(lease__isnull=False, bulk_write__isnull=True), name="lane_leased"
            ),
            models.Index(fields=["bulk_write"], condition=Q(bulk_write__isnull=False), name="lane_in_bulk_write"),
            models.Index(fields=["account"], condition=Q(lost_leases__gt=0), name="lane_suspect"),
            # Finds the beginnings of ids, in whatever order the database sorts words.
            models.Index(fields=["record_id"], opclasses=["varchar_pattern_ops"], name="lane_by_record"),
        ]
        constraints = [
            models.UniqueConstraint(fields=["account", "entity_type", "record_id"], name="lane_once"),
            models.CheckConstraint(
                condition=Q(lease__isnull=True, lease_until__isnull=True)
                | Q(lease__isnull=False, lease_until__isnull=False),
                name="lane_lease_has_an_end",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.account} {self.entity_type} {self.record_id}"


class FieldMark(models.Model):
    """Precedence of the value a CRM field holds because of us (semantics §5.18); a lower one is never sent."""

    lane = models.ForeignKey(  # the constraint's index begins with it
        RecordLane, models.CASCADE, related_name="marks", db_index=False
    )
    crm_field = models.CharField(_("CRM field"), max_length=200)
    segment_ended_at = models.DateTimeField(_("segment ended at"))
    segment_key = models.CharField(_("segment key"), max_length=520)
    occurred_at = models.DateTimeField(_("occurred at"))
    delivery = models.ForeignKey("memorialization.Delivery", models.SET_NULL, null=True, related_name="+")

    class Meta:
        verbose_name = _("field mark")
        verbose_name_plural = _("field marks")
        constraints = [models.UniqueConstraint(fields=["lane", "crm_field"], name="field_mark_once")]

    def __str__(self) -> str:
        return f"{self.lane} {self.crm_field}"
