"""Looks whether each authentication still works: who it acts as, what that user may do, how long its tokens last."""

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from django.utils import timezone

from crm_integrations.models import Authentication
from crm_integrations.providers.base import Right, SystemUser
from crm_integrations.providers.errors import CRMError, GrantEnded
from crm_integrations.services.connections import open_connection
from crm_integrations.services.holds import release_readable
from crm_integrations.services.rights import hold_another_user, rights_columns, system_user_columns

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class AuthenticationCheck:
    """What one check found; `trouble` is a passing reason why it could not be completed."""

    authentication_id: int
    name: str
    is_held: bool
    state_reason: str = ""
    trouble: str = ""


def check_all_authentications() -> Iterator[AuthenticationCheck]:
    """Check one after the other; each is finished when it is yielded."""
    for authentication_id in list(Authentication.objects.order_by("pk").values_list("pk", flat=True)):
        if (check := _check_safely(authentication_id)) is not None:
            yield check


def check_authentication(*, authentication_id: int) -> AuthenticationCheck:
    """Check one: renews a token that is about to end, and holds the authentication when its user is gone."""
    release_readable(authentication_id=authentication_id)
    authentication = _load(authentication_id)
    trouble = "" if authentication.is_held else _check_active(authentication)
    authentication = _load(authentication_id)
    return AuthenticationCheck(
        authentication_id, authentication.name, authentication.is_held, authentication.state_reason, trouble
    )


def _check_safely(authentication_id: int) -> AuthenticationCheck | None:
    """One check whose surprises stay its own; None when somebody deleted the authentication meanwhile."""
    try:
        return check_authentication(authentication_id=authentication_id)
    except Authentication.DoesNotExist:
        return None
    except Exception as error:  # noqa: BLE001 - the others must still be checked; its words may quote secrets
        logger.error("The check of authentication %s raised %s.", authentication_id, type(error).__name__)
        name = Authentication.objects.filter(pk=authentication_id).values_list("name", flat=True).first()
        trouble = f"The check ended unexpectedly ({type(error).__name__})."
        return AuthenticationCheck(authentication_id, name or "", is_held=False, trouble=trouble)


def _load(authentication_id: int) -> Authentication:
    tokens = ("access_token", "refresh_token")
    return Authentication.objects.select_related("account").defer(*tokens).get(pk=authentication_id)


def _check_active(authentication: Authentication) -> str:
    """Ask the CRM and store the answer; a passing reason why not is returned in its words."""
    try:
        with open_connection(authentication=authentication) as live:
            user = live.identify()
            if hold_another_user(authentication=authentication, user=user):
                return ""
            rights = live.check_rights(granted_scopes=authentication.granted_scopes)
    except GrantEnded:
        return ""  # held now, with its reason
    except CRMError as error:
        return error.message
    _store(authentication, user, rights, timezone.now())
    return ""


def _store(authentication: Authentication, user: SystemUser, rights: list[Right], now: datetime) -> None:
    unchanged = {"pk": authentication.pk, "system_user_id": authentication.system_user_id}
    Authentication.objects.filter(**unchanged, state=Authentication.State.ACTIVE).update(
        **system_user_columns(user), **rights_columns(rights, now)
    )
