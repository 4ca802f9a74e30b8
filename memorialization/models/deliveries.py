"""Deliveries and attempts: the writes that are owed to CRM records, and every try at them."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from crm_integrations.models import Configuration
from memorialization.models.bulk_writes import BulkWrite
from memorialization.models.interactions import Interaction
from memorialization.models.lanes import RecordLane


class Delivery(models.Model):
    """One write owed to one record because of one segment, immutable once planned but for its outcome (semantics §5).

    `fields` is a list of objects, one per mapped row that concerned the interaction:
    {"crm_field", "type" (a FieldType), "label", "channel", "source", "source_label"?, "value" (as the source sent it),
    "rendered" (what is to be sent; absent when nothing is), "sent" (what was sent), "shown" (what the CRM answered),
    "result" (FieldResult; absent while waiting, but for what the plan left out), "reason" (a key of
    memorialization.reasons), "params", "occurred_at", "mapping", "version"}. A "reason" without a "result" is what the
    plan did to the value that waits, e.g. shortened it.
    """

    class State(models.TextChoices):
        """Stored states (semantics §5); *held* is derived from the authentication."""

        WAITING = "waiting", _("Waiting")
        SENDING = "sending", _("Sending")
        DELIVERED = "delivered", _("Delivered")
        PARTIAL = "partial", _("Partial")
        FAILED = "failed", _("Failed")
        SKIPPED = "skipped", _("Skipped")

    # Without indexes of their own: those below begin with the same column.
    configuration = models.ForeignKey(Configuration, models.CASCADE, related_name="deliveries", db_index=False)
    interaction = models.ForeignKey(Interaction, models.CASCADE, related_name="deliveries", db_index=False)
    lane = models.ForeignKey(
        RecordLane, models.PROTECT, null=True, blank=True, related_name="deliveries", db_index=False
    )  # indexed below, with what is asked of it
    channel = models.CharField(_("channel"), max_length=10, blank=True)  # of the interaction, for the ledger's filter
    entity_type = models.CharField(_("entity type"), max_length=150)
    record_id = models.CharField(_("record id"), max_length=200, blank=True)
    revision = models.PositiveIntegerField(_("revision"), default=1)
    fields = models.JSONField(_("fields"), default=list)
    target_rule = models.SlugField(_("targeting rule"), max_length=60, blank=True)
    segment_ended_at = models.DateTimeField(_("segment ended at"))  # precedence, first part
    segment_key = models.CharField(_("segment key"), max_length=520)  # precedence, second part
    replay_of = models.ForeignKey("self", models.SET_NULL, null=True, blank=True, related_name="replays")

    state = models.CharField(_("state"), max_length=10, choices=State.choices, default=State.WAITING)
    reason = models.SlugField(_("reason"), max_length=60, blank=True)  # a key of memorialization.reasons.REASONS
    reason_params = models.JSONField(_("reason parameters"), default=dict, blank=True)
    next_attempt_at = models.DateTimeField(_("next attempt at"), null=True, blank=True)
    must_look_first = models.BooleanField(
        _("look before writing"), default=False
    )  # an earlier call's outcome is unknown
    goes_alone = models.BooleanField(_("goes alone"), default=False)  # was refused in company, or carries a note
    attempt_count = models.PositiveIntegerField(_("attempts"), default=0)
    backoff_spent_s = models.PositiveIntegerField(_("back-off spent (s)"), default=0)  # 72 h of it end in *failed*
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)
    finished_at = models.DateTimeField(_("finished at"), null=True, blank=True)

    class Meta:
        verbose_name = _("delivery")
        verbose_name_plural = _("deliveries")
        indexes = [
            # Not a partial index: SQLite proves no condition from a bound parameter, and would read the lane's history.
            models.Index(fields=["lane", "state", "segment_ended_at"], name="delivery_of_lane"),
            models.Index(fields=["configuration", "-id"], name="delivery_by_configuration"),
            models.Index(fields=["configuration", "state", "channel", "-id"], name="delivery_by_criteria"),
            # Most deliveries have no reason. What else may be asked for is in the index, so that no row is read for it.
            models.Index(
                fields=["reason", "-id", "state", "configuration", "channel"],
                condition=Q(reason__gt=""),
                name="delivery_by_reason",
            ),
            # Records that nothing was sent to; those of every other delivery are lanes. Finds the beginnings of ids.
            models.Index(
                fields=["lane", "record_id"],  # the lane too, or SQLite would choose the index of lanes
                opclasses=["int8_ops", "varchar_pattern_ops"],
                condition=Q(lane__isnull=True),
                name="delivery_without_lane",
            ),
            models.Index(fields=["-created_at"], name="delivery_by_time"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["interaction", "entity_type", "record_id", "revision"], name="delivery_once_per_revision"
            ),
            models.CheckConstraint(
                condition=~Q(state__in=["waiting", "sending"]) | Q(lane__isnull=False), name="open_delivery_has_a_lane"
            ),
            models.CheckConstraint(
                condition=~Q(state="waiting") | Q(next_attempt_at__isnull=False), name="waiting_delivery_has_a_time"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.entity_type} {self.record_id} r{self.revision}"


class FieldResult(models.TextChoices):
    """What became of one field of a delivery (semantics §5)."""

    WRITTEN = "written", _("Written")
    SHORTENED = "shortened", _("Shortened")
    LEFT_OUT = "left_out", _("Left out")
    SUPERSEDED = "superseded", _("Superseded")
    NOT_APPLIED = "not_applied", _("Not applied")
    WITHHELD = "withheld", _("Withheld")
    BLANK = "blank", _("Blank")
    UNCHANGED = "unchanged", _("Unchanged")


class Attempt(models.Model):
    """One try, written before the call; one without an end is a call whose outcome nobody knows."""

    class Outcome(models.TextChoices):
        """How the call ended."""

        STARTED = "started", _("Started")
        SUCCEEDED = "succeeded", _("Succeeded")
        REFUSED = "refused", _("Refused")
        RETRY = "retry", _("Will be tried again")
        UNKNOWN = "unknown", _("Outcome unknown")
        POSTPONED = "postponed", _("Postponed")  # a limit or a held account: not counted as a try

    deliveries = models.ManyToManyField(Delivery, related_name="attempts")
    lane = models.ForeignKey(RecordLane, models.CASCADE, related_name="attempts")
    bulk_write = models.ForeignKey(
        BulkWrite, models.SET_NULL, null=True, blank=True, related_name="attempts", db_index=False
    )
    fence = models.PositiveBigIntegerField(_("fence"))
    started_at = models.DateTimeField(_("started at"))
    finished_at = models.DateTimeField(_("finished at"), null=True, blank=True)
    outcome = models.CharField(_("outcome"), max_length=10, choices=Outcome.choices, default=Outcome.STARTED)
    status = models.PositiveIntegerField(_("status"), null=True, blank=True)
    message = models.TextField(_("the CRM's words"), blank=True)
    request = models.JSONField(_("request (redacted)"), default=dict, blank=True)
    answer = models.JSONField(_("answer (redacted)"), default=dict, blank=True)

    class Meta:
        verbose_name = _("attempt")
        verbose_name_plural = _("attempts")
        ordering = ["id"]
        indexes = [
            models.Index(fields=["lane"], condition=Q(outcome="started"), name="attempt_unfinished"),
            models.Index(fields=["bulk_write"], condition=Q(bulk_write__isnull=False), name="attempt_in_bulk_write"),
        ]

    def __str__(self) -> str:
        return f"{self.started_at:%Y-%m-%d %H:%M:%S} {self.outcome}"
