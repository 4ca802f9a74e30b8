"""Bulk updates: from queued to completed, and everything that can go wrong in between."""


def start(desk, ids="2,3", **change):
    answer = desk.call("PUT", f"tickets/update_many?ids={ids}", {"ticket": change})
    assert answer.status_code == 200, answer.data
    return answer.get_json()["job_status"]


def job(desk, started):
    return desk.get(f"job_statuses/{started['id']}")["job_status"]


def subject(desk, ticket_id):
    return desk.get(f"tickets/{ticket_id}")["ticket"]["subject"]


def test_a_job_is_queued_works_and_completes_with_time(desk, clock):
    started = start(desk, ids=",".join(map(str, (2, 3, 4, 5, 9, 10, 11, 12, 13, 17))), priority="low", subject="many")
    assert (started["status"], started["progress"], started["results"]) == ("queued", None, None)
    clock.advance(1.55)
    working = job(desk, started)
    assert (working["status"], working["progress"], working["message"]) == ("working", 5, "Updating ticket #6")
    assert (subject(desk, 9), subject(desk, 10) == "many") == ("many", False)
    clock.advance(1)
    done = job(desk, started)
    assert done["status"] == "completed"
    assert done["results"][0] == {"action": "update", "id": 2, "status": "Updated", "success": True}
    assert len(done["results"]) == 10


def test_records_change_without_anybody_asking_for_the_job(desk, clock):
    start(desk, subject="by itself")
    clock.advance(5)
    assert subject(desk, 3) == "by itself"


def test_completed_does_not_mean_success(desk, clock):
    started = start(desk, ids="2,7,9999", subject="x")
    clock.advance(5)
    done = job(desk, started)
    assert done["status"] == "completed"
    assert done["results"][0]["success"] is True
    failed = done["results"][1]
    assert failed == {
        "index": 1,
        "id": 7,
        "error": "TicketUpdateFailed",
        "details": "Status: closed prevents ticket update",
    }
    assert "success" not in done["results"][2]


def test_a_batch_gives_each_record_its_own_change(desk, clock):
    body = {"tickets": [{"id": 2, "subject": "two"}, {"id": 3, "subject": "three", "additional_tags": ["b"]}]}
    assert desk.call("PUT", "tickets/update_many", body).status_code == 200
    clock.advance(5)
    assert (subject(desk, 2), subject(desk, 3)) == ("two", "three")
    assert {"b", "demo"} <= set(desk.get("tickets/3/tags")["tags"])


def test_a_bulk_job_conflicts_with_what_happened_after_it_was_queued(desk, clock):
    started = start(desk, subject="from the job")
    clock.advance(1)
    desk.put_ticket(2, subject="from a person")
    clock.advance(5)
    assert "Safe Update" in job(desk, started)["results"][0]["details"]
    assert (subject(desk, 2), subject(desk, 3)) == ("from a person", "from the job")


def test_a_hundred_records_and_thirty_jobs_are_the_most(desk):
    ids = ",".join(map(str, range(1, 102)))
    assert desk.call("PUT", f"tickets/update_many?ids={ids}", {"ticket": {}}).get_json()["error"] == "TooManyValues"
    for _ in range(30):
        start(desk, subject="x")
    refused = desk.call("PUT", "tickets/update_many?ids=2", {"ticket": {"subject": "x"}})
    assert (refused.status_code, refused.get_json()["error"]) == (429, "TooManyJobs")
    assert len(refused.get_json()["current_job_ids"]) == 30
    assert refused.headers["zendesk-ratelimit-inflight-jobs"] == "total=30; remaining=0; resets=60"


def test_entries_fail_on_demand(desk, clock):
    desk.control("POST", "faults", {"kind": "job_entry", "record_id": 3, "count": 1, "details": "Database timeout"})
    started = start(desk, subject="x")
    clock.advance(5)
    results = job(desk, started)["results"]
    assert results[0]["success"] is True
    assert results[1] == {"index": 1, "id": 3, "error": "TicketUpdateFailed", "details": "Database timeout"}


def test_jobs_can_get_stuck_or_vanish(desk, clock):
    desk.control("POST", "faults", {"kind": "job_stuck", "count": 1})
    stuck = start(desk, subject="never")
    desk.control("POST", "faults", {"kind": "job_vanish", "count": 1})
    vanished = start(desk, ids="4", subject="done in secret")
    clock.advance(600)
    assert job(desk, stuck)["status"] == "working"
    assert desk.call("GET", f"job_statuses/{vanished['id']}").status_code == 404
    assert (subject(desk, 4), subject(desk, 2) == "never") == ("done in secret", False)
    listed = desk.get("job_statuses")["job_statuses"]
    assert [one["id"] for one in listed] == [stuck["id"]]
    assert desk.get(f"job_statuses/show_many?ids={stuck['id']},{vanished['id']}")["count"] == 1


def test_users_and_organizations_take_bulk_updates(desk, clock):
    user, organization = desk.user("Liam Thompson")["id"], desk.get("organizations")["organizations"][0]["id"]
    desk.call("PUT", f"users/update_many?ids={user}", {"user": {"notes": "bulk"}})
    body = {"organizations": [{"id": organization, "notes": "bulk"}]}
    desk.call("PUT", "organizations/update_many", body)
    clock.advance(5)
    assert desk.get(f"users/{user}")["user"]["notes"] == "bulk"
    assert desk.get(f"organizations/{organization}")["organization"]["notes"] == "bulk"


def test_the_log_shows_every_record_a_job_wrote(desk, clock):
    start(desk, subject="x")
    clock.advance(5)
    entries = [call for call in desk.control("GET", "log").get_json()["calls"] if call["method"] == "JOB"]
    assert [(entry["records"], entry["applied"]) for entry in entries] == [(["tickets/2"], True), (["tickets/3"], True)]


def asset(desk):
    records = desk.control("GET", "records/custom_object_records").get_json()["custom_object_records"]
    return records[0]["custom_object_key"], [record["id"] for record in records][:2]


def test_custom_objects_take_bulk_updates(desk, clock):
    key, [first, *_] = asset(desk)
    items = [{"id": first, "name": "renamed in bulk"}, {"id": "01AAAAAAAAAAAAAAAAAAAAAAAA", "name": "x"}]
    answer = desk.call("POST", f"custom_objects/{key}/jobs", {"job": {"action": "update", "items": items}})
    assert answer.status_code == 201
    clock.advance(5)
    done = job(desk, answer.get_json()["job_status"])
    assert (done["status"], done["total"]) == ("completed", 2)
    assert done["results"][0] == {"action": "update", "id": first, "status": "Updated", "success": True}
    assert done["results"][1]["details"] == "Custom object record not found"
    shown = desk.get(f"custom_objects/{key}/records/{first}")["custom_object_record"]
    assert shown["name"] == "renamed in bulk"
    entry = [call for call in desk.control("GET", "log").get_json()["calls"] if call["method"] == "JOB"][0]
    assert entry["records"] == [f"custom_objects/{key}/{first}"]


def test_custom_object_jobs_share_the_limit_and_the_faults_of_all_jobs(desk, clock):
    key, [first, *_] = asset(desk)
    desk.control("POST", "limits", {"values": {"inflight-jobs": 1}})
    desk.control("POST", "faults", {"kind": "job_entry", "record_ids": [first], "details": "refused"})
    body = {"job": {"action": "update", "items": [{"id": first, "name": "x"}]}}
    started = desk.call("POST", f"custom_objects/{key}/jobs", body).get_json()["job_status"]
    assert desk.call("POST", f"custom_objects/{key}/jobs", body).get_json()["error"] == "TooManyJobs"
    clock.advance(5)
    assert job(desk, started)["results"][0]["details"] == "refused"
    for wrong in ({"action": "explode", "items": []}, {"action": "update", "items": [{"name": "no id"}]}):
        assert desk.call("POST", f"custom_objects/{key}/jobs", {"job": wrong}).status_code == 400
    many = {"action": "update", "items": [{"id": first}] * 101}
    assert desk.call("POST", f"custom_objects/{key}/jobs", {"job": many}).get_json()["error"] == "TooManyValues"


def test_jobs_spend_nothing_of_the_limits_of_single_records(desk, clock):
    user, organization = desk.user("Liam Thompson")["id"], desk.get("organizations")["organizations"][0]["id"]
    for number in range(7):
        for kind, key in (("users", user), ("organizations", organization), ("tickets", 2)):
            body = {kind: [{"id": key, "notes": f"{number}", "subject": f"{number}"}]}
            assert desk.call("PUT", f"{kind}/update_many", body).status_code == 200
        clock.advance(2)
    used = {one["name"] for one in desk.control("GET", "").get_json()["limits_used"]}
    assert used == {"account"}
    assert desk.get(f"users/{user}")["user"]["notes"] == "6"


def test_a_job_can_be_killed_or_fail_after_some_records(desk, clock):
    for kind, status in (("job_killed", "killed"), ("job_failed", "failed")):
        desk.control("POST", "faults", {"kind": kind, "entries": 1, "count": 1})
        started = start(desk, subject=status)
        clock.advance(5)
        ended = job(desk, started)
        assert (ended["status"], len(ended["results"]), ended["progress"]) == (status, 1, 1)
        assert (subject(desk, 2) == status, subject(desk, 3) == status) == (True, False)
    assert desk.control("GET", "").get_json()["live_jobs"] == 0


def test_a_stuck_job_may_have_done_a_part(desk, clock):
    desk.control("POST", "faults", {"kind": "job_stuck", "entries": 1, "count": 1})
    started = start(desk, subject="half")
    clock.advance(600)
    stuck = job(desk, started)
    assert (stuck["status"], stuck["progress"]) == ("working", 1)
    assert (subject(desk, 2), subject(desk, 3) == "half") == ("half", False)


def test_jobs_that_run_at_once_write_in_the_order_of_time(desk, clock):
    fillers = [{"id": key, "subject": "first job"} for key in (3, 4, 5, 9, 2)]
    desk.call("PUT", "tickets/update_many", {"tickets": fillers})
    clock.advance(0.05)
    desk.call("PUT", "tickets/update_many", {"tickets": [{"id": 2, "subject": "second job"}]})
    clock.advance(60)
    assert subject(desk, 2) == "first job"  # its fifth record comes later than the other job's first
    page = desk.control("GET", "writes").get_json()
    moments = [row[page["columns"].index("at")] for row in page["writes"]]
    assert moments == sorted(moments)


def test_a_single_update_finds_what_jobs_had_done_by_then(desk, clock):
    start(desk, ids="2", subject="from the job")
    clock.advance(5)
    desk.put_ticket(2, priority="low")
    page = desk.control("GET", "writes").get_json()["writes"]
    assert [row[3] for row in page] == ["JOB", "PUT"]
