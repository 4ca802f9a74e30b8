"""The list of deleted configurations, and restoring one (views.configuration_restoration)."""

import uuid
from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from crm_integrations.models import Configuration
from crm_integrations.permissions import DELETE_CONFIGURATIONS, VIEW_CONFIGURATIONS
from crm_integrations.services.configurations import delete_configuration, reactivate_configuration
from crm_integrations.services.intake_keys import create_key, revoke_key
from crm_integrations.services.restoration import restore_configuration
from crm_integrations.services.senders import find_bearer
from tests.factories import make_configuration, make_user

pytestmark = pytest.mark.django_db
LIST = "/configurations/deleted/"


@pytest.fixture
def person(client):
    user = make_user(VIEW_CONFIGURATIONS, DELETE_CONFIGURATIONS, username="dana")
    client.force_login(user)
    return user


def delete(configuration, actor=None, ago=timedelta()):
    delete_configuration(configuration=configuration, actor=actor, now=timezone.now() - ago)
    return configuration


def at(configuration):
    return reverse("configuration_restore", args=[configuration.pk])


def text_of(response):
    return " ".join(response.content.decode().split())


def test_the_list_of_configurations_leads_there_only_when_there_is_something_to_restore(client, person):
    configuration = make_configuration()
    assert LIST not in text_of(client.get("/configurations/"))
    delete(configuration)
    assert LIST in text_of(client.get("/configurations/"))
    Configuration.objects.update(deleted_at=timezone.now() - timedelta(days=30))
    assert LIST not in text_of(client.get("/configurations/"))


def test_who_may_not_delete_is_not_led_there(client):
    delete(make_configuration())
    client.force_login(make_user(VIEW_CONFIGURATIONS))
    assert LIST not in text_of(client.get("/configurations/"))


def test_it_says_who_deleted_what_and_until_when_it_can_be_restored(client, person):
    delete(make_configuration(name="Old news"), ago=timedelta(days=31))
    support = delete(make_configuration(name="Support"), actor=person, ago=timedelta(days=2))
    text = text_of(client.get(LIST))
    until = timezone.localtime(support.deleted_at + timedelta(days=30))
    assert "Support" in text and "by dana" in text and "2 days ago" in text and f"{until:%H:%M}" in text
    assert at(support) in text and "Old news" not in text


def test_an_empty_list_explains_itself(client, person):
    assert "Nothing to restore" in text_of(client.get(LIST))


def test_restoring_asks_first_and_says_how_it_comes_back(client, person):
    configuration = make_configuration(name="Support")
    create_key(configuration=configuration, kind="bearer", label="K", actor=None, now=timezone.now())
    delete(configuration)
    text = text_of(client.get(at(configuration)))
    assert "comes back deactivated" in text and "1 intake key that was not revoked is valid again" in text
    assert Configuration.objects.get().state == "deleted"
    response = client.post(at(configuration))
    assert response.url == reverse("configuration_detail", args=[configuration.pk])
    assert "was restored and is deactivated" in text_of(client.get(response.url))
    assert Configuration.objects.get().state == "inactive"


def test_a_draft_is_announced_and_restored_as_a_draft(client, person):
    draft = delete(make_configuration(state="draft"))
    assert "comes back as a draft" in text_of(client.get(at(draft)))
    assert "was restored as a draft" in text_of(client.post(at(draft), follow=True))


def test_one_without_its_authentication_says_so(client, person):
    configuration = delete(make_configuration())
    Configuration.objects.update(authentication=None)
    assert "choose another one" in text_of(client.get(at(configuration)))


def test_another_name_is_announced(client, person):
    configuration = delete(make_configuration(name="Support"))
    make_configuration(name="support")
    assert "restored as “Support (2)”" in text_of(client.post(at(configuration), follow=True))


def test_whoever_comes_second_is_told_and_led_to_it(client, person):
    configuration = delete(make_configuration())
    client.post(at(configuration))
    for ask in (client.get, client.post):
        response = ask(at(configuration), follow=True)
        assert response.redirect_chain[0][0] == reverse("configuration_detail", args=[configuration.pk])
        assert "it was restored already" in text_of(response)


def test_whoever_is_second_by_a_moment_is_told_too(client, person, monkeypatch):
    from crm_integrations.views import configuration_restoration as views

    def restore_twice(**keys):
        restore_configuration(**keys)
        restore_configuration(**keys)

    monkeypatch.setattr(views, "restore_configuration", restore_twice)
    configuration = delete(make_configuration())
    assert "it was restored already" in text_of(client.post(at(configuration), follow=True))


def test_after_thirty_days_it_says_that_it_is_too_late(client, person):
    configuration = delete(make_configuration(name="Support"), ago=timedelta(days=30, seconds=1))
    for ask in (client.get, client.post):
        response = ask(at(configuration), follow=True)
        assert response.redirect_chain[0][0] == LIST
        assert "can no longer be restored" in text_of(response)
    assert Configuration.objects.get().state == "deleted"


def test_an_unknown_one_is_not_found(client, person):
    assert client.get(reverse("configuration_restore", args=[uuid.uuid4()])).status_code == 404


def test_restoring_needs_the_token_of_the_form(person):
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(person)
    configuration = delete(make_configuration())
    assert strict.post(at(configuration)).status_code == 403
    assert Configuration.objects.get().state == "deleted"


def test_keys_are_what_they_were_and_a_revoked_one_stays_revoked():
    now = timezone.now()
    configuration = make_configuration()
    _key, kept = create_key(configuration=configuration, kind="bearer", label="A", actor=None, now=now)
    key, revoked = create_key(configuration=configuration, kind="bearer", label="B", actor=None, now=now)
    revoke_key(key=key, actor=None, now=now)
    delete(configuration)
    assert find_bearer(configuration_id=configuration.pk, key=kept, now=now) is None
    restore_configuration(configuration=configuration, actor=None, now=now)
    assert find_bearer(configuration_id=configuration.pk, key=kept, now=now).configuration.state == "inactive"
    reactivate_configuration(configuration=configuration, actor=None)
    assert find_bearer(configuration_id=configuration.pk, key=kept, now=now)
    assert find_bearer(configuration_id=configuration.pk, key=revoked, now=now) is None
