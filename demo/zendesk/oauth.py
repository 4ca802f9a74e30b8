"""Codes and tokens: issued, rotated, expired, revoked; only their hashes are stored."""

import base64
import hashlib
import secrets
from datetime import datetime, timedelta
from typing import Any

from demo.zendesk.replies import ApiError
from demo.zendesk.state import Account, Record, moment_of, stamp

CODE_S = 120
ACCESS_S = 1_800
ACCESS_BOUNDS_S = (300, 172_800)
REFRESH_S = 2_592_000
REFRESH_BOUNDS_S = (604_800, 7_776_000)
GRANT_WORDS = (
    "The provided access grant is invalid, expired, or revoked (e.g. invalid assertion, expired authorization token, "
    "bad end-user password credentials, or mismatching authorization code and redirection URI)."
)
CLIENT_WORDS = (
    "Client authentication failed due to unknown client, no client authentication included, "
    "or unsupported authentication method."
)


def oauth_error(name: str, words: str = "", status: int = 400) -> ApiError:
    """An OAuth refusal."""
    body = {"error": name, "error_description": words} if words else {"error": name}
    return ApiError(status, body)


def grant_refused() -> ApiError:
    """The code or refresh token is no good."""
    return oauth_error("invalid_grant", GRANT_WORDS)


def client_refused() -> ApiError:
    """Unknown client or wrong secret."""
    return oauth_error("invalid_client", CLIENT_WORDS, 401)


def hash_secret(secret: str) -> str:
    """What is stored instead of a code or token."""
    return hashlib.sha256(secret.encode()).hexdigest()


def index_tokens(account: Account) -> None:
    """Rebuild the way from hash to token after the account was loaded."""
    account.token_index = {}
    for key, token in account.table("oauth_tokens").items():
        account.token_index[token["access_hash"]] = account.token_index[token["refresh_hash"]] = key


def create_code(account: Account, *, user_id: int, asked: dict[str, str], now: datetime) -> str:
    """Remember a granted consent; returns the code."""
    code = secrets.token_urlsafe(32)
    grant = {
        "user_id": user_id,
        "client_id": asked["client_id"],
        "redirect_uri": asked["redirect_uri"],
        "scopes": asked.get("scope", "").split() or ["read", "write"],
        "challenge": asked.get("code_challenge", ""),
        "expires_at": stamp(now + timedelta(seconds=CODE_S)),
    }
    account.put("oauth_codes", "c:" + hash_secret(code), grant)
    return code


def redeem_code(account: Account, values: dict[str, Any], now: datetime) -> Record:
    """Spend a code: single use, in time, same client and address, right verifier. Raises invalid_grant."""
    key = "c:" + hash_secret(str(values.get("code", "")))
    grant = account.find("oauth_codes", key)
    if grant is None:
        raise grant_refused()
    account.drop("oauth_codes", key)
    account.commit()  # spent, whatever comes out below
    if now > moment_of(grant["expires_at"]):
        raise grant_refused()
    if (values.get("redirect_uri"), values.get("client_id")) != (grant["redirect_uri"], grant["client_id"]):
        raise grant_refused()
    if grant["challenge"] and challenge_of(str(values.get("code_verifier", ""))) != grant["challenge"]:
        raise grant_refused()
    return grant


def challenge_of(verifier: str) -> str:
    """PKCE S256."""
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()


def lifetimes(values: dict[str, Any]) -> tuple[int, int]:
    """Seconds of access and refresh token as asked for. Raises invalid_request outside Zendesk's bounds."""
    refresh_s = _seconds(values, "refresh_token_expires_in", REFRESH_S, REFRESH_BOUNDS_S)
    access_s = _seconds(values, "expires_in", ACCESS_S, ACCESS_BOUNDS_S)
    return access_s, refresh_s


def _seconds(values: dict[str, Any], name: str, default: int, bounds: tuple[int, int]) -> int:
    given = values.get(name)
    if given in (None, ""):
        return default
    if not str(given).isdigit() or not bounds[0] <= int(str(given)) <= bounds[1]:
        raise oauth_error("invalid_request", f"{name} must be between {bounds[0]} and {bounds[1]}")
    return int(str(given))


def issue_tokens(
    account: Account, *, user_id: int, client_id: str, scopes: list[str], lives: tuple[int, int], now: datetime
) -> Record:
    """A new pair; returns the answer of the token endpoint, the only place where the tokens are seen."""
    access, refresh = secrets.token_hex(32), secrets.token_hex(32)
    token_id = account.new_id("oauth_tokens")
    token = {
        "id": token_id,
        "user_id": user_id,
        "client_id": client_id,
        "scopes": scopes,
        "access_hash": hash_secret(access),
        "access_start": access[:10],
        "refresh_hash": hash_secret(refresh),
        "created_at": stamp(now),
        "expires_at": stamp(now + timedelta(seconds=lives[0])),
        "refresh_token_expires_at": stamp(now + timedelta(seconds=lives[1])),
        "used_at": None,
    }
    account.put("oauth_tokens", token_id, token)
    account.token_index[hash_secret(access)] = account.token_index[hash_secret(refresh)] = token_id
    answer = {"access_token": access, "refresh_token": refresh, "token_type": "bearer", "scope": " ".join(scopes)}
    # what is told is real time, rounded down: a client must never think that a token lives longer than it does
    access_s, refresh_s = (int(life / account.time.scale) for life in lives)
    return answer | {"expires_in": access_s, "refresh_token_expires_in": refresh_s}


def rotate_tokens(account: Account, values: dict[str, Any], lives: tuple[int, int], now: datetime) -> Record:
    """Exchange a refresh token for a new pair; the old pair is dead at once. Raises invalid_grant."""
    wanted = hash_secret(str(values.get("refresh_token", "")))
    old = account.find("oauth_tokens", account.token_index.get(wanted))
    if old is None or old["refresh_hash"] != wanted or old["client_id"] != values.get("client_id"):
        raise grant_refused()
    if now > moment_of(old["refresh_token_expires_at"]):
        raise grant_refused()
    kept = [scope for scope in str(values.get("scope", "")).split() if scope in old["scopes"]] or old["scopes"]
    revoke_token(account, old)
    client_id, user_id = old["client_id"], old["user_id"]
    return issue_tokens(account, user_id=user_id, client_id=client_id, scopes=kept, lives=lives, now=now)


def find_token(account: Account, access: str) -> Record | None:
    """The token record of a bearer string, expired or not."""
    wanted = hash_secret(access)
    token = account.find("oauth_tokens", account.token_index.get(wanted))
    return token if token is not None and token["access_hash"] == wanted else None


def revoke_token(account: Account, token: Record) -> None:
    """Kill access and refresh token together, as Zendesk does."""
    account.drop("oauth_tokens", token["id"])
    account.token_index.pop(token["access_hash"], None)
    account.token_index.pop(token["refresh_hash"], None)


def revoke_all(account: Account) -> int:
    """Kill every pair; returns how many."""
    tokens = list(account.table("oauth_tokens").values())
    for token in tokens:
        revoke_token(account, token)
    return len(tokens)


def expire_access(account: Account, now: datetime) -> int:
    """Let every access token be expired; the refresh tokens live on. Returns how many."""
    for key, token in account.table("oauth_tokens").items():
        account.put("oauth_tokens", key, {**token, "expires_at": stamp(now - timedelta(seconds=1))})
    return len(account.table("oauth_tokens"))


def render_token(token: Record, base_url: str) -> Record:
    """A token as the API shows it: never the secret, only its beginning."""
    hidden = {"access_hash", "refresh_hash", "access_start"}
    shown = {name: value for name, value in token.items() if name not in hidden}
    return shown | {"token": token["access_start"], "url": f"{base_url}/api/v2/oauth/tokens/{token['id']}"}
