"""What is due becomes deliveries, and what arrives later becomes further revisions of them."""

from datetime import UTC, datetime, timedelta

import pytest

from memorialization.models import Delivery, Interaction, MappingVersion, RecordLane
from memorialization.services.event_folding import fold_all_events
from memorialization.services.frozen_mappings import FrozenMappings
from memorialization.services.intake import accept_events
from memorialization.services.planning import plan_due_interactions
from tests.engine import LONG_S, take_in
from tests.factories import make_configuration, make_mapping
from tests.memorialization.event_payloads import digital, link, voice

NOW = datetime(2026, 11, 22, 16, 0, tzinfo=UTC)
pytestmark = pytest.mark.django_db
TICKET = {"records": [{"entityType": "ticket", "id": "1"}]}


def accept(configuration, *payloads, now=NOW):
    result = take_in(configuration, *payloads, now=now)
    assert not result.rejected
    return result


def configured(rows=None, **columns):
    configuration = make_configuration(**columns)
    make_mapping(configuration, rows or {"ticket": [("subject", "voice", "skillName"), ("notes", "voice", "status")]})
    return configuration


def entries(delivery):
    return {entry["crm_field"]: entry for entry in delivery.fields}


def test_a_due_segment_becomes_one_delivery_per_record_with_values_rendered_now():
    configuration = configured({"ticket": [("subject", "voice", "skillName"), ("call_date", "voice", "endTime")]})
    fields = {"skillName": "FR_Support", "endTime": "2026-11-22T03:00:00Z"}
    accept(configuration, voice(fields=fields, records=[{"entityType": "ticket", "id": i} for i in ("1", "2")]))
    first, second = Delivery.objects.order_by("record_id")
    assert (first.record_id, first.revision, first.state, first.target_rule) == ("1", 1, "waiting", "linked")
    assert first.next_attempt_at == NOW and first.segment_ended_at == datetime(2026, 11, 22, 15, tzinfo=UTC)
    assert entries(first)["subject"] == {
        "crm_field": "subject", "type": "text", "label": "Subject", "channel": "voice", "source": "skillName",
        "mapping": MappingVersion.objects.get().mapping.name, "version": 1, "value": "FR_Support",
        "occurred_at": "2026-11-22T15:00:00+00:00", "rendered": "FR_Support",
    }  # fmt: skip
    assert entries(second)["call_date"]["rendered"] == "2026-11-21"


def test_the_lane_falls_due_with_its_delivery_and_an_earlier_time_stays():
    configuration = configured()
    account = configuration.authentication.account
    earlier = NOW - timedelta(minutes=5)
    RecordLane.objects.create(account=account, entity_type="ticket", record_id="1", next_due_at=earlier)
    accept(configuration, voice(fields={"skillName": "S"}, records=[{"entityType": "ticket", "id": i} for i in "12"]))
    due = dict(RecordLane.objects.values_list("record_id", "next_due_at"))
    assert due == {"1": earlier, "2": NOW}


def test_segment_key_orders_segments_that_ended_together():
    configuration = configured({"ticket": [("subject", "digital", "status")]})
    accept(configuration, digital("unassigned", fields={"status": "open"}, **TICKET))
    assert Delivery.objects.get().segment_key == "digital:507345195372:A@2026-11-22T15:00:00Z"


def test_a_missing_or_blank_value_leaves_the_crm_field_as_it_is():
    configuration = configured()
    accept(configuration, voice(fields={"skillName": "S", "status": " "}, **TICKET))
    blank = entries(Delivery.objects.get())["notes"]
    assert (blank["result"], "rendered" in blank, "value" in blank) == ("blank", False, False)


def test_a_value_that_does_not_fit_is_left_out_or_shortened_and_the_others_are_written():
    configuration = configured(
        {
            "ticket": [
                ("handle_time", "voice", "status"),
                ("contact_id", "voice", "skillName"),
                ("subject", "voice", "to"),
            ]
        }
    )
    accept(configuration, voice(fields={"status": "long", "skillName": "x" * 60, "to": "Tyler"}, **TICKET))
    found = entries(Delivery.objects.get())
    assert (found["handle_time"]["result"], found["handle_time"]["reason"]) == ("left_out", "not_a_number")
    assert found["contact_id"]["reason"] == "shortened_to_limit" and "result" not in found["contact_id"]
    assert len(found["contact_id"]["rendered"]) == 50 and found["subject"]["rendered"] == "Tyler"


def test_when_the_contact_ends_first_the_four_fields_are_withheld_and_every_other_is_written():
    configuration = configured(
        {
            "ticket": [
                ("subject", "digital", "channelName"),
                ("notes", "digital", "status"),
                ("amount", "script_variable", "status"),
            ]
        }
    )
    fields = {"channelName": "chat", "status": "closed"}
    accept(
        configuration,
        digital("started", "14:00:00", fields=fields, scriptVariables={"status": "5"}, **TICKET),
        digital("ended", agent=None, endedBy="contact"),
    )
    found = entries(Delivery.objects.get())
    assert (found["notes"]["result"], found["notes"]["reason"]) == ("withheld", "contact_ended_first")
    assert "rendered" not in found["notes"]
    assert found["subject"]["rendered"] == "chat" and found["amount"]["rendered"] == 5


def test_the_four_fields_stay_withheld_for_good_late_data_included():
    configuration = configured(
        {"ticket": [("subject", "digital", "channelName"), ("notes", "digital", "dispositionName")]}
    )
    accept(
        configuration,
        digital("started", "14:00:00", fields={"channelName": "chat"}, **TICKET),
        digital("ended", agent=None, endedBy="contact"),
    )
    accept(configuration, digital("updated", "15:30:00", fields={"dispositionName": "late"}))
    assert Delivery.objects.get().revision == 1
    # Even when it turns out that the agent had let go first: nothing that was withheld comes back.
    accept(configuration, digital("unassigned", "14:30:00"))
    assert Delivery.objects.count() == 1


def test_rows_of_the_other_channel_are_not_left_out_and_script_variables_apply_to_both():
    rows = {"ticket": [("subject", "digital", "channelName"), ("notes", "script_variable", "n")]}
    configuration = configured(rows)
    accept(configuration, voice(scriptVariables={"N": "note"}, **TICKET))
    assert list(entries(Delivery.objects.get())) == ["notes"]


def test_a_non_blank_script_variable_wins_over_the_channels_row():
    rows = {"ticket": [("subject", "voice", "skillName"), ("subject", "script_variable", "topic")]}
    configuration = configured(rows)
    accept(configuration, voice(contactId="a", fields={"skillName": "S"}, scriptVariables={"topic": "T"}, **TICKET))
    accept(configuration, voice(contactId="b", fields={"skillName": "S"}, scriptVariables={"topic": " "}, **TICKET))
    assert [entries(each)["subject"]["rendered"] for each in Delivery.objects.order_by("pk")] == ["T", "S"]


def test_rows_of_all_active_mappings_are_merged_and_those_of_inactive_ones_are_not():
    configuration = configured({"ticket": [("subject", "voice", "skillName")]})
    make_mapping(configuration, {"ticket": [("notes", "voice", "to")], "user": [("name", "voice", "to")]})
    make_mapping(configuration, {"ticket": [("amount", "voice", "to")]}, is_active=False)
    accept(configuration, voice(fields={"skillName": "S", "to": "T"}, **TICKET))
    ticket, user = Delivery.objects.order_by("entity_type")
    assert set(entries(ticket)) == {"subject", "notes"} and (user.entity_type, user.reason) == ("user", "no_record")


def test_no_record_is_skipped_visible_and_keeps_its_values():
    accept(configured(), voice(fields={"skillName": "S"}))
    skipped = Delivery.objects.get()
    assert (skipped.state, skipped.reason, skipped.record_id, skipped.target_rule) == (
        "skipped",
        "no_record",
        "",
        "none",
    )
    assert skipped.finished_at == NOW and entries(skipped)["subject"]["rendered"] == "S"


def test_a_record_id_in_a_script_variable_is_a_target():
    accept(configured(), voice(fields={"skillName": "S"}, scriptVariables={"Memory_Ticket_ID": 35436}))
    delivery = Delivery.objects.get()
    assert (delivery.record_id, delivery.target_rule) == ("35436", "script_variable")
    assert Interaction.objects.get().targets["ticket"]["ids"] == ["35436"]


def test_a_script_variable_that_holds_no_id_says_so():
    accept(configured(), voice(scriptVariables={"memory_ticket_id": "see notes"}))
    delivery = Delivery.objects.get()
    assert (delivery.reason, delivery.reason_params) == ("record_variable_unusable", {"variable": "memory_ticket_id"})


def test_nothing_to_write_is_skipped_with_that_reason():
    accept(configured(), voice(**TICKET))
    assert (Delivery.objects.get().state, Delivery.objects.get().reason) == ("skipped", "nothing_to_write")
    assert not RecordLane.objects.exists()


def test_no_active_mapping_is_said_and_the_next_data_use_one_that_came_meanwhile():
    configuration = make_configuration()
    accept(configuration, voice(fields={"skillName": "S"}, **TICKET))
    interaction = Interaction.objects.get()
    assert (interaction.state, interaction.flags) == ("planned", ["no_active_mapping"])
    make_mapping(configuration, {"ticket": [("subject", "voice", "skillName")]})
    assert not Delivery.objects.exists()
    accept(configuration, voice("updated", "15:10:00", fields={"to": "T"}))
    interaction.refresh_from_db()
    assert Delivery.objects.get().state == "waiting" and interaction.flags == []


def test_a_mapping_without_rows_for_the_channel_is_said():
    configuration = configured({"ticket": [("subject", "digital", "status")]})
    accept(configuration, voice(**TICKET))
    assert Interaction.objects.get().flags == ["no_row_for_channel"] and not Delivery.objects.exists()


def test_late_data_update_the_same_record_with_only_what_changed():
    configuration = configured()
    accept(configuration, voice(fields={"skillName": "S", "status": "new"}, **TICKET))
    accept(configuration, voice("updated", "15:30:00", fields={"skillName": "S", "status": "done"}))
    first, second = Delivery.objects.order_by("revision")
    assert set(entries(first)) == {"subject", "notes"} and second.revision == 2
    assert {key: entry["rendered"] for key, entry in entries(second).items()} == {"notes": "done"}
    assert entries(second)["notes"]["occurred_at"] == "2026-11-22T15:30:00+00:00"


def test_late_data_that_change_nothing_plan_nothing():
    configuration = configured()
    accept(configuration, voice(fields={"skillName": "S", "status": "new"}, **TICKET))
    accept(configuration, voice("updated", "15:30:00", fields={"status": "new", "ani": "1"}))
    accept(configuration, voice("updated", "14:30:00", fields={"status": "older"}))
    assert Delivery.objects.count() == 1


def test_a_value_that_was_blank_is_written_when_it_arrives():
    configuration = configured()
    accept(configuration, voice(fields={"skillName": "S"}, **TICKET))
    accept(configuration, voice("updated", "15:30:00", fields={"status": "done"}))
    assert list(entries(Delivery.objects.get(revision=2))) == ["notes"]


def test_late_data_that_do_not_fit_show_up_as_left_out():
    configuration = configured({"ticket": [("subject", "voice", "skillName"), ("amount", "voice", "status")]})
    accept(configuration, voice(fields={"skillName": "S", "status": "1"}, **TICKET))
    accept(configuration, voice("updated", "15:30:00", fields={"status": "one"}))
    late = Delivery.objects.get(revision=2)
    assert (late.state, late.reason) == ("skipped", "nothing_to_write")
    assert entries(late)["amount"]["reason"] == "not_a_number"


def test_late_data_post_no_second_comment_but_the_first_one_when_there_was_none():
    configuration = configured(
        {"ticket": [("comment", "voice", "dispositionNotes"), ("subject", "voice", "skillName")]}
    )
    accept(configuration, voice(fields={"skillName": "S"}, **TICKET))
    accept(configuration, voice("updated", "15:10:00", fields={"dispositionNotes": "first"}))
    accept(configuration, voice("updated", "15:20:00", fields={"dispositionNotes": "second", "skillName": "T"}))
    planned = [set(entries(each)) for each in Delivery.objects.order_by("revision")]
    assert planned == [{"comment", "subject"}, {"comment"}, {"subject"}]


def change_mapping(configuration, *, at):
    """From then on its first row takes `to`."""
    mapping = configuration.memorializationmappings.get()
    contents = mapping.versions.get().contents
    contents["entities"][0]["rows"][0]["source"] = "to"
    mapping.version = 2
    mapping.save()
    changed = MappingVersion.objects.create(mapping=mapping, number=2, contents=contents)
    MappingVersion.objects.filter(pk=changed.pk).update(created_at=at)


def test_what_is_folded_late_is_planned_with_the_mapping_of_when_it_was_received():
    configuration = configured({"ticket": [("subject", "voice", "skillName")]})
    events = [voice(contactId=key, fields={"skillName": "S", "to": "T"}, **TICKET) for key in ("1", "2")]
    accept_events(configuration=configuration, payloads=events[:1], received_at=NOW)
    change_mapping(configuration, at=NOW + timedelta(minutes=5))
    accept_events(configuration=configuration, payloads=events[1:], received_at=NOW + timedelta(minutes=6))
    fold_all_events(clock=lambda: NOW + timedelta(minutes=10), most_s=LONG_S)
    planned = Delivery.objects.order_by("interaction__contact__contact_id")
    assert [entries(each)["subject"]["rendered"] for each in planned] == ["S", "T"]


def test_a_change_of_a_mapping_alone_plans_nothing_and_late_data_use_the_frozen_version():
    configuration = configured({"ticket": [("subject", "voice", "skillName")]})
    accept(configuration, voice(fields={"skillName": "S", "to": "T"}, **TICKET))
    change_mapping(configuration, at=NOW)
    accept(configuration, voice("updated", "15:10:00", fields={"ani": "1"}))
    assert Delivery.objects.count() == 1
    accept(configuration, voice("updated", "15:20:00", fields={"skillName": "S2", "to": "T2"}))
    assert entries(Delivery.objects.get(revision=2))["subject"]["rendered"] == "S2"


def test_records_linked_later_plans_a_first_full_delivery_and_resolves_the_skipped_one():
    configuration = configured()
    accept(configuration, voice(fields={"skillName": "S"}))
    accept(configuration, voice("updated", "15:10:00", fields={"status": "done"}))
    accept(configuration, link("15:20:00", record="1"))
    skipped, full = Delivery.objects.order_by("pk")
    assert (skipped.state, skipped.reason) == ("skipped", "resolved_by_link")
    assert (full.state, full.revision, full.target_rule) == ("waiting", 1, "linked")
    assert {key: entry["rendered"] for key, entry in entries(full).items()} == {"subject": "S", "notes": "done"}
    assert Interaction.objects.get().targets["ticket"]["ids"] == ["1"]


def test_a_second_link_of_the_same_record_plans_nothing():
    configuration = configured()
    accept(configuration, voice(fields={"skillName": "S"}, **TICKET))
    accept(configuration, link("15:20:00", record="1"))
    assert Delivery.objects.count() == 1


def test_a_link_before_the_end_waits_for_it():
    configuration = configured()
    accept(configuration, voice("started", "14:00:00"), link("14:10:00", record="1"))
    assert not Delivery.objects.exists()
    accept(configuration, voice(fields={"skillName": "S"}))
    assert Delivery.objects.get().record_id == "1"


def test_records_unlinked_skips_what_was_not_sent_and_reverts_nothing():
    configuration = configured()
    accept(configuration, voice(fields={"skillName": "S"}, records=[{"entityType": "ticket", "id": i} for i in "12"]))
    Delivery.objects.filter(record_id="2").update(state="delivered", next_attempt_at=None)
    accept(
        configuration,
        link("15:10:00", record="1", type_="records.unlinked"),
        link("15:10:00", record="2", type_="records.unlinked"),
    )
    assert list(Delivery.objects.order_by("record_id").values_list("state", "reason")) == [
        ("skipped", "unlinked"),
        ("delivered", ""),
    ]
    assert RecordLane.objects.get(record_id="1").next_due_at is None
    accept(configuration, voice("updated", "15:20:00", fields={"status": "done"}))
    assert Delivery.objects.count() == 2


def test_an_unlinked_record_that_is_linked_again_is_written_in_full():
    configuration = configured()
    accept(configuration, voice(fields={"skillName": "S", "status": "new"}, **TICKET))
    accept(configuration, link("15:10:00", record="1", type_="records.unlinked"))
    accept(configuration, link("15:20:00", record="1"))
    again = Delivery.objects.get(revision=2)
    assert again.state == "waiting" and set(entries(again)) == {"subject", "notes"}


def test_of_link_and_unlink_the_later_by_occurred_at_wins_whatever_arrives_last():
    configuration = configured()
    accept(configuration, voice(fields={"skillName": "S"}))
    accept(configuration, link("15:20:00", record="1"))
    accept(configuration, link("15:10:00", record="1", type_="records.unlinked"))
    assert Delivery.objects.get(record_id="1").state == "waiting"


def test_a_replay_of_an_older_revision_does_not_make_known_data_new():
    configuration = configured()
    accept(configuration, voice(fields={"skillName": "S", "status": "new"}, **TICKET))
    accept(configuration, voice("updated", "15:10:00", fields={"status": "done"}))
    first = Delivery.objects.get(revision=1)
    first.replay_of_id, first.pk, first.revision = first.pk, None, 3
    first.save()
    accept(configuration, voice("updated", "15:20:00", fields={"ani": "1"}))
    assert Delivery.objects.count() == 3


def test_linked_records_can_be_switched_off():
    configuration = configured(uses_linked_records=False)
    accept(configuration, voice(fields={"skillName": "S"}, scriptVariables={"memory_ticket_id": "9"}, **TICKET))
    assert Delivery.objects.get().record_id == "9"
    accept(configuration, link("15:20:00", record="2"))
    assert Delivery.objects.count() == 1


def planned_places():
    return [(each.segment_ended_at, each.segment_key) for each in Delivery.objects.order_by("revision")]


def test_an_end_that_becomes_known_late_does_not_put_late_data_behind_the_first_write():
    configuration = configured({"ticket": [("subject", "digital", "channelName")]})
    accept(configuration, digital("unassigned", "10:10:00", fields={"channelName": "one"}, **TICKET))
    accept(configuration, digital("ended", "10:05:00", agent=None, endedBy="contact"))
    assert Interaction.objects.get().ended_at == datetime(2026, 11, 22, 10, 5, tzinfo=UTC)
    accept(configuration, digital("updated", "10:20:00", fields={"channelName": "two"}))
    first, second = planned_places()
    assert second == first


def test_a_segment_that_is_renamed_late_keeps_its_place_in_the_order_of_its_record():
    configuration = configured({"ticket": [("subject", "digital", "channelName")]})
    accept(configuration, digital("unassigned", "10:10:00", fields={"channelName": "one"}, **TICKET))
    late = {"channelName": "two", "startTime": "2026-11-22T10:00:00Z"}
    accept(configuration, digital("updated", "10:20:00", fields=late))
    assert Interaction.objects.get().segment_id == "A@2026-11-22T10:00:00Z"
    first, second = planned_places()
    assert second == first


def test_an_end_that_turns_out_later_moves_late_data_up():
    configuration = configured({"ticket": [("subject", "digital", "channelName")]}, memorialize_on_closed=True)
    fields = {"channelName": "one", "status": "closed"}
    accept(configuration, digital("ended", "10:00:00", endedBy="agent", fields=fields, **TICKET))
    accept(configuration, digital("unassigned", "10:30:00", fields={"channelName": "two"}))
    (first, _key), (second, _same) = planned_places()
    assert (first.minute, second.minute) == (0, 30)


def test_a_mapping_that_is_deleted_while_its_version_is_read_stops_nobody(monkeypatch):
    configuration = configured()
    load = FrozenMappings._load

    def delete_first(self, version_ids):
        wanted = list(version_ids)
        MappingVersion.objects.all().delete()
        load(self, wanted)

    accept(configuration, voice("ended", "15:30:00", acwConfigured=True, fields={"skillName": "S"}, **TICKET))
    change_mapping(configuration, at=NOW + timedelta(hours=2))
    monkeypatch.setattr(FrozenMappings, "_load", delete_first)
    plan_due_interactions(now=NOW + timedelta(hours=2), limit=10)
    assert "no_active_mapping" in Interaction.objects.get().flags
