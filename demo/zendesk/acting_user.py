"""Who is calling: from the Authorization header to the user, or to Zendesk's ways of saying no."""

import base64
import binascii
from datetime import datetime

from demo.zendesk.oauth import find_token
from demo.zendesk.replies import ApiError, not_allowed, not_authenticated, token_refused
from demo.zendesk.state import Account, Record, moment_of, stamp

ANONYMOUS = {"id": None, "name": "Anonymous user", "email": "invalid@example.com", "role": "end-user"}
# How the account answers for a suspended or deleted user's token. No source says which one Zendesk uses.
INACTIVE_ANSWERS = ("401", "403", "anonymous", "200")


def identify(account: Account, authorization: str, now: datetime) -> tuple[Record | None, Record | None]:
    """(user, token); (None, None) without usable credentials. Raises ApiError for a dead bearer token."""
    scheme, _, secret = authorization.partition(" ")
    if scheme.lower() != "bearer":
        if scheme.lower() == "basic":
            refuse_api_token(secret)
        return None, None
    token = find_token(account, secret.strip())
    if token is None or now > moment_of(token["expires_at"]):
        raise token_refused()
    user = account.find("users", token["user_id"])
    if user is None or not user["active"] or user["suspended"]:
        return answer_for_inactive(account, user, token)
    token["used_at"] = stamp(now)
    return user, token


def answer_for_inactive(account: Account, user: Record | None, token: Record) -> tuple[Record | None, Record | None]:
    """What the switchboard chose for a suspended or deleted acting user."""
    answer = account.setting("inactive_user_answer", INACTIVE_ANSWERS[0])
    if answer == "403":
        raise not_allowed()
    if answer == "anonymous":
        return None, None
    if answer == "200" and user is not None:
        return user, token
    raise token_refused()


def refuse_api_token(secret: str) -> None:
    """API tokens are gone; passwords count as no credentials at all."""
    try:
        name = base64.b64decode(secret).decode().partition(":")[0]
    except (binascii.Error, UnicodeDecodeError):
        raise not_authenticated() from None
    if name.endswith("/token"):
        raise ApiError(401, {"error": "Couldn't authenticate you"})
