"""Pages for intake keys (crm_integrations.views.intake_keys)."""

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from crm_integrations.models import IntakeKey
from crm_integrations.permissions import EDIT_CONFIGURATIONS
from crm_integrations.services.intake_keys import create_key
from crm_integrations.services.senders import find_bearer
from tests.factories import make_configuration, make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def configuration(client):
    client.force_login(make_user(EDIT_CONFIGURATIONS))
    return make_configuration()


@pytest.fixture
def key(configuration):
    return create_key(configuration=configuration, kind="bearer", label="Studio", actor=None, now=timezone.now())[0]


def at(name, configuration, *args):
    return reverse(name, args=[configuration.pk, *args])


def test_a_new_key_is_shown_once_and_works(client, configuration):
    url = at("intake_key_create", configuration)
    assert client.get(url).status_code == 200
    response = client.post(url, {"label": "Studio", "kind": "bearer"})
    page = client.get(response.url)
    text = page.context["text_of_key"]
    assert text in page.content.decode() and page.headers["Cache-Control"] == "no-store"
    assert find_bearer(configuration_id=configuration.pk, key=text, now=timezone.now())
    again = client.get(response.url, follow=True).content.decode()
    assert text not in again and "A key is shown only once" in again


def test_a_new_key_waits_unreadable_in_the_session(client, configuration):
    client.post(at("intake_key_create", configuration), {"label": "Studio", "kind": "signing"})
    stored = client.session["new_intake_key"]
    assert stored[1].startswith("v1:") and IntakeKey.objects.get().secret not in str(stored)


@pytest.mark.parametrize("data", [{}, {"label": " ", "kind": "bearer"}, {"label": "Studio", "kind": "another"}])
def test_an_invalid_key_is_not_made(client, configuration, data):
    response = client.post(at("intake_key_create", configuration), data)
    assert response.status_code == 422 and not IntakeKey.objects.exists()


def test_rotation_shows_the_new_key_and_lets_the_old_one_end(client, configuration, key):
    url = at("intake_key_rotate", configuration, key.pk)
    assert client.get(url).status_code == 200
    response = client.post(url, {"overlap": "1h"})
    successor = IntakeKey.objects.exclude(pk=key.pk).get()
    assert response.url == at("intake_key_new", configuration, successor.pk)
    key.refresh_from_db()
    assert timedelta(minutes=59) < key.expires_at - timezone.now() <= timedelta(hours=1)
    assert "nothing was changed" in client.post(url, {"overlap": "1h"}, follow=True).content.decode()


def test_rotation_needs_an_overlap_that_is_offered(client, configuration, key):
    assert client.post(at("intake_key_rotate", configuration, key.pk), {"overlap": "9y"}).status_code == 422
    assert IntakeKey.objects.count() == 1


def test_a_key_is_revoked_after_a_question(client, configuration, key):
    url = at("intake_key_revoke", configuration, key.pk)
    assert key.hint in client.get(url).content.decode()
    assert IntakeKey.objects.get().revoked_at is None
    assert "Key revoked." in client.post(url, follow=True).content.decode()
    assert "revoked already" in client.post(url, follow=True).content.decode()


def test_the_overview_lists_keys_with_their_state(client, configuration, key):
    text = client.get(at("configuration_detail", configuration)).content.decode()
    assert "Studio" in text and key.hint in text and "never used" in text and "Rotate" in text
