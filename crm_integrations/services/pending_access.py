"""Access that waits for an administrator's word: kept encrypted in the person's own session, for minutes.

Stored nowhere else, so that closing the window forgets it.
"""

import json
from collections.abc import MutableMapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from django.utils.dateparse import parse_datetime

from crm_integrations.encryption import UnreadableSecret, decrypt_text, encrypt_text
from crm_integrations.models import Authentication, AuthorizationRequest, User
from crm_integrations.providers.base import Right, RightOutcome, SystemUser, TokenGrant
from crm_integrations.services.authorization import REQUEST_LIFETIME, readable_requests
from crm_integrations.services.rights import GrantedAccess

SESSION_KEY = "pending_access"


@dataclass(frozen=True, slots=True)
class PendingAccess:
    """The trip to the consent page and what came back from it."""

    request: AuthorizationRequest
    authentication: Authentication
    access: GrantedAccess


def keep_pending_access(
    session: MutableMapping[str, Any], *, request: AuthorizationRequest, access: GrantedAccess
) -> None:
    """Put it into the session; an earlier one is forgotten."""
    grant = asdict(access.grant)
    for name in ("access_expires_at", "refresh_expires_at"):
        grant[name] = grant[name].isoformat() if grant[name] else ""
    contents = {
        "request": request.pk,
        "grant": grant,
        "user": asdict(access.user),
        "rights": [asdict(right) for right in access.rights],
    }
    session[SESSION_KEY] = encrypt_text(json.dumps(contents))


def find_pending_access(session: MutableMapping[str, Any], *, actor: User, now: datetime) -> PendingAccess | None:
    """What waits in the session for this person, unless it has become too old or was decided on."""
    stored = session.get(SESSION_KEY)
    if not stored:
        return None
    try:
        contents = json.loads(decrypt_text(stored))
    except UnreadableSecret:
        return None
    request = (
        readable_requests()
        .filter(
            pk=contents["request"],
            created_by=actor,
            authentication__isnull=False,
            used_at__gt=now - REQUEST_LIFETIME,
            decided_at=None,
        )
        .first()
    )
    if request is None or request.authentication is None:
        return None
    return PendingAccess(request, request.authentication, _access(contents))


def forget_pending_access(session: MutableMapping[str, Any]) -> None:
    """Take it out of the session."""
    session.pop(SESSION_KEY, None)


def _access(contents: dict[str, Any]) -> GrantedAccess:
    grant = contents["grant"]
    return GrantedAccess(
        TokenGrant(
            access_token=grant["access_token"],
            refresh_token=grant["refresh_token"],
            access_expires_at=parse_datetime(grant["access_expires_at"]),
            refresh_expires_at=parse_datetime(grant["refresh_expires_at"]),
            scopes=tuple(grant["scopes"]),
        ),
        SystemUser(**contents["user"]),
        tuple(Right(line["right"], RightOutcome(line["outcome"]), line["detail"]) for line in contents["rights"]),
    )
