"""Tickets: what an update changes, what it drops in silence, what it refuses."""

import pytest

OUTAGE = "disposition__technical__outage"


def details(answer):
    assert answer.status_code == 422, answer.data
    return answer.get_json()["details"]


def write_field(desk, title, value, ticket_id=2):
    answer = desk.put_ticket(ticket_id, custom_fields=[{"id": desk.field(title), "value": value}])
    assert answer.status_code == 200, answer.data
    return desk.value(answer.get_json()["ticket"], title)


def test_an_update_answers_with_the_ticket_and_its_audit(desk):
    body = desk.put_ticket(2, subject="Nouvelle adresse", priority="high", metadata={"delivery": "d-1"}).get_json()
    assert body["ticket"]["subject"] == body["ticket"]["raw_subject"] == "Nouvelle adresse"
    changed = {event["field_name"]: event["value"] for event in body["audit"]["events"]}
    assert changed["subject"] == "Nouvelle adresse"
    assert body["audit"]["metadata"]["custom"] == {"delivery": "d-1"}
    assert desk.get("tickets/2/audits")["audits"][-1]["id"] == body["audit"]["id"]


def test_an_unknown_option_is_accepted_and_not_applied(desk):
    write_field(desk, "Disposition", OUTAGE)
    before = desk.get("tickets/2")["ticket"]
    answer = desk.put_ticket(2, custom_fields=[{"id": desk.field("Disposition"), "value": "Technical::Outage"}])
    assert answer.status_code == 200
    assert desk.value(answer.get_json()["ticket"], "Disposition") == OUTAGE
    assert answer.get_json()["ticket"]["updated_at"] == before["updated_at"]


def test_a_chosen_option_brings_its_tag_and_takes_the_old_one_away(desk):
    write_field(desk, "Disposition", OUTAGE)
    assert OUTAGE in desk.get("tickets/2/tags")["tags"]
    write_field(desk, "Disposition", "disposition__resolved")
    tags = desk.get("tickets/2/tags")["tags"]
    assert "disposition__resolved" in tags
    assert OUTAGE not in tags


@pytest.mark.parametrize(
    ("title", "sent", "kept"),
    [
        ("Handle time", 745, "745"),
        ("Refund amount", "12.50", "12.50"),
        ("Call date", "2026-11-20", "2026-11-20"),
        ("Call recorded", True, True),
        ("Order number", "QC-123456", "QC-123456"),
        ("Payment card", "4111 1111 1111 1234", "XXXXXXXXXXXX1234"),
        ("Products", ["product_mobile", "no_such_product"], ["product_mobile"]),
        ("Call notes", "deux\nlignes", "deux\nlignes"),
        ("Call notes", "", None),
        ("Internal risk code", "ignored, agents cannot edit it", None),
    ],
)
def test_values_are_kept_in_the_form_of_their_type(desk, title, sent, kept):
    assert write_field(desk, title, sent) == kept


@pytest.mark.parametrize(
    ("title", "sent"),
    [
        ("Handle time", "long"),
        ("Call date", "20/11/2026"),
        ("Order number", "123"),
        ("Device", "01XXXXXXXXXXXXXXXXXXXXXXXX"),
        ("Transcript", "x" * 65_537),
    ],
)
def test_values_that_do_not_fit_are_refused_and_nothing_is_written(desk, title, sent):
    field_id = desk.field(title)
    answer = desk.put_ticket(2, subject="not this either", custom_fields=[{"id": field_id, "value": sent}])
    assert details(answer)["base"][0]["ticket_field_id"] == field_id
    assert desk.get("tickets/2")["ticket"]["subject"] != "not this either"


def test_inactive_and_unknown_fields_are_ignored(desk):
    pairs = [{"id": desk.field("Legacy CTI reference"), "value": "x"}, {"id": 1, "value": "x"}]
    answer = desk.put_ticket(2, custom_fields=pairs, favourite_colour="red", description="never")
    assert answer.status_code == 200
    assert desk.field("Legacy CTI reference") not in [
        pair["id"] for pair in answer.get_json()["ticket"]["custom_fields"]
    ]
    assert answer.get_json()["ticket"]["description"] != "never"


def test_a_closed_ticket_refuses_every_update_under_status(desk):
    answer = desk.put_ticket(7, subject="too late")
    assert "closed prevents ticket update" in details(answer)["status"][0]["description"]
    assert desk.get("tickets/7")["ticket"]["status"] == "closed"
    assert desk.call("PUT", "tickets/7/tags", {"tags": ["x"]}).status_code == 422


def test_solving_needs_the_required_fields(desk):
    missing = details(desk.put_ticket(1, status="solved"))["base"]
    assert {entry["ticket_field_type"] for entry in missing} == {"FieldAssignee", "FieldGroup", "FieldTagger"}
    assert desk.get("tickets/1")["ticket"]["status"] == "new"
    resolution = [{"id": desk.field("Resolution"), "value": "resolution_fixed"}]
    agent = desk.user("Camille Tremblay")["id"]
    solved = desk.put_ticket(1, status="solved", assignee_id=agent, custom_fields=resolution)
    assert solved.get_json()["ticket"]["status"] == "solved"


def test_a_safe_update_with_an_old_stamp_conflicts(desk, clock):
    stamp = desk.get("tickets/2")["ticket"]["updated_at"]
    clock.advance(5)
    assert desk.put_ticket(2, subject="first", safe_update=True, updated_stamp=stamp).status_code == 200
    late = desk.put_ticket(2, subject="second", safe_update=False, updated_stamp=stamp)
    assert (late.status_code, late.get_json()["error"]) == (409, "UpdateConflict")
    assert desk.put_ticket(2, subject="third").status_code == 200


def test_tags_are_normalised_set_by_update_and_added_by_the_tags_endpoint(desk):
    body = desk.put_ticket(2, tags=["Très Content", "VIP", "vip"]).get_json()
    assert body["ticket"]["tags"] == ["très_content", "vip"]
    assert desk.put_ticket(2, additional_tags=["bulk_only"]).get_json()["ticket"]["tags"] == ["très_content", "vip"]
    assert desk.call("PUT", "tickets/2/tags", {"tags": ["called"]}).get_json()["tags"] == [
        "called",
        "très_content",
        "vip",
    ]


def test_a_comment_is_as_public_as_the_first_one_unless_it_says_so(desk):
    for ticket_id, expected in ((2, True), (10, False)):
        desk.put_ticket(ticket_id, comment={"body": "sans précision"})
        assert desk.get(f"tickets/{ticket_id}/comments")["comments"][-1]["public"] is expected
    desk.put_ticket(2, comment={"body": "<b>interne</b>", "public": False})
    last = desk.get("tickets/2/comments")["comments"][-1]
    assert (last["public"], last["plain_body"]) == (False, "interne")


def test_a_new_ticket_needs_a_comment_and_is_created_with_its_requester(desk):
    blank = desk.call("POST", "tickets", {"ticket": {"subject": "nothing said"}})
    assert details(blank)["base"][0]["error"] == "BlankValue"
    change = {"comment": {"body": "Bonjour"}, "requester": {"name": "Ana Roy", "email": "ana@mail.example"}}
    made = desk.call("POST", "tickets.json", {"ticket": {**change, "external_id": "call-1", "priority": "low"}})
    assert made.status_code == 201
    ticket = made.get_json()["ticket"]
    assert (ticket["id"], ticket["status"], ticket["priority"]) == (81, "new", "low")
    assert desk.get(f"users/{ticket['requester_id']}")["user"]["name"] == "Ana Roy"
    assert [found["id"] for found in desk.get("tickets?external_id=CALL-1")["tickets"]] == [81]


def test_a_refused_ticket_leaves_no_requester_behind(desk):
    change = {"comment": {"body": "x"}, "requester": {"name": "Nobody", "email": "n@mail.example"}, "priority": "huge"}
    assert desk.call("POST", "tickets", {"ticket": change}).status_code == 422
    assert desk.get("users/search?query=email:n@mail.example")["count"] == 0


def test_an_idempotency_key_replays_refuses_and_ends_after_two_hours(desk, clock):
    body = {"ticket": {"comment": {"body": "once"}}}
    first = desk.call("POST", "tickets", body, Idempotency_Key="1234")
    again = desk.call("POST", "tickets", body, Idempotency_Key="1234")
    assert (first.headers["x-idempotency-lookup"], again.headers["x-idempotency-lookup"]) == ("miss", "hit")
    assert first.get_json() == again.get_json()
    other = desk.call("POST", "tickets", {"ticket": {"comment": {"body": "other"}}}, Idempotency_Key="1234")
    assert (other.status_code, other.get_json()["error"]) == (400, "IdempotentRequestError")
    clock.advance(7_201)
    desk = type(desk)(desk.client)
    later = desk.call("POST", "tickets", body, Idempotency_Key="1234")
    assert later.get_json()["ticket"]["id"] != first.get_json()["ticket"]["id"]


def test_a_follow_up_needs_a_closed_ticket_and_inherits_its_tags(desk):
    change = {"comment": {"body": "again"}, "via_followup_source_id": 7}
    made = desk.call("POST", "tickets", {"ticket": change}).get_json()["ticket"]
    assert made["tags"] == desk.get("tickets/7")["ticket"]["tags"]
    assert desk.call("POST", "tickets", {"ticket": {**change, "via_followup_source_id": 2}}).status_code == 422


def test_the_two_kinds_of_not_found_differ(desk):
    assert desk.call("GET", "tickets/99999").get_json()["error"] == "RecordNotFound"
    assert desk.call("GET", "tickets/1/no_such_thing").get_json()["error"] == "InvalidEndpoint"


def test_every_active_custom_field_is_listed_twice_with_null_for_unset(desk):
    ticket = desk.get("tickets/1")["ticket"]
    assert ticket["fields"] == ticket["custom_fields"]
    assert desk.value(ticket, "Call notes") is None
    assert desk.value(ticket, "Escalated") is False
    assert len(ticket["custom_fields"]) == 31


def test_the_large_account_has_four_hundred_fields(client, desk):
    large = type(desk)(client, "large")
    assert large.get("ticket_fields")["count"] == 400
