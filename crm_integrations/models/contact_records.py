"""Records of the CRM that belong to a contact: found by a search for the agent, or made once for it."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from crm_integrations.models.configurations import Configuration


class FoundRecord(models.Model):
    """A record that a workflow found for a contact: what the customer card shows as related."""

    configuration = models.ForeignKey(Configuration, models.CASCADE, related_name="found_records", db_index=False)
    contact_id = models.CharField(_("Contact ID"), max_length=200)
    entity_type = models.CharField(_("entity type"), max_length=150)
    record_id = models.CharField(_("record id"), max_length=200)
    workflow = models.CharField(_("workflow"), max_length=20, blank=True)  # its next search replaces what it found
    position = models.PositiveIntegerField(_("position"), default=0)
    found_at = models.DateTimeField(_("found at"))

    class Meta:
        verbose_name = _("found record")
        verbose_name_plural = _("found records")
        ordering = ["position", "id"]
        indexes = [models.Index(fields=["found_at"], name="found_record_by_time")]
        constraints = [
            models.UniqueConstraint(
                fields=["configuration", "contact_id", "entity_type", "record_id"], name="found_record_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.entity_type} {self.record_id}"


class RecordCreation(models.Model):
    """One record that is owed to a contact or to a script's request, made once however often it is asked for.

    `key` names the occasion, e.g. the contact; `external_id` is what the record carries in the CRM, so that it is found
    again after an answer was lost. While `lease_until` lies ahead somebody is at it.
    """

    class State(models.TextChoices):
        """How far it is."""

        STARTED = "started", _("Started")  # committed before the call; after a lost answer the record is looked for
        CREATED = "created", _("Created")
        REFUSED = "refused", _("Refused")  # as data: asking again with something else may begin anew

    configuration = models.ForeignKey(Configuration, models.CASCADE, related_name="record_creations", db_index=False)
    entity_type = models.CharField(_("entity type"), max_length=150)
    key = models.CharField(_("occasion"), max_length=260)
    contact_id = models.CharField(_("Contact ID"), max_length=200, blank=True)
    external_id = models.CharField(_("external id"), max_length=100, unique=True)
    own_id = models.CharField(  # what it carries in place of `external_id`, where the script gave it an id
        _("the script's own id"), max_length=255, blank=True, default="", db_default=""
    )
    request_hash = models.CharField(_("request (hashed)"), max_length=64, blank=True)
    state = models.CharField(_("state"), max_length=10, choices=State.choices, default=State.STARTED)
    record_id = models.CharField(_("record id"), max_length=200, blank=True)
    lease_until = models.DateTimeField(_("leased until"), null=True, blank=True)
    may_exist = models.BooleanField(_("may exist"), default=False)  # a call went out whose outcome is unknown
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)
    finished_at = models.DateTimeField(_("finished at"), null=True, blank=True)

    class Meta:
        verbose_name = _("record creation")
        verbose_name_plural = _("record creations")
        indexes = [
            models.Index(fields=["configuration", "contact_id"], name="record_creation_of_contact"),
            models.Index(fields=["finished_at"], name="record_creation_by_end"),
        ]
        constraints = [
            models.UniqueConstraint(fields=["configuration", "entity_type", "key"], name="record_creation_once"),
            models.CheckConstraint(
                condition=~Q(state="created") | Q(record_id__gt=""), name="created_record_has_its_id"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.entity_type} {self.key}"
