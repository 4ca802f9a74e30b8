"""The preview of cards for administrators (dynamic_data.views.preview)."""

import re

import pytest
from django.urls import reverse

from crm_integrations.providers.errors import CRMUnavailable
from tests.factories import make_configuration, make_dynamic_mapping, make_user
from tests.memory_provider import MemoryProvider

pytestmark = pytest.mark.django_db
VIEW = ("crm_integrations.view_configuration", "dynamic_data.view_dynamicdatamapping")


@pytest.fixture
def configuration():
    configuration = make_configuration(external_domain="https://help.acme.test")
    make_dynamic_mapping(configuration, {"ticket": ["subject", "priority"]})
    MemoryProvider.accounts["acme"].records["ticket", "35436"] = {"subject": "Broken printer", "priority": "high"}
    return configuration


@pytest.fixture
def show(client, configuration):
    client.force_login(make_user(*VIEW))

    def get(**sent):
        return client.get(reverse("customer_card_preview", args=[configuration.pk]), sent)

    return get


def text_of(response) -> str:
    return re.sub(r"\s+", " ", response.content.decode())


@pytest.mark.parametrize("missing", VIEW)
def test_it_needs_configurations_view_and_dynamic_data_view(client, configuration, missing):
    client.force_login(make_user(*(set(VIEW) - {missing})))
    assert client.get(reverse("customer_card_preview", args=[configuration.pk])).status_code == 403


def test_people_who_are_not_signed_in_are_sent_to_sign_in(client, configuration):
    response = client.get(reverse("customer_card_preview", args=[configuration.pk]))
    assert response.url.startswith("/accounts/login/")


def test_a_record_is_shown_as_its_card_without_anything_to_press(show):
    page = text_of(show(entityType="ticket", id="35436"))
    assert "Broken printer" in page and "High" in page
    assert 'value="link"' not in page


@pytest.mark.parametrize(
    "link",
    [
        "https://help.acme.test/ticket/35436",
        "https://acme.memory.test/ticket/35436?tab=1#comments",
        " https://help.acme.test/ticket/35436/ ",
    ],
)
def test_a_pasted_link_names_the_record(show, link):
    assert "Broken printer" in text_of(show(link=link))


@pytest.mark.parametrize(
    ("sent", "words"),
    [
        ({"link": "https://help.acme.test/car/1"}, "This is no link to a record"),
        ({"link": "http://["}, "This is no link to a record"),
        ({"entityType": "ticket", "id": "a b"}, "Type the record"),
        ({"id": "1"}, "Select an entity type first."),
        ({"entityType": "car", "id": "1"}, "Select a valid choice"),
    ],
)
def test_what_names_no_record_is_said_at_its_field(show, sent, words):
    response = show(**sent)
    assert response.status_code == 422
    assert words in text_of(response)


def test_a_record_that_is_not_there_says_so(show):
    assert "no such record" in text_of(show(entityType="ticket", id="404"))


def test_a_crm_that_is_away_is_said(show):
    MemoryProvider.accounts["acme"].faults.append(CRMUnavailable("down", may_have_applied=False))
    assert "cannot be reached" in text_of(show())
