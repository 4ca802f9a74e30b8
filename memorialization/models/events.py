"""What sources report: contacts, and the events that belong to them."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from crm_integrations.models import Configuration


class Contact(models.Model):
    """A call or digital case of one configuration; its row is the lock under which its events are folded."""

    # Without an index of its own: the constraint's begins with the same column.
    configuration = models.ForeignKey(Configuration, models.CASCADE, related_name="contacts", db_index=False)
    contact_id = models.CharField(_("Contact ID"), max_length=200)
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)
    erased_at = models.DateTimeField(_("erased at"), null=True, blank=True)  # its text is gone; nothing is planned

    class Meta:
        verbose_name = _("contact")
        verbose_name_plural = _("contacts")
        # Finds the beginnings of ids, in whatever order the database sorts words.
        indexes = [models.Index(fields=["contact_id"], opclasses=["varchar_pattern_ops"], name="contact_by_id")]
        constraints = [models.UniqueConstraint(fields=["configuration", "contact_id"], name="contact_once")]

    def __str__(self) -> str:
        return self.contact_id


class InteractionEvent(models.Model):
    """One acknowledged event, exactly as it came; a contact's state is the fold of all of them (semantics §2.6).

    Intake stores it without its contact; whoever folds it into the contact's interactions says which that is.
    """

    # Without indexes of their own: those below begin with the same column.
    configuration = models.ForeignKey(Configuration, models.CASCADE, related_name="events", db_index=False)
    source_contact_id = models.CharField(_("Contact ID"), max_length=200, blank=True, db_default="")
    contact = models.ForeignKey(
        Contact, models.CASCADE, null=True, blank=True, related_name="events", db_index=False
    )  # none: it waits to be folded
    fold_after = models.DateTimeField(_("fold after"), null=True, blank=True)  # folding it failed; not again before
    event_id = models.CharField(_("event id"), max_length=200)
    type = models.CharField(_("type"), max_length=40)
    occurred_at = models.DateTimeField(_("occurred at"))
    ordered_at = models.DateTimeField(_("ordered at"))  # occurred_at, or received_at when that lies in the future
    received_at = models.DateTimeField(_("received at"))
    body = models.JSONField(_("body"))
    body_hash = models.CharField(_("body (hashed)"), max_length=64)  # SHA-256 of the canonical form
    flags = models.JSONField(_("flags"), default=list, blank=True)
    ignored_keys = models.JSONField(_("ignored keys"), default=list, blank=True)
    origin = models.CharField(_("origin"), max_length=20, default="api")  # api, command, person, workflow

    class Meta:
        verbose_name = _("interaction event")
        verbose_name_plural = _("interaction events")
        ordering = ["ordered_at", "event_id"]
        indexes = [
            models.Index(
                fields=["contact", "ordered_at", "event_id"],
                condition=Q(contact__isnull=False),
                name="event_of_contact",
            ),
            models.Index(
                fields=["configuration", "source_contact_id"], condition=Q(contact__isnull=True), name="event_to_fold"
            ),
        ]
        constraints = [models.UniqueConstraint(fields=["configuration", "event_id"], name="event_once")]

    def __str__(self) -> str:
        return f"{self.type} {self.event_id}"
