"""`GET` and `DELETE oauth/tokens/current`: look at and revoke the token of the call itself."""

from demo.zendesk.oauth import render_token, revoke_token
from demo.zendesk.replies import Call, Reply, not_authenticated


def show_current_token(call: Call) -> Reply:
    """The token the call was made with, without its secret."""
    if call.token is None:
        raise not_authenticated()
    return Reply({"token": render_token(call.token, call.base_url)})


def revoke_current_token(call: Call) -> Reply:
    """Revoke it; the refresh token dies with it."""
    if call.token is None:
        raise not_authenticated()
    revoke_token(call.account, call.token)
    return Reply(None, 204)
