"""Removing an authentication that nothing needs any more: its tokens are deleted here and ended at the CRM."""

from datetime import datetime, timedelta

from django.db import transaction
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from crm_integrations.authentication_needs import find_needs
from crm_integrations.models import Authentication, Configuration, User
from crm_integrations.models.configurations import RESTORE_DAYS
from crm_integrations.providers.registry import UnknownProvider, get_provider
from crm_integrations.services.audit import record_audit
from crm_integrations.services.revocation import readable_token, revoke_token
from crm_integrations.services.tokens import COOL_DOWN_LEASE


class AuthenticationNeeded(Exception):
    """Something needs it; nothing was changed. `reasons` are sentences."""

    def __init__(self, reasons: list[str]) -> None:
        super().__init__(" ".join(reasons))
        self.reasons = reasons


def find_removal_obstacles(*, authentication: Authentication, now: datetime) -> list[str]:
    """Why it cannot be removed, in sentences; none when it can."""
    users = Configuration.objects.filter(authentication=authentication).order_by("name")
    lease, until = authentication.refresh_lease, authentication.refresh_lease_until
    is_renewed = until is not None and until > now and lease != COOL_DOWN_LEASE
    return [
        *([_("Its token is being renewed just now. Try again in a minute.")] if is_renewed else []),
        *(sentence for user in users if (sentence := _explain_use(user, now))),
        *find_needs(authentication),
    ]


def remove_authentication(*, authentication: Authentication, actor: User | None, now: datetime) -> bool:
    """Delete it; whether the CRM was told that its access has ended. Raises AuthenticationNeeded.

    Configurations that can no longer be restored lose it. It is gone here before the CRM is asked: a token that the
    CRM does not end lapses by itself.
    """
    with transaction.atomic():
        locked = Authentication.objects.select_for_update(of=("self",)).defer("access_token", "refresh_token")
        authentication = locked.select_related("account").get(pk=authentication.pk)
        obstacles = find_removal_obstacles(authentication=authentication, now=now)
        if obstacles:
            raise AuthenticationNeeded(obstacles)
        access_token = readable_token(authentication)  # read under the lock: it may have been renewed just before
        Configuration.objects.filter(authentication=authentication).update(authentication=None)
        account, name = authentication.account, authentication.name
        details = {"account": str(account), "system_user_id": authentication.system_user_id}
        record_audit(actor=actor, action="authentication_removed", subject=name, details=details)
        authentication.delete()
    try:
        provider = get_provider(account.provider)
    except UnknownProvider:
        return False
    return revoke_token(provider, account.address, access_token)


def _explain_use(configuration: Configuration, now: datetime) -> str:
    if configuration.deleted_at is None:
        words = _("The configuration “%(name)s” uses it.")
        return words % {"name": configuration.name}
    until = configuration.deleted_at + timedelta(days=RESTORE_DAYS)
    if until <= now:
        return ""
    words = _("The deleted configuration “%(name)s” can be restored until %(day)s, and would need it.")
    return words % {"name": configuration.name, "day": date_format(timezone.localtime(until), "DATE_FORMAT")}
