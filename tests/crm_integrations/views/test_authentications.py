"""The Authentication window (crm_integrations.views.authentications, authorization)."""

from urllib.parse import parse_qs, urlsplit

import pytest
from django.test import Client
from django.urls import reverse

from crm_integrations.models import Authentication, AuthorizationRequest, Configuration
from crm_integrations.permissions import CREATE_CONFIGURATIONS, EDIT_CONFIGURATIONS, VIEW_CONFIGURATIONS
from crm_integrations.providers.base import SystemUser
from crm_integrations.providers.errors import CRMUnavailable, GrantEnded
from crm_integrations.services.configurations import create_draft, delete_configuration
from crm_integrations.services.holds import ANOTHER_USER
from crm_integrations.services.pending_access import find_pending_access
from crm_integrations.views import authorization as views
from tests.factories import make_authentication, make_configuration, make_user
from tests.memory_provider import MemoryConnection, MemoryProvider

pytestmark = pytest.mark.django_db
CALLBACK = "/oauth/callback/"


@pytest.fixture
def user(client):
    user = make_user(CREATE_CONFIGURATIONS, EDIT_CONFIGURATIONS, VIEW_CONFIGURATIONS)
    client.force_login(user)
    return user


@pytest.fixture
def draft(user):
    return create_draft(integration_type="memory", name="Support", description="", actor=user)


def at(name, configuration):
    return reverse(name, args=[configuration.pk])


def start(client, configuration, **changes):
    """Press Create and answer the state that went to the consent page."""
    data = {"authentication_name": "Acme", "address": "acme", "app_id": "", **changes}
    response = client.post(at("configuration_new_authentication", configuration), data)
    assert response.status_code == 302, response.context and response.context["account_form"].errors
    return parse_qs(urlsplit(response.url).query)["state"][0]


def text_of(client, url):
    return client.get(url, follow=True).content.decode()


def test_the_window_offers_a_new_authentication_with_a_prefilled_name(client, draft):
    text = text_of(client, at("configuration_authentication", draft))
    assert "New authentication" in text and "Your authentication name" in text
    assert 'value="Memory CRM Support"' in text
    assert "Authenticated accounts" not in text


def test_the_window_lists_the_accounts_of_this_type_and_disables_held_ones(client, draft):
    make_authentication(name="Usable", system_user_name="Robo")
    make_authentication(name="Held", state="reauthenticate", address="other")
    foreign = make_authentication(name="Foreign", address="third")
    foreign.account.provider = "another"
    foreign.account.save()
    text = text_of(client, at("configuration_authentication", draft))
    assert "Usable" in text and "system user Robo" in text and "Held" in text and "Foreign" not in text
    assert text.count("disabled") == 1 and "Needs re-authentication" in text


def test_create_goes_to_the_consent_page_with_our_callback(client, draft, settings):
    response = client.post(
        at("configuration_new_authentication", draft), {"authentication_name": "Acme", "address": "acme", "app_id": "7"}
    )
    query = parse_qs(urlsplit(response.url).query)
    assert response.url.startswith("https://acme.memory.test/consent?")
    assert query["redirect_uri"] == [settings.SITE_URL + CALLBACK]
    request = AuthorizationRequest.objects.get()
    assert (request.address, request.options, request.configuration) == ("acme", {"app_id": "7"}, draft)


def test_an_invalid_account_or_a_taken_name_stays_on_the_window(client, draft):
    make_authentication(name="Acme")
    url = at("configuration_new_authentication", draft)
    response = client.post(url, {"authentication_name": "acme", "address": "not a slug"})
    text = response.content.decode()
    assert response.status_code == 422 and "Another authentication has this name" in text
    assert "not a slug" in text and not AuthorizationRequest.objects.exists()
    assert client.get(url).url == at("configuration_authentication", draft)


def test_the_typed_address_is_read_while_typing(client, draft):
    url = at("configuration_account_address", draft)
    assert "https://acme.memory.test" in client.get(url, {"address": "acme"}).content.decode()
    assert "field-error" in client.get(url, {"address": "not a slug"}).content.decode()
    assert client.get(url, {"address": " "}).content.decode().strip() == ""


def test_the_whole_walk_from_consent_to_an_active_configuration(client, draft):
    state = start(client, draft)
    response = client.get(CALLBACK, {"state": state, "code": "good"})
    assert response.url == at("configuration_rights", draft)
    text = text_of(client, response.url)
    assert "Read everything" in text and "Unknown" in text and "Next" in text
    domain = at("configuration_external_domain", draft)
    text = text_of(client, domain)
    assert "external_domain_memory" in text and "https://acme.memory.test" in text and "Finish" in text
    response = client.post(domain, {"external_domain": "https://help.acme.com/"}, follow=True)
    assert "Authentication is active." in response.content.decode()
    assert response.redirect_chain[-1][0] == at("configuration_setup", draft)
    client.post(at("configuration_setup", draft), {"integration_type": "memory", "name": "Support", "then": "save"})
    draft.refresh_from_db()
    assert (draft.state, draft.external_domain, draft.authentication.name) == (
        "active",
        "https://help.acme.com",
        "Acme",
    )


def test_without_a_question_for_the_domain_the_rights_page_finishes(client, draft, monkeypatch):
    monkeypatch.setattr(MemoryProvider, "asks_external_domain", False)
    client.get(CALLBACK, {"state": start(client, draft), "code": "good"})
    rights = at("configuration_rights", draft)
    assert "Finish" in text_of(client, rights)
    assert client.post(rights).url == at("configuration_setup", draft)
    assert client.get(at("configuration_external_domain", draft)).url == rights


def test_a_wrong_domain_is_refused_with_the_providers_words(client, draft):
    client.get(CALLBACK, {"state": start(client, draft), "code": "good"})
    response = client.post(at("configuration_external_domain", draft), {"external_domain": "help.acme.com"})
    assert response.status_code == 422 and "Start with https://." in response.content.decode()


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ({"error": "access_denied"}, "Access was denied on the consent page."),
        ({"error": "invalid_scope"}, "(invalid_scope)"),
        ({}, "no reason given"),
    ],
)
def test_a_refused_consent_comes_back_to_the_window_with_the_reason(client, draft, query, words):
    response = client.get(CALLBACK, {"state": start(client, draft), **query})
    assert response.url == at("configuration_authentication", draft)
    text = text_of(client, response.url)
    assert words in text and "Nothing was stored." in text and 'value="Acme"' in text
    assert words not in text_of(client, response.url)
    draft.refresh_from_db()
    assert draft.state == "draft" and not Authentication.objects.exists()


def test_a_refused_code_comes_back_to_the_window(client, draft):
    MemoryProvider.accounts["acme"].refusal = GrantEnded("invalid_grant", status=400)
    response = client.get(CALLBACK, {"state": start(client, draft), "code": "bad"})
    assert "refused the answer of its own consent page" in text_of(client, response.url)


def test_the_crms_words_are_shown_as_text_only(client, draft):
    response = client.get(CALLBACK, {"state": start(client, draft), "error": "<script>%(x)s</script>"})
    text = text_of(client, response.url)
    assert "<script>%" not in text and "&lt;script&gt;%(x)s" in text


@pytest.mark.parametrize("query", [{}, {"state": "tampered", "code": "x"}])
def test_an_unknown_answer_ends_on_the_list_with_the_reason(client, user, query):
    response = client.get(CALLBACK, query, follow=True)
    assert response.redirect_chain[-1][0] == reverse("configuration_list")
    assert "belongs to no request" in response.content.decode()


def test_the_answer_of_another_session_is_refused(client, draft, user):
    state = start(client, draft)
    client.logout()
    client.force_login(user)
    response = client.get(CALLBACK, {"state": state, "code": "good"}, follow=True)
    assert "another browser session" in response.content.decode()
    assert not Authentication.objects.exists()


def test_reloading_the_callback_repeats_nothing(client, draft):
    query = {"state": start(client, draft), "code": "good"}
    client.get(CALLBACK, query)
    response = client.get(CALLBACK, query)
    assert "used already" in text_of(client, response.url)
    assert Authentication.objects.count() == 1


def test_a_draft_deleted_during_the_consent_ends_on_the_list(client, draft, user):
    from django.utils import timezone

    state = start(client, draft)
    delete_configuration(configuration=draft, actor=user, now=timezone.now())
    response = client.get(CALLBACK, {"state": state, "code": "good"}, follow=True)
    assert response.redirect_chain[-1][0] == reverse("configuration_list")
    assert "deleted meanwhile" in response.content.decode()


def test_an_existing_account_is_selected_and_its_rights_are_checked(client, draft):
    authentication = make_authentication()
    response = client.post(at("configuration_select_account", draft), {"authentication": authentication.pk})
    draft.refresh_from_db()
    authentication.refresh_from_db()
    assert response.url == at("configuration_rights", draft)
    assert draft.authentication == authentication and authentication.rights_checked_at


@pytest.mark.parametrize("choice", ["", "x", "99999"])
def test_no_account_selected_stays_on_the_window(client, draft, choice):
    make_authentication()
    response = client.post(at("configuration_select_account", draft), {"authentication": choice})
    assert response.status_code == 422 and "form-errors" in response.content.decode()


def test_an_account_that_turns_out_to_be_ended_is_not_selected(client, draft):
    authentication = make_authentication()
    MemoryProvider.accounts["acme"].faults.append(GrantEnded("gone", is_user_gone=True))
    response = client.post(at("configuration_select_account", draft), {"authentication": authentication.pk})
    draft.refresh_from_db()
    assert response.status_code == 422 and draft.authentication is None
    assert "must be re-authenticated first" in response.content.decode()


def test_an_account_whose_token_acts_as_another_user_is_held_and_not_selected(client, draft):
    authentication = make_authentication(system_user_id="1")
    response = client.post(at("configuration_select_account", draft), {"authentication": authentication.pk})
    draft.refresh_from_db()
    assert response.status_code == 422 and draft.authentication is None
    assert Authentication.objects.get().state == "reauthenticate"


def test_an_account_can_be_selected_while_the_crm_is_away(client, draft):
    authentication = make_authentication()
    MemoryProvider.accounts["acme"].faults.append(CRMUnavailable("away", may_have_applied=False))
    response = client.post(
        at("configuration_select_account", draft), {"authentication": authentication.pk}, follow=True
    )
    assert "could not be asked for the rights" in response.content.decode()
    draft.refresh_from_db()
    assert draft.authentication == authentication


def test_the_rights_page_of_a_draft_without_an_account_leads_to_the_window(client, draft):
    for name in ("configuration_rights", "configuration_external_domain"):
        assert client.get(at(name, draft), follow=True).redirect_chain[-1][0] == at(
            "configuration_authentication", draft
        )


def test_the_window_of_an_active_configuration_leads_to_its_overview(client, user):
    configuration = make_configuration()
    url = at("configuration_authentication", configuration)
    assert client.get(url).url == at("configuration_detail", configuration)


def start_renewal(client, configuration):
    response = client.post(at("configuration_reauthenticate", configuration))
    return parse_qs(urlsplit(response.url).query)["state"][0]


def test_reauthentication_by_the_same_user_releases_what_is_held(client, user):
    configuration = make_configuration(authentication=make_authentication(state="reauthenticate"))
    assert "sign in" in text_of(client, at("configuration_reauthenticate", configuration)).lower()
    response = client.get(CALLBACK, {"state": start_renewal(client, configuration), "code": "good"}, follow=True)
    assert "Authentication is active." in response.content.decode()
    assert Authentication.objects.get().state == "active"


@pytest.mark.parametrize("system_user_id", ["900", "901"])
def test_who_may_no_longer_edit_renews_no_access(client, user, system_user_id):
    authentication = make_authentication(state="reauthenticate", system_user_id=system_user_id)
    state = start_renewal(client, make_configuration(authentication=authentication))
    user.user_permissions.clear()
    assert client.get(CALLBACK, {"state": state, "code": "good"}).status_code == 403
    assert Authentication.objects.get().state == "reauthenticate"
    assert not MemoryProvider.accounts["acme"].access_tokens


def test_who_may_no_longer_set_a_draft_up_connects_no_account(client, draft, user):
    state = start(client, draft)
    user.user_permissions.clear()
    assert client.get(CALLBACK, {"state": state, "code": "good"}).status_code == 403
    assert not Authentication.objects.exists() and not MemoryProvider.accounts["acme"].access_tokens


def test_a_denied_reauthentication_comes_back_to_its_window_and_changes_nothing(client, user):
    configuration = make_configuration(authentication=make_authentication(state="reauthenticate"))
    state = start_renewal(client, configuration)
    response = client.get(CALLBACK, {"state": state, "error": "access_denied"})
    assert response.url == at("configuration_reauthenticate", configuration)
    assert "Access was denied" in text_of(client, response.url)
    assert Authentication.objects.get().state == "reauthenticate"


@pytest.fixture
def other_user_allowed(client, user):
    configuration = make_configuration(authentication=make_authentication(state="reauthenticate"))
    MemoryProvider.accounts["acme"].user = SystemUser("901", "Other", "other@example.com", "admin")
    response = client.get(CALLBACK, {"state": start_renewal(client, configuration), "code": "good"})
    assert response.url == at("configuration_confirm_user", configuration)
    return configuration


def test_another_system_user_is_used_only_after_a_yes(client, other_user_allowed):
    url = at("configuration_confirm_user", other_user_allowed)
    text = text_of(client, url)
    assert "Another user allowed the access" in text and "other@example.com" in text
    assert Authentication.objects.get().state == "reauthenticate"
    client.post(url, {"decision": "accept"})
    assert Authentication.objects.get().system_user_id == "901"
    assert Authentication.objects.get().state == "active"
    assert "nothing to confirm any more" in client.post(url, {"decision": "accept"}, follow=True).content.decode()


def test_another_system_user_is_discarded_after_a_no(client, other_user_allowed):
    client.post(at("configuration_confirm_user", other_user_allowed), {"decision": "discard"})
    authentication = Authentication.objects.get()
    assert (authentication.system_user_id, authentication.state) == ("900", "reauthenticate")
    assert not MemoryProvider.accounts["acme"].access_tokens


@pytest.mark.parametrize("second", ["accept", "discard"])
@pytest.mark.parametrize("first", ["accept", "discard"])
def test_two_words_at_the_same_time_are_one_decision(client, other_user_allowed, monkeypatch, first, second):
    """A double click, or a second tab: both requests read the session before either of them has saved it."""
    url = at("configuration_confirm_user", other_user_allowed)
    overtaking = Client()
    overtaking.cookies = client.cookies.copy()
    answers = []

    def find_while_the_other_decides(*args, **columns):
        monkeypatch.undo()
        pending = find_pending_access(*args, **columns)
        answers.append(overtaking.post(url, {"decision": first}))
        return pending

    monkeypatch.setattr(views, "find_pending_access", find_while_the_other_decides)
    late = client.post(url, {"decision": second}, follow=True)
    assert answers[0].status_code == 302 and "nothing to confirm any more" in late.content.decode()
    authentication = Authentication.objects.get()
    is_alive = authentication.access_token in MemoryProvider.accounts["acme"].access_tokens
    assert (authentication.state == "active", is_alive) == (first == "accept", first == "accept")


def test_an_access_for_one_configuration_is_not_confirmed_on_another(client, other_user_allowed):
    url = at("configuration_confirm_user", make_configuration())
    assert "nothing to confirm" in client.post(url, {"decision": "accept"}, follow=True).content.decode()
    assert Authentication.objects.get(pk=other_user_allowed.authentication_id).system_user_id == "900"


def test_a_draft_without_an_account_cannot_be_reauthenticated(client, draft):
    assert client.get(at("configuration_reauthenticate", draft)).url == at("configuration_detail", draft)


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        (None, "were checked"),
        (GrantEnded("gone"), "re-authenticate"),
        (CRMUnavailable("away", may_have_applied=False), "could not be reached"),
    ],
)
def test_checking_the_rights_again_says_what_came_of_it(client, user, fault, words):
    configuration = make_configuration()
    if fault:
        MemoryProvider.accounts["acme"].faults.append(fault)
    response = client.post(at("configuration_check_rights", configuration), follow=True)
    assert words in response.content.decode()
    assert Configuration.objects.get().state == "active"


def test_checking_the_rights_of_a_token_that_acts_as_another_user_holds_it_and_says_so(client, user):
    configuration = make_configuration(authentication=make_authentication(system_user_id="1", rights=[]))
    text = client.post(at("configuration_check_rights", configuration), follow=True).content.decode()
    assert "re-authenticate" in text and "were checked" not in text and ANOTHER_USER in text
    stored = Authentication.objects.get()
    assert (stored.state, stored.state_reason, stored.system_user_id) == ("reauthenticate", ANOTHER_USER, "1")


def test_a_check_of_the_rights_that_a_new_consent_overtook_holds_nothing(client, user, monkeypatch):
    configuration = make_configuration(authentication=make_authentication(system_user_id="1"))
    identify = MemoryConnection.identify

    def authorise_meanwhile(self):
        Authentication.objects.update(system_user_id="900", token_version=4)
        return identify(self)

    monkeypatch.setattr(MemoryConnection, "identify", authorise_meanwhile)
    client.post(at("configuration_check_rights", configuration))
    stored = Authentication.objects.get()
    assert (stored.state, stored.system_user_name) == ("active", "System User")
