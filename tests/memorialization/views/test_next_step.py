"""The Next step tab: snippets for everybody who may look, a test event for those who may edit."""

from urllib.parse import parse_qs, urlsplit

import pytest
from django.urls import reverse

from crm_integrations.models import AuditEntry
from memorialization.models import Delivery, InteractionEvent
from tests.engine import FakeClock, account_of, push_all
from tests.factories import make_configuration, make_mapping, make_user

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("memory_crm")]
VIEW, EDIT = "crm_integrations.view_configuration", "crm_integrations.change_configuration"


@pytest.fixture
def configuration():
    found = make_configuration()
    rows = [("subject", "voice", "skillName"), ("contact_id", "script_variable", "accountid")]
    make_mapping(found, {"ticket": [*rows, ("subject", "digital", "channelName")]})
    account_of(found).records["ticket", "35"] = {}
    return found


@pytest.fixture
def address(configuration):
    return reverse("configuration_next_step", args=[configuration.pk])


@pytest.fixture
def editor(client):
    client.force_login(make_user(VIEW, EDIT))
    return client


def send(editor, address, **given):
    given.setdefault("channel", "voice")
    given.setdefault("entity_type", "ticket")
    return editor.post(address, given)


def contact_of(answer):
    return parse_qs(urlsplit(answer.url).query)["test"][0]


def test_the_page_quotes_the_configuration_and_its_variables_and_no_key(editor, address, configuration, settings):
    page = editor.get(address).content.decode()
    base = f"{settings.SITE_URL}/api/v1/configurations/{configuration.pk}"
    for text in (f"{base}/events", f"{base}/workflows/search-ani", f"{base}/customer-card?contactId=", "accountid"):
        assert text in page
    assert "The id of the record to write to (Ticket)" in page
    assert "memory_ticket_id" in page and "YOUR_INTAKE_KEY" in page and "ScreenPop = True" in page
    assert page.count("data-copy ") >= 8


def test_the_closing_card_of_the_overview_leads_there(editor, address, configuration):
    assert address in editor.get(reverse("configuration_detail", args=[configuration.pk])).content.decode()


def test_who_may_only_look_sees_no_form_and_sends_nothing(client, address):
    client.force_login(make_user(VIEW))
    page = client.get(address)
    assert page.status_code == 200 and b"Send test event" not in page.content
    assert send(client, address).status_code == 403 and not InteractionEvent.objects.exists()


def test_strangers_are_refused_and_the_anonymous_sign_in(client, address, configuration):
    assert client.get(address).status_code == 302
    client.force_login(make_user())
    assert client.get(address).status_code == 403
    assert client.get(reverse("configuration_next_step_outcome", args=[configuration.pk])).status_code == 403


def test_a_test_event_takes_the_way_of_every_event(editor, address, configuration):
    answer = send(editor, address, record_id="35")
    assert answer.status_code == 302 and answer.url.endswith("#test-event")
    contact_id = contact_of(answer)
    page = editor.get(answer.url).content.decode()
    assert contact_id in page and "hx-get" in page and "Waiting" in page
    (delivery,) = Delivery.objects.all()
    assert delivery.record_id == "35" and InteractionEvent.objects.get().origin == "person"
    assert AuditEntry.objects.get(action="test_event_sent").subject == contact_id
    push_all(configuration, FakeClock(delivery.next_attempt_at))
    assert account_of(configuration).records["ticket", "35"]["subject"] == "FR_Support"
    outcome = editor.get(reverse("configuration_next_step_outcome", args=[configuration.pk]), {"test": contact_id})
    text = outcome.content.decode()
    assert "Delivered" in text and "hx-get" not in text and text.lstrip().startswith('<div id="test-outcome"')
    assert reverse("interaction_detail", args=[delivery.interaction_id]) in text


def test_a_digital_one_too(editor, address):
    send(editor, address, channel="digital", record_id="35")
    editor.get(send(editor, address, channel="digital", record_id="35").url)
    assert Delivery.objects.get().interaction.channel == "digital"


def test_without_a_record_the_rules_decide_and_say_so(editor, address):
    page = editor.get(send(editor, address).url).content.decode()
    assert "Skipped" in page and "hx-get" not in page


@pytest.mark.parametrize("wrong", [{"channel": "fax"}, {"record_id": "no id!"}, {"entity_type": "car"}])
def test_what_is_wrong_is_said_and_nothing_is_sent(editor, address, wrong):
    assert send(editor, address, **wrong).status_code == 422 and not InteractionEvent.objects.exists()


@pytest.mark.parametrize("state", ["draft", "inactive"])
def test_a_configuration_that_takes_no_events_offers_no_test(editor, address, configuration, state):
    configuration.state = state
    configuration.save()
    page = editor.get(address)
    assert page.status_code == 200 and b"Send test event" not in page.content
    send(editor, address)
    assert not InteractionEvent.objects.exists()


@pytest.mark.parametrize("contact", ["", "415203958123", "test-event-unknown", "test-event-\0"])
def test_only_test_events_of_the_configuration_have_an_outcome(editor, configuration, contact):
    address = reverse("configuration_next_step_outcome", args=[configuration.pk])
    assert editor.get(address, {"test": contact}).status_code == 404


def test_without_a_mapping_the_page_says_that_nothing_will_be_written(editor):
    bare = make_configuration(record_variables={})
    page = editor.get(reverse("configuration_next_step", args=[bare.pk])).content.decode()
    assert "nothing will be written" in page and "reads no script variable" in page
    answer = send(editor, reverse("configuration_next_step", args=[bare.pk]), entity_type="")
    assert "No mapping concerned it" in editor.get(answer.url).content.decode()
