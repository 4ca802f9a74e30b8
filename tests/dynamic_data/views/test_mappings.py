"""The Dynamic Data tab (dynamic_data.views.mappings)."""

import re

import pytest
from django.urls import reverse

from dynamic_data.models import DynamicDataMapping
from tests.factories import make_configuration, make_dynamic_mapping, make_user

pytestmark = pytest.mark.django_db
VIEW = ("crm_integrations.view_configuration", "dynamic_data.view_dynamicdatamapping")
EDIT_CONFIGURATIONS = "crm_integrations.change_configuration"
RESOURCE = "dynamic_data.{}_dynamicdatamapping"


@pytest.fixture
def configuration():
    return make_configuration(name="Support")


def text_of(response) -> str:
    return re.sub(r"\s+", " ", response.content.decode())


def list_url(configuration) -> str:
    return reverse("dynamic_mapping_list", args=[configuration.pk])


def act_url(act: str, mapping) -> str:
    return reverse(f"dynamic_mapping_{act}", args=[mapping.configuration_id, mapping.pk])


def test_the_tab_lists_mappings_with_their_record_types_and_fields(client, configuration):
    make_dynamic_mapping(configuration, {"ticket": ["subject", "notes"], "user": ["name"]}, name="Card")
    client.force_login(make_user(*VIEW))
    page = text_of(client.get(list_url(configuration)))
    assert "Card" in page and "Ticket, User" in page
    assert "New Data Mapping" not in page
    assert 'aria-current="page">Dynamic Data</a>' in page


@pytest.mark.parametrize("missing", VIEW)
def test_the_tab_needs_configurations_view_and_dynamic_data_view(client, configuration, missing):
    client.force_login(make_user(*(set(VIEW) - {missing})))
    assert client.get(list_url(configuration)).status_code == 403


def test_people_who_are_not_signed_in_are_sent_to_sign_in(client, configuration):
    assert client.get(list_url(configuration)).url.startswith("/accounts/login/")


def test_an_empty_tab_says_what_a_mapping_is_for(client, configuration):
    client.force_login(make_user(*VIEW, EDIT_CONFIGURATIONS, RESOURCE.format("add")))
    page = text_of(client.get(list_url(configuration)))
    assert "No data mapping yet" in page and "New Data Mapping" in page


@pytest.mark.parametrize(("act", "permission"), [("switch", "change"), ("duplicate", "add"), ("delete", "delete")])
def test_each_act_needs_configurations_edit_and_its_own_permission(client, configuration, act, permission):
    mapping = make_dynamic_mapping(configuration, {"ticket": ["subject"]})
    for held in ((EDIT_CONFIGURATIONS,), (RESOURCE.format(permission),)):
        client.force_login(make_user(*held, *VIEW))
        assert client.post(act_url(act, mapping), {"active": "0"}).status_code == 403
    client.logout()
    assert client.post(act_url(act, mapping)).url.startswith("/accounts/login/")
    client.force_login(make_user(EDIT_CONFIGURATIONS, RESOURCE.format(permission), *VIEW))
    assert client.post(act_url(act, mapping), {"active": "0"}).status_code == 302


def test_a_refused_switch_names_the_mapping_that_stands_against_it(client, configuration):
    make_dynamic_mapping(configuration, {"ticket": ["subject"]}, name="First")
    second = make_dynamic_mapping(configuration, {"ticket": ["notes"]}, is_active=False)
    client.force_login(make_user(EDIT_CONFIGURATIONS, RESOURCE.format("change"), *VIEW))
    page = text_of(client.post(act_url("switch", second), {"active": "1"}, follow=True))
    assert "The active mapping “First” already shows “Ticket”." in page


def test_delete_asks_first(client, configuration):
    mapping = make_dynamic_mapping(configuration, {"ticket": ["subject"]}, name="Card")
    client.force_login(make_user(EDIT_CONFIGURATIONS, RESOURCE.format("delete"), *VIEW))
    assert "Delete the mapping “Card”?" in text_of(client.get(act_url("delete", mapping)))
    assert DynamicDataMapping.objects.exists()
    client.post(act_url("delete", mapping))
    assert not DynamicDataMapping.objects.exists()


def test_the_list_of_configurations_counts_active_mappings(client, configuration):
    make_dynamic_mapping(configuration, {"ticket": ["subject"]})
    make_dynamic_mapping(configuration, {"ticket": ["notes"]}, is_active=False)
    client.force_login(make_user(*VIEW))
    page = text_of(client.get(reverse("configuration_list")))
    assert "Dynamic Data" in page
