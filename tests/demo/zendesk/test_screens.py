"""Records popped up on agents' screens."""

import pytest


def pop(desk, agent, path):
    return desk.call("POST", f"channels/voice/agents/{agent}/{path}/display")


@pytest.fixture
def agent(desk):
    users = desk.control("GET", "records/users").get_json()["users"]
    return next(user for user in users if user["role"] == "agent" and user["active"])


def test_what_was_popped_to_whom_is_listed_and_shown_on_the_page(desk, agent, client):
    assert pop(desk, agent["id"], "tickets/2").status_code == 200
    requester = desk.get("tickets/2")["ticket"]["requester_id"]
    assert pop(desk, agent["id"], f"users/{requester}").data == b""
    pops = desk.control("GET", "screens").get_json()["pops"]
    assert [(one["kind"], one["id"], one["agent_id"]) for one in pops] == [
        ("users", requester, agent["id"]),
        ("tickets", 2, agent["id"]),
    ]
    page = client.get("/acme/").get_data(as_text=True)
    assert "On agents’ screens" in page and f"popped up for {agent['name']}" in page


def test_nobody_sees_what_is_not_there(desk, agent):
    requester = desk.get("tickets/2")["ticket"]["requester_id"]
    for path in (f"{agent['id']}/tickets/99999", f"{requester}/tickets/2", "99999/tickets/2"):
        assert desk.call("POST", f"channels/voice/agents/{path}/display").status_code == 404
    assert desk.control("GET", "screens").get_json()["pops"] == []


@pytest.mark.parametrize(("answer", "status", "word"), [("404", 404, "InvalidEndpoint"), ("403", 403, "Forbidden")])
def test_an_account_may_not_have_it(desk, agent, client, answer, status, word):
    client.post("/acme/switchboard/settings", data={"talk_partner": answer})
    denied = pop(desk, agent["id"], "tickets/2")
    assert denied.status_code == status and word in denied.get_data(as_text=True)
    assert desk.control("GET", "").get_json()["talk_partner"] == answer


def test_another_answer_is_refused(desk, client):
    answer = client.post("/_control/acme/settings", json={"talk_partner": "maybe"})
    assert answer.status_code == 422 and "talk_partner" in answer.get_json()["error"]
