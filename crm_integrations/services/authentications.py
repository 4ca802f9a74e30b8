"""Authentications: storing a granted access, and giving an existing authentication a new one."""

from datetime import datetime
from itertools import count
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import F
from django.utils import timezone

from crm_integrations.models import Authentication, AuthorizationRequest, Configuration, CRMAccount, User
from crm_integrations.numbered_names import number_name
from crm_integrations.providers.base import TokenGrant
from crm_integrations.services.audit import record_audit
from crm_integrations.services.rights import GrantedAccess, rights_columns, system_user_columns

NAME_LIMIT = 100  # characters, as Authentication.name


class AuthenticationRemoved(Exception):
    """Somebody removed it meanwhile; nothing was stored."""


def name_is_taken(name: str) -> bool:
    """Whether an authentication of that name exists, whatever its case."""
    return Authentication.objects.filter(name__iexact=name).exists()


def find_free_name(wanted: str) -> str:
    """`wanted`, or `wanted (2)` and so on when it is taken."""
    names = (number_name(wanted, number, limit=NAME_LIMIT) for number in count(1))
    return next(name for name in names if not name_is_taken(name))


def store_authentication(
    *, request: AuthorizationRequest, access: GrantedAccess, actor: User | None, now: datetime
) -> Authentication:
    """A new authentication of the consented account.

    The consent cannot be repeated, so a name that was taken while the person was away gets a number instead of losing
    the tokens.
    """
    columns = {**grant_columns(access.grant), **system_user_columns(access.user), **rights_columns(access.rights, now)}
    account, _created = CRMAccount.objects.get_or_create(provider=request.provider, address=request.address)
    while True:
        name = find_free_name(request.name)
        try:
            with transaction.atomic():
                authentication = Authentication.objects.create(
                    account=account, name=name, options=request.options, created_by=actor, **columns
                )
                _record(authentication, "authentication_created", actor, request.configuration)
                return authentication
        except IntegrityError:
            if not name_is_taken(name):  # not a race for the name: trying again would fail for ever
                raise


def replace_access(
    *,
    authentication: Authentication,
    access: GrantedAccess,
    configuration: Configuration | None,
    actor: User | None,
    now: datetime,
) -> None:
    """Re-authenticate: the new access takes over, whatever was held goes on, in one transaction.

    The token version goes up, so a refresh that is under way with the old pair is discarded when it comes back.
    Raises AuthenticationRemoved.
    """
    columns: dict[str, Any] = {
        **grant_columns(access.grant),
        **system_user_columns(access.user),
        **rights_columns(access.rights, now),
        "state": Authentication.State.ACTIVE,
        "state_reason": "",
        "state_changed_at": now,
        "refresh_lease": None,
        "refresh_lease_until": None,
    }
    with transaction.atomic():
        rows = Authentication.objects.filter(pk=authentication.pk)
        if not rows.update(token_version=F("token_version") + 1, **columns):
            raise AuthenticationRemoved
        authentication.refresh_from_db()
        _bring_back_configurations(authentication)
        _record(authentication, "authentication_renewed", actor, configuration)


def grant_columns(grant: TokenGrant) -> dict[str, Any]:
    """A token grant as columns of Authentication."""
    return {
        "access_token": grant.access_token,
        "refresh_token": grant.refresh_token,
        "access_expires_at": grant.access_expires_at,
        "refresh_expires_at": grant.refresh_expires_at,
        "granted_scopes": list(grant.scopes),
    }


def _bring_back_configurations(authentication: Authentication) -> None:
    """Configurations that stopped because the system user was removed work again; deactivated ones stay."""
    stopped = Configuration.objects.filter(authentication=authentication, state=Configuration.State.SYSTEM_USER_REMOVED)
    stopped.update(state=Configuration.State.ACTIVE, updated_at=timezone.now())


def _record(
    authentication: Authentication, action: str, actor: User | None, configuration: Configuration | None
) -> None:
    details = {"account": str(authentication.account), "system_user_id": authentication.system_user_id}
    record_audit(
        actor=actor,
        action=action,
        subject=authentication.name,
        configuration=configuration,
        details=details,
    )
