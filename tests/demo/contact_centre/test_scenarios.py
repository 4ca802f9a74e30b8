"""Every scenario, for many seeds: shapes that the API takes, and interactions that end as the scenario says."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from crm_integrations.providers.zendesk.provider import ZendeskProvider
from crm_integrations.workflows.bodies import Workflow
from crm_integrations.workflows.parsing import parse_body
from demo.contact_centre.customers import CustomerBook
from demo.contact_centre.scenarios import SCENARIOS, UnknownScenario, choose_scenario, play
from memorialization.events.parsing import order_event, parse_event
from memorialization.models import Delivery, Interaction
from memorialization.source_fields import BY_KEY, DIGITAL
from tests.engine import take_in
from tests.factories import make_configuration, make_mapping
from tests.memorialization.conftest import memory_crm  # noqa: F401 - a fixture

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
SEEDS = range(12)


def tell(name, seed=1, book=None, now=NOW):
    return play(name=name, seed=seed, book=book or CustomerBook(), now=now)


def events_of(told):
    bodies = [body for send in told.sends if send.path == "events" for body in as_list(send.body)]
    return list({event["eventId"]: event for event in bodies}.values())


def as_list(body):
    return body if isinstance(body, list) else [body]


@pytest.mark.parametrize("name", SCENARIOS)
def test_every_event_is_one_that_the_api_takes(name, book):
    for told in (tell(name, seed, people) for seed in SEEDS for people in (book, CustomerBook())):
        for event in events_of(told):
            parsed = order_event(parse_event(event), received_at=NOW)
            assert "future_time" not in parsed.flags
            assert "time_unreadable" not in parsed.flags
            assert parsed.ignored_keys == ()
            channel = SCENARIOS[name].channel
            assert all(channel in BY_KEY[key].channels for key in parsed.values if parsed.channel), event


@pytest.mark.parametrize("name", SCENARIOS)
def test_a_scenario_is_the_same_for_the_same_seed_and_moment(name, book):
    assert tell(name, 5, book) == tell(name, 5, book)


@pytest.mark.parametrize("name", SCENARIOS)
def test_the_same_seed_can_be_played_again_later_with_new_ids(name, book):
    first, again = tell(name, 5, book), tell(name, 5, book, NOW + timedelta(seconds=1))
    assert set(first.event_ids).isdisjoint(again.event_ids)
    assert set(first.contact_ids).isdisjoint(again.contact_ids)
    assert [send.path.split("/")[0] for send in first.sends] == [send.path.split("/")[0] for send in again.sends]


@pytest.mark.parametrize("name", SCENARIOS)
def test_an_interaction_is_sent_within_seconds(name, book):
    told = play(name=name, seed=3, book=book, now=NOW, span_s=2.0)
    delays = [send.delay_s for send in told.sends]
    assert delays == sorted(delays) and delays[0] == 0 and delays[-1] <= 2.0
    assert {send.delay_s for send in play(name=name, seed=3, book=book, now=NOW, span_s=0).sends} == {0}


@pytest.mark.parametrize("name", SCENARIOS)
def test_a_call_is_small_enough_for_the_api(name, book):
    assert all(len(json.dumps(send.body).encode()) < 1_048_576 for send in tell(name, 2, book).sends)


def test_without_a_crm_nothing_is_linked():
    for name in SCENARIOS:
        told = tell(name)
        assert all(send.path == "events" or send.path.startswith("workflows/") for send in told.sends)
        assert all("records" not in event for event in events_of(told))


def test_an_unknown_scenario_is_named():
    with pytest.raises(UnknownScenario):
        tell("voice_mail")


def test_the_stream_plays_everything_and_the_usual_more_often():
    chosen = [choose_scenario(seed) for seed in range(3000)]
    assert set(chosen) == set(SCENARIOS)
    assert chosen.count("voice_inbound") > chosen.count("voice_acw_never")


def test_transferred_parts_have_their_own_contact_ids_and_one_master():
    told = tell("voice_transfer")
    assert len(set(told.contact_ids)) == 3
    assert {event["fields"]["masterContactId"] for event in events_of(told)} == {told.contact_ids[0]}


def test_repeated_events_are_repeated_to_the_letter(book):
    told = tell("voice_repeated_and_shuffled", 4, book)
    bodies = [event for send in told.sends for event in as_list(send.body)]
    for event_id in told.event_ids:
        copies = [event for event in bodies if event["eventId"] == event_id]
        assert len(copies) >= 2 and all(copy == copies[0] for copy in copies)
    assert [event["type"] for event in bodies[:3]] != sorted(event["type"] for event in events_of(told))


def test_blank_names_and_times_in_several_zones_occur(book):
    events = events_of(tell("digital_whatsapp_blank_names", 2, book))
    assert {event["fields"]["customerName"] for event in events} == {" "}
    endings = {event["occurredAt"][19:] for seed in SEEDS for event in events_of(tell("voice_mixed_times", seed, book))}
    assert len(endings) >= 4
    assert any(
        len(event["fields"].get("endTime", "")) == 19
        for seed in SEEDS
        for event in events_of(tell("voice_mixed_times", seed, book))
    )


LINKED_BY_API = {"voice_link_api", "digital_unlinked_chat"}
# What each scenario is there to show: the rules of its segments, oldest first.
EXPECTED = {
    "voice_without_acw": ["voice_ended"],
    "voice_late_recording": ["voice_ended"],
    "voice_caller_gives_up": ["voice_ended"],
    "voice_acw_never": ["voice_waits_for_acw"],
    "voice_transfer": ["voice_acw_completed"] * 3,
    "digital_chat": ["digital_unassigned"],
    "digital_chat_transfer": ["digital_transferred", "digital_transferred", "digital_unassigned"],
    "digital_contact_ends_first": ["digital_contact_ended"],
    "digital_email": ["digital_unassigned"],
    "digital_email_comes_back": ["digital_unassigned"] * 2,
    "digital_messenger_late_transcript": ["digital_unassigned"],
    "digital_whatsapp_blank_names": ["digital_unassigned"],
    "digital_whatsapp_repeated": ["digital_transferred", "digital_unassigned"],
    "digital_nobody_lets_go": ["digital_waits_for_agent"],
    "digital_unlinked_chat": ["digital_unassigned"],
    "digital_long_transcript": ["digital_unassigned"],
}
UNWRITTEN = {
    "voice_new_ticket",
    "voice_unlinked",
    "voice_caller_gives_up",
    "voice_acw_never",
    "digital_nobody_lets_go",
} | LINKED_BY_API


@pytest.fixture
def configuration(memory_crm):  # noqa: F811
    names = {"ticket": "zendesk_ticket_id", "user": "zendesk_user_id", "organization": "zendesk_organization_id"}
    configuration = make_configuration(record_variables=names)
    make_mapping(configuration, {"ticket": [("subject", channel, "contactId") for channel in ("voice", "digital")]})
    return configuration


def play_to(configuration, told):
    for send in told.sends:
        if send.path == "events":
            result = take_in(configuration, *as_list(send.body), now=NOW)
            assert result.rejected == ()


@pytest.mark.django_db
@pytest.mark.parametrize("name", SCENARIOS)
def test_an_interaction_ends_as_the_scenario_says(name, book, configuration):
    told = tell(name, 2, book)
    play_to(configuration, told)
    segments = sorted(Interaction.objects.all(), key=lambda segment: (segment.started_at or NOW, segment.pk))
    assert [segment.verdict_rule for segment in segments] == EXPECTED.get(name, ["voice_acw_completed"])
    written = Delivery.objects.filter(entity_type="ticket", record_id__gt="").exists()
    assert written == (name not in UNWRITTEN)


@pytest.mark.parametrize("name", SCENARIOS)
def test_workflows_are_asked_as_the_api_takes_them(name, book):
    for told in (tell(name, seed, people) for seed in SEEDS for people in (book, CustomerBook())):
        for send in told.sends:
            workflow = send.path.partition("workflows/")[2]
            if workflow:
                asked = parse_body(Workflow(workflow), send.body)
                assert asked.circumstances.contact_id in told.contact_ids and asked.circumstances.ignored == ()


def test_a_caller_without_a_ticket_is_looked_for_and_gets_one(book):
    told = tell("voice_new_ticket", 3, book)
    paths = [send.path for send in told.sends if send.path != "events"]
    assert paths in (["workflows/search-ani", "workflows/create-ticket"], ["workflows/create-ticket"])
    body = told.sends[len(paths) - 1].body
    read = ZendeskProvider().read_creation("ticket", body["data"], is_standard_only=True)
    assert read.values["requester_id"] == "36003" and body["agent"].endswith("@acme.example")


@pytest.mark.django_db
def test_agents_of_a_case_are_told_apart(book, configuration):
    play_to(configuration, tell("digital_chat_transfer", 6, book))
    segments = Interaction.objects.filter(channel=DIGITAL)
    assert len({segment.agent_id for segment in segments}) == 3
    assert len({segment.segment_id for segment in segments}) == 3
