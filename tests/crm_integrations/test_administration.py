"""The sections of Administration (crm_integrations.administration)."""

import pytest
from django.urls import reverse

from crm_integrations import administration
from crm_integrations.administration import (
    AdministrationSection,
    account_page_url,
    administration_tabs,
    register_sections,
)
from crm_integrations.permissions import EDIT_CONFIGURATIONS, VIEW_CONFIGURATIONS
from tests.factories import make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def sections(monkeypatch):
    found: dict[str, AdministrationSection] = {}
    monkeypatch.setattr(administration, "_sections", found)
    return found


def test_people_see_the_sections_that_they_may_open_in_order(sections):
    register_sections(
        AdministrationSection("Later", "healthz", VIEW_CONFIGURATIONS, order=20),
        AdministrationSection("Not theirs", "readyz", EDIT_CONFIGURATIONS, order=5),
        AdministrationSection("First", "configuration_list", VIEW_CONFIGURATIONS, order=10),
    )
    tabs = administration_tabs(user=make_user(VIEW_CONFIGURATIONS), current="healthz")
    assert [(tab.label, tab.is_current) for tab in tabs] == [("First", False), ("Later", True)]


def test_an_account_has_a_page_when_a_section_brings_one_and_it_may_be_opened(sections):
    user = make_user(VIEW_CONFIGURATIONS)
    register_sections(AdministrationSection("Accounts", "healthz", VIEW_CONFIGURATIONS))
    assert account_page_url(user=user, account_id=7) == ""
    register_sections(AdministrationSection("Accounts", "healthz", VIEW_CONFIGURATIONS, "intake_key_missing"))
    assert account_page_url(user=user, account_id=7) == ""
    register_sections(AdministrationSection("Accounts", "healthz", VIEW_CONFIGURATIONS, "account_detail"))
    assert account_page_url(user=user, account_id=7) == reverse("account_detail", args=[7])
    assert account_page_url(user=make_user(), account_id=7) == ""


def test_without_any_section_the_page_is_refused(client, sections):
    client.force_login(make_user(VIEW_CONFIGURATIONS))
    assert client.get(reverse("administration")).status_code == 403


def test_strangers_sign_in_first(client):
    assert client.get(reverse("administration")).status_code == 302


def test_operators_reach_the_raw_tables_from_there(client):
    client.force_login(make_user(VIEW_CONFIGURATIONS, "crm_integrations.change_user"))
    assert f'href="{reverse("admin:index")}"' in client.get(reverse("account_list")).content.decode()
