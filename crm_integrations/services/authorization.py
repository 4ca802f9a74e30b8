"""The way to a CRM's consent page and back: single-use state and PKCE verifier, bound to one browser session.

Begin stores an AuthorizationRequest; finish takes it (once, in time, same session, same person), exchanges the code,
asks who the token acts as, and stores the authentication or, when a person must agree first, hands back what is
pending. Whatever goes wrong on the way is one AuthorizationRefused with a reason; nothing is stored then.
"""

import hashlib
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet
from django.utils.crypto import constant_time_compare

from crm_integrations.models import Authentication, AuthorizationRequest, Configuration, User
from crm_integrations.providers.base import CRMProvider, TokenGrant
from crm_integrations.providers.errors import AccessDenied, CRMError, GrantEnded, Misconfigured, Reauthenticate
from crm_integrations.providers.registry import get_provider
from crm_integrations.services.authentications import AuthenticationRemoved, replace_access, store_authentication
from crm_integrations.services.configurations import StateChanged, select_authentication
from crm_integrations.services.kept_calls import KeptCalls
from crm_integrations.services.revocation import readable_token, revoke_token
from crm_integrations.services.rights import GrantedAccess, newly_failing, read_access

CALLBACK_PATH = "/oauth/callback/"
REQUEST_LIFETIME = timedelta(minutes=10)  # from Create to the return from the consent page
KEPT_FOR = timedelta(days=1)  # used and expired requests, so that a late return can be told what happened
STATE_BYTES = 32
DENIED_ERROR = "access_denied"  # RFC 6749, section 4.1.2.1


class AuthorizationRefused(Exception):
    """A consent that leads to nothing. `reason` is a key of authorization_refusals; `request` is None when unknown."""

    def __init__(self, reason: str, request: AuthorizationRequest | None = None, detail: str = "") -> None:
        super().__init__(reason)
        self.reason = reason
        self.request = request
        self.detail = detail


class AccessDecided(Exception):
    """It was decided already what becomes of the new access, by a second click or in another window."""


@dataclass(frozen=True, slots=True)
class FinishedAuthorization:
    """What a consent led to: an authentication, or access that waits for the administrator's word.

    `is_selected`: the draft uses the authentication now; false when the configuration was no draft any more.
    """

    request: AuthorizationRequest
    authentication: Authentication | None = None
    pending: GrantedAccess | None = None
    is_selected: bool = False


def begin_authorization(
    *,
    configuration: Configuration,
    address: str,
    name: str,
    options: Mapping[str, str],
    actor: User,
    session_key: str,
    now: datetime,
    authentication: Authentication | None = None,
) -> str:
    """Remember the trip and answer the consent page's address; `authentication` when one is to be renewed."""
    AuthorizationRequest.objects.filter(expires_at__lt=now - KEPT_FOR).delete()
    state = secrets.token_urlsafe(STATE_BYTES)
    provider = get_provider(configuration.integration_type)
    url, verifier = provider.begin_consent(address, state=state, redirect_uri=redirect_uri())
    AuthorizationRequest.objects.create(
        state_hash=_hash(state),
        session_hash=_hash(session_key),
        verifier=verifier,
        provider=provider.slug,
        address=address,
        name=name,
        options=dict(options),
        configuration=configuration,
        authentication=authentication,
        created_by=actor,
        expires_at=now + REQUEST_LIFETIME,
    )
    return url


def find_open_request(*, state: str, actor: User) -> AuthorizationRequest | None:
    """The person's own request that `state` would use up, to see whether they may still go on with it."""
    return readable_requests().filter(state_hash=_hash(state), created_by=actor, used_at=None).first()


def finish_authorization(
    *, state: str, code: str, error: str, actor: User, session_key: str, now: datetime
) -> FinishedAuthorization:
    """Follow the return from the consent page to its end. Raises AuthorizationRefused."""
    request = _take_request(state=state, actor=actor, session_key=session_key, now=now)
    if error or not code:
        raise AuthorizationRefused("denied" if error == DENIED_ERROR else "not_granted", request, error)
    calls = KeptCalls(get_provider(request.provider))
    try:
        return _finish(request, _exchange(request, code, calls), actor, now)
    finally:
        calls.count(address=request.address)


def needs_confirmation(*, authentication: Authentication, access: GrantedAccess) -> bool:
    """Whether a person must agree before the access takes over: another user, or one who may do less than before."""
    is_other_user = bool(authentication.system_user_id) and authentication.system_user_id != access.user.id
    return is_other_user or bool(newly_failing(before=authentication.rights, after=access.rights))


def renew(*, request: AuthorizationRequest, access: GrantedAccess, actor: User, now: datetime) -> Authentication:
    """Let the new access take over from the old one, which is ended at the CRM as far as that still works.

    Raises AccessDecided, and AuthorizationRefused when the authentication was removed meanwhile: then the new access
    is ended. A process that dies on the way has decided nothing, or leaves an old token that lapses by itself.
    """
    authentication = request.authentication
    if authentication is None:
        raise AuthorizationRefused("unknown_state", request)
    provider, new_token = get_provider(request.provider), access.grant.access_token
    try:
        old_token = _take_over(request, authentication, access, actor, now)
    except (AuthenticationRemoved, Authentication.DoesNotExist) as error:
        revoke_token(provider, request.address, new_token)
        raise AuthorizationRefused("removed", request) from error
    if old_token != new_token:
        revoke_token(provider, request.address, old_token)
    return authentication


def discard_access(*, request: AuthorizationRequest, access: GrantedAccess, now: datetime) -> None:
    """End tokens at the CRM that nobody wants; one that cannot be ended lapses by itself. Raises AccessDecided."""
    _decide(request, now)
    revoke_token(get_provider(request.provider), request.address, access.grant.access_token)


def readable_requests() -> QuerySet[AuthorizationRequest]:
    """Requests with what they are for, but without old tokens: a renewal must work when those cannot be read."""
    rows = AuthorizationRequest.objects.select_related("configuration", "authentication__account")
    return rows.defer("authentication__access_token", "authentication__refresh_token")


def redirect_uri() -> str:
    """Where consent pages return to: one address for every CRM."""
    return f"{settings.SITE_URL}{CALLBACK_PATH}"


def _take_request(*, state: str, actor: User, session_key: str, now: datetime) -> AuthorizationRequest:
    """The request behind `state`, used up. A stranger's try neither uses it up nor learns what it was for."""
    rows = readable_requests()
    request = rows.filter(state_hash=_hash(state)).first()
    if request is None:
        raise AuthorizationRefused("unknown_state")
    if request.created_by_id != actor.pk or not constant_time_compare(request.session_hash, _hash(session_key)):
        raise AuthorizationRefused("other_session")
    taken = AuthorizationRequest.objects.filter(pk=request.pk, used_at=None).update(used_at=now)
    if not taken:
        raise AuthorizationRefused("used_state", request)
    if request.expires_at <= now:
        raise AuthorizationRefused("expired_state", request)
    return request


@transaction.atomic
def _take_over(
    request: AuthorizationRequest, authentication: Authentication, access: GrantedAccess, actor: User, now: datetime
) -> str:
    """Decide and replace the access in one transaction; answers the token that was replaced.

    The authentication is locked first, as its removal does, which then deletes the request.
    """
    Authentication.objects.select_for_update().only("pk").get(pk=authentication.pk)
    _decide(request, now)
    old_token = readable_token(authentication)
    replace_access(
        authentication=authentication, access=access, configuration=request.configuration, actor=actor, now=now
    )
    return old_token


def _decide(request: AuthorizationRequest, now: datetime) -> None:
    """Settle that this call decides. CRMs end a whole grant with one of its tokens: a second word would undo it."""
    if not AuthorizationRequest.objects.filter(pk=request.pk, decided_at=None).update(decided_at=now):
        raise AccessDecided


def _exchange(request: AuthorizationRequest, code: str, calls: KeptCalls) -> GrantedAccess:
    provider = get_provider(request.provider)
    try:
        grant = provider.finish_consent(
            request.address, code=code, verifier=request.verifier, redirect_uri=redirect_uri()
        )
    except CRMError as error:
        raise AuthorizationRefused(_exchange_reason(error), request, error.message) from error
    _refuse_missing_scopes(provider, request, grant)
    try:
        return read_access(provider=provider, address=request.address, options=request.options, grant=grant, gate=calls)
    except CRMError as error:
        revoke_token(provider, request.address, grant.access_token)
        raise AuthorizationRefused(_identify_reason(error), request, error.message) from error


def _refuse_missing_scopes(provider: CRMProvider, request: AuthorizationRequest, grant: TokenGrant) -> None:
    missing = provider.missing_scopes(grant.scopes)
    if missing:
        revoke_token(provider, request.address, grant.access_token)
        raise AuthorizationRefused("missing_scopes", request, ", ".join(missing))


def _finish(request: AuthorizationRequest, access: GrantedAccess, actor: User, now: datetime) -> FinishedAuthorization:
    if request.authentication is None:
        authentication = store_authentication(request=request, access=access, actor=actor, now=now)
        return FinishedAuthorization(request, authentication, is_selected=_select(request, authentication, actor))
    if needs_confirmation(authentication=request.authentication, access=access):
        return FinishedAuthorization(request, pending=access)
    return FinishedAuthorization(request, authentication=renew(request=request, access=access, actor=actor, now=now))


def _select(request: AuthorizationRequest, authentication: Authentication, actor: User) -> bool:
    if request.configuration is None:
        return False
    try:
        select_authentication(configuration=request.configuration, authentication=authentication, actor=actor)
    except StateChanged:
        return False
    return True


def _exchange_reason(error: CRMError) -> str:
    if isinstance(error, GrantEnded):
        return "code_refused"
    return "misconfigured" if isinstance(error, Misconfigured) else "unavailable"


def _identify_reason(error: CRMError) -> str:
    return "user_refused" if isinstance(error, GrantEnded | AccessDenied | Reauthenticate) else "unavailable"


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
