"""`POST …/events` as scripts call it."""

import json
import uuid
from datetime import UTC, datetime

import jsonschema
import pytest
from django.db import OperationalError
from django.test import Client
from django.utils import timezone

from crm_integrations.api.description import read_description
from crm_integrations.models import Configuration, IntakeKey
from crm_integrations.services.intake_keys import create_key, revoke_key
from crm_integrations.services.webhook_signatures import sign_body
from memorialization.models import InteractionEvent
from memorialization.views import api_events
from tests.factories import make_configuration
from tests.memorialization.event_payloads import voice

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 11, 22, 16, 0, tzinfo=UTC)


def check(answer, schema):
    """The answer fits the description's schema."""
    components = read_description()["components"]
    jsonschema.validate(answer.json(), {"$ref": f"#/components/schemas/{schema}", "components": components})
    if schema == "Problem":
        assert answer["Content-Type"] == "application/problem+json"
        assert answer.json()["status"] == answer.status_code
    return answer.json()


@pytest.fixture
def configuration():
    return make_configuration()


@pytest.fixture
def key(configuration):
    return create_key(configuration=configuration, kind="bearer", label="Studio", actor=None, now=NOW)[1]


@pytest.fixture
def send(configuration, key, client):
    def send(body, *, headers=None, configuration_id=configuration.pk):
        data = body if isinstance(body, (bytes, str)) else json.dumps(body)
        return client.post(
            f"/api/v1/configurations/{configuration_id}/events",
            data,
            content_type="application/json",
            headers={"Authorization": f"Bearer {key}"} if headers is None else headers,
        )

    return send


def test_one_event_is_committed_and_answered_with_202(send):
    event = voice()
    answer = send(event)
    assert answer.status_code == 202
    assert check(answer, "IntakeAnswer") == {"accepted": [event["eventId"]], "duplicates": [], "rejected": []}
    assert InteractionEvent.objects.get().contact is None, "a worker folds it"


def test_an_array_tells_accepted_duplicates_and_rejected_apart(send):
    first, second = voice(), voice(contactId="2")
    send(first)
    body = check(send([first, second, {**second, "channel": "fax", "eventId": "bad"}]), "IntakeAnswer")
    assert (body["accepted"], body["duplicates"]) == ([second["eventId"]], [first["eventId"]])
    assert body["rejected"][0]["index"] == 2 and body["rejected"][0]["errors"][0]["field"] == "channel"


def test_unknown_keys_are_reported_as_ignored(send):
    event = voice(mood="good")
    assert check(send(event), "IntakeAnswer")["ignored"] == [{"eventId": event["eventId"], "keys": ["mood"]}]


def test_a_repeated_event_alone_is_still_202(send):
    event = voice()
    send(event)
    assert send(event).status_code == 202 and InteractionEvent.objects.count() == 1


def test_422_only_when_nothing_was_accepted_or_duplicate(send):
    answer = send([{"eventId": "1"}, 7])
    body = check(answer, "Problem")
    assert answer.status_code == 422 and body["accepted"] == []
    assert {"index": 1, "field": "", "message": "An event is a JSON object."} in body["errors"]


def test_an_empty_array_is_422(send):
    assert check(send([]), "Problem")["status"] == 422


@pytest.mark.parametrize("body", ["", "{", b"\xff\xfe{}", "[" * 100_000, '{"eventId": ' + "9" * 5000 + "}"])
def test_bad_json_is_400(send, body):
    assert check(send(body), "Problem")["status"] == 400


def test_more_than_500_events_are_413_and_nothing_is_stored(send):
    assert check(send([voice() for _number in range(501)]), "Problem")["status"] == 413
    assert not InteractionEvent.objects.exists()
    assert send([voice() for _number in range(500)]).status_code == 202


def test_more_than_1_mib_is_413_and_nothing_is_stored(send):
    event = voice(fields={"transcriptionText": "x" * 1_048_576})
    assert check(send(event), "Problem")["status"] == 413
    assert not InteractionEvent.objects.exists()


def test_unknown_deleted_and_draft_configurations_and_missing_or_wrong_keys_get_the_same_401(send, configuration, key):
    answers = [
        send(voice(), headers={}),
        send(voice(), headers={"Authorization": "Bearer wrong"}),
        send(voice(), headers={"Authorization": f"Basic {key}"}),
        send(voice(), configuration_id=uuid.uuid4()),
        send(voice(), configuration_id="no-uuid"),
        send(voice(), configuration_id=make_configuration(address="globex").pk),
    ]
    Configuration.objects.filter(pk=configuration.pk).update(state="draft")
    answers.append(send(voice()))
    Configuration.objects.filter(pk=configuration.pk).update(state="deleted", deleted_at=NOW)
    answers.append(send(voice()))
    assert {answer.status_code for answer in answers} == {401}
    assert len({answer.content for answer in answers}) == 1
    check(answers[0], "Problem")
    assert answers[0]["WWW-Authenticate"] == "Bearer" and not InteractionEvent.objects.exists()


def test_a_revoked_key_is_refused(send, configuration):
    revoke_key(key=IntakeKey.objects.get(), actor=None, now=NOW)
    assert send(voice()).status_code == 401


def test_deactivated_by_an_administrator_with_a_valid_key_is_409_and_without_one_401(send, configuration):
    Configuration.objects.filter(pk=configuration.pk).update(state="inactive")
    assert check(send(voice()), "Problem")["status"] == 409
    assert send(voice(), headers={}).status_code == 401
    assert not InteractionEvent.objects.exists()


def test_inactive_because_of_its_authentication_or_system_user_is_202(send, configuration):
    configuration.authentication.state = "system_user_removed"
    configuration.authentication.save()
    Configuration.objects.filter(pk=configuration.pk).update(state="system_user_removed")
    assert send(voice()).status_code == 202


def test_an_overloaded_database_is_503_with_retry_after_and_nothing_is_stored(send, monkeypatch):
    def fail(**_keys):
        raise OperationalError("database is locked")

    monkeypatch.setattr(api_events, "accept_events", fail)
    answer = send(voice())
    assert check(answer, "Problem")["status"] == 503 and int(answer["Retry-After"]) > 0


@pytest.fixture
def secret(configuration):
    return create_key(configuration=configuration, kind="signing", label="Events", actor=None, now=NOW)[1]


def signed(secret, body, *, age_s=0, extra=""):
    stamp = int(timezone.now().timestamp()) - age_s
    signature = sign_body(secret=secret, message_id="m1", timestamp=stamp, body=body)
    return {"webhook-id": "m1", "webhook-timestamp": str(stamp), "webhook-signature": extra + signature}


def test_a_standard_webhooks_signature_opens_too_also_as_one_of_several(send, secret):
    body = json.dumps(voice()).encode()
    assert send(body, headers=signed(secret, body, extra="v1,AAAA v1a,xyz ")).status_code == 202


def test_a_signature_of_another_body_or_of_another_time_is_401(send, secret):
    body = json.dumps(voice()).encode()
    assert send(body + b" ", headers=signed(secret, body)).status_code == 401
    assert send(body, headers=signed(secret, body, age_s=400)).status_code == 401
    assert send(body, headers=signed(secret, body, age_s=200)).status_code == 202


def test_no_csrf_token_and_no_session_is_needed(configuration, key):
    answer = Client(enforce_csrf_checks=True).post(
        f"/api/v1/configurations/{configuration.pk}/events",
        json.dumps(voice()),
        content_type="text/plain",
        headers={"Authorization": f"bearer {key}"},
    )
    assert answer.status_code == 202


def test_other_methods_are_refused_with_what_is_allowed(client, configuration):
    answer = client.get(f"/api/v1/configurations/{configuration.pk}/events")
    assert check(answer, "Problem")["status"] == 405 and answer["Allow"] == "POST"


@pytest.mark.parametrize("address", ["/api/v1/", "/api/v1/nothing", "/api/v1/configurations"])
def test_an_unknown_address_of_the_api_is_404_as_a_problem(client, address):
    assert check(client.get(address), "Problem")["status"] == 404


def test_messages_come_in_the_callers_language_or_english(client):
    answer = client.get("/api/v1/nothing", headers={"Accept-Language": "fr"})
    assert answer["Content-Language"] == "fr-ca"
