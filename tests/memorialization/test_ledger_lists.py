"""The lists of the ledger: filters, pages, news (memorialization.views.ledger_lists and its selectors)."""

import re
from datetime import date, datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from crm_integrations.models import Authentication, Configuration
from memorialization.models import Delivery, Interaction
from memorialization.selectors import ledger_agents, ledger_search
from memorialization.selectors.ledger_filters import LedgerFilters, filtered_deliveries, filtered_interactions
from memorialization.selectors.ledger_slices import Branch, slice_ledger
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

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("memory_crm")]

LISTS = ["delivery_list", "interaction_list", "delivery_news", "interaction_news"]


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


def found(**criteria) -> list[str]:
    rows = filtered_deliveries(LedgerFilters(**criteria)).order_by("pk")
    return [delivery.interaction.contact.contact_id for delivery in rows]


def found_interactions(**criteria) -> list[str]:
    return [row.contact.contact_id for row in filtered_interactions(LedgerFilters(**criteria)).order_by("pk")]


@pytest.mark.parametrize("name", LISTS)
def test_strangers_sign_in_and_people_without_the_right_learn_which_one_is_missing(client, name):
    assert client.get(reverse(name)).status_code == 302
    client.force_login(make_user())
    assert client.get(reverse(name)).status_code == 403


@pytest.mark.parametrize("name", LISTS)
def test_nothing_is_changed_by_posting_to_a_list(viewer, name):
    assert viewer.post(reverse(name)).status_code == 405


def test_an_empty_ledger_says_when_something_will_appear(viewer):
    assert "No deliveries yet" in text_of(viewer.get(reverse("delivery_list")))
    assert "No interactions yet" in text_of(viewer.get(reverse("interaction_list")))


def test_a_line_says_interaction_record_mapping_fields_tries_and_state(viewer, configuration):
    make_record()
    delivery = delivery_of(end_call(configuration))
    push(configuration)
    page = text_of(viewer.get(reverse("delivery_list")))
    for words in ("415", "Ticket 7", "https://acme.memory.test/ticket/7", "Calls v1", "3 written", "Delivered"):
        assert words in page, words
    assert reverse("delivery_detail", args=[delivery.pk]) in page


def test_a_line_says_in_words_why_nothing_was_written(viewer, configuration):
    end_call(configuration, record="")
    page = text_of(viewer.get(reverse("delivery_list")))
    assert "Skipped" in page
    assert "None of the rules of record matching found a record" in page


def test_interactions_show_agent_verdict_and_what_became_of_their_deliveries(viewer, configuration):
    make_record()
    end_call(configuration)
    push(configuration)
    page = text_of(viewer.get(reverse("interaction_list")))
    for words in ("Tyler Hendrickson", "39185896", "The call has ended", "Planned", "Delivered"):
        assert words in page, words


def test_waiting_is_held_while_the_authentication_or_the_configuration_rests(configuration):
    end_call(configuration)
    assert (found(state="waiting"), found(state="held")) == (["415"], [])
    Authentication.objects.update(state=Authentication.State.REAUTHENTICATE)
    assert (found(state="waiting"), found(state="held")) == ([], ["415"])
    Authentication.objects.update(state=Authentication.State.ACTIVE)
    Configuration.objects.update(state=Configuration.State.INACTIVE)
    assert found(state="held") == ["415"]


def test_a_delivery_for_another_account_than_the_present_one_is_held(configuration):
    end_call(configuration)
    other = make_configuration(address="globex").authentication
    Configuration.objects.filter(pk=configuration.pk).update(authentication=other)
    assert found(state="held") == ["415"]


def test_the_page_says_held_and_what_to_do(viewer, configuration):
    end_call(configuration)
    Authentication.objects.update(state=Authentication.State.REAUTHENTICATE)
    page = text_of(viewer.get(reverse("delivery_list")))
    assert "The CRM account has to be authenticated again" in page


def test_filters_by_configuration_channel_and_reason(configuration):
    other = make_configuration(name="Sales")
    make_mapping(other, ROWS)
    end_call(configuration, "1")
    end_call(other, "2", record="")
    assert found(configuration=other.pk) == ["2"]
    assert found(channel="voice") == ["1", "2"]
    assert found(channel="digital") == []
    assert found(reason="no_record") == ["2"]
    assert found_interactions(configuration=configuration.pk, state="planned") == ["1"]


def test_days_are_both_included_and_are_days_of_the_readers_time_zone(configuration):
    for number, day in enumerate((20, 21, 22)):
        interaction = end_call(configuration, str(day))
        at = timezone.make_aware(datetime(2026, 10, day, 23 if number == 1 else 0))
        interaction.deliveries.update(created_at=at)
        Interaction.objects.filter(pk=interaction.pk).update(created_at=at)
    for search in (found, found_interactions):
        assert search(since=date(2026, 10, 21)) == ["21", "22"]
        assert search(until=date(2026, 10, 21)) == ["20", "21"]
        assert search(since=date(2026, 10, 21), until=date(2026, 10, 21)) == ["21"]
        assert search(since=date(2026, 10, 23)) == []


def test_deleted_configurations_disappear_from_every_list(configuration):
    end_call(configuration)
    Configuration.objects.update(state=Configuration.State.DELETED, deleted_at=timezone.now())
    assert found() == found_interactions() == []
    assert found(q="415") == []


@pytest.mark.parametrize("text", ["415203958123", "event-of-it", "35436", "39185896", "TYLER", "3958"])
def test_text_finds_ids_of_contact_event_record_and_agent(configuration, text):
    end_call(configuration, "415203958123", record="35436", eventId="event-of-it")
    end_call(configuration, "9", record="1", fields={"agentId": "2", "agentName": "Other"})
    assert found(q=text) == ["415203958123"]
    assert found_interactions(q=text) == ["415203958123"]


def test_text_finds_no_customers_text(configuration):
    end_call(configuration, fields={"dispositionNotes": "rappeler lundi"})
    assert found(q="rappeler") == []


def test_a_record_that_nothing_had_to_be_written_to_is_found_too(configuration):
    interaction = end_call(configuration, record="35436", fields={"skillName": "", "status": ""})
    interaction.deliveries.update(state="skipped", lane=None, next_attempt_at=None)
    assert found(q="35436") == ["415"]


def test_a_contact_without_deliveries_finds_no_delivery_of_others(configuration):
    end_call(configuration, "1")
    at = timezone.now().isoformat()
    take_event(configuration, make_event("started", at, contactId="2"))
    assert found(q="2") == []
    assert found_interactions(q="2") == ["2"]


def test_a_text_that_names_a_contact_and_a_record_finds_both(configuration):
    end_call(configuration, "77", record="1")
    end_call(configuration, "2", record="77")
    assert found(q="77") == found_interactions(q="77") == ["77", "2"]


@pytest.fixture
def old_calls(configuration, monkeypatch):
    """Four calls of which two are too old for a text that names nothing."""
    monkeypatch.setattr(ledger_search, "RECENT_ROWS", 2)
    for number in range(4):
        end_call(configuration, f"4150{number}", record=f"7770{number}", segmentId=f"segment-{number}")


def test_an_id_is_found_whatever_its_age_whole_or_begun(old_calls):
    assert found(q="41500") == found(q="77700") == found_interactions(q="segment-0") == ["41500"]
    assert found(q="415") == found(q="777") == found_interactions(q="4150") == ["41500", "41501", "41502", "41503"]


def test_any_other_part_of_an_id_is_found_among_the_newest(old_calls):
    assert found(q="150") == found_interactions(q="150") == ["41502", "41503"]


def test_a_beginning_that_too_many_ids_have_is_looked_for_among_the_newest(old_calls, monkeypatch):
    monkeypatch.setattr(ledger_search, "MATCHES_LIMIT", 3)
    assert found(q="415") == found_interactions(q="415") == ["41502", "41503"]


def test_an_id_that_was_found_whole_hides_those_that_begin_with_it(configuration):
    end_call(configuration, "415")
    end_call(configuration, "4150")
    assert found(q="415") == ["415"]


def test_ids_are_found_letter_for_letter(configuration):
    end_call(configuration, "Case-é%_1", record="Ab1")
    end_call(configuration, "case-é%_2", record="aB2")
    assert found(q="Case-é%") == found_interactions(q="Ab") == ["Case-é%_1"]


def test_an_agent_is_found_by_id_and_name_whatever_the_age_and_however_many_calls(configuration, monkeypatch):
    monkeypatch.setattr(ledger_search, "RECENT_ROWS", 1)
    other = {"agentId": "8", "agentName": "Other", "ani": "Tyler Street"}
    for number, fields in enumerate(({}, {}, other)):
        end_call(configuration, f"9{number}", fields=fields)
    for most in (10_000, 1):
        monkeypatch.setattr(ledger_search, "AGENT_ROWS_LIMIT", most)
        for text in ("39185896", "39185", "TYLER", "hendrick"):
            assert found(q=text) == found_interactions(q=text) == ["90", "91"], (text, most)


def test_a_name_that_many_agents_have_is_looked_for_among_the_newest(configuration, monkeypatch):
    monkeypatch.setattr(ledger_agents, "AGENTS_FOUND", 1)
    monkeypatch.setattr(ledger_search, "RECENT_ROWS", 2)
    for number in range(3):
        end_call(configuration, f"9{number}", fields={"agentId": f"{number}", "agentName": f"Tyler {number}"})
    assert found(q="tyler") == ["91", "92"]


def test_criteria_are_chips_that_take_themselves_away_and_keep_the_others(viewer, configuration):
    end_call(configuration)
    page = text_of(viewer.get(reverse("delivery_list"), {"state": "waiting", "channel": "voice", "q": "41"}))
    assert 'href="/deliveries/?state=waiting&amp;q=41"' in page
    assert 'href="/deliveries/?state=waiting&amp;channel=voice"' in page
    assert 'href="/deliveries/?channel=voice&amp;q=41"' in page  # every state


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ({"since": "2026-11-03", "until": "2026-11-02"}, "This day lies before the first one."),
        ({"since": "yesterday"}, "Enter a valid date."),
        ({"until": "9999-12-31"}, "Choose an earlier day."),
        ({"channel": "smoke"}, "Select a valid choice."),
        ({"configuration": "1"}, "Select a valid choice."),
        ({"reason": "x"}, "Select a valid choice."),
    ],
)
def test_a_criterion_that_cannot_be_read_is_named_and_left_out(viewer, configuration, query, words):
    end_call(configuration)
    response = viewer.get(reverse("delivery_list"), query)
    assert words in text_of(response)
    assert len(response.context["rows"]) == 1


@pytest.mark.parametrize("name", ["delivery_list", "interaction_list"])
@pytest.mark.parametrize("zone", ["Asia/Tokyo", "America/Los_Angeles"])
def test_the_first_and_last_day_of_the_calendar_can_be_asked_for_in_every_time_zone(
    viewer, configuration, settings, name, zone
):
    settings.TIME_ZONE = zone
    end_call(configuration)
    response = viewer.get(reverse(name), {"since": "0001-01-01", "until": "9999-12-30"})
    assert response.status_code == 200 and len(response.context["rows"]) == 1
    assert len(viewer.get(reverse(name), {"until": "0001-01-01"}).context["rows"]) == 0


@pytest.mark.parametrize("name", LISTS)
@pytest.mark.parametrize("query", ["before=x&after=-1", "before=" + "9" * 40, "after=²", "q=%00&state=x", "open=a,1"])
def test_addresses_that_make_no_sense_are_answered_with_a_page(viewer, configuration, name, query):
    end_call(configuration)
    assert viewer.get(f"{reverse(name)}?{query}").status_code == 200


def test_pages_lead_to_older_and_newer_rows_without_a_gap(configuration):
    ids = [end_call(configuration, str(number)).pk for number in range(7)]
    rows = Interaction.objects.all()
    branches = [Branch(rows)]
    first = slice_ledger(branches, rows, size=3)
    second = slice_ledger(branches, rows, before=first.older, size=3)
    third = slice_ledger(branches, rows, before=second.older, size=3)
    assert [[row.pk for row in page.rows] for page in (first, second, third)] == [
        ids[6:3:-1], ids[3:0:-1], ids[0:1]
    ]  # fmt: skip
    assert (first.newer, third.older) == (None, None)
    back = slice_ledger(branches, rows, after=third.newer, size=3)
    assert [row.pk for row in back.rows] == ids[3:0:-1]
    assert [row.pk for row in slice_ledger(branches, rows, after=back.newer, size=3).rows] == ids[6:3:-1]


def test_a_page_near_the_top_is_the_first_one_and_full(configuration):
    ids = [end_call(configuration, str(number)).pk for number in range(4)]
    page = slice_ledger([Branch(Interaction.objects.all())], Interaction.objects.all(), after=ids[2], size=3)
    assert [row.pk for row in page.rows] == ids[3:0:-1]
    assert page.newer is None


@pytest.mark.parametrize("name", ["delivery_list", "interaction_list"])
@pytest.mark.parametrize(
    "query",
    [
        *({}, {"channel": "voice"}, {"since": "2020-01-01", "until": "2099-01-01"}, {"state": "planned"}),
        *({"state": "waiting"}, {"reason": "no_record"}, {"q": "2"}, {"q": "Tyler"}, {"q": "8589"}),
    ],
)
def test_lists_take_the_same_number_of_queries_for_any_number_of_rows(viewer, configuration, name, query):
    def count() -> int:
        with CaptureQueriesContext(
            connection,
        ) as queries:
            viewer.get(reverse(name), query)
        return len(queries)

    end_call(configuration, "21")
    end_call(configuration, "22", record="")
    few = count()
    for number, address in enumerate(("acme", "globex", "initech")):
        another = make_configuration(address=address)
        make_mapping(another, ROWS)
        end_call(another, f"2{number}")
        end_call(another, f"3{number}", record="")
    assert count() == few


def test_no_list_reads_tokens_and_none_counts_its_table(viewer, configuration):
    end_call(configuration)
    with CaptureQueriesContext(connection) as queries:
        viewer.get(reverse("delivery_list"))
        viewer.get(reverse("interaction_list"))
    statements = " ".join(query["sql"] for query in queries)
    assert "access_token" not in statements
    assert "COUNT(*)" not in statements


def test_news_say_how_many_came_and_show_them_by_themselves_never(viewer, configuration):
    end_call(configuration, "1")
    page = viewer.get(reverse("delivery_list"))
    address = page.context["news_url"]
    assert "new deliver" not in text_of(viewer.get(address))
    end_call(configuration, "2")
    end_call(configuration, "3")
    assert "2 new deliveries" in text_of(viewer.get(address))


def test_news_bring_the_new_state_of_rows_that_were_unfinished_and_then_forget_them(viewer, configuration):
    make_record()
    delivery = delivery_of(end_call(configuration))
    address = viewer.get(reverse("delivery_list")).context["news_url"]
    push(configuration)
    news = viewer.get(address)
    assert f'id="d{delivery.pk}-state" class="live-state" hx-swap-oob="true"' in text_of(news)
    assert "Delivered" in text_of(news)
    assert "open=" not in news.context["news_url"]


def test_news_obey_the_filters(viewer, configuration):
    address = viewer.get(reverse("interaction_list"), {"channel": "digital"}).context["news_url"]
    end_call(configuration)
    assert "new interaction" not in text_of(viewer.get(address))


def test_an_older_page_with_nothing_unfinished_asks_for_no_news(viewer, configuration):
    end_call(configuration, record="")
    page = viewer.get(reverse("delivery_list"), {"before": delivery_of(Interaction.objects.get()).pk + 1})
    assert len(page.context["rows"]) == 1
    assert page.context["news_url"] == ""


def test_only_people_who_may_edit_see_ticks_and_only_rows_that_can_be_replayed_have_one(client, configuration):
    end_call(configuration, "1")
    end_call(configuration, "2", record="")
    client.force_login(make_user(VIEW))
    assert 'name="delivery"' not in text_of(client.get(reverse("delivery_list")))
    client.force_login(make_user(EDIT))
    assert text_of(client.get(reverse("delivery_list"))).count('name="delivery"') == 1


def test_an_interaction_that_waits_says_so(viewer, configuration):
    at = timezone.now() - timedelta(minutes=1)
    take_event(configuration, make_event("ended", at.isoformat(), contactId="415", acwConfigured=True))
    assert "the agent has not finished after-call work yet" in text_of(viewer.get(reverse("interaction_list")))
    assert Delivery.objects.count() == 0
