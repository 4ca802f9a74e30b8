"""The control API: log, counters, clock, fields, reset."""


def test_the_log_tells_calls_apart_by_what_they_wrote(desk):
    start = desk.control("GET", "").get_json()["last_call"]
    desk.put_ticket(2, subject="x", custom_fields=[{"id": desk.field("Skill"), "value": "Ventes"}])
    desk.put_ticket(7, subject="refused")
    desk.call("GET", "tickets/3")
    calls = desk.control("GET", f"log?since={start}").get_json()["calls"]
    assert [(call["method"], call["status"], call["applied"], call["records"]) for call in calls] == [
        ("PUT", 200, True, ["tickets/2"]),
        ("PUT", 422, False, ["tickets/7"]),
        ("GET", 200, False, ["tickets/3"]),
    ]
    assert calls[0]["fields"] == ["subject", f"custom_fields.{desk.field('Skill')}"]
    assert [call["n"] for call in calls] == [start + 1, start + 2, start + 3]
    assert "Ventes" not in str(calls)


def test_counters_count_by_endpoint(desk):
    desk.call("GET", "tickets/3")
    desk.call("GET", "tickets/4")
    assert desk.control("GET", "counters").get_json()["counters"]["GET tickets/{id} 200"] == 2


def test_a_field_goes_inactive_changes_and_vanishes(desk):
    field_id = desk.field("Skill")
    desk.control("POST", f"fields/ticket/{field_id}", {"active": False})
    answer = desk.put_ticket(2, custom_fields=[{"id": field_id, "value": "x"}])
    assert field_id not in [pair["id"] for pair in answer.get_json()["ticket"]["custom_fields"]]
    desk.control("DELETE", f"fields/ticket/{field_id}")
    assert field_id not in [field["id"] for field in desk.get("ticket_fields")["ticket_fields"]]
    desk.control("POST", "fields/user/last_agent", {"type": "integer"})
    kinds = {field["key"]: field["type"] for field in desk.get("user_fields")["user_fields"]}
    assert kinds["last_agent"] == "integer"


def test_the_clock_of_an_account_can_be_moved(desk):
    desk.control("POST", "clock", {"advance_s": 1_801})
    assert desk.call("GET", "tickets/1").status_code == 401


def test_a_record_can_be_changed_behind_everybodys_back(desk):
    desk.control("PATCH", "records/tickets/2", {"status": "closed"})
    assert desk.put_ticket(2, subject="x").status_code == 422
    desk.control("DELETE", "records/tickets/3")
    assert desk.call("GET", "tickets/3").get_json()["error"] == "RecordNotFound"


def test_a_reset_brings_the_first_records_back_and_drops_the_tokens(desk):
    desk.put_ticket(2, subject="changed")
    desk.control("POST", "reset")
    assert desk.call("GET", "tickets/2").status_code == 401
    fresh = type(desk)(desk.client)
    assert fresh.get("tickets/2")["ticket"]["subject"] != "changed"


def test_tokens_end_on_demand(desk, client):
    desk.control("POST", "tokens/expire")
    assert desk.call("GET", "tickets/1").status_code == 401
    values = {"grant_type": "refresh_token", "refresh_token": desk.pair["refresh_token"]}
    values |= {"client_id": "agent_integrations_demo", "client_secret": "demo-secret"}
    assert client.post("/acme/oauth/tokens", json=values).status_code == 200
    assert desk.control("POST", "tokens/revoke").get_json() == {"count": 1}
    assert desk.control("GET", "tokens").get_json() == {"tokens": []}


def test_other_sites_cannot_post_and_other_hosts_cannot_ask(client):
    assert client.post("/_control/acme/reset", headers={"Origin": "https://evil.example"}).status_code == 403
    assert client.post("/_control/acme/reset", headers={"Origin": "http://localhost"}).status_code == 200
    assert client.get("/_control/acme", headers={"Host": "evil.example"}).status_code == 400


def test_other_sites_and_hosts_do_not_reach_the_api_either(client, desk):
    sent = desk.headers | {"Origin": "https://evil.example"}
    assert client.put("/acme/api/v2/tickets/2", json={"ticket": {"subject": "x"}}, headers=sent).status_code == 403
    assert client.get("/acme/api/v2/tickets/2", headers=desk.headers | {"Host": "evil.example"}).status_code == 400


def test_the_switchboard_takes_ranges_and_lists_the_control_calls(client, desk):
    form = {"kind": "status", "status": "429", "retry_after": "1-90", "limit_class": "", "until": "30"}
    assert client.post("/acme/switchboard/add-fault", data=form).status_code == 302
    [fault] = desk.control("GET", "faults").get_json()["faults"]
    assert (fault["retry_after"], fault["limit_class"], fault["until"]) == ([1, 90], None, 30.0)
    page = client.get("/acme/switchboard").get_data(as_text=True)
    assert "/_control/acme/writes" in page
    assert "Retry-After [1, 90]" in page
