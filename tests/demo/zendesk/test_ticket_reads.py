"""Lists of tickets: cursors, offsets and their edges."""


def walk(desk, path):
    seen, pages, cursor = [], 0, ""
    while True:
        body = desk.get(f"{path}page[size]=30{cursor}")
        seen += [ticket["id"] for ticket in body["tickets"]]
        pages += 1
        if not body["meta"]["has_more"]:
            return seen, pages, body
        cursor = f"&page[after]={body['meta']['after_cursor']}"


def test_cursors_walk_through_all_tickets_once(desk):
    seen, pages, last = walk(desk, "tickets?")
    assert seen == list(range(1, 81))
    assert pages == 3
    assert last["links"]["next"] is not None  # present although there is no more, as in Zendesk


def test_the_page_after_the_last_has_no_links(desk):
    last = walk(desk, "tickets?")[2]
    empty = desk.get(f"tickets?page[size]=30&page[after]={last['meta']['after_cursor']}")
    assert empty["tickets"] == []
    assert empty["links"]["next"] is None
    assert empty["meta"]["after_cursor"] is None


def test_cursors_sort_by_three_fields_only(desk):
    falling = walk(desk, "tickets?sort=-updated_at&")[0]
    assert sorted(falling) == list(range(1, 81))
    times = [desk.get(f"tickets/{key}")["ticket"]["updated_at"] for key in falling[:5]]
    assert times == sorted(times, reverse=True)
    refused = desk.call("GET", "tickets?page[size]=5&sort=subject")
    assert refused.get_json()["errors"][0]["code"] == "InvalidPaginationParameter"


def test_offsets_count_and_stop_at_their_depth(desk):
    first = desk.get("tickets?per_page=50")
    assert (first["count"], len(first["tickets"]), first["previous_page"]) == (80, 50, None)
    assert "page=2" in first["next_page"]
    deep = desk.call("GET", "tickets?page=101&per_page=100")
    assert deep.get_json()["errors"][0]["code"] == "InvalidPaginationDepth"


def test_a_requesters_tickets_are_listed_without_the_index(desk):
    requester = desk.get("tickets/1")["ticket"]["requester_id"]
    found = desk.get(f"users/{requester}/tickets/requested?page[size]=10&sort=-updated_at")["tickets"]
    assert {ticket["requester_id"] for ticket in found} == {requester}
    assert 1 in [ticket["id"] for ticket in found]


def test_show_many_leaves_out_what_is_not_there_and_takes_a_hundred(desk):
    assert [ticket["id"] for ticket in desk.get("tickets/show_many?ids=2,9999,3")["tickets"]] == [2, 3]
    too_many = desk.call("GET", "tickets/show_many?ids=" + ",".join(map(str, range(1, 102))))
    assert (too_many.status_code, too_many.get_json()["error"]) == (400, "TooManyValues")
