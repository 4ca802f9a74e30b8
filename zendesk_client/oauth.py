"""OAuth with Zendesk: authorization code with PKCE (S256), rotation of tokens, revocation.

requests-oauthlib builds the address of the consent page, oauthlib the token requests; our own transport sends them.
That keeps the bodies standard and avoids what bites otherwise: client id and secret go into the body, where Zendesk
documents them; the status is looked at before the body, so that a 503 is no revoked connection; scopes are compared
by the caller, not by a Warning raised after the code was spent; and local plain-http addresses need no process-wide
switch. https://developer.zendesk.com/api-reference/ticketing/oauth/grant_type_tokens/
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit

import requests
from oauthlib.oauth2 import WebApplicationClient
from requests_oauthlib import OAuth2Session

from zendesk_client import errors
from zendesk_client.connection import DEFAULT_TIMEOUTS, ZENDESK_BASE_URL, Timeouts, build_base_url, build_session
from zendesk_client.redaction import redact_text
from zendesk_client.transport import Transport

CONSENT_PATH = "/oauth/authorizations/new"
GRANT_PATH = "/oauth/tokens"
REVOCATION_PATH = "/api/v2/oauth/tokens/current"
ACCESS_LIFETIME_S = 172_800  # two days, the most Zendesk gives
MAX_QUERY_LENGTH = 8_192  # characters of a callback that are read
REFRESH_LIFETIME_S = 7_776_000  # ninety days, the most; sent on every refresh, or it falls back to thirty
CODE_VERIFIER_LENGTH = 64  # characters, of 43 to 128 (RFC 7636)

CALLBACK_ERRORS: dict[str, type[errors.OAuthError]] = {
    "access_denied": errors.AccessDenied,
    "invalid_scope": errors.InvalidScope,
    "unauthorized_client": errors.InvalidClient,
    "invalid_client": errors.InvalidClient,
}


@dataclass(frozen=True, slots=True)
class TokenPair:
    """What a token request granted. Lifetimes in seconds from the moment of the answer; None = not said.

    ``refresh_token`` is "" for clients from before refresh existed. A refresh kills the pair before it: store the new
    one before using it.
    """

    access_token: str = field(repr=False)
    refresh_token: str = field(repr=False)
    scopes: frozenset[str]
    expires_in_s: int | None
    refresh_expires_in_s: int | None


@dataclass(frozen=True, slots=True)
class AuthorizationRequest:
    """Where to send the browser, and what to keep on the server, for one use, until it comes back."""

    url: str
    state: str = field(repr=False)
    code_verifier: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class CallbackAnswer:
    """A consent that was given. The code is good for 120 seconds; ``state`` must be one of ours."""

    code: str = field(repr=False)
    state: str = field(repr=False)


def parse_callback(query: str) -> CallbackAnswer:
    """Read the query (or whole address) the browser came back with.

    Raises AccessDenied, InvalidScope, InvalidClient or OAuthError (code ``invalid_callback`` when it is neither a
    consent nor a refusal); each carries the ``state`` that came along.
    """
    pairs = query.partition("?")[2] if "?" in query else query
    values = parse_qs(pairs.partition("#")[0][:MAX_QUERY_LENGTH])
    state, code, refusal = (values.get(name, [""])[0] for name in ("state", "code", "error"))
    if code and not refusal:
        return CallbackAnswer(code, state)
    error_class = CALLBACK_ERRORS.get(refusal, errors.OAuthError)
    said = values.get("error_description", [""])[0]
    error = error_class(redact_text(said), code=redact_text(refusal) or "invalid_callback")
    error.state = state
    raise error


def find_missing_scopes(requested: Iterable[str], granted: Iterable[str]) -> frozenset[str]:
    """Return the requested scopes that were not granted. Zendesk issues a token even for a misspelt scope."""
    return frozenset(requested) - frozenset(granted)


class OAuthClient:
    """Our OAuth client in one Zendesk account."""

    def __init__(
        self,
        subdomain: str,
        *,
        client_id: str,
        client_secret: str,
        redirect_uri: str,
        base_url_template: str = ZENDESK_BASE_URL,
        timeouts: Timeouts = DEFAULT_TIMEOUTS,
        verify: bool | str = True,
        session: requests.Session | None = None,
        access_lifetime_s: int = ACCESS_LIFETIME_S,
        refresh_lifetime_s: int = REFRESH_LIFETIME_S,
    ) -> None:
        """``redirect_uri``: exactly as registered. Lifetimes: what to ask for, in seconds."""
        self._client_id, self._client_secret, self._redirect_uri = client_id, client_secret, redirect_uri
        self._requests: Any = WebApplicationClient(client_id)
        self._lifetimes = {"expires_in": access_lifetime_s, "refresh_token_expires_in": refresh_lifetime_s}
        self._base_url = build_base_url(base_url_template, subdomain)
        self._subdomain, self._base_url_template = subdomain, base_url_template
        self._timeouts, self._verify, self._session = timeouts, verify, session or build_session()

    def build_authorization(self, scopes: Iterable[str], *, state: str = "") -> AuthorizationRequest:
        """Return the consent page's address with a PKCE challenge and the ``state`` given, or a new one.

        ``scopes`` must not be empty.
        """
        asked = sorted(set(scopes))
        if not asked:
            raise ValueError("scopes must be named: Zendesk takes none for all")
        verifier = self._requests.create_code_verifier(CODE_VERIFIER_LENGTH)
        session = OAuth2Session(self._client_id, redirect_uri=self._redirect_uri, scope=asked)
        challenge = self._requests.create_code_challenge(verifier, "S256")
        # oauthlib refuses to see plain-http addresses, even of this machine; only its query is used.
        prepared, state = session.authorization_url(
            "https://zendesk.invalid" + CONSENT_PATH,
            state=state or None,
            code_challenge=challenge,
            code_challenge_method="S256",
        )
        return AuthorizationRequest(f"{self._base_url}{CONSENT_PATH}?{urlsplit(prepared).query}", state, verifier)

    def exchange_code(self, code: str, code_verifier: str, scopes: Iterable[str]) -> TokenPair:
        """Trade the code of a callback for tokens. ``scopes``: those asked for, taken as granted if none are named.

        Raises InvalidGrant (expired after 120 s, or used), InvalidClient, InvalidScope, and the transport's errors.
        """
        body = self._requests.prepare_request_body(
            code=code,
            redirect_uri=self._redirect_uri,
            code_verifier=code_verifier,
            client_secret=self._client_secret,
            **self._lifetimes,
        )
        return self._request_token(body, frozenset(scopes), "")

    def refresh(self, refresh_token: str, scopes: Iterable[str] = ()) -> TokenPair:
        """Trade a refresh token for a new pair; the old pair is dead from then on. One caller at a time.

        ``scopes``: those of the old pair, for an answer that names none; they are not sent, what was granted stays.
        Raises InvalidGrant (authorise again), InvalidClient (our configuration), and the transport's errors, of which
        none says that the connection is lost. ``maybe_applied`` there means the new pair may have gone missing.
        """
        body = self._requests.prepare_refresh_body(
            refresh_token=refresh_token,
            client_id=self._client_id,
            client_secret=self._client_secret,
            **self._lifetimes,
        )
        return self._request_token(body, frozenset(scopes), refresh_token)

    def revoke(self, access_token: str) -> bool:
        """Revoke a token and its refresh token. False: it was dead already.

        Any other failure raises: keep the token then, so that it can still be revoked.
        """
        try:
            self._new_transport(access_token).send("DELETE", REVOCATION_PATH)
        except errors.Unauthorized:
            return False
        return True

    def _new_transport(self, access_token: str | None) -> Transport:
        return Transport(
            subdomain=self._subdomain,
            access_token=access_token,
            base_url_template=self._base_url_template,
            timeouts=self._timeouts,
            verify=self._verify,
            session=self._session,
        )

    def _request_token(self, form_body: str, asked: frozenset[str], old_refresh_token: str) -> TokenPair:
        try:
            answer = self._new_transport(None).send("POST", GRANT_PATH, form_body=form_body)
        except errors.Unauthorized as error:
            raise _translate_unauthorized(error) from None
        body = answer.read_json()
        access_token = answer.check_shape(body.get("access_token") or None, str, "access_token")
        refresh_token, scope = body.get("refresh_token"), body.get("scope")
        return TokenPair(
            access_token=access_token,
            refresh_token=refresh_token if isinstance(refresh_token, str) else old_refresh_token,
            scopes=frozenset(scope.split()) if isinstance(scope, str) and scope.strip() else asked,
            expires_in_s=_read_seconds(body.get("expires_in")),
            refresh_expires_in_s=_read_seconds(body.get("refresh_token_expires_in")),
        )


def _translate_unauthorized(error: errors.Unauthorized) -> errors.OAuthError:
    """A 401 of the token endpoint: only ``invalid_token`` means the grant; a nameless one is taken for our client."""
    error_class = errors.InvalidGrant if error.code == "invalid_token" else errors.InvalidClient
    return error_class(error.message, status=error.status, code=error.code, request_id=error.request_id)


def _read_seconds(value: Any) -> int | None:
    if isinstance(value, str) and value.isdecimal():
        value = int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else None
