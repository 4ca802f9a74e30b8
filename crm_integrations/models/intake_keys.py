"""Keys with which a contact centre signs or authorises the events it sends."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from crm_integrations.encryption import EncryptedTextField
from crm_integrations.models.configurations import Configuration


class IntakeKey(models.Model):
    """A key of one configuration, shown once. Several may be valid at a time, so that they can be rotated."""

    class Kind(models.TextChoices):
        """A bearer key is stored hashed; a signing secret must be readable and is stored encrypted."""

        BEARER = "bearer", _("Bearer key")
        SIGNING = "signing", _("Signing secret")

    configuration = models.ForeignKey(Configuration, models.CASCADE, related_name="intake_keys")
    kind = models.CharField(_("kind"), max_length=10, choices=Kind.choices, default=Kind.BEARER)
    label = models.CharField(_("label"), max_length=100)
    hint = models.CharField(_("ends with"), max_length=8)  # the last characters, to tell keys apart
    key_hash = models.CharField(_("key (hashed)"), max_length=64, blank=True)
    secret = EncryptedTextField(_("secret"), blank=True)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+")
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)
    last_used_at = models.DateTimeField(_("last used at"), null=True, blank=True)
    expires_at = models.DateTimeField(_("ends at"), null=True, blank=True)
    revoked_at = models.DateTimeField(_("revoked at"), null=True, blank=True)

    class Meta:
        verbose_name = _("intake key")
        verbose_name_plural = _("intake keys")
        constraints = [
            models.UniqueConstraint(fields=["key_hash"], condition=~Q(key_hash=""), name="intake_key_once"),
            models.CheckConstraint(
                condition=(Q(kind="bearer") & ~Q(key_hash="") & Q(secret="")) | (Q(kind="signing") & Q(key_hash="")),
                name="intake_key_stored_by_kind",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.label} …{self.hint}"
