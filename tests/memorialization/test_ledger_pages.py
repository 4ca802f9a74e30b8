"""The pages of an interaction and of a delivery, and the Activity tab (memorialization.views.ledger_pages)."""

import logging
import re
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from crm_integrations.models import Configuration
from crm_integrations.providers.errors import CRMUnavailable, RetryLater, ValueRefused
from memorialization.models import Delivery, Interaction
from tests.factories import make_configuration, make_mapping, make_user
from tests.memorialization.event_payloads import make_event
from tests.memorialization.ledger_scene import (
    EDIT,
    ROWS,
    VIEW,
    delivery_of,
    end_call,
    make_record,
    push,
    take_event,
)
from tests.memory_provider import MemoryProvider

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("memory_crm")]

PAGES = ["interaction_detail", "interaction_changes", "delivery_detail", "delivery_changes"]


@pytest.fixture
def configuration():
    configuration = make_configuration(name="Support")
    make_mapping(configuration, ROWS, name="Calls")
    return configuration


@pytest.fixture
def viewer(client):
    client.force_login(make_user(VIEW))
    return client


def text_of(response) -> str:
    return re.sub(r"\s+", " ", response.content.decode())


def page_of(client, row) -> str:
    name = "interaction_detail" if isinstance(row, Interaction) else "delivery_detail"
    response = client.get(reverse(name, args=[row.pk]))
    assert response.status_code == 200
    return text_of(response)


@pytest.mark.parametrize("name", PAGES)
def test_strangers_sign_in_and_people_without_the_right_learn_which_one_is_missing(client, configuration, name):
    interaction = end_call(configuration)
    pk = interaction.pk if name.startswith("interaction") else delivery_of(interaction).pk
    assert client.get(reverse(name, args=[pk])).status_code == 302
    client.force_login(make_user())
    assert client.get(reverse(name, args=[pk])).status_code == 403


@pytest.mark.parametrize("name", PAGES)
def test_what_is_not_there_and_what_belongs_to_a_deleted_configuration_is_not_found(viewer, configuration, name):
    interaction = end_call(configuration)
    pk = interaction.pk if name.startswith("interaction") else delivery_of(interaction).pk
    assert viewer.get(reverse(name, args=[pk + 1000])).status_code == 404
    assert viewer.get(reverse(name, args=[10**25])).status_code == 404
    Configuration.objects.update(state=Configuration.State.DELETED, deleted_at=timezone.now())
    assert viewer.get(reverse(name, args=[pk])).status_code == 404


def test_the_interaction_says_who_when_and_every_event_as_it_was_received(viewer, configuration):
    page = page_of(viewer, end_call(configuration, endedBy="contact", fields={"oddKey": "1"}, eventId="first-event"))
    for words in (
        "415", "Voice", "Tyler Hendrickson", "39185896", "Interaction ended", "By the contact", "Ticket 7",
        "Received through the API", "first-event", "Event as received", "oddKey",
        "Ignored, because no such field is known", "The call has ended, and no after-call work is configured.",
        "Planned for Ticket 7", "Records linked to the interaction", "Calls v1",
    ):  # fmt: skip
        assert words in page, words


def test_an_interaction_that_is_not_due_says_what_it_waits_for_and_how_long(viewer, configuration):
    at = timezone.now() - timedelta(minutes=1)
    interaction = take_event(configuration, make_event("ended", at.isoformat(), contactId="1", acwConfigured=True))
    page = page_of(viewer, interaction)
    assert "the agent has not finished after-call work yet" in page
    assert "Verdict: waiting; falls due by itself" in page
    assert "Nothing is planned yet" in page


def test_flags_are_sentences(viewer, configuration):
    interaction = end_call(configuration)
    Interaction.objects.filter(pk=interaction.pk).update(flags=["acw_limit_reached"])
    assert "After-call work was never reported as finished" in page_of(viewer, interaction)


def test_events_of_other_agents_of_the_same_case_are_not_shown(viewer, configuration):
    at = timezone.now() - timedelta(minutes=30)
    for number, agent in enumerate("AB"):
        started = (at + timedelta(minutes=number)).isoformat()
        fields = {"agentId": agent, "startTime": started}
        event = make_event("started", started, channel="digital", contactId="507", fields=fields, eventId=f"of-{agent}")
        interaction = take_event(configuration, event)
    assert interaction.agent_id == "B"
    page = page_of(viewer, interaction)
    assert "of-B" in page
    assert "of-A" not in page


def test_each_field_shows_its_way_and_its_result(viewer, configuration):
    make_record()
    interaction = end_call(configuration, fields={"status": "High"})
    push(configuration)
    page = page_of(viewer, interaction)
    for words in ("FR_Support", "Skill Name", "Rendered → Sent → Shown", "as it came", "Written", "handletime"):
        assert words in page, words
    assert "Value for the CRM" in page


def test_blank_fields_are_shown_quietly_and_explained_once(viewer, configuration):
    page = page_of(viewer, end_call(configuration, fields={"status": "", "skillName": ""}))
    quiet = re.findall(r'<span class="field-blank" title="([^"]+)">([^<]+)</span>', page)
    assert quiet == [("The interaction has no value for it, so the CRM field stays as it is.", "Blank")] * 3
    assert page.count("Blank: the interaction has no value for these fields") == 1
    full = page_of(viewer, end_call(configuration, "416", scriptVariables={"HandleTime": "5"}))
    assert "Blank" not in full


def test_what_was_left_out_says_why_and_what_to_do(viewer, configuration):
    interaction = end_call(configuration, fields={"status": "Won't fix"}, scriptVariables={"HandleTime": "five"})
    page = page_of(viewer, interaction)
    assert "The value is no choice of the CRM field." in page
    assert "The value is not a number." in page
    assert "Map a text field, or correct what is sent." in page


def test_a_value_that_the_crm_did_not_take_shows_what_it_has_instead(viewer, configuration):
    MemoryProvider.accounts["acme"].records["ticket", "7"] = {"subject": "Old subject"}
    MemoryProvider.accounts["acme"].ignored_fields.add("subject")
    interaction = end_call(configuration)
    push(configuration)
    page = page_of(viewer, interaction)
    assert "Not applied" in page
    assert "Old subject" in page
    assert "the record shows another value" in page


def test_customers_text_is_shown_as_text(viewer, configuration):
    interaction = end_call(configuration, fields={"skillName": "<script>alert(1)</script>"})
    page = page_of(viewer, interaction)
    assert "<script>alert(1)" not in page
    assert "&lt;script&gt;alert(1)" in page


def test_customers_text_is_never_logged(viewer, configuration, caplog):
    caplog.set_level(logging.DEBUG)
    page_of(viewer, end_call(configuration, fields={"skillName": "only-on-the-page"}))
    assert "only-on-the-page" not in caplog.text.replace("sql", "")


def test_long_values_are_folded(viewer, configuration):
    page = page_of(viewer, end_call(configuration, fields={"skillName": "long " * 100}))
    assert "all 500 characters" in page or "all 499 characters" in page


def test_the_delivery_shows_every_try_with_the_crms_words_and_both_sides_redacted(viewer, configuration):
    make_record()
    delivery = delivery_of(end_call(configuration))
    MemoryProvider.accounts["acme"].faults.append(
        ValueRefused("Priority is wrong", fields={"priority": "no"}, status=422)
    )
    push(configuration)
    page = page_of(viewer, delivery)
    for words in (
        "Tried on Ticket 7: refused", "Priority is wrong", "status 422", "Tried on Ticket 7: succeeded", "status 200",
        "Request, redacted", "Answer, redacted", "Partial", "The CRM refused this value: no",
    ):  # fmt: skip
        assert words in page, words
    raw = page.split("Request, redacted", 1)[1].split("</pre>", 1)[0]
    assert "FR_Support" not in raw


def test_a_delivery_that_waits_says_why_and_when_it_goes_on(viewer, configuration):
    delivery = delivery_of(end_call(configuration))
    MemoryProvider.accounts["acme"].faults.append(CRMUnavailable("Bad gateway", may_have_applied=False, status=502))
    push(configuration)
    page = page_of(viewer, delivery)
    for words in ("Waiting", "The CRM cannot be reached", "Bad gateway", "Next try:", "Not sent yet"):
        assert words in page, words


@pytest.mark.parametrize(
    ("error", "shown", "hidden"),
    [
        (CRMUnavailable("Timed out", may_have_applied=True), "No answer in", "Answered after"),
        (CRMUnavailable("Bad gateway", may_have_applied=True, status=502), "Answered after", "No answer in"),
        (RetryLater("Renewed just now", retry_after_s=1), "Postponed on Ticket 7", "Answered after"),
    ],
)
def test_a_try_says_whether_an_answer_came(viewer, configuration, error, shown, hidden):
    make_record()
    delivery = delivery_of(end_call(configuration))
    MemoryProvider.accounts["acme"].faults.append(error)
    push(configuration)
    page = page_of(viewer, delivery)
    assert shown in page and hidden not in page


def test_acts_are_offered_to_people_who_may_edit_alone(client, configuration):
    interaction = end_call(configuration)
    delivery = delivery_of(interaction)
    addresses = [
        reverse("interaction_link", args=[interaction.pk]),
        reverse("interaction_unlink", args=[interaction.pk]),
        reverse("delivery_replay", args=[delivery.pk]),
    ]
    client.force_login(make_user(VIEW))
    assert not any(address in page_of(client, interaction) for address in addresses)
    client.force_login(make_user(EDIT))
    assert all(address in page_of(client, interaction) for address in addresses)


def test_a_delivery_without_a_record_offers_to_link_one(client, configuration):
    delivery = delivery_of(end_call(configuration, record=""))
    client.force_login(make_user(EDIT))
    page = page_of(client, delivery)
    assert reverse("interaction_link", args=[delivery.interaction_id]) in page
    assert reverse("delivery_replay", args=[delivery.pk]) not in page


def test_a_page_asks_for_news_while_something_is_unfinished_and_says_when_it_has_changed(viewer, configuration):
    make_record()
    interaction = end_call(configuration)
    for row in (interaction, delivery_of(interaction)):
        name = "interaction_detail" if row == interaction else "delivery_detail"
        address = viewer.get(reverse(name, args=[row.pk])).context["news_url"]
        assert "This page has changed" not in text_of(viewer.get(address))
        Delivery.objects.update(attempt_count=5)
        assert "This page has changed" in text_of(viewer.get(address))
        Delivery.objects.update(attempt_count=0)
    push(configuration)
    assert viewer.get(reverse("interaction_detail", args=[interaction.pk])).context["news_url"] == ""


def test_a_page_takes_the_same_number_of_queries_for_any_number_of_deliveries(viewer, configuration):
    def count(interaction) -> int:
        with CaptureQueriesContext(connection) as queries:
            page_of(viewer, interaction)
        return len(queries)

    make_record()
    one = end_call(configuration, "1")
    push(configuration)
    few = count(one)
    records = [{"entityType": "ticket", "id": str(number)} for number in range(5)]
    many = take_event(
        configuration,
        make_event("ended", (timezone.now() - timedelta(minutes=1)).isoformat(), contactId="2",
                   fields={"skillName": "x"}, records=records),
    )  # fmt: skip
    push(configuration)
    assert many.deliveries.count() == 5
    assert count(many) == few


def test_the_activity_tab_shows_its_own_configuration_alone(client, configuration):
    other = make_configuration(name="Sales")
    make_mapping(other, ROWS)
    end_call(configuration, "1001")
    end_call(other, "2002")
    address = reverse("configuration_activity", args=[configuration.pk])
    assert client.get(address).status_code == 302
    client.force_login(make_user())
    assert client.get(address).status_code == 403
    client.force_login(make_user(VIEW))
    page = text_of(client.get(address))
    assert "1001" in page
    assert "2002" not in page
    assert f'href="/deliveries/?configuration={configuration.pk}"' in page
    assert 'aria-current="page">Activity' in page


def test_the_activity_tab_of_a_quiet_configuration_says_what_will_come(viewer, configuration):
    address = reverse("configuration_activity", args=[configuration.pk])
    assert "Nothing has arrived yet" in text_of(viewer.get(address))
    Configuration.objects.update(state=Configuration.State.DELETED, deleted_at=timezone.now())
    assert viewer.get(address).status_code == 404
