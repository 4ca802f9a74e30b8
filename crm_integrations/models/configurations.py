"""CRM configurations: one connection between the contact centre and one CRM account."""

import uuid

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower
from django.utils.translation import gettext_lazy as _

from crm_integrations.models.authentications import Authentication
from crm_integrations.phone_numbers import is_country
from crm_integrations.time_zones import time_zone_names

RESTORE_DAYS = 30  # how long a deleted configuration can be brought back (product page §3)


def default_time_zone() -> str:
    """The operator's TIME_ZONE."""
    return settings.TIME_ZONE


def validate_time_zone(name: str) -> None:
    """Refuse what is no IANA time zone."""
    if name not in time_zone_names():
        raise ValidationError(
            _("“%(name)s” is not a time zone. Use a name such as America/Toronto."), params={"name": name}
        )


def validate_country(code: str) -> None:
    """Refuse what is no country that has phone numbers."""
    if not is_country(code):
        raise ValidationError(_("“%(code)s” is no country. Use its two letters, such as CA."), params={"code": code})


class ClosedCasePolicy(models.TextChoices):
    """What becomes of data for a case that can no longer be changed (product page §6)."""

    SKIP = "skip", _("Skip, with the reason")
    FOLLOW_UP = "follow_up", _("Create a follow-up case")


class Configuration(models.Model):
    """What scripts quote by its Configuration ID; mappings and intake keys hang on it."""

    class State(models.TextChoices):
        """Stored states; what an authentication holds back is derived in `effective_state`."""

        DRAFT = "draft", _("Draft")
        ACTIVE = "active", _("Active")
        INACTIVE = "inactive", _("Inactive")
        SYSTEM_USER_REMOVED = "system_user_removed", _("Inactive: system user removed")
        DELETED = "deleted", _("Deleted")

    id = models.UUIDField(_("Configuration ID"), primary_key=True, default=uuid.uuid4, editable=False)
    integration_type = models.SlugField(_("Integration Type"), max_length=40)
    name = models.CharField(_("Configuration Name"), max_length=100)
    description = models.TextField(_("Description"), max_length=1000, blank=True)
    authentication = models.ForeignKey(
        Authentication,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="configurations",
        verbose_name=_("authentication"),
    )
    external_domain = models.URLField(_("external domain"), max_length=200, blank=True)
    state = models.CharField(_("state"), max_length=20, choices=State.choices, default=State.DRAFT)

    time_zone = models.CharField(
        _("time zone"), max_length=60, default=default_time_zone, validators=[validate_time_zone]
    )
    acw_limit_minutes = models.PositiveIntegerField(
        _("after-call work limit (minutes)"), default=60, validators=[MinValueValidator(1), MaxValueValidator(1440)]
    )
    contact_ends_first_voice = models.BooleanField(_("apply “contact ends first” to voice"), default=False)
    memorialize_on_closed = models.BooleanField(_("memorialize when the status is saved as Closed"), default=False)
    uses_linked_records = models.BooleanField(_("write to linked records"), default=True)
    uses_record_variables = models.BooleanField(_("write to records named by script variables"), default=True)
    record_variables = models.JSONField(_("script variables that carry a record id"), default=dict, blank=True)
    uses_written_records = models.BooleanField(_("write to records that carry the contact’s id"), default=True)
    searches_records = models.BooleanField(_("search for the person and their case"), default=False)
    searches_by_phone = models.BooleanField(_("search by ANI"), default=True)
    email_variable = models.CharField(_("script variable with the e-mail address"), max_length=200, blank=True)
    external_id_variable = models.CharField(_("script variable with the external id"), max_length=200, blank=True)
    case_age_hours = models.PositiveIntegerField(
        _("oldest change of a case that is still taken (hours)"),
        default=72,
        validators=[MinValueValidator(1), MaxValueValidator(8760)],
    )
    creates_cases = models.BooleanField(_("create a case when none is found"), default=False)
    creates_people = models.BooleanField(_("create the person when nobody is found"), default=False)
    closed_case_policy = models.CharField(
        _("closed cases"), max_length=10, choices=ClosedCasePolicy.choices, default=ClosedCasePolicy.SKIP
    )
    checks_caller = models.BooleanField(_("write only to cases of the caller"), default=False)
    phone_country = models.CharField(
        _("country of numbers without a country code"), max_length=2, default="US", validators=[validate_country]
    )

    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+")
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)
    updated_at = models.DateTimeField(_("updated at"), auto_now=True)
    deleted_at = models.DateTimeField(_("deleted at"), null=True, blank=True)
    state_before_deletion = models.CharField(  # a draft is restored as a draft; empty: not deleted
        _("state before the deletion"), max_length=20, blank=True, default="", db_default=""
    )

    class Meta:
        verbose_name = _("CRM configuration")
        verbose_name_plural = _("CRM configurations")
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(Lower("name"), condition=~Q(state="deleted"), name="configuration_name_once"),
            models.CheckConstraint(
                condition=~Q(state="active") | Q(authentication__isnull=False),
                name="active_configuration_is_authenticated",
            ),
            models.CheckConstraint(
                condition=Q(state="deleted", deleted_at__isnull=False)
                | (~Q(state="deleted") & Q(deleted_at__isnull=True)),
                name="deleted_configuration_has_its_time",
            ),
        ]

    def __str__(self) -> str:
        return self.name
