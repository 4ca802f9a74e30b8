"""Replay runs: thousands of deliveries sent again in the background, and what became of each of them."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from memorialization.models.deliveries import Delivery


class ReplayRun(models.Model):
    """One replay of everything that a filter finds, between two ids that are fixed when it starts.

    `cursor` is the last delivery that was handled; it moves in the transaction that queues what lies before it, so a
    run that was cut off anywhere goes on without a double and without a gap. A run is worked on by the holder of its
    lease; `fence` counts the claims. While it is cancelled with all that still waits, the cursor counts steps instead.
    """

    class State(models.TextChoices):
        """Where it stands."""

        RUNNING = "running", _("Running")
        CANCELLING = "cancelling", _("Taking back")  # until all that it queued is sent or skipped
        CANCELLED = "cancelled", _("Cancelled")
        FINISHED = "finished", _("Finished")
        FAILED = "failed", _("Failed")

    key = models.UUIDField(_("key"), unique=True)  # of the form that asked for it: sent twice, it starts one run
    actor = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+")
    actor_name = models.CharField(_("who"), max_length=150)  # kept when the account is deleted
    choice = models.JSONField(_("filter"), default=dict)  # services.replay_choices: what was asked for
    last_id = models.PositiveBigIntegerField(_("last delivery"))  # what came later is not part of it
    cursor = models.PositiveBigIntegerField(_("cursor"), default=0)
    state = models.CharField(_("state"), max_length=10, choices=State.choices, default=State.RUNNING)
    total = models.PositiveIntegerField(_("total"), null=True, blank=True)  # counted by the first who works on it
    replayed = models.PositiveIntegerField(_("replayed"), default=0)
    refused = models.JSONField(_("left out"), default=dict, blank=True)  # reason → how many
    taken_back = models.PositiveIntegerField(_("taken back"), default=0)
    started_at = models.DateTimeField(_("started at"))
    moved_at = models.DateTimeField(_("moved at"))
    finished_at = models.DateTimeField(_("finished at"), null=True, blank=True)
    lease = models.UUIDField(_("lease"), null=True, blank=True)
    lease_until = models.DateTimeField(_("lease ends at"), null=True, blank=True)
    fence = models.PositiveBigIntegerField(_("fence"), default=0)
    stalls = models.PositiveIntegerField(_("stalls"), default=0)  # claims in a row that moved nothing

    class Meta:
        verbose_name = _("replay run")
        verbose_name_plural = _("replay runs")
        ordering = ["-id"]
        indexes = [
            models.Index(fields=["moved_at"], condition=Q(state__in=["running", "cancelling"]), name="replay_run_open"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(lease__isnull=True, lease_until__isnull=True)
                | Q(lease__isnull=False, lease_until__isnull=False),
                name="replay_run_lease_has_an_end",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.pk}"

    @property
    def handled(self) -> int:
        """How many deliveries it has decided on."""
        return self.replayed + self.left_out

    @property
    def left_out(self) -> int:
        """How many of them it queued nothing for."""
        return sum(self.refused.values())


class ReplayStep(models.Model):
    """What a run did with one delivery: `replay` is what was queued for it, or `refused` says why nothing was."""

    run = models.ForeignKey(ReplayRun, models.CASCADE, related_name="steps", db_index=False)  # the constraint has it
    delivery = models.ForeignKey(Delivery, models.CASCADE, related_name="replay_steps")
    replay = models.ForeignKey(Delivery, models.SET_NULL, null=True, blank=True, related_name="replayed_by")
    refused = models.SlugField(_("left out because"), max_length=60, blank=True, db_index=False)

    class Meta:
        verbose_name = _("replay step")
        verbose_name_plural = _("replay steps")
        indexes = [models.Index(fields=["run", "refused", "-id"], name="replay_step_by_reason")]
        constraints = [models.UniqueConstraint(fields=["run", "delivery"], name="replay_step_once")]

    def __str__(self) -> str:
        return f"{self.run_id}: {self.delivery_id}"
