"""Faults: what the client sees, and whether the call was applied."""

import pytest

from demo.zendesk.faults import FaultBoard
from demo.zendesk.server import ConnectionDropped


def add(desk, **fault):
    return desk.control("POST", "faults", fault).get_json()["faults"]


def subject(desk):
    return desk.control("GET", "records/tickets/2").get_json()["ticket"]["subject"]


def last_call(desk):
    return desk.control("GET", "log").get_json()["calls"][-1]


def test_a_status_fault_answers_and_applies_nothing(desk):
    add(desk, kind="status", status=503, retry_after=20, method="PUT", count=1)
    answer = desk.put_ticket(2, subject="lost")
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "20")
    assert subject(desk) != "lost"
    assert desk.put_ticket(2, subject="arrived").status_code == 200


def test_a_429_comes_with_or_without_retry_after(desk):
    add(desk, kind="status", status=429, count=1, shape="empty")
    bare = desk.call("GET", "tickets/1")
    assert (bare.status_code, bare.data) == (429, b"")
    assert "Retry-After" not in bare.headers
    add(desk, kind="status", status=429, count=1, retry_after=7)
    assert desk.call("GET", "tickets/1").headers["Retry-After"] == "7"


def test_an_error_can_come_after_the_call_was_applied(desk):
    add(desk, kind="status", status=500, applied=True, count=1)
    assert desk.put_ticket(2, subject="applied all the same").status_code == 500
    assert subject(desk) == "applied all the same"


@pytest.mark.parametrize(("kind", "is_applied"), [("drop_after", True), ("drop_before", False), ("hang", False)])
def test_a_lost_answer_may_or_may_not_have_been_applied(desk, waits, kind, is_applied):
    add(desk, kind=kind, count=1, seconds=12)
    with pytest.raises(ConnectionDropped):
        desk.put_ticket(2, subject="who knows")
    assert (subject(desk) == "who knows") is is_applied
    entry = last_call(desk)
    assert (entry["status"], entry["applied"], entry["fault"]) == (0, is_applied, kind)
    assert waits == ([12] if kind == "hang" else [])


def test_a_truncated_answer_breaks_off_in_the_middle(desk):
    add(desk, kind="truncate", count=1)
    answer = desk.put_ticket(2, subject="half told")
    with pytest.raises(ConnectionDropped):
        answer.get_data()
    assert subject(desk) == "half told"


def test_slowness_adds_up_with_the_general_latency(desk, waits):
    desk.control("POST", "latency", {"ms": 100})
    add(desk, kind="slow", ms=400, path="tickets/1$")
    desk.call("GET", "tickets/1")
    desk.call("GET", "tickets/2")
    assert waits == [0.5, 0.1]


def test_faults_hit_by_method_path_and_chance(desk):
    add(desk, kind="status", status=500, method="GET", path=r"tickets/2$")
    assert [desk.call("GET", path).status_code for path in ("tickets/1", "tickets/2")] == [200, 500]
    assert desk.put_ticket(2, subject="x").status_code == 200
    board = FaultBoard()
    board.add({"kind": "status", "probability": 0.5})
    struck = sum(bool(board.pick("GET", "api/v2/x")) for _ in range(400))
    assert 150 < struck < 250


def test_faults_are_listed_and_removed(desk):
    first = add(desk, kind="status", status=500)[0]["id"]
    add(desk, kind="slow")
    left = desk.control("DELETE", f"faults/{first}").get_json()["faults"]
    assert [fault["kind"] for fault in left] == ["slow"]
    assert desk.control("DELETE", "faults").get_json()["faults"] == []


def test_nonsense_is_refused(client, desk):
    for fault in ({"kind": "earthquake"}, {"kind": "slow", "colour": "red"}, {"kind": "slow", "path": "("}):
        assert client.post("/_control/acme/faults", json=fault).status_code == 422
    assert desk.control("GET", "faults").get_json()["faults"] == []


@pytest.mark.parametrize(
    ("mode", "status"), [("invalid_grant", 400), ("invalid_client", 401), ("503", 503), ("429", 429)]
)
def test_a_refresh_can_be_made_to_fail_a_number_of_times(client, desk, mode, status):
    desk.control("POST", "refresh", {"mode": mode, "count": 1, "retry_after": 5})
    values = {"grant_type": "refresh_token", "refresh_token": desk.pair["refresh_token"]}
    values |= {"client_id": "agent_integrations_demo", "client_secret": "demo-secret"}
    assert client.post("/acme/oauth/tokens", data=values).status_code == status
    assert client.post("/acme/oauth/tokens", data=values).status_code == 200


def test_a_fault_that_names_the_token_endpoint_hits_it(client, desk):
    add(desk, kind="status", status=500, path="oauth/tokens$")
    assert client.post("/acme/oauth/tokens", data={}).status_code == 500
    assert desk.call("GET", "tickets/1").status_code == 200


def test_a_storm_of_429s_draws_its_waits_and_claims_a_limit(desk):
    storm = {"kind": "status", "status": 429, "retry_after": [1, 90], "retry_after_share": 0.5}
    add(desk, **storm, limit_class="tickets-update", probability=0.5)
    answers = [desk.put_ticket(2 + number % 4, subject=f"{number}") for number in range(80)]
    refused = [answer for answer in answers if answer.status_code == 429]
    assert 20 < len(refused) < 60
    waits = [answer.headers.get("Retry-After") for answer in refused]
    told = [int(wait) for wait in waits if wait is not None]
    assert None in waits
    assert len(set(told)) > 5
    assert all(1 <= wait <= 90 for wait in told)
    for answer, wait in zip(refused, waits, strict=True):
        claimed = f"total=100; remaining=0; resets={wait or 60}"
        assert answer.headers["zendesk-ratelimit-tickets-update"] == claimed
        assert "x-rate-limit-remaining" not in answer.headers


def test_a_429_can_claim_the_account_limit_and_the_log_tells(desk):
    add(desk, kind="status", status=429, retry_after=12, limit_class="account", count=1)
    answer = desk.call("GET", "tickets/1")
    assert (answer.headers["x-rate-limit-remaining"], answer.headers["ratelimit-reset"]) == ("0", "12")
    entry = last_call(desk)
    assert (entry["limit_class"], entry["retry_after"], entry["fault"]) == ("account", "12", "status")


def test_an_outage_begins_and_ends_by_itself(desk, clock):
    add(desk, kind="status", status=503, after=10, until=40)
    statuses = []
    for _ in range(5):
        statuses.append(desk.call("GET", "tickets/1").status_code)
        clock.advance(10)
    assert statuses == [200, 503, 503, 503, 200]
    assert desk.control("GET", "faults").get_json()["faults"] == []


def test_a_dripping_answer_was_applied_and_comes_byte_by_byte(desk, waits):
    add(desk, kind="drip", ms=1000, count=1)
    answer = desk.put_ticket(2, subject="drop by drop")
    assert answer.get_json()["ticket"]["subject"] == "drop by drop"
    assert waits == [1.0] * int(answer.headers["Content-Length"])
    assert last_call(desk)["applied"] is True


def test_the_token_endpoint_can_be_slow_and_refuse_by_chance(client, desk, waits):
    add(desk, kind="slow", ms=3000, path="oauth/tokens", count=1)
    desk.control("POST", "refresh", {"mode": "invalid_grant", "probability": 0.0})
    values = {"grant_type": "refresh_token", "refresh_token": desk.pair["refresh_token"]}
    values |= {"client_id": "agent_integrations_demo", "client_secret": "demo-secret"}
    assert client.post("/acme/oauth/tokens", data=values).status_code == 200
    assert waits == [3.0]
    desk.control("POST", "refresh", {"mode": "invalid_grant", "probability": 1.0})
    assert client.post("/acme/oauth/tokens", data=values).get_json()["error"] == "invalid_grant"


def test_more_nonsense_is_refused(client, desk):
    for extra in ({"retry_after": [1]}, {"retry_after": "soon"}, {"limit_class": "weather"}):
        assert client.post("/_control/acme/faults", json={"kind": "status", **extra}).status_code == 422
    assert desk.control("GET", "faults").get_json()["faults"] == []
