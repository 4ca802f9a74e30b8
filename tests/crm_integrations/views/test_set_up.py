"""New CRM Configuration (crm_integrations.views.set_up)."""

import pytest
from django.urls import reverse

from crm_integrations.models import Configuration
from crm_integrations.permissions import CREATE_CONFIGURATIONS, VIEW_CONFIGURATIONS
from tests.factories import make_authentication, make_configuration, make_user

pytestmark = pytest.mark.django_db
NEW = "/configurations/new/"


@pytest.fixture
def user(client):
    user = make_user(CREATE_CONFIGURATIONS, VIEW_CONFIGURATIONS)
    client.force_login(user)
    return user


def basics(**changes):
    return {"integration_type": "memory", "name": "Support", "description": "", **changes}


def set_up_of(configuration):
    return reverse("configuration_setup", args=[configuration.pk])


def test_the_page_has_the_labels_of_the_walk_and_the_only_type_is_selected(client, user):
    text = client.get(NEW).content.decode()
    for label in ("Integration Type", "Configuration Name", "Description", "Authenticate", "Finish", "Save"):
        assert label in text
    assert '<option value="memory">Memory CRM</option>' in text and "Select…" not in text


def test_save_with_a_name_makes_a_draft(client, user):
    response = client.post(NEW, basics())
    draft = Configuration.objects.get()
    assert (draft.state, draft.created_by, response.url) == ("draft", user, set_up_of(draft))


def test_authenticate_saves_the_draft_and_goes_on_to_the_window(client, user):
    response = client.post(NEW, basics(then="authenticate"))
    draft = Configuration.objects.get()
    assert response.url == reverse("configuration_authentication", args=[draft.pk])
    response = client.post(set_up_of(draft), basics(then="authenticate", has_script="1"))
    assert response.url == set_up_of(draft) + "?window=authentication"
    assert "data-open-at-once" in client.get(response.url).content.decode()


@pytest.mark.parametrize("changes", [{"name": " "}, {"name": "x" * 101}, {"integration_type": "another"}])
def test_invalid_basics_are_refused_on_the_page(client, user, changes):
    response = client.post(NEW, basics(**changes))
    assert response.status_code == 422 and not Configuration.objects.exists()
    assert "form-errors" in response.content.decode()


def test_a_double_submit_leads_to_the_one_draft(client, user):
    client.post(NEW, basics())
    response = client.post(NEW, basics(name="support"))
    assert response.url == set_up_of(Configuration.objects.get())


def test_the_name_of_somebody_elses_configuration_is_refused(client, user):
    make_configuration(name="Support", state="draft")
    response = client.post(NEW, basics())
    assert response.status_code == 422
    assert "Another configuration has this name" in response.content.decode()


def test_save_without_an_account_keeps_the_draft_a_draft(client, user):
    draft = Configuration.objects.create(name="A", integration_type="memory")
    response = client.post(set_up_of(draft), basics(name="B", then="save"))
    draft.refresh_from_db()
    assert (response.url, draft.name, draft.state) == (set_up_of(draft), "B", "draft")


def test_save_with_an_account_activates_and_shows_the_overview(client, user):
    draft = make_configuration(name="Support", state="draft")
    response = client.post(set_up_of(draft), basics(then="save"))
    draft.refresh_from_db()
    assert (response.url, draft.state) == (reverse("configuration_detail", args=[draft.pk]), "active")


def test_a_second_save_from_another_tab_lands_on_the_overview(client, user):
    client.force_login(make_user(CREATE_CONFIGURATIONS, "crm_integrations.change_configuration"))
    active = make_configuration(name="Support")
    response = client.post(set_up_of(active), basics(then="save"))
    assert response.url == reverse("configuration_detail", args=[active.pk])


def test_a_draft_cannot_take_a_name_that_is_taken(client, user):
    make_configuration(name="Other")
    draft = make_configuration(name="Support", state="draft")
    assert client.post(set_up_of(draft), basics(name="OTHER")).status_code == 422


def test_the_type_of_a_connected_draft_is_shown_and_not_taken_from_the_form(client, user):
    draft = make_configuration(name="Support", state="draft", authentication=make_authentication())
    assert "Cannot change any more" in client.get(set_up_of(draft)).content.decode()
    client.post(set_up_of(draft), basics(integration_type="another"))
    draft.refresh_from_db()
    assert (draft.integration_type, draft.state) == ("memory", "active")
