"""The consent page, codes, tokens, rotation and scopes."""

import base64
import hashlib
from urllib.parse import parse_qs, urlsplit

import pytest

VERIFIER = "a-verifier-that-is-long-enough-for-the-standard-0123456789"
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()
REDIRECT = "http://localhost:8000/oauth/callback"
ASKED = {
    "response_type": "code",
    "client_id": "agent_integrations_demo",
    "redirect_uri": REDIRECT,
    "scope": "read tickets:write",
    "state": "the-state",
    "code_challenge": CHALLENGE,
    "code_challenge_method": "S256",
}
CLIENT = {"client_id": "agent_integrations_demo", "client_secret": "demo-secret"}
CONSENT = "/acme/oauth/authorizations/new"
TOKENS = "/acme/oauth/tokens"


def decide(client, decision="allow", **changed):
    answer = client.post(CONSENT, data={**ASKED, **changed, "decision": decision})
    assert answer.status_code == 302
    return {name: values[0] for name, values in parse_qs(urlsplit(answer.location).query).items()}


def exchange(client, code, **changed):
    values = {"grant_type": "authorization_code", "code": code, "redirect_uri": REDIRECT, "code_verifier": VERIFIER}
    return client.post(TOKENS, data={**values, **CLIENT, **changed})


def refresh(client, token, **changed):
    return client.post(TOKENS, json={"grant_type": "refresh_token", "refresh_token": token, **CLIENT, **changed})


def who(client, access):
    return client.get("/acme/api/v2/users/me.json", headers={"Authorization": f"Bearer {access}"})


def test_the_consent_page_names_app_scopes_and_both_buttons(client):
    page = client.get(CONSENT, query_string=ASKED).text
    assert ">Allow</button>" in page
    assert ">Deny</button>" in page
    assert "Agent Integrations" in page
    assert "Create, change and delete tickets" in page
    assert page.index("Integration System User") < page.index("Camille Tremblay")


def test_allow_returns_a_code_that_becomes_tokens_of_the_chosen_user(client, desk):
    sent = decide(client, user_id=str(desk.user("Camille Tremblay")["id"]))
    assert sent["state"] == "the-state"
    pair = exchange(client, sent["code"], expires_in="172800", refresh_token_expires_in="7776000").get_json()
    assert (pair["expires_in"], pair["refresh_token_expires_in"]) == (172800, 7776000)
    assert pair["scope"] == "read tickets:write"
    assert who(client, pair["access_token"]).get_json()["user"]["name"] == "Camille Tremblay"


def test_deny_returns_access_denied(client):
    assert decide(client, "deny")["error"] == "access_denied"


@pytest.mark.parametrize("changed", [{"client_id": "stranger"}, {"redirect_uri": "https://evil.example/callback"}])
def test_an_unknown_client_or_address_is_never_redirected_to(client, changed):
    for answer in (
        client.get(CONSENT, query_string={**ASKED, **changed}),
        client.post(CONSENT, data={**ASKED, **changed, "decision": "allow"}),
    ):
        assert answer.status_code == 400
        assert "Location" not in answer.headers


def test_a_code_is_spent_by_one_exchange(client):
    code = decide(client)["code"]
    assert exchange(client, code).status_code == 200
    again = exchange(client, code)
    assert (again.status_code, again.get_json()["error"]) == (400, "invalid_grant")


def test_a_code_ends_after_two_minutes(client, clock):
    code = decide(client)["code"]
    clock.advance(122)
    assert exchange(client, code).get_json()["error"] == "invalid_grant"


def test_a_wrong_verifier_or_address_spends_the_code_for_nothing(client):
    assert exchange(client, decide(client)["code"], code_verifier="wrong").get_json()["error"] == "invalid_grant"
    elsewhere = "http://localhost:9/"
    assert exchange(client, decide(client)["code"], redirect_uri=elsewhere).get_json()["error"] == "invalid_grant"


def test_a_wrong_secret_is_invalid_client(client):
    answer = exchange(client, decide(client)["code"], client_secret="guess")
    assert (answer.status_code, answer.get_json()["error"]) == (401, "invalid_client")


def test_lifetimes_outside_the_documented_bounds_are_refused(client, desk):
    assert refresh(client, desk.pair["refresh_token"], expires_in=299).get_json()["error"] == "invalid_request"
    assert refresh(client, desk.pair["refresh_token"], expires_in=300).status_code == 200


def test_a_refresh_kills_the_old_pair(client, desk):
    fresh = refresh(client, desk.pair["refresh_token"]).get_json()
    assert who(client, desk.pair["access_token"]).status_code == 401
    assert who(client, fresh["access_token"]).status_code == 200
    assert refresh(client, desk.pair["refresh_token"]).get_json()["error"] == "invalid_grant"
    assert refresh(client, fresh["refresh_token"]).status_code == 200


def test_an_expired_access_token_is_refused_and_can_be_refreshed(client, desk, clock):
    clock.advance(1801)
    refused = who(client, desk.pair["access_token"])
    assert (refused.status_code, refused.get_json()["error"]) == (401, "invalid_token")
    assert refresh(client, desk.pair["refresh_token"]).status_code == 200


def test_an_expired_refresh_token_is_invalid_grant(client, desk, clock):
    clock.advance(2_592_001)
    assert refresh(client, desk.pair["refresh_token"]).get_json()["error"] == "invalid_grant"


def test_revoking_the_current_token_kills_its_refresh_token(client, desk):
    assert desk.get("oauth/tokens/current")["token"]["token"] == desk.pair["access_token"][:10]
    assert desk.call("DELETE", "oauth/tokens/current.json").status_code == 204
    assert desk.call("GET", "tickets/1").status_code == 401
    assert refresh(client, desk.pair["refresh_token"]).get_json()["error"] == "invalid_grant"


def test_tokens_are_not_stored_in_the_clear(client, desk):
    stored = desk.control("GET", "records/oauth_tokens").text
    assert desk.pair["access_token"] not in stored
    assert desk.pair["refresh_token"] not in stored


def test_a_scope_outside_the_ceiling_is_invalid_scope_and_an_unknown_one_fails_later(client):
    outside = client.get(CONSENT, query_string={**ASKED, "scope": "read impersonate"})
    assert "error=invalid_scope" in outside.location
    pair = exchange(client, decide(client, scope="reed")["code"]).get_json()
    assert pair["scope"] == "reed"
    refused = who(client, pair["access_token"])
    assert refused.status_code == 403
    assert "missing the following required scopes" in refused.get_json()["description"]


def test_scopes_are_enforced_and_search_needs_the_broad_one(client, desk):
    pair = desk.control("POST", "tokens", {"scopes": ["tickets:read"]}).get_json()
    headers = {"Authorization": f"Bearer {pair['access_token']}"}
    statuses = [
        client.get(f"/acme/api/v2/{path}", headers=headers).status_code
        for path in ("tickets/1", "tickets/1/audits", "search?query=type:ticket", "oauth/tokens/current")
    ]
    assert statuses == [200, 403, 403, 200]
    assert client.put("/acme/api/v2/tickets/2", headers=headers, json={"ticket": {}}).status_code == 403


def test_nobody_is_anonymous_on_users_me_and_refused_elsewhere(client):
    assert client.get("/acme/api/v2/users/me").get_json()["user"]["name"] == "Anonymous user"
    assert client.get("/acme/api/v2/users/me").status_code == 200
    assert client.get("/acme/api/v2/tickets").get_json() == {"error": "Couldn't authenticate you"}
    assert who(client, "unknown").get_json()["error"] == "invalid_token"


def test_accounts_that_are_missing_do_not_exist(client):
    assert client.get("/missing-one/api/v2/users/me.json").status_code == 404
    assert client.post("/missing-one/oauth/tokens", data=CLIENT).status_code == 404
    assert client.get("/missing-one" + CONSENT.removeprefix("/acme"), query_string=ASKED).status_code == 404


def test_a_token_of_one_account_is_worth_nothing_in_another(client, desk):
    assert client.get("/other/api/v2/users/me", headers=desk.headers).status_code == 401
