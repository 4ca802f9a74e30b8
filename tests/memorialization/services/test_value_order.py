"""Which value a record holds in the end, in whatever order events arrive: the newer segment's, the later revision's."""

from datetime import UTC, datetime, timedelta

import pytest

from crm_integrations.providers.errors import CRMUnavailable
from memorialization.models import Delivery, MappingVersion
from memorialization.services.linking import change_link
from memorialization.services.planning import plan_due_interactions
from memorialization.services.replays import replay_delivery
from tests.engine import NOW, FakeClock, account_of, push_all, take_in
from tests.factories import make_configuration, make_mapping
from tests.memorialization.event_payloads import digital, link, voice
from tests.memory_provider import MemoryAccount

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("memory_crm")]
TICKET = {"records": [{"entityType": "ticket", "id": "1"}]}


def configured(*rows, **columns):
    configuration = make_configuration(**columns)
    make_mapping(configuration, {"ticket": [("subject", *row) for row in rows]})
    account_of(configuration).records["ticket", "1"] = {}
    return configuration


def subject_of(configuration):
    return account_of(configuration).records["ticket", "1"]["subject"]


def take_in_one_by_one(configuration, events, clock):
    for each in events:
        take_in(configuration, each, now=clock())
        push_all(configuration, clock)
        clock.move(seconds=30)


def test_a_case_that_is_closed_by_its_status_counts_from_then_and_not_from_its_arrival():
    configuration = configured(("digital", "skillName"), memorialize_on_closed=True)
    events = [
        digital("updated", at, contactId=contact_id, fields={"skillName": skill, "status": "Closed"}, **TICKET)
        for contact_id, at, skill in (("B", "2026-01-15T14:30:00Z", "NEWER"), ("A", "2026-01-15T14:00:00Z", "OLDER"))
    ]
    take_in_one_by_one(configuration, events, FakeClock(NOW))
    assert subject_of(configuration) == "NEWER"


def test_a_call_whose_end_is_never_reported_counts_from_what_was_heard_of_it_last():
    clock = FakeClock(datetime(2026, 1, 15, 14, 0, 10, tzinfo=UTC))
    configuration = configured(("voice", "skillName"))
    MappingVersion.objects.update(created_at=clock() - timedelta(days=1))
    older = {"contactId": "A", "fields": {"skillName": "OLDER"}, **TICKET}
    newer = {"contactId": "B", "fields": {"skillName": "NEWER"}, **TICKET}
    take_in(configuration, voice("acw_completed", "2026-01-15T14:00:00Z", **older), now=clock())
    clock.move(minutes=30)
    take_in_one_by_one(configuration, [voice("ended", "2026-01-15T14:30:00Z", **newer)], clock)
    clock.move(minutes=31)
    assert plan_due_interactions(now=clock(), limit=10) == 1
    push_all(configuration, clock)
    assert subject_of(configuration) == "NEWER"
    assert Delivery.objects.latest("pk").fields[0]["reason"] == "superseded"


@pytest.mark.parametrize("is_late", [False, True])
def test_a_script_variable_wins_over_the_channels_row_whenever_it_arrives(is_late):
    configuration = configured(("voice", "skillName"), ("script_variable", "topic"))
    ended = voice("ended", "2026-01-15T14:59:00Z", fields={"skillName": "SKILL"}, **TICKET)
    variable = voice("updated", "2026-01-15T14:58:00Z", scriptVariables={"topic": "TOPIC"})
    take_in_one_by_one(configuration, [ended, variable] if is_late else [variable, ended], FakeClock(NOW))
    assert subject_of(configuration) == "TOPIC"


def test_a_replay_does_not_put_a_value_over_that_of_a_later_revision_of_the_same_second():
    clock = FakeClock(NOW)
    configuration = configured(("voice", "skillName"))
    at = "2026-01-15T14:59:00Z"
    events = [
        voice("ended", at, eventId="e1", fields={"skillName": "OLD"}, **TICKET),
        voice("updated", at, eventId="e2", fields={"skillName": "NEW"}),
    ]
    take_in_one_by_one(configuration, events, clock)
    first, second = Delivery.objects.order_by("pk")
    replay_delivery(delivery=first, actor=None, now=clock())
    push_all(configuration, clock)
    assert subject_of(configuration) == "NEW"
    again = replay_delivery(delivery=second, actor=None, now=clock())
    push_all(configuration, clock)
    again.refresh_from_db()
    assert (again.state, again.fields[0]["result"]) == ("delivered", "written")


def test_a_newer_text_stays_as_the_crm_spells_it(monkeypatch):
    apply = MemoryAccount.apply

    def apply_with_fewer_spaces(account, key, values, did):
        return apply(account, key, {name: " ".join(value.split()) for name, value in values.items()}, did)

    monkeypatch.setattr(MemoryAccount, "apply", apply_with_fewer_spaces)
    configuration, clock = configured(("voice", "skillName")), FakeClock(NOW)
    older, newer, oldest = (
        voice("ended", at, contactId=contact_id, fields={"skillName": skill}, **TICKET)
        for contact_id, at, skill in (
            ("B", "14:30:00", "older"),
            ("C", "14:40:00", "newer  one"),
            ("A", "14:00:00", "oldest"),
        )
    )
    take_in(configuration, older, newer, now=clock())
    push_all(configuration, clock)
    take_in_one_by_one(configuration, [oldest], clock)
    assert subject_of(configuration) == "newer one"
    assert sorted(Delivery.objects.values_list("state", flat=True)) == ["delivered", "delivered", "failed"]


@pytest.mark.parametrize("has_arrived", [True, False])
def test_a_record_that_is_unlinked_after_a_lost_answer_is_looked_at_before_an_older_value_comes(has_arrived):
    configuration, clock = configured(("voice", "skillName")), FakeClock(NOW)
    newer, older = (
        voice("ended", at, contactId=contact_id, fields={"skillName": skill}, **TICKET)
        for contact_id, at, skill in (("B", "14:50:00", "newer"), ("A", "14:40:00", "older"))
    )
    take_in(configuration, newer, now=clock())
    delivery = Delivery.objects.get()
    if has_arrived:
        account_of(configuration).records["ticket", "1"] = {"subject": "newer"}
    Delivery.objects.update(must_look_first=True, attempt_count=1, reason="settling")  # as after a call without an end
    record = {"entityType": "ticket", "id": "1"}
    change_link(interaction=delivery.interaction, record=record, is_linked=False, now=clock())
    take_in_one_by_one(configuration, [older], clock)
    assert subject_of(configuration) == ("newer" if has_arrived else "older")
    delivery.refresh_from_db()
    assert (delivery.state, delivery.reason) == (("delivered", "") if has_arrived else ("skipped", "unlinked"))


def test_what_is_written_to_a_record_that_is_linked_again_is_newer_than_all_that_was_planned_for_it_before():
    configuration, clock = configured(("voice", "skillName"), ("script_variable", "topic")), FakeClock(NOW)
    make_mapping(configuration, {"ticket": [("notes", "voice", "agentName")]})
    account = account_of(configuration)
    account.ignored_fields.add("notes")
    account.faults_after_applying.append(CRMUnavailable("reset", may_have_applied=True))
    fields = {"skillName": "SKILL", "agentName": "Ann"}
    take_in(configuration, voice("ended", "2026-01-15T14:00:00Z", fields=fields, **TICKET))
    push_all(configuration, clock)  # the subject is written, the notes are not, and the answer is lost
    take_in(configuration, link("2026-01-15T14:05:00Z", record="1", type_="records.unlinked"))
    clock.move(seconds=90)
    push_all(configuration, clock)
    first = Delivery.objects.get()
    assert (first.state, first.reason, first.fields[0]["result"]) == ("skipped", "unlinked", "unchanged")
    account.ignored_fields.clear()
    take_in(configuration, voice("updated", "2026-01-15T13:59:00Z", scriptVariables={"topic": "TOPIC"}))
    take_in(configuration, link("2026-01-15T14:10:00Z", record="1"))
    push_all(configuration, clock)
    assert subject_of(configuration) == "TOPIC"
    assert Delivery.objects.latest("pk").state == "delivered"
