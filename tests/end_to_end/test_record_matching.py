"""Ended calls on the demo Zendesk: written to the caller's newest open ticket, a follow-up, or a new one made once."""

from datetime import timedelta

import pytest
from django.utils import timezone

from memorialization.models import Delivery
from tests.end_to_end.script_desk import CONTACT, customers, open_tickets, read_definitions
from tests.engine import FakeClock, push_all
from tests.factories import make_mapping

pytestmark = pytest.mark.django_db

ROWS = {"ticket": [("subject", "voice", "skillName"), ("subject", "digital", "skillName")]}
STRANGER = "+15145559999"
TURNS = 4  # more than any of these takes: matching, pushing, reworking, pushing again


@pytest.fixture
def clock():
    return FakeClock(timezone.now())


@pytest.fixture(autouse=True)
def searching(configuration):
    """What the tab would be set to."""
    configuration.phone_country, configuration.uses_written_records = "CA", False
    configuration.searches_records, configuration.case_age_hours = True, 24 * 365
    configuration.save()
    make_mapping(configuration, ROWS, known=read_definitions(configuration, "ticket"))


def end_call(desk, clock, *, segment="", skill="Support", ani=STRANGER, **keys):
    """A call's part has ended; workers have their turns."""
    moment = (clock.now - timedelta(minutes=5)).isoformat()
    fields = {"skillName": skill, "agentName": "Tyler", "ani": ani}
    event = {"eventId": f"ended-{segment}", "type": "interaction.ended", "occurredAt": moment, "channel": "voice"}
    event |= {"contactId": CONTACT, "endedBy": "agent", "acwConfigured": False, "fields": fields}
    desk.report({**event, **({"segmentId": segment} if segment else {}), **keys})
    for _turn in range(TURNS):
        push_all(desk.configuration, clock)
        clock.move(seconds=30)


def outcomes():
    return list(Delivery.objects.order_by("pk").values_list("record_id", "target_rule", "state", "reason"))


def subject_of(demo, record_id):
    return demo.ask(f"records/tickets/{record_id}")["ticket"]["subject"]


@pytest.mark.parametrize("spelling", ["{}", "tel:{}"])
def test_a_call_without_a_link_is_written_to_the_callers_newest_open_ticket(demo, desk, clock, spelling):
    caller = next(user for user in customers(demo) if len(open_tickets(demo, user)) > 1)
    newest, *others = (pk for _type, pk in open_tickets(demo, caller))
    before = [subject_of(demo, pk) for pk in others]
    end_call(desk, clock, ani=spelling.format(caller["phone"]))
    assert outcomes() == [(newest, "search", "delivered", "")]
    assert subject_of(demo, newest) == "Support" and [subject_of(demo, pk) for pk in others] == before
    assert demo.writes() == ["PUT"]


def test_a_closed_ticket_goes_on_in_a_follow_up_that_is_made_once(demo, desk, clock, configuration):
    configuration.closed_case_policy = "follow_up"
    configuration.save()
    closed = next(row for row in demo.rows("tickets") if row["status"] == "closed")
    records = [{"entityType": "ticket", "id": str(closed["id"])}]
    before = {row["id"] for row in demo.rows("tickets")}
    for segment in ("1", "2"):
        end_call(desk, clock, segment=segment, skill=f"Support {segment}", records=records)
    (made,) = {row["id"] for row in demo.rows("tickets")} - before
    assert subject_of(demo, made) == "Support 2" and subject_of(demo, closed["id"]) == closed["subject"]
    shown = demo.ask(f"records/tickets/{made}")["ticket"]
    assert (
        shown["via"]["source"]["from"]["ticket_id"] == closed["id"] and shown["requester_id"] == closed["requester_id"]
    )
    assert {outcome[:1] + outcome[2:] for outcome in outcomes()} >= {(str(made), "delivered", "")}


@pytest.mark.parametrize("fault", [None, {"kind": "drop_after", "method": "POST", "count": 1}])
def test_for_a_caller_whom_nobody_knows_one_ticket_is_created_for_all_parts_of_the_contact(
    demo, desk, clock, configuration, settings, fault
):
    configuration.creates_cases = configuration.creates_people = True
    configuration.save()
    settings.SETTLE_S = 0
    if fault:
        demo.ask("faults", fault)
    before = {table: {row["id"] for row in demo.rows(table)} for table in ("tickets", "users")}
    for segment in ("1", "2"):
        end_call(desk, clock, segment=segment, skill=f"Support {segment}")
    (ticket,) = {row["id"] for row in demo.rows("tickets")} - before["tickets"]
    (person,) = {row["id"] for row in demo.rows("users")} - before["users"]
    assert demo.ask(f"records/tickets/{ticket}")["ticket"]["requester_id"] == person
    assert demo.ask(f"records/users/{person}")["user"]["phone"] == STRANGER
    assert outcomes() == [(str(ticket), "created", "delivered", "")] * 2 and subject_of(demo, ticket) == "Support 2"
