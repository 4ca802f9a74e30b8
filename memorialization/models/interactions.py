"""Interactions: one agent's part of a call or digital case, as the fold of its events leaves it."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from crm_integrations.models import Configuration
from memorialization.models.events import Contact


class Interaction(models.Model):
    """One segment (semantics §1.2). Everything but the planning columns is recomputed from the events at each one."""

    class State(models.TextChoices):
        """Where it stands on its way to a record."""

        OPEN = "open", _("Open")
        WAITING = "waiting", _("Waiting")  # has ended, waits for after-call work or for the agent to let go
        DUE = "due", _("Due")  # what falls due is planned in the same transaction, so this is rarely seen
        PLANNED = "planned", _("Planned")

    # Without indexes of their own: those below begin with the same column.
    configuration = models.ForeignKey(Configuration, models.CASCADE, related_name="interactions", db_index=False)
    contact = models.ForeignKey(Contact, models.CASCADE, related_name="interactions", db_index=False)
    channel = models.CharField(_("channel"), max_length=10, choices=[("voice", _("Voice")), ("digital", _("Digital"))])
    segment_id = models.CharField(_("segment"), max_length=300, blank=True)
    agent_id = models.CharField(_("Agent ID"), max_length=200, blank=True)
    started_at = models.DateTimeField(_("started at"), null=True, blank=True)
    ended_at = models.DateTimeField(_("ended at"), null=True, blank=True)
    ended_by = models.CharField(_("ended by"), max_length=10, blank=True)
    state = models.CharField(_("state"), max_length=10, choices=State.choices, default=State.OPEN)
    verdict_rule = models.SlugField(_("rule"), max_length=60, blank=True)  # a key of memorialization.rules.RULES
    due_at = models.DateTimeField(_("due at"), null=True, blank=True)  # when a limit makes it due by itself
    values = models.JSONField(_("values"), default=dict)  # source key → {"value", "occurred_at"}
    script_variables = models.JSONField(_("script variables"), default=dict)  # name → {"value", "occurred_at"}
    links = models.JSONField(_("linked records"), default=list)  # [{"entity_type", "id"}] that hold now
    unlinks = models.JSONField(_("unlinked records"), default=list)  # records that were unlinked and not linked again
    withheld = models.JSONField(_("withheld"), default=list)  # source keys that are never written (contact ended first)
    flags = models.JSONField(_("flags"), default=list)
    search_text = models.TextField(_("search text"), blank=True)  # ids and agent, for the ledger's text filter
    master_contact_id = models.CharField(_("Master Contact ID"), max_length=200, null=True, blank=True)  # indexed below

    planned_at = models.DateTimeField(_("planned at"), null=True, blank=True)
    planned_versions = models.JSONField(
        _("mapping versions"), default=list
    )  # MappingVersion ids frozen at the first plan
    # Entity type → {"rule", "ids", "reason", "params", "steps"?, "candidates"?}, frozen when it is known: at the first
    # plan, or once the CRM was asked (services.frozen_targets). A mapped type that is missing is still looked for.
    targets = models.JSONField(_("targets"), default=dict)
    match_due_at = models.DateTimeField(_("records are looked for at"), null=True, blank=True)  # leased: its end
    match_lease = models.UUIDField(_("lease of the search"), null=True, blank=True)
    match_tries = models.PositiveIntegerField(_("failed searches"), default=0, db_default=0)  # in a row
    match_backoff_s = models.PositiveIntegerField(_("back-off spent (s)"), default=0, db_default=0)  # 72 h end it
    match_reason = models.SlugField(  # what it waits for, a key of memorialization.reasons
        _("what the search waits for"), max_length=60, blank=True, default="", db_default="", db_index=False
    )
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)
    updated_at = models.DateTimeField(_("updated at"), auto_now=True)

    class Meta:
        verbose_name = _("interaction")
        verbose_name_plural = _("interactions")
        indexes = [
            models.Index(fields=["due_at"], condition=Q(state="waiting"), name="interaction_limit_due"),
            models.Index(fields=["configuration", "-id"], name="interaction_by_configuration"),
            models.Index(fields=["configuration", "state", "channel", "-id"], name="interaction_by_criteria"),
            models.Index(fields=["agent_id", "-id"], name="interaction_by_agent"),
            models.Index(fields=["segment_id"], name="interaction_by_segment"),
            models.Index(fields=["-created_at"], name="interaction_by_time"),
            # Databases see that what is compared is not null, so both of these answer for few rows of many.
            models.Index(
                fields=["configuration", "master_contact_id"],
                condition=Q(master_contact_id__isnull=False),
                name="interaction_by_master",
            ),
            models.Index(
                fields=["configuration", "match_due_at"],
                condition=Q(match_due_at__isnull=False),
                name="interaction_to_match",
            ),
        ]
        constraints = [
            models.UniqueConstraint(fields=["contact", "channel", "segment_id"], name="interaction_once"),
        ]

    def __str__(self) -> str:
        return f"{self.contact} {self.segment_id}".strip()
