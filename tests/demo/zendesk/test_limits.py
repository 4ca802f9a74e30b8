"""Limits: headers, the several refusals, time that gives them back, switching them off."""

import pytest

from demo.zendesk.limits import LimitBook, LimitExceeded


def test_headers_report_account_and_endpoint(desk):
    headers = desk.put_ticket(2, subject="one").headers
    assert (headers["x-rate-limit"], headers["x-rate-limit-remaining"]) == ("700", "699")
    assert (headers["ratelimit-limit"], headers["ratelimit-reset"]) == ("700", "60")
    assert headers["zendesk-ratelimit-tickets-update"] == "total=100; remaining=99; resets=60"
    assert headers["zendesk-ratelimit-per-ticket-updates"] == "total=30; remaining=29; resets=600"


def test_the_account_limit_refuses_until_the_minute_is_over(desk, clock):
    desk.control("POST", "limits", {"values": {"account": 3}})
    answers = [desk.call("GET", "tickets/1") for _ in range(4)]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
    assert answers[3].get_json()["error"] == "APIRateLimitExceeded"
    assert answers[3].headers["Retry-After"] == "60"
    clock.advance(60)
    assert desk.call("GET", "tickets/1").status_code == 200


def test_a_ticket_takes_thirty_updates_in_ten_minutes_per_user(desk, clock):
    statuses = [desk.put_ticket(2, subject=f"n{number}").status_code for number in range(31)]
    assert statuses == [200] * 30 + [429]
    refused = desk.put_ticket(2, subject="still")
    assert refused.mimetype == "text/plain"
    assert int(refused.headers["x-rate-limit-remaining"]) > 0
    assert desk.put_ticket(3, subject="another ticket").status_code == 200
    assert desk.acting_as("Camille Tremblay").put_ticket(2, subject="another user").status_code == 200
    clock.advance(600)
    assert desk.put_ticket(2, subject="now").status_code == 200


def test_a_user_takes_five_updates_a_minute_and_the_account_one_a_second(desk, clock):
    first, second = desk.user("Liam Thompson")["id"], desk.user("Noah Campbell")["id"]
    assert desk.call("PUT", f"users/{first}", {"user": {"notes": "0"}}).status_code == 200
    too_fast = desk.call("PUT", f"users/{second}", {"user": {"notes": "0"}})
    assert (too_fast.status_code, too_fast.headers["Retry-After"]) == (429, "1")
    statuses = []
    for number in range(1, 6):
        clock.advance(1)
        statuses.append(desk.call("PUT", f"users/{first}", {"user": {"notes": str(number)}}).status_code)
    assert statuses == [200] * 4 + [429]


def test_an_organization_refuses_in_the_errors_envelope(desk):
    key = desk.get("organizations")["organizations"][0]["id"]
    answers = [desk.call("PUT", f"organizations/{key}", {"organization": {"notes": str(n)}}) for n in range(6)]
    assert answers[5].status_code == 429
    assert answers[5].get_json()["errors"][0]["code"] == "TooManyRequests"


def test_plans_change_the_totals_and_off_means_plenty(desk):
    desk.control("POST", "limits", {"plan": "trial"})
    assert desk.put_ticket(2, subject="a").headers["zendesk-ratelimit-tickets-update"].startswith("total=20;")
    desk.control("POST", "limits", {"enabled": False})
    statuses = {desk.put_ticket(2, subject=f"{number}").status_code for number in range(120)}
    assert statuses == {200}


def test_a_refused_call_spends_nothing_anywhere(clock):
    book = LimitBook()
    book.restore({"values": {"tickets-update": 1}})
    book.spend(("tickets-update",), record="1", user="1", now=clock())
    with pytest.raises(LimitExceeded):
        book.spend(("tickets-update",), record="2", user="1", now=clock())
    assert {used["name"]: used["used"] for used in book.usage(clock())} == {"account": 1, "tickets-update": 1}


def test_pages_and_control_calls_are_not_counted(desk, client):
    desk.control("POST", "limits", {"values": {"account": 1}})
    for path in ("/", "/acme/", "/acme/agent/tickets/2", "/acme/switchboard", "/_control/acme"):
        assert client.get(path).status_code == 200
    assert desk.call("GET", "tickets/1").status_code == 200


def test_another_token_and_another_user_spend_from_the_same_account_limits(desk):
    desk.control("POST", "limits", {"values": {"account": 4, "tickets-update": 3}})
    other, second = desk.acting_as("Camille Tremblay"), type(desk)(desk.client)
    answers = [one.put_ticket(2, subject="x") for one in (desk, other, second, desk)]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
    assert [answer.headers["x-rate-limit-remaining"] for answer in answers[:3]] == ["3", "2", "1"]
    assert [other.call("GET", "tickets/1").status_code for _ in range(2)] == [200, 429]
    assert desk.call("GET", "tickets/1").status_code == 429


def test_a_window_begins_with_its_first_call_and_is_not_moved_by_others(desk, clock):
    desk.control("POST", "limits", {"values": {"account": 2}})
    desk.call("GET", "tickets/1")
    clock.advance(40)
    assert desk.call("GET", "tickets/1").headers["ratelimit-reset"] == "20"
    refused = desk.call("GET", "tickets/1")
    assert (refused.status_code, refused.headers["Retry-After"]) == (429, "20")
    clock.advance(19)
    assert desk.call("GET", "tickets/1").headers["Retry-After"] == "1"
    clock.advance(1)
    assert desk.call("GET", "tickets/1").headers["x-rate-limit-remaining"] == "1"


def test_the_log_names_the_limit_and_the_wait_of_a_429(desk):
    desk.control("POST", "limits", {"values": {"tickets-update": 0}})
    desk.put_ticket(2, subject="x")
    last = desk.control("GET", "log").get_json()["calls"][-1]
    assert (last["status"], last["limit_class"], last["retry_after"]) == (429, "tickets-update", "60")


def test_a_refused_job_reports_the_account_limit_too(desk):
    desk.control("POST", "limits", {"values": {"inflight-jobs": 1}})
    path, body = "tickets/update_many?ids=2", {"ticket": {"subject": "x"}}
    accepted, refused = desk.call("PUT", path, body), desk.call("PUT", path, body)
    assert accepted.headers["zendesk-ratelimit-inflight-jobs"] == "total=1; remaining=0; resets=60"
    assert (refused.status_code, refused.headers["Retry-After"]) == (429, "60")
    for answer in (accepted, refused, desk.call("GET", "tickets/9999")):
        assert int(answer.headers["x-rate-limit-remaining"]) < 700


def test_thousands_of_records_in_their_windows_are_all_remembered(clock):
    book = LimitBook()
    book.restore({"values": {"account": 100_000, "tickets-update": 100_000, "per-ticket-updates": 1}})
    names = ("tickets-update", "per-ticket-updates")
    for record in range(6_000):
        book.spend(names, record=str(record), user="1", now=clock())
    with pytest.raises(LimitExceeded):
        book.spend(names, record="0", user="1", now=clock())
    clock.advance(600)
    book.spend(names, record="0", user="1", now=clock())
