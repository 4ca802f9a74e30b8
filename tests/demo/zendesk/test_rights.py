"""What the acting user's role lets the token do, and what happens when the user goes."""

import pytest


def is_object_403(answer):
    return answer.status_code == 403 and answer.get_json()["error"]["title"] == "Forbidden"


def test_a_light_agent_may_only_add_internal_notes(desk):
    light = desk.acting_as("Olivia Chen")
    assert is_object_403(light.put_ticket(2, subject="no"))
    assert light.put_ticket(2, comment={"body": "note", "public": True}).status_code == 200
    assert desk.get("tickets/2/comments")["comments"][-1]["public"] is False
    records = desk.get("custom_objects/device/records?page[size]=1")["custom_object_records"]
    refused = light.call("PATCH", f"custom_objects/device/records/{records[0]['id']}", {"custom_object_record": {}})
    assert (refused.status_code, refused.get_json()["errors"][0]["code"]) == (403, "Forbidden")


def test_a_role_for_tickets_only_cannot_edit_people(desk):
    limited = desk.acting_as("Priya Shah")
    assert limited.put_ticket(2, subject="yes").status_code == 200
    customer, organization = desk.user("Liam Thompson")["id"], desk.get("organizations")["organizations"][0]["id"]
    assert is_object_403(limited.call("PUT", f"users/{customer}", {"user": {"notes": "x"}}))
    assert is_object_403(limited.call("PUT", f"organizations/{organization}", {"organization": {"details": "x"}}))
    assert limited.call("PUT", f"organizations/{organization}", {"organization": {"notes": "x"}}).status_code == 200


def test_the_role_is_readable(desk):
    me = desk.acting_as("Priya Shah").get("users/me")["user"]
    role = desk.get(f"custom_roles/{me['custom_role_id']}")["custom_role"]
    assert (me["role"], me["role_type"]) == ("agent", 0)
    assert role["configuration"]["end_user_profile_access"] == "readonly"


def test_only_administrators_change_staff_and_roles(desk):
    agent, other = desk.acting_as("Marc-André Gagnon"), desk.user("Camille Tremblay")["id"]
    assert is_object_403(agent.call("PUT", f"users/{other}", {"user": {"notes": "x"}}))
    desk.control("POST", "limits", {"enabled": False})  # a refused call counts too
    customer = desk.user("Liam Thompson")["id"]
    answer = agent.call("PUT", f"users/{customer}", {"user": {"role": "admin", "notes": "x"}})
    assert answer.get_json()["user"]["role"] == "end-user"


@pytest.mark.parametrize("action", ["suspend", "delete"])
def test_a_user_who_is_gone_is_answered_as_the_switchboard_says(desk, action):
    desk.control("POST", "users/acting", {"action": action})
    assert desk.call("GET", "users/me").get_json()["error"] == "invalid_token"
    desk.control("POST", "settings", {"inactive_user_answer": "403"})
    assert is_object_403(desk.call("GET", "users/me"))
    desk.control("POST", "settings", {"inactive_user_answer": "anonymous"})
    assert desk.call("GET", "users/me").get_json()["user"]["name"] == "Anonymous user"
    assert desk.call("GET", "tickets/1").status_code == 401
    desk.control("POST", "users/acting", {"action": "restore"})
    assert desk.call("GET", "users/me").get_json()["user"]["name"] == "Integration System User"


def test_a_demoted_user_keeps_the_token_and_loses_the_rights(desk):
    desk.control("POST", "users/acting", {"action": "demote", "role": "limited"})
    assert is_object_403(desk.call("PUT", f"users/{desk.user('Liam Thompson')['id']}", {"user": {"notes": "x"}}))
    assert desk.get("users/me")["user"]["role"] == "agent"
    desk.control("POST", "users/acting", {"action": "demote", "role": "end-user"})
    assert is_object_403(desk.call("GET", "ticket_fields"))


def test_an_assigned_only_agent_does_not_see_other_tickets(desk):
    agent = desk.acting_as("Marc-André Gagnon")
    key = desk.user("Marc-André Gagnon")["id"]
    desk.control("PATCH", f"records/users/{key}", {"ticket_restriction": "assigned"})
    seen = {ticket["assignee_id"] for ticket in agent.get("tickets")["tickets"]}
    assert seen == {key}
    assert is_object_403(agent.call("GET", "tickets/1"))
