"""The customer card for scripts (dynamic_data.views.api_customer_card)."""

import json

import jsonschema
import pytest
from django.db import connection
from django.utils import timezone

from crm_integrations.api.description import read_description
from crm_integrations.contact_links import RecordReference
from crm_integrations.models import Configuration
from crm_integrations.providers.errors import CRMUnavailable
from crm_integrations.services.catalogue import read_entity_types
from crm_integrations.services.intake_keys import create_key
from tests.factories import make_configuration, make_dynamic_mapping
from tests.memory_provider import MemoryProvider

pytestmark = pytest.mark.django_db
TICKET = RecordReference("ticket", "1")


@pytest.fixture
def configuration():
    configuration = make_configuration(external_domain="https://help.acme.test")
    make_dynamic_mapping(configuration, {"ticket": ["subject", "created_at"]})
    MemoryProvider.accounts["acme"].records["ticket", "1"] = {
        "subject": "Broken printer",
        "created_at": "2026-11-22T15:04:58Z",
    }
    return configuration


@pytest.fixture
def key(configuration):
    return create_key(configuration=configuration, kind="bearer", label="Studio", actor=None, now=timezone.now())[1]


@pytest.fixture
def call(client, configuration, key):
    def get(*, bearer=key, pk=configuration.pk, path="", method="get", **sent):
        url = f"/api/v1/configurations/{pk}/customer-card{path}"
        headers = {"Authorization": f"Bearer {bearer}"} if bearer else {}
        headers |= sent.pop("headers", {})
        if method == "post":
            body = json.dumps(sent.get("body", sent))
            return client.post(url, body, content_type="application/json", headers=headers)
        return client.get(url, sent, headers=headers)

    return get


def errors_of(response) -> set[str]:
    assert response.headers["Content-Type"] == "application/problem+json"
    return {error["field"] for error in response.json()["errors"]}


def test_a_contacts_card_has_its_linked_and_related_records(call, kept_links):
    kept_links.links["c1"] = [TICKET]
    response = call(contactId="c1")
    assert response.status_code == 200
    assert response.json() == {
        "current": [
            {
                "entityType": "ticket",
                "id": "1",
                "title": "Broken printer",
                "url": "https://help.acme.test/ticket/1",
                "fields": [
                    {"key": "subject", "label": "Subject", "value": "Broken printer"},
                    {"key": "created_at", "label": "Created", "value": "22 Nov 2026, 10:04"},
                ],
                "linked": True,
                "closed": False,
            }
        ],
        "related": [],
    }


def test_one_record_in_another_language_and_time_zone(call):
    response = call(
        entityType="ticket", id="1", timeZone="Europe/Paris", headers={"Accept-Language": "fr-CA, en;q=0.5"}
    )
    assert response.json()["current"][0]["fields"][1]["value"] == "22 novembre 2026, 16:04"
    assert response.headers["Content-Language"] == "fr-ca"


@pytest.mark.parametrize(
    ("sent", "fields"),
    [
        ({}, {"contactId"}),
        ({"contactId": " "}, {"contactId"}),
        ({"contactId": "c1", "entityType": "ticket", "id": "1"}, {"contactId"}),
        ({"entityType": "ticket"}, {"id"}),
        ({"id": "1"}, {"entityType"}),
        ({"entityType": "Ticket!", "id": "a b"}, {"entityType", "id"}),
        ({"entityType": "car", "id": "1"}, {"entityType"}),
        ({"contactId": "x" * 201}, {"contactId"}),
        ({"contactId": "a\0b"}, {"contactId"}),
        ({"entityType": "ticket", "id": "9" * 201}, {"id"}),
        ({"contactId": "c1", "timeZone": "Mars"}, {"timeZone"}),
    ],
)
def test_what_cannot_be_understood_is_a_problem_that_names_its_parameter(call, kept_links, sent, fields):
    response = call(**sent)
    assert response.status_code == 422
    assert errors_of(response) == fields


def test_a_record_that_is_not_there_is_not_found(call):
    assert call(entityType="ticket", id="404").status_code == 404


def test_a_wrong_key_a_foreign_configuration_and_no_key_are_all_401(call, configuration):
    elsewhere = make_configuration()
    for refused in (call(bearer="wrong"), call(bearer=""), call(pk=elsewhere.pk), call(pk="nonsense")):
        assert refused.status_code == 401
        assert refused.headers["Content-Type"] == "application/problem+json"


def test_a_deactivated_configuration_and_one_without_its_system_user_refuse(call, configuration, kept_links):
    for state in ("inactive", "system_user_removed"):
        Configuration.objects.filter(pk=configuration.pk).update(state=state)
        assert call(contactId="c1").status_code == 409
        assert call(path="/address", method="post", contactId="c1").status_code == 409


def test_other_methods_are_not_taken(call, client, configuration, key):
    assert call(method="post", contactId="c1").status_code == 405
    assert call(path="/address").status_code == 405


def test_while_the_crm_is_away_the_last_known_values_come_with_their_age(call, configuration):
    read_entity_types(authentication=configuration.authentication)
    MemoryProvider.accounts["acme"].faults.append(CRMUnavailable("down", may_have_applied=False))
    record = call(entityType="ticket", id="1").json()["current"][0]
    assert record["fields"] == []
    assert record["problem"] == "The CRM cannot be reached just now."
    assert record["url"] == "https://help.acme.test/ticket/1"


def test_an_address_of_the_card_is_signed_for_half_an_hour(call, settings, client, kept_links):
    settings.SITE_URL = "https://integrations.example.com"
    response = call(path="/address", method="post", contactId=415203958123, language="fr", agentId="39185896")
    assert response.status_code == 200
    url = response.json()["url"]
    assert url.startswith("https://integrations.example.com/card/")
    page = client.get(url.removeprefix("https://integrations.example.com"))
    assert 'lang="fr-ca"' in page.content.decode()


def test_an_address_ends_with_the_key_of_its_call(call, configuration, client, kept_links, settings):
    path = call(path="/address", method="post", contactId="c1").json()["url"].removeprefix(settings.SITE_URL)
    assert client.get(path).status_code == 200
    configuration.intake_keys.update(revoked_at=timezone.now())
    assert client.get(path).status_code == 410


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        ({}, {"contactId"}),
        ({"contactId": ["c1"]}, {"contactId"}),
        ({"contactId": "c1", "language": "de"}, {"language"}),
        ({"contactId": "c1", "timeZone": 5}, {"timeZone"}),
        ({"contactId": "c1", "agentId": True}, {"agentId"}),
    ],
)
def test_an_address_needs_a_contact_and_known_words(call, body, fields):
    response = call(path="/address", method="post", body=body)
    assert response.status_code == 422
    assert errors_of(response) == fields


def test_an_address_is_asked_for_with_an_object(call):
    assert call(path="/address", method="post", body=[1]).status_code == 422


def test_answers_are_as_described(call, kept_links):
    components = read_description()["components"]
    kept_links.links["c1"] = [TICKET, RecordReference("ticket", "404")]
    for schema, response in (
        ("CustomerCard", call(contactId="c1")),
        ("CardAddress", call(path="/address", method="post", contactId="c1")),
        ("Problem", call()),
    ):
        jsonschema.validate(response.json(), {"$ref": f"#/components/schemas/{schema}", "components": components})


def test_a_card_takes_a_handful_of_statements(
    call, kept_links, django_assert_num_queries, django_assert_max_num_queries
):
    kept_links.links["c1"] = [TICKET]
    clock_reads = 2 if connection.vendor == "postgresql" else 0  # for the token and, once a minute, for the rest
    with django_assert_max_num_queries(17 + clock_reads):  # a call is granted and noted under the account's lock
        call(contactId="c1")
    with django_assert_num_queries(3):  # key, account, fields; the keeper of links adds one of its own
        call(contactId="c1")
