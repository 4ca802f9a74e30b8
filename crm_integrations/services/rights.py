"""Who a token acts as and what that user may do; asked after every consent and whenever somebody wants to know."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from django.db.models import Q

from crm_integrations.models import Authentication, Configuration, User
from crm_integrations.providers.base import CRMConnection, CRMProvider, Right, RightOutcome, SystemUser, TokenGrant
from crm_integrations.providers.limits import CallGate
from crm_integrations.services.audit import record_audit
from crm_integrations.services.connections import run_on_connection
from crm_integrations.services.holds import ANOTHER_USER, hold_authentication
from crm_integrations.services.tokens import read_token


@dataclass(frozen=True, slots=True)
class GrantedAccess:
    """What a consent gave us: the tokens, the system user behind them and that user's rights."""

    grant: TokenGrant
    user: SystemUser
    rights: tuple[Right, ...]


def read_access(
    *, provider: CRMProvider, address: str, options: Mapping[str, str], grant: TokenGrant, gate: CallGate
) -> GrantedAccess:
    """Ask the CRM who the fresh token acts as. Raises CRMError."""
    connection = provider.connect(address, access_token=grant.access_token, options=options, gate=gate)
    try:
        user, rights = _ask(connection, grant.scopes)
    finally:
        connection.close()
    return GrantedAccess(grant, user, tuple(rights))


def recheck_rights(
    *, authentication: Authentication, actor: User | None, now: datetime, configuration: Configuration | None = None
) -> list[Right]:
    """Ask again with the stored token and keep the answer. Raises CRMError; the authentication's state follows it."""
    scopes = tuple(authentication.granted_scopes)
    user, rights = run_on_connection(authentication=authentication, act=lambda connection: _ask(connection, scopes))
    if hold_another_user(authentication=authentication, user=user):
        read_token(authentication_id=authentication.pk)  # raises AuthenticationHeld, unless a new consent came first
    columns = {**system_user_columns(user), **rights_columns(rights, now)}
    same_user = Q(system_user_id__in=["", user.id])  # somebody else may have re-authenticated meanwhile
    Authentication.objects.filter(same_user, pk=authentication.pk).update(**columns)
    record_audit(actor=actor, action="rights_checked", subject=authentication.name, configuration=configuration)
    return rights


def hold_another_user(*, authentication: Authentication, user: SystemUser) -> bool:
    """Hold a token that changed its user: it would write with rights nobody checked. Answers whether it did.

    Somebody may have authorised as another user while the CRM was asked; then the answer says nothing any more.
    """
    if authentication.system_user_id in ("", user.id):
        return False
    unchanged = Authentication.objects.filter(pk=authentication.pk, system_user_id=authentication.system_user_id)
    for version in unchanged.values_list("token_version", flat=True):
        hold_authentication(authentication_id=authentication.pk, token_version=version, reason=ANOTHER_USER)
    return True


def system_user_columns(user: SystemUser) -> dict[str, str]:
    """The system user as columns of Authentication, cut to their lengths."""
    return {
        "system_user_id": user.id,
        "system_user_name": user.name[:200],
        "system_user_email": user.email[:254],
        "system_user_role": user.role[:100],
    }


def rights_columns(rights: Sequence[Right], now: datetime) -> dict[str, Any]:
    """The rights list as columns of Authentication."""
    return {"rights": [asdict(right) for right in rights], "rights_checked_at": now}


def newly_failing(*, before: Sequence[Mapping[str, Any]], after: Sequence[Right]) -> list[Right]:
    """Rights that the user lacks now and did not lack when last checked; `before` as stored."""
    failed_before = {line["right"] for line in before if line["outcome"] == RightOutcome.FAIL}
    return [right for right in after if right.outcome == RightOutcome.FAIL and right.right not in failed_before]


def _ask(connection: CRMConnection, scopes: Sequence[str]) -> tuple[SystemUser, list[Right]]:
    return connection.identify(), connection.check_rights(granted_scopes=scopes)
