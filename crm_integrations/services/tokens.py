"""Tokens of an authentication: read, renewed by one process at a time, and held when a person must act.

Renewal kills the old pair at the CRM, so the order is: take the lease (a conditional update, longer than the call),
ask the CRM, save the new pair until it is committed, use it. A crash between the CRM's answer and the save loses the
pair; the next renewal is then refused and the authentication ends *held*: deliveries wait, nothing is lost.
"""

import logging
import time
import uuid
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.conf import settings
from django.db import DatabaseError, transaction
from django.db.models import F, Q

from crm_integrations.broken_connections import drop_connection
from crm_integrations.database_clock import Clock, read_database_clock
from crm_integrations.encryption import UnreadableSecret
from crm_integrations.models import Authentication
from crm_integrations.providers.base import CRMProvider, TokenGrant
from crm_integrations.providers.errors import CRMError, CRMUnavailable, GrantEnded, RetryLater
from crm_integrations.services.holds import UNREADABLE_SECRET, hold_authentication, release_renewed

logger = logging.getLogger(__name__)

RENEW_BEFORE_S = 120  # renewed this early, so that no call starts with a token that ends on the way
LEASE_BEYOND_CALL_S = 30  # the lease outlives the call by this much, for the save
COOL_DOWN_S = 15  # after a renewal that failed for a passing reason; keeps many workers from hammering the CRM
COOL_DOWN_LEASE = uuid.UUID("c0010000-0000-4000-8000-000000000000")  # nobody's: no renewal is under way to wait for
BUSY_RETRY_S = 2.0  # a renewal by somebody else takes about this long
TOKEN_COLUMNS = ("state", "state_reason", "token_version", "access_token", "access_expires_at")
SAVE_PAUSES_S = (0.1, 0.5, 1.0, 2.0, 5.0)  # the last one repeats for as long as the database is away


class TokenBusy(RetryLater):
    """Somebody else renews the token right now: come back in `retry_after_s`. No limit was hit."""

    def __init__(self) -> None:
        super().__init__("The access token is being renewed.", retry_after_s=BUSY_RETRY_S, limit_class="token")


class TokenUnavailable(CRMUnavailable):
    """The token could not be renewed for a reason that passes; nothing was written."""

    def __init__(self, message: str, *, status: int | None = None, retry_after_s: float | None = None) -> None:
        super().__init__(message, may_have_applied=False, retry_after_s=retry_after_s or COOL_DOWN_S, status=status)


class AuthenticationHeld(GrantEnded):
    """The authentication waits for a person; its deliveries wait with it."""


@dataclass(frozen=True, slots=True)
class Token:
    """An access token and the version of the pair it belongs to."""

    version: int
    access_token: str = field(repr=False)
    expires_at: datetime | None

    def is_ending(self, now: datetime) -> bool:
        """Whether it is time to renew it."""
        return self.expires_at is not None and self.expires_at - timedelta(seconds=RENEW_BEFORE_S) <= now

    def has_ended(self, now: datetime) -> bool:
        """Whether the CRM no longer takes it."""
        return self.expires_at is not None and self.expires_at <= now


def read_token(*, authentication_id: int) -> Token:
    """The stored token. Raises AuthenticationHeld, also when no present key opens the stored secret."""
    try:
        stored = Authentication.objects.only(*TOKEN_COLUMNS).get(pk=authentication_id)
    except UnreadableSecret:
        return _read_doubtful_token(authentication_id)
    if stored.state != Authentication.State.ACTIVE:
        raise _held(stored.state_reason)
    return Token(stored.token_version, stored.access_token, stored.access_expires_at)


def _read_doubtful_token(authentication_id: int) -> Token:
    """The same step by step, since a row with a secret that cannot be read says nothing else either.

    The version is known before the secret is read again, so that a newer pair is never held for an older one.
    """
    held = Authentication.objects.filter(pk=authentication_id).exclude(state=Authentication.State.ACTIVE)
    for reason in held.values_list("state_reason", flat=True):
        raise _held(reason)
    version = _read_version(authentication_id)
    try:
        stored = Authentication.objects.only(*TOKEN_COLUMNS).get(pk=authentication_id)
    except UnreadableSecret as error:
        hold_authentication(authentication_id=authentication_id, token_version=version, reason=UNREADABLE_SECRET)
        raise AuthenticationHeld(UNREADABLE_SECRET) from error
    return Token(stored.token_version, stored.access_token, stored.access_expires_at)


def _held(reason: str) -> AuthenticationHeld:
    return AuthenticationHeld(reason or "The authentication must be authorised again.")


def renew_token(
    *, authentication_id: int, provider: CRMProvider, address: str, version: int, clock: Clock = read_database_clock
) -> Token:
    """A token newer than `version`: somebody else's when it is there already, else one asked of the CRM.

    Raises TokenBusy (somebody else is at it), TokenUnavailable or RetryLater (passing), AuthenticationHeld (for good).
    Must not run inside a transaction: what the CRM gave would vanish with its rollback.
    """
    lease = _take_lease(authentication_id, version, clock())
    if lease is None:
        token = read_token(authentication_id=authentication_id)
        if token.version > version:
            return token
        _refuse_cool_down(authentication_id, clock())
        raise TokenBusy
    grant = _ask_for_pair(authentication_id, provider, address, version, lease, clock)
    _save_pair(authentication_id, version, grant)
    return read_token(authentication_id=authentication_id)


def _read_version(authentication_id: int) -> int:
    return Authentication.objects.values_list("token_version", flat=True).get(pk=authentication_id)


def _take_lease(authentication_id: int, version: int, now: datetime) -> uuid.UUID | None:
    """The right to renew version `version`, or None when somebody else has it or the pair is newer already."""
    lease = uuid.uuid4()
    free = Q(refresh_lease__isnull=True) | Q(refresh_lease_until__lte=now)
    with transaction.atomic(durable=True):
        taken = Authentication.objects.filter(
            free, pk=authentication_id, token_version=version, state=Authentication.State.ACTIVE
        ).update(
            refresh_lease=lease,
            refresh_lease_until=now + timedelta(seconds=settings.CALL_TIMEOUT_S + LEASE_BEYOND_CALL_S),
        )
    return lease if taken else None


def _ask_for_pair(
    authentication_id: int, provider: CRMProvider, address: str, version: int, lease: uuid.UUID, clock: Clock
) -> TokenGrant:
    """A fresh pair from the CRM; every failure leaves the lease to end soon and says what happens next."""
    try:
        return provider.refresh(address, refresh_token=_read_refresh_token(authentication_id))
    except GrantEnded as error:
        hold_authentication(
            authentication_id=authentication_id,
            token_version=version,
            reason=error.message,
            is_user_gone=error.is_user_gone,
        )
        raise AuthenticationHeld(error.message, is_user_gone=error.is_user_gone, status=error.status) from error
    except RetryLater as error:
        _cool_down(authentication_id, lease, clock(), wait_s=error.retry_after_s)
        raise
    except CRMError as error:  # whatever it says is about the renewal: it must not be taken for an answer to a write
        wait_s = getattr(error, "retry_after_s", None)
        _cool_down(authentication_id, lease, clock(), wait_s=wait_s or 0.0)
        raise TokenUnavailable(error.message, status=error.status, retry_after_s=wait_s) from error


def _read_refresh_token(authentication_id: int) -> str:
    try:
        token: str = Authentication.objects.only("refresh_token").get(pk=authentication_id).refresh_token
    except UnreadableSecret as error:
        raise GrantEnded(UNREADABLE_SECRET) from error
    if not token:
        raise GrantEnded("There is no refresh token.")
    return token


def _cool_down(authentication_id: int, lease: uuid.UUID, now: datetime, *, wait_s: float = 0.0) -> None:
    """Shut renewals a moment longer, or as long as the CRM asks, so that the next try is not made by everybody."""
    Authentication.objects.filter(pk=authentication_id, refresh_lease=lease).update(
        refresh_lease=COOL_DOWN_LEASE, refresh_lease_until=now + timedelta(seconds=max(wait_s, COOL_DOWN_S))
    )


def _refuse_cool_down(authentication_id: int, now: datetime) -> None:
    """Raise TokenUnavailable while renewals rest: waiting for one would keep a thread and a place for nothing."""
    resting = Authentication.objects.filter(
        pk=authentication_id, refresh_lease=COOL_DOWN_LEASE, refresh_lease_until__gt=now
    )
    for until in resting.values_list("refresh_lease_until", flat=True):
        rest_s = (until - now).total_seconds() if until else COOL_DOWN_S
        raise TokenUnavailable("The access token could not be renewed a moment ago.", retry_after_s=rest_s)


def _save_pair(authentication_id: int, version: int, grant: TokenGrant) -> None:
    """Save the pair, again and again until it is committed: the old one is dead already.

    A version that moved on meanwhile is a person's new consent, which wins. A hold of the same version is not: somebody
    tried the old pair while this one could not be saved.
    """
    tries = 0
    while True:
        try:
            _store_pair(authentication_id, version, grant)
            return
        except DatabaseError:
            pause_s = SAVE_PAUSES_S[min(tries, len(SAVE_PAUSES_S) - 1)]
            tries += 1
            logger.exception("A renewed token could not be saved (try %d); trying again in %s s.", tries, pause_s)
            drop_connection()
            time.sleep(pause_s)


def _store_pair(authentication_id: int, version: int, grant: TokenGrant) -> None:
    with transaction.atomic():
        saved = Authentication.objects.filter(pk=authentication_id, token_version=version).update(
            access_token=grant.access_token,
            refresh_token=grant.refresh_token,
            access_expires_at=grant.access_expires_at,
            refresh_expires_at=grant.refresh_expires_at,
            token_version=F("token_version") + 1,
            refresh_lease=None,
            refresh_lease_until=None,
        )
        if saved:
            release_renewed(authentication_id=authentication_id)
