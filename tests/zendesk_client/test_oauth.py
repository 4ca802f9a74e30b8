"""Authorization code with PKCE, rotation, revocation, and every way each can fail."""

import base64
import hashlib
import os
from urllib.parse import parse_qs, urlsplit

import pytest

from zendesk_client import errors
from zendesk_client.oauth import OAuthClient, find_missing_scopes, parse_callback

from .conftest import BASE

SCOPES = ("read", "tickets:write")
GRANTED = {
    "access_token": "access-1",
    "refresh_token": "refresh-1",
    "token_type": "bearer",
    "scope": "tickets:write read",
    "expires_in": 172800,
    "refresh_token_expires_in": 7776000,
}
TOKENS = f"{BASE}/oauth/tokens"


@pytest.fixture
def oauth():
    return OAuthClient(
        "acme", client_id="zdg-cti", client_secret="s3cret", redirect_uri="https://cti.example/oauth/callback/"
    )


def form_of(call):
    body = call.request.body
    return {name: values[0] for name, values in parse_qs(body.decode() if isinstance(body, bytes) else body).items()}


def test_the_consent_address_carries_state_scopes_and_a_pkce_challenge(oauth):
    asked = oauth.build_authorization(SCOPES)
    address = urlsplit(asked.url)
    query = {name: values[0] for name, values in parse_qs(address.query).items()}
    challenge = base64.urlsafe_b64encode(hashlib.sha256(asked.code_verifier.encode()).digest()).rstrip(b"=").decode()
    assert f"{address.scheme}://{address.netloc}{address.path}" == f"{BASE}/oauth/authorizations/new"
    assert query == {
        "response_type": "code",
        "client_id": "zdg-cti",
        "redirect_uri": "https://cti.example/oauth/callback/",
        "scope": "read tickets:write",
        "state": asked.state,
        "code_challenge": challenge,
        "code_challenge_method": "S256",
    }
    assert len(asked.state) >= 30
    assert 43 <= len(asked.code_verifier) <= 128


def test_every_consent_has_its_own_state_and_verifier(oauth):
    first, second = oauth.build_authorization(SCOPES), oauth.build_authorization(SCOPES)
    assert first.state != second.state
    assert first.code_verifier != second.code_verifier
    assert first.code_verifier not in repr(first)


def test_no_scopes_would_mean_all_scopes_and_are_refused(oauth):
    with pytest.raises(ValueError, match="scopes"):
        oauth.build_authorization([])


def test_a_plain_http_address_works_without_a_process_wide_switch(zendesk):
    local = OAuthClient(
        "acme",
        client_id="demo",
        client_secret="s",
        redirect_uri="http://localhost:8000/oauth/callback/",
        base_url_template="http://127.0.0.1:8900/{subdomain}",
    )
    zendesk.post("http://127.0.0.1:8900/acme/oauth/tokens", json=GRANTED)
    assert local.build_authorization(SCOPES).url.startswith("http://127.0.0.1:8900/acme/oauth/authorizations/new?")
    assert local.refresh("r").access_token == "access-1"
    assert "OAUTHLIB_INSECURE_TRANSPORT" not in os.environ


def test_a_code_is_exchanged_with_client_and_verifier_in_the_body(zendesk, oauth):
    zendesk.post(TOKENS, json=GRANTED, status=201)
    pair = oauth.exchange_code("code-1", "verifier-1", SCOPES)
    assert form_of(zendesk.calls[0]) == {
        "grant_type": "authorization_code",
        "code": "code-1",
        "code_verifier": "verifier-1",
        "redirect_uri": "https://cti.example/oauth/callback/",
        "client_id": "zdg-cti",
        "client_secret": "s3cret",
        "expires_in": "172800",
        "refresh_token_expires_in": "7776000",
    }
    assert "Authorization" not in zendesk.calls[0].request.headers
    assert (pair.access_token, pair.refresh_token) == ("access-1", "refresh-1")
    assert (pair.expires_in_s, pair.refresh_expires_in_s) == (172800, 7776000)
    assert pair.scopes == frozenset(SCOPES)


def test_a_token_pair_hides_its_secrets(zendesk, oauth):
    zendesk.post(TOKENS, json=GRANTED)
    shown = repr(oauth.exchange_code("c", "v", SCOPES))
    assert "access-1" not in shown
    assert "refresh-1" not in shown


def test_fewer_scopes_than_asked_are_no_exception_but_can_be_seen(zendesk, oauth):
    zendesk.post(TOKENS, json={**GRANTED, "scope": "read"})
    pair = oauth.exchange_code("c", "v", SCOPES)
    assert pair.scopes == frozenset({"read"})
    assert find_missing_scopes(SCOPES, pair.scopes) == frozenset({"tickets:write"})


def test_an_answer_that_names_no_scope_granted_what_was_asked(zendesk, oauth):
    zendesk.post(TOKENS, json={"access_token": "a", "refresh_token": "r"})
    pair = oauth.exchange_code("c", "v", SCOPES)
    assert pair.scopes == frozenset(SCOPES)


def test_lifetimes_that_are_not_said_are_unknown(zendesk, oauth):
    zendesk.post(TOKENS, json={"access_token": "a", "expires_in": None, "refresh_token_expires_in": "soon"})
    pair = oauth.exchange_code("c", "v", SCOPES)
    assert (pair.expires_in_s, pair.refresh_expires_in_s, pair.refresh_token) == (None, None, "")


def test_a_refresh_sends_the_lifetimes_again_and_no_scope(zendesk, oauth):
    zendesk.post(TOKENS, json={**GRANTED, "access_token": "access-2", "refresh_token": "refresh-2"})
    pair = oauth.refresh("refresh-1", SCOPES)
    assert form_of(zendesk.calls[0]) == {
        "grant_type": "refresh_token",
        "refresh_token": "refresh-1",
        "client_id": "zdg-cti",
        "client_secret": "s3cret",
        "expires_in": "172800",
        "refresh_token_expires_in": "7776000",
    }
    assert (pair.access_token, pair.refresh_token) == ("access-2", "refresh-2")


def test_a_refresh_that_names_no_new_refresh_token_keeps_the_old_one(zendesk, oauth):
    zendesk.post(TOKENS, json={"access_token": "access-2"})
    pair = oauth.refresh("refresh-1", SCOPES)
    assert (pair.refresh_token, pair.scopes) == ("refresh-1", frozenset(SCOPES))


@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        (400, {"error": "invalid_grant", "error_description": "expired"}, errors.InvalidGrant),
        (401, {"error": "invalid_grant"}, errors.InvalidGrant),
        (401, {"error": "invalid_token"}, errors.InvalidGrant),
        (401, {"error": "invalid_client"}, errors.InvalidClient),
        (400, {"error": "unauthorized_client"}, errors.InvalidClient),
        (401, {"error": "Couldn't authenticate you"}, errors.InvalidClient),
        (400, {"error": "invalid_scope"}, errors.InvalidScope),
        (429, {"error": "TooManyRequests"}, errors.RateLimited),
        (429, {"error": "invalid_grant"}, errors.RateLimited),
        (500, {"error": "invalid_grant"}, errors.Unavailable),
        (404, {"error": "InvalidEndpoint"}, errors.EndpointNotFound),
    ],
)
@pytest.mark.parametrize("call", ["exchange", "refresh"])
def test_a_refused_token_request_says_whose_fault_it_is(zendesk, oauth, call, status, body, expected):
    zendesk.post(TOKENS, status=status, json=body)
    with pytest.raises(errors.ZendeskError) as caught:
        oauth.exchange_code("c", "v", SCOPES) if call == "exchange" else oauth.refresh("r")
    assert type(caught.value) is expected


@pytest.mark.parametrize("body", ["<html>Maintenance</html>", ""])
def test_a_503_is_never_taken_for_a_revoked_connection(zendesk, oauth, body):
    zendesk.post(TOKENS, status=503, body=body)
    with pytest.raises(errors.Unavailable):
        oauth.refresh("r")


@pytest.mark.parametrize("body", ["<html>", "{}", '{"access_token": ""}', '{"access_token": 5}', "[]"])
def test_a_good_status_without_a_token_is_an_invalid_answer(zendesk, oauth, body):
    zendesk.post(TOKENS, body=body)
    with pytest.raises(errors.InvalidAnswer) as caught:
        oauth.refresh("r")
    assert caught.value.maybe_applied is True


def test_a_refresh_whose_answer_never_comes_may_have_rotated_the_tokens(server):
    server.answer("close")
    oauth = OAuthClient("acme", client_id="c", client_secret="s", redirect_uri="r", base_url_template=server.template)
    with pytest.raises(errors.ConnectionFailed) as caught:
        oauth.refresh("refresh-1")
    assert caught.value.maybe_applied is True
    assert "refresh-1" not in str(caught.value)


def test_a_token_is_revoked_with_itself(zendesk, oauth):
    zendesk.delete(f"{BASE}/api/v2/oauth/tokens/current", status=204)
    assert oauth.revoke("access-1") is True
    assert zendesk.calls[0].request.headers["Authorization"] == "Bearer access-1"


def test_revoking_a_dead_token_is_no_failure(zendesk, oauth):
    zendesk.delete(f"{BASE}/api/v2/oauth/tokens/current", status=401, json={"error": "invalid_token"})
    assert oauth.revoke("access-1") is False


@pytest.mark.parametrize("status", [403, 429, 500, 503])
def test_any_other_failure_to_revoke_is_raised(zendesk, oauth, status):
    zendesk.delete(f"{BASE}/api/v2/oauth/tokens/current", status=status)
    with pytest.raises(errors.ZendeskError):
        oauth.revoke("access-1")


@pytest.mark.parametrize("prefix", ["", "?", "https://cti.example/oauth/callback/?"])
def test_a_consent_given_brings_code_and_state(prefix):
    answer = parse_callback(f"{prefix}code=c%2F1&state=s-1")
    assert (answer.code, answer.state) == ("c/1", "s-1")
    assert "c/1" not in repr(answer)


@pytest.mark.parametrize(
    ("query", "expected", "code", "state"),
    [
        ("error=access_denied&error_description=The+user+denied&state=s", errors.AccessDenied, "access_denied", "s"),
        ("error=invalid_scope&state=s", errors.InvalidScope, "invalid_scope", "s"),
        ("error=unauthorized_client&state=s", errors.InvalidClient, "unauthorized_client", "s"),
        ("error=server_error&state=s", errors.OAuthError, "server_error", "s"),
        ("error=access_denied&code=x&state=s", errors.AccessDenied, "access_denied", "s"),
        ("state=s", errors.OAuthError, "invalid_callback", "s"),
        ("", errors.OAuthError, "invalid_callback", ""),
        ("https://[/?error=access_denied&state=s#x", errors.AccessDenied, "access_denied", "s"),
        ("&".join(f"a{number}=1" for number in range(5000)), errors.OAuthError, "invalid_callback", ""),
    ],
)
def test_a_consent_refused_says_why_and_keeps_its_state(query, expected, code, state):
    with pytest.raises(errors.OAuthError) as caught:
        parse_callback(query)
    assert type(caught.value) is expected
    assert (caught.value.code, caught.value.state) == (code, state)
