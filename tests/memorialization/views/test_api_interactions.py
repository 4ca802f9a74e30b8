"""The API on one contact: its segments, and linking records."""

import json
from datetime import UTC, datetime

import jsonschema
import pytest
from django.urls import get_resolver, resolve

from crm_integrations.api.description import read_description
from crm_integrations.models import Authentication, Configuration
from crm_integrations.services.intake_keys import create_key
from memorialization.models import Delivery, Interaction, InteractionEvent
from tests.engine import take_in
from tests.factories import make_configuration, make_mapping
from tests.memorialization.event_payloads import digital, voice

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 11, 22, 16, 0, tzinfo=UTC)


@pytest.fixture
def configuration():
    found = make_configuration()
    rows = [("subject", "voice", "skillName"), ("amount", "voice", "status"), ("subject", "digital", "channelName")]
    make_mapping(found, {"ticket": rows})
    return found


@pytest.fixture
def call(configuration, client):
    key = create_key(configuration=configuration, kind="bearer", label="Studio", actor=None, now=NOW)[1]

    def call(method, address, body=None, *, headers=None):
        return client.generic(
            method,
            f"/api/v1/configurations/{configuration.pk}/interactions/{address}",
            json.dumps(body) if body is not None else "",
            content_type="application/json",
            headers={"Authorization": f"Bearer {key}"} if headers is None else headers,
        )

    return call


@pytest.mark.usefixtures("memory_crm")
def test_a_segment_says_that_records_are_looked_for_and_what_that_waits_for(configuration, call):
    Configuration.objects.update(searches_records=True, phone_country="CA")
    accept(configuration, voice(fields={"skillName": "S", "ani": "+15145550123"}))
    found = lambda: fits(call("GET", "415203958123"), "Contact")["segments"][0]["matching"]  # noqa: E731
    assert found() == {"state": "waiting", "text": "Records are being looked for", "reason": ""}
    Interaction.objects.update(match_reason="crm_unavailable")
    assert found()["reason"] == "The CRM cannot be reached; it is tried again by itself."
    Authentication.objects.update(state="reauthenticate")
    assert found()["state"] == "held"
    Interaction.objects.update(match_due_at=None)
    assert found() is None


def accept(configuration, *payloads):
    """Take in events of the past: links are made by the clock on the wall."""
    past = [{**payload, "occurredAt": payload["occurredAt"].replace("2026", "2024")} for payload in payloads]
    take_in(configuration, *past, now=NOW)


def fits(answer, schema):
    components = read_description()["components"]
    jsonschema.validate(answer.json(), {"$ref": f"#/components/schemas/{schema}", "components": components})
    return answer.json()


def test_a_contact_shows_its_segments_verdicts_deliveries_and_fields(configuration, call):
    event = voice(fields={"skillName": "S", "status": "x"}, records=[{"entityType": "ticket", "id": "1"}])
    accept(configuration, event)
    body = fits(call("GET", "415203958123"), "Contact")
    (segment,) = body["segments"]
    assert body["contactId"] == "415203958123" and segment["segmentId"] == "" and segment["state"] == "planned"
    assert segment["verdict"]["rule"] == "voice_ended" and segment["verdict"]["text"].startswith("The call has ended")
    (delivery,) = segment["deliveries"]
    assert (delivery["state"], delivery["recordId"], delivery["revision"]) == ("waiting", "1", 1)
    subject, amount = delivery["fields"]
    assert subject == {
        "crmField": "subject",
        "source": "skillName",
        "value": "S",
        "sent": None,
        "result": None,
        "reason": "",
    }
    assert (amount["result"], amount["reason"]) == ("left_out", "The value is not a number.")


def test_what_waits_for_a_held_account_is_shown_as_held(configuration, call):
    accept(configuration, voice(fields={"skillName": "S"}, records=[{"entityType": "ticket", "id": "1"}]))
    configuration.authentication.state = "reauthenticate"
    configuration.authentication.save()
    assert fits(call("GET", "415203958123"), "Contact")["segments"][0]["deliveries"][0]["state"] == "held"


def test_an_unknown_contact_is_404_and_so_is_one_of_another_configuration(call):
    other = make_configuration(address="globex")
    accept(other, voice())
    assert fits(call("GET", "415203958123"), "Problem")["status"] == 404


@pytest.mark.parametrize(("method", "address"), [("GET", "1"), ("POST", "1/records"), ("DELETE", "1/records/ticket/1")])
def test_without_a_key_every_call_is_401(call, method, address):
    assert fits(call(method, address, headers={}), "Problem")["status"] == 401
    assert call(method, address, headers={"Authorization": "Bearer of another"}).status_code == 401


def test_linking_a_record_plans_its_delivery(configuration, call):
    accept(configuration, voice(fields={"skillName": "S"}))
    answer = call("POST", "415203958123/records", {"entityType": "ticket", "id": 35436})
    assert answer.status_code == 202 and len(fits(answer, "IntakeAnswer")["accepted"]) == 1
    assert Delivery.objects.filter(record_id="35436", state="waiting").exists()
    assert InteractionEvent.objects.get(type="records.linked").origin == "api"


def test_unlinking_skips_what_was_not_sent(configuration, call):
    accept(configuration, voice(fields={"skillName": "S"}, records=[{"entityType": "custom_object:a.b", "id": "1"}]))
    assert call("DELETE", "415203958123/records/custom_object:a.b/1").status_code == 202
    assert Interaction.objects.get().links == []


def test_a_link_takes_a_segment_and_by_default_the_latest(configuration, call):
    accept(
        configuration,
        digital("started", "14:00:00"),
        digital("transferred", "14:10:00"),
        digital("started", "14:10:00", agent="B"),
        digital("unassigned", "14:20:00", agent="B"),
    )
    first, second = Interaction.objects.order_by("started_at")
    call("POST", "507345195372/records", {"entityType": "ticket", "id": "2"})
    call("POST", "507345195372/records", {"entityType": "ticket", "id": "1", "segmentId": first.segment_id})
    call("DELETE", f"507345195372/records/ticket/2?segmentId={second.segment_id}")
    first.refresh_from_db(), second.refresh_from_db()
    assert first.links == [{"entity_type": "ticket", "id": "1"}] and second.links == []
    answer = call("POST", "507345195372/records", {"entityType": "ticket", "id": "1", "segmentId": "nobody"})
    assert fits(answer, "Problem")["status"] == 404


@pytest.mark.parametrize("body", [{}, [], {"entityType": "Ticket", "id": "1"}, {"entityType": "ticket", "id": "a b"}])
def test_a_link_that_names_no_record_is_422(configuration, call, body):
    accept(configuration, voice())
    assert fits(call("POST", "415203958123/records", body), "Problem")["status"] == 422


@pytest.mark.parametrize("segment_id", [{}, ["a"], True, "s" * 301])
def test_a_link_whose_segment_id_is_none_is_422(configuration, call, segment_id):
    accept(configuration, voice())
    answer = call("POST", "415203958123/records", {"entityType": "ticket", "id": "1", "segmentId": segment_id})
    assert fits(answer, "Problem")["status"] == 422
    assert [error["field"] for error in answer.json()["errors"]] == ["segmentId"]


def test_a_segment_id_may_be_sent_as_a_number(configuration, call):
    accept(configuration, voice(segmentId=7))
    assert call("POST", "415203958123/records", {"entityType": "ticket", "id": "1", "segmentId": 7}).status_code == 202


def test_a_contact_id_that_no_database_can_hold_is_404(call):
    assert fits(call("GET", "1%00"), "Problem")["status"] == 404
    assert call("POST", "1%00/records", {"entityType": "ticket", "id": "1"}).status_code == 404


def test_what_can_be_read_can_be_asked_for_without_its_body(configuration, call):
    accept(configuration, voice())
    answer = call("HEAD", "415203958123")
    assert answer.status_code == 200 and answer.content == b""
    assert call("PUT", "415203958123").headers["Allow"] == "GET, HEAD"


def test_linking_for_an_unknown_contact_is_404(call):
    assert call("POST", "1/records", {"entityType": "ticket", "id": "1"}).status_code == 404


def test_a_contact_id_may_have_any_signs(configuration, call):
    accept(configuration, voice(contactId="a/b c"))
    assert call("GET", "a%2Fb%20c").status_code == 200


def test_the_description_names_every_address_and_is_open_to_all(client):
    answer = client.get("/api/v1/openapi.json")
    assert answer.status_code == 200 and answer.json()["openapi"].startswith("3.1")
    named = {name for name in get_resolver().reverse_dict if str(name).startswith("api_")}
    described = {resolve("/api/v1" + path).url_name for path in answer.json()["paths"]}
    assert described == named


def test_every_reference_of_the_description_leads_somewhere():
    description = read_description()

    def references(node):
        if isinstance(node, dict):
            yield from [node["$ref"]] if "$ref" in node else []
            for value in node.values():
                yield from references(value)
        elif isinstance(node, list):
            for value in node:
                yield from references(value)

    for reference in set(references(description)):
        found = description
        for step in reference.removeprefix("#/").split("/"):
            found = found[step]
        jsonschema.Draft202012Validator.check_schema(found) if "/schemas/" in reference else None


def test_the_documented_event_fits_the_description(configuration):
    components = read_description()["components"]
    schema = {"$ref": "#/components/schemas/Event", "components": components}
    jsonschema.validate(voice(tags=["a"], records=[{"entityType": "ticket", "id": 1}]), schema)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({**voice(), "type": "interaction.begun"}, schema)
