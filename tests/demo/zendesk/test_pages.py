"""The pages for people: they show what is there, work without scripts and follow changes."""

import pytest


@pytest.mark.parametrize("tab", ["tickets", "users", "organizations", "objects"])
def test_every_tab_links_to_pages_that_open(client, tab):
    page = client.get(f"/acme/?tab={tab}").text
    href = page.split('<td><a href="')[1].split('"')[0]
    assert client.get(href).status_code == 200


def test_a_ticket_page_shows_values_notes_and_marks_the_latest_change(client, desk):
    desk.put_ticket(2, custom_fields=[{"id": desk.field("Disposition"), "value": "disposition__technical__outage"}])
    desk.put_ticket(2, comment={"body": "Rappeler & noter", "public": False}, subject="Nouveau sujet")
    page = client.get("/acme/agent/tickets/2").text
    assert "Technical › Outage" in page
    assert "Rappeler &amp; noter" in page
    assert "Internal note" in page
    fresh = page.split('class="fresh"')
    assert len(fresh) == 2
    assert "Subject" in fresh[1][:200]


def test_the_pulse_changes_with_the_account_only(client, desk):
    before = client.get("/acme/pulse").get_json()
    desk.call("GET", "tickets/2")
    assert client.get("/acme/pulse").get_json() == before
    desk.put_ticket(2, subject="moved")
    assert client.get("/acme/pulse").get_json() != before
    assert "moved" in client.get("/acme/").text


def test_pages_carry_a_strict_policy_and_no_inline_code(client, desk):
    for path in ("/", "/acme/", "/acme/agent/tickets/2", "/acme/switchboard"):
        answer = client.get(path)
        assert "default-src 'self'" in answer.headers["Content-Security-Policy"]
        assert "style=" not in answer.text
        assert "onclick" not in answer.text


def test_the_search_box_filters_the_list(client):
    assert "Liam Thompson" in client.get("/acme/?tab=users&q=liam").text
    assert "Noah Campbell" not in client.get("/acme/?tab=users&q=liam").text.split("<aside>")[0]


def test_unknown_pages_are_not_found(client):
    for path in ("/missing-account/", "/acme/agent/tickets/9999", "/acme/?tab=secrets", "/acme/switchboard/nothing"):
        answer = client.post(path) if path.endswith("nothing") else client.get(path)
        assert answer.status_code == 404


def test_the_switchboards_forms_do_what_the_control_api_does(client, desk):
    turn = "/acme/switchboard/"
    client.post(turn + "add-fault", data={"kind": "status", "status": "500", "count": "1", "path": "", "method": ""})
    assert desk.call("GET", "tickets/1").status_code == 500
    client.post(turn + "limits", data={"plan": "trial", "account": "1"})
    assert desk.control("GET", "").get_json()["limits"] == {"enabled": False, "plan": "trial", "values": {"account": 1}}
    client.post(turn + "user", data={"user": "acting", "action": "suspend"})
    assert desk.call("GET", "users/me").status_code == 401
    client.post(turn + "user", data={"user": "acting", "action": "restore"})
    client.post(turn + "latency", data={"ms": "20"})
    client.post(turn + "refresh", data={"mode": "503"})
    client.post(turn + "settings", data={"inactive_user_answer": "403", "search_lag_s": "5"})
    client.post(turn + "tokens", data={"action": "revoke"})
    state = desk.control("GET", "").get_json()
    assert (state["latency_ms"], state["refresh"]["mode"], state["tokens"]) == (20, "503", 0)
    assert (state["inactive_user_answer"], state["search_lag_s"]) == ("403", 5)
    refused = client.post(turn + "add-fault", data={"kind": "earthquake"})
    assert "kind must be" in client.get(refused.location).text
    client.post(turn + "reset")
    assert desk.control("GET", "").get_json()["latency_ms"] == 0
