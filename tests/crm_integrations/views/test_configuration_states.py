"""Settings, deactivating, reactivating, deleting (views configuration_settings and configuration_states)."""

import pytest
from django.urls import reverse
from django.utils import timezone

from crm_integrations import overview
from crm_integrations.models import Configuration
from crm_integrations.overview import ImpactLine
from crm_integrations.permissions import DELETE_CONFIGURATIONS, EDIT_CONFIGURATIONS
from crm_integrations.services.intake_keys import create_key
from tests.factories import make_configuration, make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def configuration(client):
    client.force_login(make_user(EDIT_CONFIGURATIONS, DELETE_CONFIGURATIONS))
    return make_configuration(name="Support")


def at(name, configuration):
    return reverse(name, args=[configuration.pk])


def settings_data(**changes):
    return {
        "name": "Support",
        "description": "",
        "time_zone": "Europe/Paris",
        "acw_limit_minutes": "45",
        "memorialize_on_closed": "on",
        "external_domain": "https://help.acme.com/",
        **changes,
    }


def test_settings_are_saved(client, configuration):
    url = at("configuration_settings", configuration)
    assert client.post(url, settings_data(name="Sales")).url == url
    configuration.refresh_from_db()
    assert (configuration.name, configuration.time_zone, configuration.acw_limit_minutes) == (
        "Sales",
        "Europe/Paris",
        45,
    )
    assert (configuration.memorialize_on_closed, configuration.contact_ends_first_voice) == (True, False)
    assert configuration.external_domain == "https://help.acme.com"


@pytest.mark.parametrize(
    "changes",
    [
        {"name": ""},
        {"time_zone": "Mars/Olympus"},
        {"acw_limit_minutes": "0"},
        {"acw_limit_minutes": "1441"},
        {"external_domain": "help.acme.com"},
        {"name": "OTHER"},
    ],
)
def test_invalid_settings_change_nothing_and_are_named(client, configuration, changes):
    make_configuration(name="Other")
    response = client.post(at("configuration_settings", configuration), settings_data(**changes))
    configuration.refresh_from_db()
    assert response.status_code == 422 and "form-errors" in response.content.decode()
    assert (configuration.name, configuration.time_zone) == ("Support", "America/Toronto")


def test_deactivation_and_reactivation_ask_first(client, configuration):
    for name, before, after in (
        ("configuration_deactivate", "active", "inactive"),
        ("configuration_reactivate", "inactive", "active"),
    ):
        assert client.get(at(name, configuration)).status_code == 200
        assert Configuration.objects.get().state == before
        assert client.post(at(name, configuration)).url == at("configuration_detail", configuration)
        assert Configuration.objects.get().state == after


def test_a_second_tab_that_deactivates_again_is_told(client, configuration):
    client.post(at("configuration_deactivate", configuration))
    response = client.post(at("configuration_deactivate", configuration), follow=True)
    assert "changed in another window" in response.content.decode()


def test_deletion_shows_what_goes_along(client, configuration, monkeypatch):
    monkeypatch.setattr(overview, "_impact_sources", {"test": lambda found: [ImpactLine("Waiting deliveries", 7)]})
    create_key(configuration=configuration, kind="bearer", label="K", actor=None, now=timezone.now())
    text = client.get(at("configuration_delete", configuration)).content.decode()
    assert "Waiting deliveries: 7" in text and "1 intake key stops working" in text and "30 days" in text


@pytest.mark.parametrize("typed", ["", "support", "Suppor"])
def test_deletion_needs_the_exact_name(client, configuration, typed):
    response = client.post(at("configuration_delete", configuration), {"typed_name": typed})
    assert response.status_code == 422 and Configuration.objects.get().state == "active"


def test_deletion_by_name_keeps_the_row_and_frees_the_name(client, configuration):
    response = client.post(at("configuration_delete", configuration), {"typed_name": "Support"}, follow=True)
    assert "was deleted" in response.content.decode()
    assert Configuration.objects.get().state == "deleted"
    make_configuration(name="Support")
