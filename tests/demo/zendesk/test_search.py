"""The search endpoint: syntax, ceiling, lag."""


def ids(desk, query, **more):
    extra = "".join(f"&{name}={value}" for name, value in more.items())
    return [result["id"] for result in desk.get(f"search?query={query}{extra}")["results"]]


def test_tickets_are_found_by_requester_status_and_custom_field(desk):
    ticket = desk.get("tickets/2")["ticket"]
    found = desk.get(f"search?query=type:ticket requester_id:{ticket['requester_id']} status<solved")["results"]
    assert 2 in [result["id"] for result in found]
    assert {result["result_type"] for result in found} == {"ticket"}
    contact = desk.value(ticket, "CXone contact ID")
    assert ids(desk, f"type:ticket custom_field_{desk.field('CXone contact ID')}:{contact}") == [2]
    assert ids(desk, "type:ticket external_id:CASE-5009") == [10]


def test_repeated_properties_are_alternatives_and_minus_negates(desk):
    both = ids(desk, "type:ticket status:new status:hold")
    new = ids(desk, "type:ticket status:new")
    assert set(new) < set(both)
    assert not set(ids(desk, "type:ticket -status:new")) & set(new)


def test_the_index_lags_when_told_to(desk, clock):
    desk.control("POST", "settings", {"search_lag_s": 120})
    desk.call("POST", "tickets", {"ticket": {"comment": {"body": "x"}, "external_id": "fresh-1"}})
    assert ids(desk, "type:ticket external_id:fresh-1") == []
    assert len(desk.get("tickets?external_id=fresh-1")["tickets"]) == 1
    clock.advance(121)
    assert ids(desk, "type:ticket external_id:fresh-1") == [81]


def test_more_than_a_thousand_results_cannot_be_asked_for(desk):
    assert desk.call("GET", "search?query=type:ticket&page=10&per_page=100").status_code == 200
    beyond = desk.call("GET", "search?query=type:ticket&page=11&per_page=100")
    assert "Search Response Limits" in beyond.get_json()["description"]
    assert beyond.status_code == 422
    cursor = desk.call("GET", "search?query=type:ticket&page[size]=10")
    assert (cursor.status_code, cursor.get_json()["errors"][0]["title"]) == (400, "page must be an integer")


def test_people_are_found_late_by_their_number_and_at_once_by_their_external_id(desk, clock):
    desk.control("POST", "settings", {"search_lag_s": 120})
    desk.call("POST", "users", {"user": {"name": "Late", "phone": "+15145550902", "external_id": "late-1"}})
    assert desk.get('users/search?query=phone:"%2B15145550902"')["users"] == []
    assert [user["name"] for user in desk.get("users/show_many?external_ids=late-1")["users"]] == ["Late"]
    clock.advance(121)
    assert [user["name"] for user in desk.get('users/search?query=phone:"%2B15145550902"')["users"]] == ["Late"]


def test_searches_can_be_limited_and_can_fail_alone(desk):
    desk.control("POST", "limits", {"values": {"search-index": 1}})
    assert desk.call("GET", "search?query=type:ticket").status_code == 200
    limited = desk.call("GET", "search?query=type:ticket")
    assert limited.status_code == 429
    assert "remaining=0" in limited.headers["zendesk-ratelimit-search-index"]
    assert desk.call("GET", "tickets/2").status_code == 200
    desk.control("POST", "limits", {"values": {}})
    desk.control(
        "POST", "faults", {"kind": "status", "status": 429, "path": "api/v2/(users/)?search", "retry_after": 9}
    )
    assert desk.call("GET", "users/search?query=x").headers["Retry-After"] == "9"
    desk.control("DELETE", "faults")
    desk.control("POST", "faults", {"kind": "status", "status": 503, "path": "search"})
    assert desk.call("GET", "search?query=x").get_json()["error"] == "unavailable"
    assert desk.call("GET", "tickets/2").status_code == 200
