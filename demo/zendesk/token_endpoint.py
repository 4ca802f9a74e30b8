"""`POST /{subdomain}/oauth/tokens`: form or JSON, authorization_code and refresh_token."""

import hmac
from datetime import datetime
from typing import Any

from demo.zendesk.oauth import (
    client_refused,
    grant_refused,
    issue_tokens,
    lifetimes,
    oauth_error,
    redeem_code,
    rotate_tokens,
)
from demo.zendesk.replies import ApiError, Reply
from demo.zendesk.scopes import OUTSIDE_CEILING
from demo.zendesk.state import Account
from demo.zendesk.world import Client


def answer_token_request(account: Account, client: Client, values: dict[str, Any], now: datetime) -> Reply:
    """Exchange a code or a refresh token. Raises ApiError with Zendesk's OAuth bodies."""
    fail_refresh_on_demand(account, values)
    if not _client_is_known(client, values):
        raise client_refused()
    lives = lifetimes(values)
    if OUTSIDE_CEILING & set(str(values.get("scope", "")).split()):
        raise oauth_error("invalid_scope")
    grant_type = values.get("grant_type")
    if grant_type == "authorization_code":
        grant = redeem_code(account, values, now)
        answer = issue_tokens(
            account,
            user_id=grant["user_id"],
            client_id=grant["client_id"],
            scopes=grant["scopes"],
            lives=lives,
            now=now,
        )
    elif grant_type == "refresh_token":
        answer = rotate_tokens(account, values, lives, now)
    else:
        raise oauth_error("unsupported_grant_type", "The authorization grant type is not supported.")
    return Reply(answer)


def fail_refresh_on_demand(account: Account, values: dict[str, Any]) -> None:
    """The switchboard's broken refresh: see `switches.switch_refresh`."""
    trouble = account.setting("refresh", None)
    if not trouble or values.get("grant_type") != "refresh_token":
        return
    if account.faults.chance.random() >= trouble.get("probability", 1.0):
        return
    if trouble.get("count") is not None:
        left = trouble["count"] - 1
        account.set_setting("refresh", {**trouble, "count": left} if left > 0 else None)
        account.commit()
    named = {"invalid_grant": grant_refused, "invalid_client": client_refused}
    if trouble["mode"] in named:
        raise named[trouble["mode"]]()
    wait = trouble.get("retry_after")
    headers = {} if wait is None else {"Retry-After": str(wait)}
    raise ApiError(int(trouble["mode"]), "Service temporarily unavailable", headers)


def _client_is_known(client: Client, values: dict[str, Any]) -> bool:
    given = (str(values.get("client_id", "")), str(values.get("client_secret", "")))
    same_id = hmac.compare_digest(given[0].encode(), client.client_id.encode())
    same_secret = hmac.compare_digest(given[1].encode(), client.client_secret.encode())
    return same_id and same_secret
