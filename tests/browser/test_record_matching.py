"""The Record matching tab and the records to choose from, in both languages and themes, with and without scripts."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import product

import pytest
from django.urls import reverse
from playwright.sync_api import expect

from crm_integrations.models import Configuration
from crm_integrations.providers.base import CRMRecord
from memorialization.match_steps import StepOutcome, Trail, ambiguous
from memorialization.models import Interaction
from memorialization.services.match_holds import claim_match, look_for_matches, store_match
from tests.browser.connected import connect, make_administrator
from tests.engine import take_in
from tests.factories import make_mapping
from tests.memorialization.event_payloads import voice

pytestmark = pytest.mark.once
LOCALES = {"en": "en-CA", "fr-ca": "fr-CA"}
WIDTHS = {390: 844, 1280: 900}
NO_SIDEWAYS = "document.documentElement.scrollWidth <= document.documentElement.clientWidth"


def make_ambiguous(configuration: Configuration, ticket: str = "35") -> Interaction:
    """An interaction for which two tickets were found."""
    now = datetime.now(UTC)
    make_mapping(configuration, {"ticket": [("subject", "voice", "skillName")]})
    event = voice("ended", (now - timedelta(minutes=5)).isoformat(), fields={"skillName": "FR_Support"})
    take_in(configuration, event, now=now)
    account_id = configuration.authentication.account_id
    hold = claim_match(row=look_for_matches(account_id=account_id, now=now).due[0], now=now)
    trail = Trail(now)
    trail.add("linked", StepOutcome.NOTHING)
    trail.add("script_variable", StepOutcome.NOTHING)
    trail.add("search", StepOutcome.AMBIGUOUS, count=2)
    titles = {
        ticket: "Commande 2231, colis endommagé à la livraison au bureau de Chicoutimi",
        "36": "Facture en double",
    }
    found = ambiguous("search", [CRMRecord("ticket", pk, title, {}) for pk, title in titles.items()])
    store_match(hold=hold, found={"ticket": replace(found, steps=tuple(trail.steps))}, now=now)
    return Interaction.objects.get()


@pytest.mark.parametrize("language", LOCALES)
def test_the_pages_in_this_language(language, new_page, demo_account, check_accessibility, screenshot):
    configuration = connect(demo_account, closed_case_policy="follow_up", searches_records=True)
    interaction = make_ambiguous(configuration)
    user = make_administrator(language=language)
    pages = {
        "record-matching": reverse("record_matching", args=[configuration.pk]),
        "record-choices": reverse("interaction_detail", args=[interaction.pk]),
    }
    for theme, (width, height) in product(("light", "dark"), WIDTHS.items()):
        page = new_page(user=user, locale=LOCALES[language], color_scheme=theme, width=width, height=height)
        for name, address in pages.items():
            page.goto(address)
            expect(page.locator("main")).to_be_visible()
            assert page.evaluate(NO_SIDEWAYS), f"{name} scrolls sideways at {width} px"
            screenshot(page, f"{name}-{language}-{theme}-{width}")
            check_accessibility(page)


@pytest.mark.parametrize("has_scripts", [True, False], ids=["scripts", "no-scripts"])
def test_the_rules_are_changed_and_saved(has_scripts, new_page, demo_account):
    configuration = connect(demo_account)
    page = new_page(user=make_administrator(), has_scripts=has_scripts)
    page.goto(reverse("record_matching", args=[configuration.pk]))
    page.locator("#id_searches_records").check()
    page.locator("#id_phone_country").fill("ca")
    page.locator("#id_email_variable").fill("CustomerMail")
    page.locator("#id_closed_case_policy input[value=follow_up]").check()
    page.locator(".page-actions .btn-primary").click()
    expect(page.get_by_text("Record matching saved.")).to_be_visible()
    configuration.refresh_from_db()
    assert (configuration.searches_records, configuration.phone_country) == (True, "CA")
    assert (configuration.email_variable, configuration.closed_case_policy) == ("customermail", "follow_up")


def test_a_wrong_country_is_named_at_its_field(new_page, demo_account, browser_errors):
    browser_errors.allow("422")
    configuration = connect(demo_account)
    page = new_page(user=make_administrator())
    page.goto(reverse("record_matching", args=[configuration.pk]))
    page.locator("#id_phone_country").fill("XX")
    page.locator(".page-actions .btn-primary").click()
    expect(page.locator(".form-errors a[href='#id_phone_country']")).to_be_visible()


def test_a_candidate_is_linked_by_one_click(new_page, demo_account):
    configuration = connect(demo_account, searches_records=True)
    ticket = demo_account.read("records/tickets")["tickets"][0]["id"]
    interaction = make_ambiguous(configuration, str(ticket))
    page = new_page(user=make_administrator())
    page.goto(reverse("interaction_detail", args=[interaction.pk]))
    page.locator("#choices").get_by_role("button").first.click()
    expect(page.locator("#records")).to_contain_text(str(ticket))
    expect(page.locator("#choices")).to_have_count(0)
