"""Holds an authentication: nothing is written with it, and nothing fails, until a person authorises it again."""

import logging

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from crm_integrations.encryption import UnreadableSecret
from crm_integrations.models import Authentication, Configuration
from crm_integrations.services.audit import record_audit

logger = logging.getLogger(__name__)

REASON_LIMIT = 300  # characters, as Authentication.state_reason
UNREADABLE_SECRET = "The stored secret cannot be read with the present ENCRYPTION_KEYS."  # noqa: S105 - a sentence
ANOTHER_USER = "The access token acts as another user than the one who authorised it."  # noqa: S105 - a sentence

WITHOUT_TOKENS = {"access_token": "", "refresh_token": "", "access_expires_at": None, "refresh_expires_at": None}


def hold_authentication(*, authentication_id: int, token_version: int, reason: str, is_user_gone: bool = False) -> bool:
    """Hold it, unless its tokens are newer than the ones that failed; returns whether this call did it.

    A system user who is suspended or deleted also costs the tokens, and its configurations show why they rest.
    """
    state = Authentication.State.SYSTEM_USER_REMOVED if is_user_gone else Authentication.State.REAUTHENTICATE
    with transaction.atomic():
        changed = Authentication.objects.filter(
            pk=authentication_id, token_version=token_version, state=Authentication.State.ACTIVE
        ).update(
            state=state,
            state_reason=reason[:REASON_LIMIT],
            state_changed_at=timezone.now(),
            refresh_lease=None,
            refresh_lease_until=None,
            **(WITHOUT_TOKENS if is_user_gone else {}),
        )
        if not changed:
            return False
        if is_user_gone:
            _rest_configurations(authentication_id)
        name = Authentication.objects.values_list("name", flat=True).get(pk=authentication_id)
        record_audit(actor=None, action="authentication_held", subject=name, details={"state": state.value})
    logger.warning("Authentication %s is held: %s", authentication_id, state.value)
    return True


def release_readable(*, authentication_id: int) -> bool:
    """End a hold whose only reason was an unreadable secret, once the present keys open it; whether there was one.

    A process that was started with wrong keys holds what it touches; right keys bring it back without a new consent.
    """
    held = Authentication.objects.filter(
        pk=authentication_id, state=Authentication.State.REAUTHENTICATE, state_reason=UNREADABLE_SECRET
    )
    try:
        stored = held.first()
    except UnreadableSecret:
        return False
    if stored is None or not stored.access_token:
        return False
    return _release(held.filter(token_version=stored.token_version), stored.name)


def release_renewed(*, authentication_id: int) -> None:
    """End a hold whose tokens are replaced in this very transaction. One for a lost right begins again by its 403.

    One for another user stays: the new tokens act as that user too, and nothing would tell while it writes.
    """
    held = Authentication.objects.filter(pk=authentication_id, state=Authentication.State.REAUTHENTICATE)
    held = held.exclude(state_reason=ANOTHER_USER)
    for name in held.values_list("name", flat=True):
        _release(held, name)


@transaction.atomic
def _release(held: QuerySet[Authentication], name: str) -> bool:
    """Let the held one write again; whether it was still held."""
    now = timezone.now()
    if not held.update(state=Authentication.State.ACTIVE, state_reason="", state_changed_at=now):
        return False
    record_audit(actor=None, action="authentication_released", subject=name)
    return True


def _rest_configurations(authentication_id: int) -> None:
    Configuration.objects.filter(authentication_id=authentication_id, state=Configuration.State.ACTIVE).update(
        state=Configuration.State.SYSTEM_USER_REMOVED
    )
