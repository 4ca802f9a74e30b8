"""Strangers and anonymous visitors at every address of the walk; the roles' buttons."""

import uuid

import pytest
from django.urls import reverse

from crm_integrations.permissions import (
    CREATE_CONFIGURATIONS,
    DELETE_CONFIGURATIONS,
    EDIT_CONFIGURATIONS,
    VIEW_CONFIGURATIONS,
)
from crm_integrations.services.intake_keys import create_key
from tests.factories import make_configuration, make_user

pytestmark = pytest.mark.django_db

ADDRESSES = {
    "configuration_list": VIEW_CONFIGURATIONS,
    "configuration_create": CREATE_CONFIGURATIONS,
    "configuration_detail": VIEW_CONFIGURATIONS,
    "configuration_setup": EDIT_CONFIGURATIONS,
    "configuration_settings": EDIT_CONFIGURATIONS,
    "configuration_authentication": EDIT_CONFIGURATIONS,
    "configuration_select_account": EDIT_CONFIGURATIONS,
    "configuration_new_authentication": EDIT_CONFIGURATIONS,
    "configuration_account_address": EDIT_CONFIGURATIONS,
    "configuration_rights": EDIT_CONFIGURATIONS,
    "configuration_external_domain": EDIT_CONFIGURATIONS,
    "configuration_reauthenticate": EDIT_CONFIGURATIONS,
    "configuration_confirm_user": EDIT_CONFIGURATIONS,
    "configuration_check_rights": EDIT_CONFIGURATIONS,
    "configuration_deactivate": EDIT_CONFIGURATIONS,
    "configuration_reactivate": EDIT_CONFIGURATIONS,
    "configuration_delete": DELETE_CONFIGURATIONS,
    "configuration_deleted_list": DELETE_CONFIGURATIONS,
    "configuration_restore": DELETE_CONFIGURATIONS,
    "intake_key_create": EDIT_CONFIGURATIONS,
    "intake_key_new": EDIT_CONFIGURATIONS,
    "intake_key_rotate": EDIT_CONFIGURATIONS,
    "intake_key_revoke": EDIT_CONFIGURATIONS,
}
EVERY_PERMISSION = {VIEW_CONFIGURATIONS, CREATE_CONFIGURATIONS, EDIT_CONFIGURATIONS, DELETE_CONFIGURATIONS}
WITHOUT_CONFIGURATION = {"configuration_list", "configuration_create", "configuration_deleted_list"}
FINDS_DELETED = {"configuration_restore"}
POSTED = {"configuration_check_rights"}


def address(name, configuration, key_id=1):
    if name in WITHOUT_CONFIGURATION:
        return reverse(name)
    needs_key = name.startswith("intake_key") and name != "intake_key_create"
    return reverse(name, args=[configuration.pk, key_id] if needs_key else [configuration.pk])


def call(client, name, url):
    return client.post(url) if name in POSTED else client.get(url)


@pytest.mark.parametrize("name", ADDRESSES)
def test_anonymous_visitors_sign_in_first(client, name):
    url = address(name, make_configuration())
    response = call(client, name, url)
    assert response.status_code == 302 and response.url.startswith("/accounts/login/")


@pytest.mark.parametrize(("name", "needed"), ADDRESSES.items())
def test_strangers_are_told_no(client, name, needed):
    implied = {VIEW_CONFIGURATIONS: {VIEW_CONFIGURATIONS, EDIT_CONFIGURATIONS}}.get(needed, {needed})
    client.force_login(make_user(*(EVERY_PERMISSION - implied)))
    assert call(client, name, address(name, make_configuration())).status_code == 403


@pytest.mark.parametrize("name", sorted(set(ADDRESSES) - WITHOUT_CONFIGURATION - FINDS_DELETED))
def test_unknown_and_deleted_configurations_are_not_found(client, name):
    from django.utils import timezone

    client.force_login(make_user(*EVERY_PERMISSION))
    deleted = make_configuration(state="deleted", deleted_at=timezone.now())
    assert call(client, name, address(name, deleted)).status_code == 404
    deleted.pk = uuid.uuid4()
    assert call(client, name, address(name, deleted)).status_code == 404


def test_a_key_of_another_configuration_is_not_found(client):
    from django.utils import timezone

    client.force_login(make_user(*EVERY_PERMISSION))
    key, _text = create_key(
        configuration=make_configuration(), kind="bearer", label="K", actor=None, now=timezone.now()
    )
    other = make_configuration()
    for name in ("intake_key_new", "intake_key_rotate", "intake_key_revoke"):
        assert client.get(address(name, other, key.pk)).status_code == 404


def test_anonymous_visitors_of_the_callback_sign_in_first(client):
    assert client.get(reverse("authorization_callback")).url.startswith("/accounts/login/")


def test_who_may_create_may_finish_a_draft_and_nothing_else(client):
    client.force_login(make_user(CREATE_CONFIGURATIONS, VIEW_CONFIGURATIONS))
    draft, active = make_configuration(state="draft"), make_configuration()
    for name in ("configuration_setup", "configuration_authentication", "configuration_rights"):
        assert client.get(reverse(name, args=[draft.pk])).status_code == 200
        assert client.get(reverse(name, args=[active.pk])).status_code == 403


def test_a_viewer_sees_the_overview_without_any_button_to_change_it(client):
    client.force_login(make_user(VIEW_CONFIGURATIONS))
    configuration = make_configuration()
    page = client.get(reverse("configuration_detail", args=[configuration.pk])).content.decode()
    for name in ADDRESSES:
        if name not in {"configuration_detail", "configuration_list"} and not name.startswith("intake_key_"):
            assert address(name, configuration) not in page, name
    assert "keys/new" not in page
    assert "New CRM Configuration" not in client.get(reverse("configuration_list")).content.decode()
