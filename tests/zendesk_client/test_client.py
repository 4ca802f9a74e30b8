"""Every method of the client: the request it makes and what it makes of the answer."""

import pytest

from zendesk_client import (
    AnonymousUser,
    ClosedTicket,
    EndpointNotFound,
    Forbidden,
    IdempotencyMismatch,
    InvalidAnswer,
    LimitReport,
    MarketplaceHeaders,
    RateLimited,
    RecordNotFound,
    TooManyJobs,
    Unauthorized,
    UpdateConflict,
    WriteOptions,
    ZendeskClient,
    is_applied,
)

from .conftest import BASE

API = f"{BASE}/api/v2"
CAR_ID = "01GCSJW391QVSC80GYDH7E93Q6"


# Who calls


def test_whoami_tells_who_every_call_runs_as(zendesk, client):
    user = {
        "id": 35436, "name": "CTI", "email": "cti@example.com", "role": "agent", "role_type": 0, "custom_role_id": 77,
        "active": True, "suspended": False, "ticket_restriction": None, "only_private_comments": True,
        "restricted_agent": True, "iana_time_zone": "America/Toronto", "locale": "fr-ca", "last_active": "?",
    }  # fmt: skip
    zendesk.get(f"{API}/users/me", json={"user": user})
    identity = client.whoami()
    assert (identity.id, identity.role, identity.role_type, identity.custom_role_id) == (
        "35436",
        "agent",
        "custom",
        "77",
    )
    assert (identity.is_active, identity.is_suspended, identity.ticket_restriction) == (True, False, "")
    assert (identity.only_private_comments, identity.restricted_agent) == (True, True)
    assert (identity.time_zone, identity.locale) == ("America/Toronto", "fr-ca")
    assert "cti@example.com" not in repr(identity)


def test_whoami_is_not_fooled_by_a_200_for_nobody(zendesk, client):
    zendesk.get(f"{API}/users/me", json={"user": {"id": None, "name": "Anonymous user"}})
    with pytest.raises(AnonymousUser):
        client.whoami()


def test_whoami_of_a_suspended_or_deleted_user_says_so(zendesk, client):
    zendesk.get(f"{API}/users/me", json={"user": {"id": 1, "active": False, "suspended": True, "role_type": None}})
    identity = client.whoami()
    assert (identity.is_active, identity.is_suspended, identity.role_type) == (False, True, "")


def test_whoami_with_a_dead_token_is_unauthorized(zendesk, client):
    zendesk.get(f"{API}/users/me", status=401, json={"error": "invalid_token", "error_description": "expired"})
    with pytest.raises(Unauthorized) as caught:
        client.whoami()
    assert caught.value.code == "invalid_token"


def test_a_custom_role_is_read_with_its_rights(zendesk, client):
    configuration = {"ticket_access": "all", "ticket_editing": True}
    zendesk.get(
        f"{API}/custom_roles/77", json={"custom_role": {"id": 77, "name": "CTI", "configuration": configuration}}
    )
    role = client.custom_role("77")
    assert (role.id, role.name, role.configuration["ticket_editing"]) == ("77", "CTI", True)


def test_a_role_that_may_not_be_read_is_forbidden(zendesk, client):
    zendesk.get(f"{API}/custom_roles/77", status=403, json={"error": {"title": "Forbidden", "message": "No access"}})
    with pytest.raises(Forbidden):
        client.custom_role(77)


# What can be written


def test_ticket_fields_are_asked_for_all_at_once_in_the_accounts_order(zendesk, client):
    fields = [{"id": 1, "type": "subject", "title": "Subject"}, {"id": 2, "type": "text", "title": "Code"}]
    zendesk.get(f"{API}/ticket_fields", json={"ticket_fields": fields, "next_page": None})
    assert [definition.key for definition in client.list_fields("ticket")][:2] == ["subject", "custom_field_2"]
    assert zendesk.calls[0].request.params == {}


@pytest.mark.parametrize(("entity_type", "path"), [("user", "user_fields"), ("organization", "organization_fields")])
def test_keyed_fields_are_listed_page_by_page(zendesk, client, entity_type, path):
    first = {path: [{"key": "a", "type": "text", "title": "A"}], "meta": {"has_more": True, "after_cursor": "c"}}
    second = {path: [{"key": "b", "type": "date", "title": "B"}], "meta": {"has_more": False}}
    zendesk.get(f"{API}/{path}", json=first)
    zendesk.get(f"{API}/{path}", json=second)
    keys = [definition.key for definition in client.list_fields(entity_type)]
    assert keys[0] == "name"
    assert keys[-2:] == ["a", "b"]


def test_fields_of_a_custom_object_include_the_standard_ones(zendesk, client):
    fields = [{"key": "standard::name", "type": "text", "title": "Name", "required": True}]
    body = {"custom_object_fields": fields, "meta": {"has_more": False}}
    zendesk.get(f"{API}/custom_objects/car/fields", json=body)
    assert client.list_fields("custom_object:car")[0].required is True
    assert zendesk.calls[0].request.params == {"include_standard_fields": "true", "page[size]": "100"}


def test_custom_objects_are_listed_with_the_name_every_method_takes(zendesk, client):
    objects = [{"key": "car", "title": "Car", "title_pluralized": "Cars"}]
    zendesk.get(f"{API}/custom_objects", json={"custom_objects": objects})
    (car,) = client.list_custom_objects()
    assert (car.entity_type, car.title, car.title_pluralized) == ("custom_object:car", "Car", "Cars")


# Reading


@pytest.mark.parametrize(
    ("entity_type", "record_id", "path", "envelope"),
    [
        ("ticket", "35436", "tickets/35436", "ticket"),
        ("user", 7, "users/7", "user"),
        ("organization", "8", "organizations/8", "organization"),
        ("custom_object:car", CAR_ID, f"custom_objects/car/records/{CAR_ID}", "custom_object_record"),
    ],
)
def test_a_record_of_any_type_is_shown(zendesk, client, entity_type, record_id, path, envelope):
    zendesk.get(f"{API}/{path}", json={envelope: {"id": record_id, "name": "N"}})
    record = client.show(entity_type, record_id)
    assert (record.entity_type, record.id) == (entity_type, str(record_id))


def test_a_deleted_record_is_not_found(zendesk, client):
    zendesk.get(f"{API}/tickets/1", status=404, json={"error": "RecordNotFound", "description": "Not found"})
    with pytest.raises(RecordNotFound):
        client.show("ticket", 1)


def test_a_wrong_address_is_not_taken_for_a_deleted_record(zendesk, client):
    zendesk.get(f"{API}/tickets/1", status=404, body="<html>No such account</html>")
    with pytest.raises(EndpointNotFound):
        client.show("ticket", 1)


def test_an_id_that_can_be_none_costs_no_call(client):
    with pytest.raises(RecordNotFound):
        client.show("ticket", "not-a-number")


@pytest.mark.parametrize("body", [None, {}, {"id": None, "subject": "x"}])
def test_an_answer_without_the_record_is_invalid(zendesk, client, body):
    zendesk.get(f"{API}/tickets/1", json={"ticket": body})
    with pytest.raises(InvalidAnswer):
        client.show("ticket", 1)


def test_a_list_with_a_record_that_has_no_id_does_not_say_that_the_record_asked_for_is_gone(zendesk, client):
    zendesk.get(f"{API}/tickets/show_many", json={"tickets": [{"subject": "x"}]})
    with pytest.raises(InvalidAnswer):
        client.show_many("ticket", [1])


@pytest.mark.parametrize(
    ("entity_type", "ids", "path", "key", "params"),
    [
        ("ticket", ["1", "2"], "tickets/show_many", "tickets", {"ids": "1,2"}),
        ("user", [1, 2], "users/show_many", "users", {"ids": "1,2"}),
        ("organization", ["1"], "organizations/show_many", "organizations", {"ids": "1"}),
        (
            "custom_object:car", [CAR_ID], "custom_objects/car/records", "custom_object_records",
            {"filter[ids]": CAR_ID, "page[size]": "100"},
        ),
    ],
)  # fmt: skip
def test_many_records_are_shown_in_one_call(zendesk, client, entity_type, ids, path, key, params):
    zendesk.get(f"{API}/{path}", json={key: [{"id": ids[0]}]})
    assert [record.id for record in client.show_many(entity_type, ids)] == [str(ids[0])]
    assert zendesk.calls[0].request.params == params


def test_no_ids_cost_no_call_and_too_many_are_refused(client):
    assert client.show_many("ticket", []) == []
    with pytest.raises(ValueError, match="100"):
        client.show_many("ticket", range(1, 102))


@pytest.mark.parametrize(
    ("entity_type", "path", "key", "params"),
    [
        ("ticket", "tickets", "tickets", {"external_id": "A-1"}),
        ("user", "users/show_many", "users", {"external_ids": "A-1"}),
        ("organization", "organizations/show_many", "organizations", {"external_ids": "A-1"}),
        ("custom_object:car", "custom_objects/car/records", "custom_object_records", {"filter[external_ids]": "A-1"}),
    ],
)
def test_records_are_found_by_external_id(zendesk, client, entity_type, path, key, params):
    zendesk.get(f"{API}/{path}", json={key: [{"id": 5}, {"id": 6}]})
    assert [record.id for record in client.find_by_external_id(entity_type, "A-1")] == ["5", "6"]
    assert zendesk.calls[0].request.params == params


@pytest.mark.parametrize("entity_type", ["user", "organization"])
def test_an_external_id_with_a_comma_is_one_id(zendesk, client, entity_type):
    zendesk.get(f"{API}/{entity_type}s/search", json={f"{entity_type}s": []})
    assert client.find_by_external_id(entity_type, "a,b") == []
    assert zendesk.calls[0].request.params == {"external_id": "a,b"}


def test_an_empty_external_id_is_never_searched(client):
    with pytest.raises(ValueError, match="external id"):
        client.find_by_external_id("ticket", " ")


@pytest.mark.parametrize(
    ("method", "value", "query"),
    [
        ("find_users_by_phone", "+15145550123", 'phone:"+15145550123"'),
        ("find_users_by_email", "a.b@example.com", 'email:"a.b@example.com"'),
        ("find_users_by_email", 'x" role:admin*', 'email:"x role:admin"'),
        ("find_users_by_phone", "+1\n514\\", 'phone:"+1 514"'),
    ],
)
def test_users_are_searched_with_their_words_in_quotes(zendesk, client, method, value, query):
    zendesk.get(f"{API}/users/search", json={"users": [{"id": 5, "phone": "+15145550123"}], "count": 1})
    (user,) = getattr(client, method)(value)
    assert user.values["phone"] == "+15145550123"
    assert zendesk.calls[0].request.params == {"query": query, "per_page": "100"}


def test_a_search_without_a_word_is_never_made(client):
    with pytest.raises(ValueError, match="word"):
        client.find_users_by_phone(' "* ')


def test_tickets_a_user_requested_come_with_the_latest_first(zendesk, client):
    zendesk.get(f"{API}/users/7/tickets/requested", json={"tickets": [{"id": 2}, {"id": 1}]})
    assert [ticket.id for ticket in client.list_requested_tickets(7, limit=5)] == ["2", "1"]
    assert zendesk.calls[0].request.params == {"sort": "-updated_at", "page[size]": "5"}


def test_audits_are_read_to_the_end(zendesk, client):
    first = {
        "audits": [{"id": 1, "metadata": {"custom": {"delivery": "d-1"}}}],
        "meta": {"has_more": True, "after_cursor": "c"},
    }
    zendesk.get(f"{API}/tickets/1/audits", json=first)
    zendesk.get(f"{API}/tickets/1/audits", json={"audits": [{"id": 2}], "meta": {"has_more": False}})
    audits = list(client.iterate_ticket_audits(1))
    assert audits[0]["metadata"]["custom"] == {"delivery": "d-1"}
    assert len(audits) == 2


# Writing


def test_a_ticket_is_updated_and_read_back_in_one_call(zendesk, client, ticket_fields, body_of):
    answered = {"id": 1, "subject": "New", "custom_fields": [{"id": 1, "value": "745"}, {"id": 4, "value": "old"}]}
    zendesk.put(f"{API}/tickets/1", json={"ticket": answered, "audit": {"id": 9, "events": [{"type": "Change"}]}})
    sent = {"subject": "New", "custom_field_1": 745, "custom_field_4": "unknown"}
    result = client.update("ticket", 1, sent, fields=ticket_fields)
    assert body_of(zendesk.calls[0]) == {
        "ticket": {"subject": "New", "custom_fields": [{"id": 1, "value": 745}, {"id": 4, "value": "unknown"}]}
    }
    read = result.record.values
    assert is_applied(ticket_fields["custom_field_1"], sent["custom_field_1"], read["custom_field_1"])
    assert not is_applied(ticket_fields["custom_field_4"], sent["custom_field_4"], read["custom_field_4"])
    assert result.audit == {"id": 9, "events": [{"type": "Change"}]}


def test_a_comment_goes_with_its_visibility_and_metadata(zendesk, client, body_of):
    zendesk.put(f"{API}/tickets/1", json={"ticket": {"id": 1}})
    client.update("ticket", 1, {"comment": "Call ended"}, options=WriteOptions(metadata={"delivery": "d-1"}))
    assert body_of(zendesk.calls[0]) == {
        "ticket": {"comment": {"body": "Call ended", "public": False}, "metadata": {"delivery": "d-1"}}
    }


@pytest.mark.parametrize(
    ("entity_type", "record_id", "method", "path", "envelope", "container"),
    [
        ("user", "7", "PUT", "users/7", "user", "user_fields"),
        ("organization", "8", "PUT", "organizations/8", "organization", "organization_fields"),
        (
            "custom_object:car", CAR_ID, "PATCH", f"custom_objects/car/records/{CAR_ID}", "custom_object_record",
            "custom_object_fields",
        ),
    ],
)  # fmt: skip
def test_other_records_are_updated(zendesk, client, body_of, entity_type, record_id, method, path, envelope, container):
    zendesk.add(method, f"{API}/{path}", json={envelope: {"id": record_id, container: {"plan": "gold"}}})
    result = client.update(entity_type, record_id, {"name": "N", "plan": "gold"})
    assert body_of(zendesk.calls[0]) == {envelope: {"name": "N", container: {"plan": "gold"}}}
    assert result.record.values["plan"] == "gold"
    assert result.audit is None


@pytest.mark.parametrize("body", [{}, {"subject": "x"}])
def test_a_write_whose_answer_shows_no_record_may_have_been_applied(zendesk, client, body):
    zendesk.put(f"{API}/tickets/35", json={"ticket": body})
    with pytest.raises(InvalidAnswer) as caught:
        client.update("ticket", "35", {"subject": "x"})
    assert caught.value.maybe_applied


def test_a_closed_ticket_says_it_is_closed(zendesk, client):
    details = {"status": [{"description": "Status: closed prevents ticket update"}]}
    zendesk.put(f"{API}/tickets/1", status=422, json={"error": "RecordInvalid", "details": details})
    with pytest.raises(ClosedTicket) as caught:
        client.update("ticket", 1, {"subject": "x"})
    assert caught.value.maybe_applied is False


def test_a_safe_update_of_a_changed_ticket_is_a_conflict(zendesk, client, body_of):
    zendesk.put(f"{API}/tickets/1", status=409, json={"error": "UpdateConflict", "description": "outdated"})
    with pytest.raises(UpdateConflict):
        client.update("ticket", 1, {"subject": "x"}, options=WriteOptions(updated_stamp="2026-11-22T10:00:00Z"))
    assert body_of(zendesk.calls[0])["ticket"]["safe_update"] is True


def test_what_must_not_be_sent_costs_no_call(client):
    with pytest.raises(ValueError, match="tags"):
        client.update("ticket", 1, {"tags": ["a"]})


def test_a_ticket_is_created_under_an_idempotency_key(zendesk, client, body_of):
    zendesk.post(f"{API}/tickets", status=201, json={"ticket": {"id": 9}}, headers={"X-Idempotency-Lookup": "miss"})
    zendesk.post(f"{API}/tickets", status=201, json={"ticket": {"id": 9}}, headers={"X-Idempotency-Lookup": "hit"})
    first = client.create("ticket", {"subject": "s", "comment": "c"}, idempotency_key="k-1")
    second = client.create("ticket", {"comment": "c", "subject": "s"}, idempotency_key="k-1")
    assert (first.idempotency_lookup, second.idempotency_lookup) == ("miss", "hit")
    assert [call.request.headers["Idempotency-Key"] for call in zendesk.calls] == ["k-1", "k-1"]
    assert zendesk.calls[0].request.body == zendesk.calls[1].request.body
    assert body_of(zendesk.calls[0])["ticket"]["comment"] == {"body": "c", "public": False}


def test_a_key_used_with_another_body_is_a_mismatch(zendesk, client):
    zendesk.post(f"{API}/tickets", status=400, json={"error": "IdempotentRequestError", "description": "no match"})
    with pytest.raises(IdempotencyMismatch):
        client.create("ticket", {"subject": "other"}, idempotency_key="k-1")


@pytest.mark.parametrize(("entity_type", "key"), [("user", "k-1"), ("custom_object:car", "k"), ("ticket", "k" * 256)])
def test_an_idempotency_key_zendesk_would_ignore_is_refused(client, entity_type, key):
    with pytest.raises(ValueError, match="idempotency key"):
        client.create(entity_type, {"name": "x"}, idempotency_key=key)


@pytest.mark.parametrize(
    ("entity_type", "path", "envelope"),
    [
        ("user", "users", "user"),
        ("organization", "organizations", "organization"),
        ("custom_object:car", "custom_objects/car/records", "custom_object_record"),
    ],
)
def test_other_records_are_created(zendesk, client, body_of, entity_type, path, envelope):
    zendesk.post(f"{API}/{path}", status=201, json={envelope: {"id": 5, "name": "N"}})
    result = client.create(entity_type, {"name": "N"})
    assert (result.record.id, result.idempotency_lookup) == ("5", "")
    assert body_of(zendesk.calls[0]) == {envelope: {"name": "N"}}
    assert "Idempotency-Key" not in zendesk.calls[0].request.headers


@pytest.mark.parametrize(
    ("entity_type", "path"), [("ticket", "tickets"), ("user", "users"), ("organization", "organizations")]
)
def test_tags_are_added_by_the_one_call_that_sets_nothing(zendesk, client, body_of, entity_type, path):
    zendesk.put(f"{API}/{path}/1/tags", json={"tags": ["old", "vip"]})
    assert client.add_tags(entity_type, 1, ["vip"]) == ("old", "vip")
    assert body_of(zendesk.calls[0]) == {"tags": ["vip"]}


def test_custom_objects_have_no_tags(client):
    with pytest.raises(ValueError, match="no tags"):
        client.add_tags("custom_object:car", CAR_ID, ["a"])


# Bulk

QUEUED = {"job_status": {"id": "V3-1", "status": "queued", "total": 2, "progress": None, "results": None}}


def test_many_tickets_are_handed_over_at_once_with_their_tags_added(zendesk, client, body_of, ticket_fields):
    zendesk.put(f"{API}/tickets/update_many", json=QUEUED)
    updates = {"1": {"subject": "a", "tags": ["vip"]}, "2": {"custom_field_1": "7"}}
    job = client.update_many("ticket", updates, fields=ticket_fields)
    assert (job.id, job.is_finished, job.outcomes) == ("V3-1", False, ())
    assert body_of(zendesk.calls[0]) == {
        "tickets": [
            {"id": 1, "subject": "a", "additional_tags": ["vip"]},
            {"id": 2, "custom_fields": [{"id": 1, "value": 7}]},
        ]
    }


@pytest.mark.parametrize(("entity_type", "plural"), [("user", "users"), ("organization", "organizations")])
def test_many_users_or_organizations_are_handed_over(zendesk, client, body_of, entity_type, plural):
    zendesk.put(f"{API}/{plural}/update_many", json=QUEUED)
    client.update_many(entity_type, {"1": {"notes": "x"}})
    assert body_of(zendesk.calls[0]) == {plural: [{"id": 1, "notes": "x"}]}


def test_many_custom_object_records_go_through_the_objects_own_jobs(zendesk, client, body_of):
    zendesk.post(f"{API}/custom_objects/car/jobs", json=QUEUED)
    client.update_many("custom_object:car", {CAR_ID: {"color": "red"}})
    entry = {"id": CAR_ID, "custom_object_fields": {"color": "red"}}
    assert body_of(zendesk.calls[0]) == {"job": {"action": "update", "items": [entry]}}


@pytest.mark.parametrize(
    ("updates", "words"),
    [
        ({}, "needs records"),
        ({"1": {"comment": "x"}}, "comment"),
        ({str(number): {"subject": "x"} for number in range(1, 102)}, "100"),
    ],
)
def test_a_bulk_update_zendesk_should_never_see_is_refused(client, updates, words):
    with pytest.raises(ValueError, match=words):
        client.update_many("ticket", updates)


def test_too_many_jobs_say_so(zendesk, client):
    body = {"error": "TooManyJobs", "description": "Try again later.", "current_job_ids": ["1"]}
    zendesk.put(f"{API}/tickets/update_many", status=429, json=body, headers={"Retry-After": "60"})
    with pytest.raises(TooManyJobs) as caught:
        client.update_many("ticket", {"1": {"subject": "x"}})
    assert (caught.value.retry_after_s, caught.value.limit_class) == (60, "inflight-jobs")
    assert isinstance(caught.value, RateLimited)


def test_jobs_are_asked_for_one_by_one_or_together(zendesk, client):
    done = {"id": "V3-1", "status": "completed", "results": [{"id": 1, "success": True}]}
    zendesk.get(f"{API}/job_statuses/V3-1", json={"job_status": done})
    zendesk.get(f"{API}/job_statuses/show_many", json={"job_statuses": [done]})
    zendesk.get(f"{API}/job_statuses", json={"job_statuses": [done, done]})
    assert client.show_job("V3-1").outcomes[0].succeeded is True
    assert [job.id for job in client.show_jobs(["V3-1", "V3-2"])] == ["V3-1"]
    assert len(client.list_recent_jobs()) == 2
    assert zendesk.calls[1].request.params == {"ids": "V3-1,V3-2"}
    assert client.show_jobs([]) == []


@pytest.mark.parametrize("job", [{}, {"id": None}, {"id": "V3/x="}])
def test_a_job_that_nobody_can_ask_for_may_have_been_taken_up(zendesk, client, job):
    zendesk.put(f"{API}/tickets/update_many", json={"job_status": {**job, "status": "queued"}})
    with pytest.raises(InvalidAnswer) as caught:
        client.update_many("ticket", {"1": {"subject": "x"}})
    assert caught.value.maybe_applied


def test_what_can_be_no_job_id_does_not_spoil_the_question_about_the_others(zendesk, client):
    zendesk.get(f"{API}/job_statuses/show_many", json={"job_statuses": [{"id": "V3-1", "status": "queued"}]})
    assert [job.id for job in client.show_jobs(["V3-1", "", "V3/x="])] == ["V3-1"]
    assert zendesk.calls[0].request.params == {"ids": "V3-1"}
    assert client.show_jobs([""]) == []


@pytest.mark.parametrize("job_id", ["", "../x", "a/b", "a,b", "é"])
def test_what_can_be_no_job_id_is_refused(client, job_id):
    with pytest.raises(ValueError, match="bulk job"):
        client.show_job(job_id)


# All calls


def test_limits_of_the_last_answer_are_kept_and_handed_over(zendesk):
    heard = []
    zendesk.get(f"{API}/tickets/1", json={"ticket": {"id": 1}}, headers={"x-rate-limit": "400"})
    client = ZendeskClient("acme", "t", on_limits=heard.append, marketplace=MarketplaceHeaders(app_id="1"))
    client.show("ticket", 1)
    assert client.last_limits == (LimitReport("account", 400, None, None),)
    assert heard == [client.last_limits]
    assert zendesk.calls[0].request.headers["X-Zendesk-Marketplace-App-Id"] == b"1"


def test_a_client_can_stand_in_a_with_block_and_at_another_address(zendesk):
    zendesk.get("http://127.0.0.1:8900/acme/api/v2/tickets/1", json={"ticket": {"id": 1}})
    with ZendeskClient("acme", "t", base_url_template="http://127.0.0.1:8900/{subdomain}") as client:
        assert client.show("ticket", 1).id == "1"
