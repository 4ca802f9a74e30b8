"""Authentications: a named, authorised CRM account, and the way to one through the CRM's consent page."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from crm_integrations.encryption import EncryptedTextField
from crm_integrations.models.accounts import CRMAccount


class Authentication(models.Model):
    """A CRM account with the tokens of the system user who pressed Allow; reusable by several configurations."""

    class State(models.TextChoices):
        """Anything but active holds the deliveries of its configurations; nothing fails meanwhile."""

        ACTIVE = "active", _("Active")
        REAUTHENTICATE = "reauthenticate", _("Needs re-authentication")
        SYSTEM_USER_REMOVED = "system_user_removed", _("System user removed")

    account = models.ForeignKey(
        CRMAccount, models.PROTECT, related_name="authentications", verbose_name=_("CRM account")
    )
    name = models.CharField(_("name"), max_length=100)
    state = models.CharField(_("state"), max_length=20, choices=State.choices, default=State.ACTIVE)
    state_reason = models.CharField(_("reason"), max_length=300, blank=True)
    state_changed_at = models.DateTimeField(_("state changed at"), auto_now_add=True)
    options = models.JSONField(
        _("options"), default=dict, blank=True
    )  # the provider's own settings, e.g. request headers

    access_token = EncryptedTextField(_("access token"), blank=True)
    refresh_token = EncryptedTextField(_("refresh token"), blank=True)
    token_version = models.PositiveIntegerField(_("token version"), default=0)
    access_expires_at = models.DateTimeField(_("access token ends at"), null=True, blank=True)
    refresh_expires_at = models.DateTimeField(_("refresh token ends at"), null=True, blank=True)
    granted_scopes = models.JSONField(_("granted scopes"), default=list, blank=True)
    refresh_lease = models.UUIDField(_("refresh lease"), null=True, blank=True)
    refresh_lease_until = models.DateTimeField(_("refresh lease ends at"), null=True, blank=True)

    system_user_id = models.CharField(_("system user id"), max_length=60, blank=True)
    system_user_name = models.CharField(_("system user"), max_length=200, blank=True)
    system_user_email = models.CharField(_("system user's e-mail"), max_length=254, blank=True)
    system_user_role = models.CharField(_("system user's role"), max_length=100, blank=True)
    rights = models.JSONField(
        _("rights"), default=list, blank=True
    )  # [{"right", "outcome": pass|fail|unknown, "detail"}]
    rights_checked_at = models.DateTimeField(_("rights checked at"), null=True, blank=True)

    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+")
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)

    class Meta:
        verbose_name = _("authentication")
        verbose_name_plural = _("authentications")
        constraints = [models.UniqueConstraint(models.functions.Lower("name"), name="authentication_name_once")]

    def __str__(self) -> str:
        return self.name

    @property
    def is_held(self) -> bool:
        """Whether nothing may be written with it until somebody re-authenticates."""
        return self.state != self.State.ACTIVE


class AuthorizationRequest(models.Model):
    """One trip to the CRM's consent page; its state and PKCE verifier work once and for one browser session."""

    state_hash = models.CharField(_("state (hashed)"), max_length=64, unique=True)
    session_hash = models.CharField(_("session (hashed)"), max_length=64)
    verifier = EncryptedTextField(_("PKCE verifier"))
    provider = models.SlugField(_("integration type"), max_length=40)
    address = models.CharField(_("address"), max_length=200)
    name = models.CharField(_("authentication name"), max_length=100)
    options = models.JSONField(_("options"), default=dict, blank=True)
    configuration = models.ForeignKey(
        "crm_integrations.Configuration", models.CASCADE, null=True, blank=True, related_name="+"
    )
    authentication = models.ForeignKey(  # set when an existing authentication is re-authenticated
        Authentication, models.CASCADE, null=True, blank=True, related_name="+"
    )
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)
    expires_at = models.DateTimeField(_("ends at"))
    used_at = models.DateTimeField(_("used at"), null=True, blank=True)
    decided_at = models.DateTimeField(  # when the new access took over from an old one, or was discarded: once
        _("decided at"), null=True, blank=True
    )

    class Meta:
        verbose_name = _("authorization request")
        verbose_name_plural = _("authorization requests")

    def __str__(self) -> str:
        return f"{self.provider}:{self.address}"
