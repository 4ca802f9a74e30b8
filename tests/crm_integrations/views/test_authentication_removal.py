"""The page that removes an authentication (crm_integrations.views.authentication_removal)."""

import pytest
from django.urls import reverse

from crm_integrations.models import Authentication
from crm_integrations.permissions import DELETE_CONFIGURATIONS, EDIT_CONFIGURATIONS, VIEW_CONFIGURATIONS
from crm_integrations.providers.errors import CRMUnavailable
from tests.factories import make_authentication, make_configuration, make_user
from tests.memory_provider import MemoryProvider

pytestmark = pytest.mark.django_db
ADMINISTRATOR = (VIEW_CONFIGURATIONS, EDIT_CONFIGURATIONS, DELETE_CONFIGURATIONS)


@pytest.fixture
def authentication():
    return make_authentication(name="Old")


@pytest.fixture
def administrator(client):
    client.force_login(make_user(*ADMINISTRATOR))
    return client


def address(authentication) -> str:
    return reverse("authentication_remove", args=[authentication.pk])


def page_of(account, client) -> str:
    return client.get(reverse("account_detail", args=[account.pk])).content.decode()


def test_it_asks_first_then_removes_and_says_so_on_the_accounts_page(administrator, authentication):
    account = authentication.account
    assert f'href="{address(authentication)}"' in page_of(account, administrator)
    page = administrator.get(address(authentication)).content.decode()
    assert "Remove the authentication “Old”?" in page and Authentication.objects.exists()
    response = administrator.post(address(authentication), follow=True)
    assert response.redirect_chain[0][0] == reverse("account_detail", args=[account.pk])
    text = response.content.decode()
    assert "The authentication “Old” was removed." in text and "could not be told" not in text
    assert "No authentication of this account is left." in text and not Authentication.objects.exists()


def test_that_the_crm_could_not_be_told_is_said(administrator, authentication):
    MemoryProvider.accounts["acme"].faults.append(CRMUnavailable("away", may_have_applied=False))
    assert "The CRM could not be told" in administrator.post(address(authentication), follow=True).content.decode()


def test_one_that_is_used_is_refused_with_the_reason_whether_asked_or_posted(administrator, authentication):
    make_configuration(name="Support", authentication=authentication)
    for ask in (administrator.get, administrator.post):
        text = ask(address(authentication), follow=True).content.decode()
        assert "The authentication “Old” cannot be removed. The configuration “Support” uses it." in text
    assert Authentication.objects.exists()
    assert address(authentication) not in page_of(authentication.account, administrator)


def test_one_that_is_gone_is_not_found(administrator, authentication):
    missing = address(authentication)
    authentication.delete()
    assert administrator.get(missing).status_code == administrator.post(missing).status_code == 404


def test_only_administrators_may_and_only_they_are_offered_it(client, authentication):
    assert client.post(address(authentication)).url.startswith(reverse("login"))
    client.force_login(make_user(VIEW_CONFIGURATIONS, EDIT_CONFIGURATIONS))
    assert client.get(address(authentication)).status_code == client.post(address(authentication)).status_code == 403
    page = page_of(authentication.account, client)
    assert "No configuration uses it." in page and address(authentication) not in page
    assert Authentication.objects.exists()
