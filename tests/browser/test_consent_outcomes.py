"""What people see when a consent leads to nothing, or to somebody else: nothing is stored, and the draft stays."""

import re
from datetime import timedelta
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import Route, expect

from crm_integrations.authorization_refusals import describe_refusal
from crm_integrations.models import Authentication, AuthorizationRequest, Configuration
from crm_integrations.services.configurations import create_draft
from tests.browser.connected import connect, make_administrator
from tests.browser.demo_account import SIGNED_IN
from tests.browser.labels import Labels
from tests.browser.walk import Walker


@pytest.fixture
def user(live_server):
    return make_administrator()


@pytest.fixture
def draft(user):
    return create_draft(integration_type="zendesk", name="Support", description="", actor=user)


@pytest.fixture
def walker(new_page, user, demo_account, draft):
    """At the consent page of the draft's new authentication."""
    walker = Walker(new_page(user=user), Labels("en"), demo_account)
    walker.page.goto(reverse("configuration_authentication", args=[draft.pk]))
    walker.type_account(name="Zendesk Acme")
    walker.press("Create", within=walker.window)
    return walker


def allow_and_keep_the_answer(walker: Walker) -> str:
    """Press Allow, but stay on the consent page; the address that leads back to the product."""
    kept: list[str] = []

    def keep(route: Route) -> None:
        answer = route.fetch(max_redirects=0)
        kept.append(answer.headers["location"])
        route.fulfill(body='<link rel="icon" href="data:,">kept', content_type="text/html")

    pattern = re.compile("/oauth/authorizations/new")
    walker.page.route(pattern, keep)
    walker.decide("Allow")
    expect(walker.page.get_by_text("kept")).to_be_visible()
    walker.page.unroute(pattern)
    return kept[0]


def expect_refusal(walker: Walker, reason: str) -> None:
    """The window is back, says why, and nothing is stored."""
    words = describe_refusal(reason, "")
    expect(walker.page.get_by_role("alert")).to_contain_text(words)
    expect(walker.page.get_by_role("alert")).to_contain_text("Nothing was stored.")
    assert not Authentication.objects.exists()


def expect_draft(draft: Configuration) -> None:
    draft.refresh_from_db()
    assert (draft.state, draft.authentication_id) == (Configuration.State.DRAFT, None)


def test_whoever_denies_is_told_and_can_start_again_where_they_were(walker, draft):
    walker.decide("Deny")

    expect_refusal(walker, "denied")
    expect_draft(draft)
    expect(walker.page).to_have_url(reverse("configuration_authentication", args=[draft.pk]))
    expect(walker.field("Your authentication name", within=walker.window)).to_have_value("Zendesk Acme")
    expect(walker.field("Zendesk subdomain", within=walker.window)).to_have_value(walker.account.subdomain)
    assert walker.account.token_count() == 0

    walker.press("Create", within=walker.window)
    walker.decide("Allow")
    expect(walker.window.locator("ul.rights > li").first).to_be_visible()
    assert Authentication.objects.get().name == "Zendesk Acme"


def test_an_answer_with_a_tampered_state_stores_nothing_and_spoils_nothing(walker, draft):
    answer = allow_and_keep_the_answer(walker)
    query = {name: values[0] for name, values in parse_qs(urlsplit(answer).query).items()}
    query["state"] = ("A" if query["state"][0] != "A" else "B") + query["state"][1:]

    walker.page.goto("/oauth/callback/?" + urlencode(query))

    walker.expect_toast(describe_refusal("unknown_state", ""))
    expect(walker.page).to_have_url(reverse("configuration_list"))
    assert not Authentication.objects.exists()
    expect_draft(draft)
    assert walker.account.token_count() == 0
    walker.page.goto(answer)
    expect(walker.window.locator("ul.rights > li").first).to_be_visible()


def test_an_answer_that_is_used_twice_is_refused_the_second_time(walker, draft):
    answer = allow_and_keep_the_answer(walker)
    walker.page.goto(answer)
    expect(walker.window.locator("ul.rights > li").first).to_be_visible()
    connected = Authentication.objects.get()

    walker.page.goto(answer)

    expect(walker.page.get_by_role("alert")).to_contain_text(describe_refusal("used_state", ""))
    draft.refresh_from_db()
    assert draft.authentication_id == connected.pk == Authentication.objects.get().pk
    assert walker.account.token_count() == 1


def test_an_answer_that_comes_too_late_is_refused(walker, draft):
    AuthorizationRequest.objects.update(expires_at=timezone.now() - timedelta(seconds=1))

    walker.decide("Allow")

    expect_refusal(walker, "expired_state")
    expect_draft(draft)


def test_an_answer_in_another_browser_is_refused(walker, draft, new_page, user):
    answer = allow_and_keep_the_answer(walker)
    elsewhere = Walker(new_page(user=user), walker.labels, walker.account)

    elsewhere.page.goto(answer)

    elsewhere.expect_toast(describe_refusal("other_session", ""))
    assert not Authentication.objects.exists()
    expect_draft(draft)


@pytest.mark.parametrize(("decision", "name_afterwards"), [("discard", SIGNED_IN), ("accept", "Camille Tremblay")])
def test_another_person_who_re_authenticates_must_be_confirmed(decision, name_afterwards, new_page, user, demo_account):
    configuration = connect(demo_account)
    walker = Walker(new_page(user=user), Labels("en"), demo_account)
    walker.page.goto(reverse("configuration_detail", args=[configuration.pk]))
    walker.follow("Re-authenticate", within=walker.page.locator("#connection"))
    walker.press("Go to the consent page", within=walker.window)

    walker.decide("Allow", user="Camille Tremblay")

    expect(walker.window).to_contain_text("Another user allowed the access than before.")
    assert Authentication.objects.get().system_user_name == SIGNED_IN
    walker.window.locator(f"button[name=decision][value={decision}]").click()
    expect(walker.page.locator("#connection")).to_contain_text(name_afterwards)
    assert Authentication.objects.get().system_user_name == name_afterwards


def test_who_denies_a_re_authentication_keeps_the_access_there_was(new_page, user, demo_account):
    configuration = connect(demo_account)
    walker = Walker(new_page(user=user), Labels("en"), demo_account)
    walker.page.goto(reverse("configuration_reauthenticate", args=[configuration.pk]))
    walker.press("Go to the consent page", within=walker.window)

    walker.decide("Deny")

    expect(walker.page.get_by_role("alert")).to_contain_text(describe_refusal("denied", ""))
    authentication = Authentication.objects.get()
    assert (authentication.state, authentication.system_user_name) == (Authentication.State.ACTIVE, SIGNED_IN)
    assert demo_account.token_count() == 1
