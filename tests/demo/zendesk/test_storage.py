"""What survives: records, tokens, limits and jobs are there after a new start; memory-only accounts are not."""

from demo.zendesk.app import create_app
from tests.demo.zendesk.conftest import Desk


def test_records_tokens_and_settings_survive_a_restart_without_goodbye(tmp_path, clock):
    path = str(tmp_path / "state" / "zendesk.sqlite3")
    before = Desk(create_app(path, clock).test_client())
    before.put_ticket(2, subject="kept", comment={"body": "kept too", "public": False})
    before.control("POST", "limits", {"plan": "trial"})
    started = before.call("PUT", "tickets/update_many?ids=3", {"ticket": {"subject": "by the job"}}).get_json()

    client = create_app(path, clock).test_client()  # the first was never closed, as after kill -9
    headers = before.headers
    assert client.get("/acme/api/v2/tickets/2", headers=headers).get_json()["ticket"]["subject"] == "kept"
    comments = client.get("/acme/api/v2/tickets/2/comments", headers=headers).get_json()["comments"]
    assert comments[-1]["body"] == "kept too"
    assert client.get("/_control/acme").get_json()["limits"]["plan"] == "trial"
    clock.advance(5)
    job = client.get(f"/acme/api/v2/job_statuses/{started['job_status']['id']}", headers=headers).get_json()
    assert job["job_status"]["status"] == "completed"
    assert client.get("/acme/api/v2/tickets/3", headers=headers).get_json()["ticket"]["subject"] == "by the job"


def test_ids_go_on_after_a_restart(tmp_path, clock):
    path = str(tmp_path / "zendesk.sqlite3")
    body = {"ticket": {"comment": {"body": "x"}}}
    first = Desk(create_app(path, clock).test_client()).call("POST", "tickets", body).get_json()
    second = Desk(create_app(path, clock).test_client()).call("POST", "tickets", body).get_json()
    assert (first["ticket"]["id"], second["ticket"]["id"]) == (81, 82)
    assert second["audit"]["id"] > first["audit"]["id"]


def test_a_spent_code_and_a_rotated_token_stay_dead_after_a_restart(tmp_path, clock):
    path = str(tmp_path / "zendesk.sqlite3")
    desk = Desk(create_app(path, clock).test_client())
    values = {"grant_type": "refresh_token", "refresh_token": desk.pair["refresh_token"]}
    values |= {"client_id": "agent_integrations_demo", "client_secret": "demo-secret"}
    assert desk.client.post("/acme/oauth/tokens", data=values).status_code == 200
    again = create_app(path, clock).test_client().post("/acme/oauth/tokens", data=values)
    assert again.get_json()["error"] == "invalid_grant"


def test_the_same_subdomain_is_seeded_the_same_way(clock):
    first, second = (Desk(create_app(now=clock).test_client()) for _ in range(2))
    for kind in ("users", "tickets", "ticket_fields", "custom_object_records"):
        path = f"records/{kind}"
        assert first.control("GET", path).get_json() == second.control("GET", path).get_json()
    other = Desk(create_app(now=clock).test_client(), "other")
    assert first.field("Skill") != other.field("Skill")


def test_a_job_goes_on_after_a_restart_where_it_was(tmp_path, clock):
    path = str(tmp_path / "zendesk.sqlite3")
    desk = Desk(create_app(path, clock).test_client())
    body = {"tickets": [{"id": key, "subject": "by the job"} for key in (2, 3, 4)]}
    started = desk.call("PUT", "tickets/update_many", body).get_json()["job_status"]
    clock.advance(1.15)
    assert desk.get(f"job_statuses/{started['id']}")["job_status"]["progress"] == 1
    again = Desk(create_app(path, clock).test_client())
    clock.advance(1)
    results = again.get(f"job_statuses/{started['id']}")["job_status"]["results"]
    assert [result["id"] for result in results] == [2, 3, 4]
    assert len(again.control("GET", "writes").get_json()["writes"]) == 2  # the first was written before the restart


def test_the_feed_is_kept_by_a_clean_stop(tmp_path, clock):
    path = str(tmp_path / "zendesk.sqlite3")
    app = create_app(path, clock)
    Desk(app.test_client()).put_ticket(2, subject="in the feed")
    app.extensions["world"].close()
    changes = Desk(create_app(path, clock).test_client()).control("GET", "changes").get_json()["changes"]
    assert changes[-1]["id"] == 2
