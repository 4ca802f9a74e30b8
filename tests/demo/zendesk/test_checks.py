"""What those use who prepare and check a run: the log of writes, bulk dumps, many records at once."""

import pytest


def rows(desk, query=""):
    page = desk.control("GET", f"writes{query}").get_json()
    return [dict(zip(page["columns"], row, strict=True)) for row in page["writes"]]


def test_every_write_is_told_in_order_with_its_values(desk, clock):
    skill = desk.field("Skill")
    desk.put_ticket(2, subject="one", custom_fields=[{"id": skill, "value": "Ventes"}])
    desk.put_ticket(7, subject="refused")
    user = desk.user("Liam Thompson")["id"]
    desk.call("PUT", f"users/{user}", {"user": {"notes": "two", "user_fields": {"last_agent": "Ann"}}})
    entries = [{"id": 3, "subject": "three", "additional_tags": ["b"]}, {"id": 9999, "subject": "x"}]
    job = desk.call("PUT", "tickets/update_many", {"tickets": entries}).get_json()["job_status"]["id"]
    clock.advance(5)
    found = rows(desk)
    assert [(row["n"], row["method"], row["record"]) for row in found] == [
        (1, "PUT", "tickets/2"),
        (2, "PUT", f"users/{user}"),
        (3, "JOB", "tickets/3"),
    ]
    assert found[0]["values"] == {"subject": "one", f"custom_fields.{skill}": "Ventes"}
    assert found[1]["values"] == {"notes": "two", "user_fields.last_agent": "Ann"}
    assert found[2]["values"] == {"subject": "three", "additional_tags": ["b"]}
    assert found[2]["path"] == f"job_statuses/{job}"
    assert [row["user_id"] for row in found] == [desk.pair["user_id"]] * 3


def test_values_are_what_the_record_had_afterwards(desk):
    disposition = desk.field("Disposition")
    desk.put_ticket(2, custom_fields=[{"id": disposition, "value": "no such option"}])
    [write] = rows(desk)
    record = desk.control("GET", f"records/tickets?ids=2&fields=custom_fields.{disposition}").get_json()["tickets"][0]
    assert write["values"][f"custom_fields.{disposition}"] == record[f"custom_fields.{disposition}"]
    assert write["values"][f"custom_fields.{disposition}"] != "no such option"


def test_comments_come_with_their_metadata(desk):
    desk.put_ticket(2, comment={"body": "hello", "public": False}, metadata={"interaction": "i-1"})
    [write] = rows(desk)
    told = {"body": "hello", "public": False, "author_id": desk.pair["user_id"], "metadata": {"interaction": "i-1"}}
    assert write["comment"] == told
    dumped = desk.control("GET", "records/tickets?ids=2&fields=comments").get_json()["tickets"][0]["comments"]
    assert (dumped[-1]["body"], dumped[-1]["metadata"]) == ("hello", {"interaction": "i-1"})


def test_writes_are_paged_and_can_be_told_by_digest(desk):
    for number in range(5):
        desk.put_ticket(2 + number % 2, subject=f"text {number % 3}", priority="low")
    page = desk.control("GET", "writes?limit=2").get_json()
    assert (len(page["writes"]), page["next"], page["last"]) == (2, 2, 5)
    rest = desk.control("GET", f"writes?since={page['next']}").get_json()
    assert ([row[0] for row in rest["writes"]], rest["next"]) == ([3, 4, 5], None)
    short = rows(desk, "?texts=subject")
    assert [row["values"] for row in short][:2] == [{"subject": "text 0"}, {"subject": "text 1"}]
    assert short[0]["digest"] == short[3]["digest"] != short[1]["digest"]
    assert set(short[0]["fields"]) == {"subject", "priority"}
    assert [row["n"] for row in rows(desk, "?record=tickets/3")] == [2, 4]
    desk.control("DELETE", "writes")
    desk.put_ticket(2, subject="later")
    assert [row["n"] for row in rows(desk)] == [6]


def test_created_records_and_tags_are_writes_too(desk):
    created = desk.call("POST", "tickets", {"ticket": {"subject": "new", "comment": {"body": "first"}}}).get_json()
    desk.call("PUT", "tickets/2/tags", {"tags": ["vip"]})
    made, tagged = rows(desk)
    assert (made["record"], made["method"]) == (f"tickets/{created['ticket']['id']}", "POST")
    assert (made["values"], made["comment"]["body"]) == ({"subject": "new"}, "first")
    assert "vip" in tagged["values"]["tags"]


def test_chosen_fields_of_many_records_come_in_the_order_asked(desk):
    body = {"ids": [3, 2, 9999], "fields": ["subject", "status"]}
    dumped = desk.control("POST", "records/tickets", body).get_json()["tickets"]
    assert [set(record) for record in dumped] == [{"id", "subject", "status"}] * 2
    assert [record["id"] for record in dumped] == [3, 2]
    assert len(desk.control("GET", "records/users?fields=name").get_json()["users"]) > 10


def test_many_tickets_and_users_are_made_at_once(desk, client):
    tickets = desk.control("POST", "tickets", {"count": 300, "subject": "bench"}).get_json()["ids"]
    users = desk.control("POST", "users", {"count": 20}).get_json()["ids"]
    assert (len(set(tickets)), len(set(users))) == (300, 20)
    ticket = desk.get(f"tickets/{tickets[-1]}")["ticket"]
    assert (ticket["subject"], ticket["status"]) == ("bench", "open")
    assert desk.put_ticket(tickets[0], subject="writable").status_code == 200
    assert desk.get(f"users/{users[0]}")["user"]["role"] == "end-user"
    assert desk.call("PUT", f"users/{users[0]}", {"user": {"notes": "x"}}).status_code == 200
    for count in (0, 20_001, "many", None):
        assert client.post("/_control/acme/tickets", json={"count": count}).status_code == 422


@pytest.mark.parametrize("seed", [3, 4])
def test_the_same_seed_strikes_the_same_calls(desk, seed):
    desk.control("POST", "faults", {"kind": "status", "status": 500, "probability": 0.5})
    runs = []
    for _ in range(2):
        desk.control("POST", "seed", {"seed": seed})
        runs.append([desk.call("GET", "tickets/1").status_code for _ in range(30)])
    assert runs[0] == runs[1]
    assert set(runs[0]) == {200, 500}
