"""Rows of CXone's completed contacts, in their real shape."""

import pytest

from memorialization.events.parsing import parse_event
from memorialization.formats.completed_contacts import read_completed_contact
from memorialization.formats.rows import RowRefused

ROW = {
    "contactId": 415203958123, "masterContactId": 415203958100, "agentId": 39185896, "firstName": "Tyler",
    "lastName": "H", "fromAddr": "5145550123", "toAddr": "8005550100", "isOutbound": False, "mediaType": 4,
    "mediaTypeName": "Call", "skillId": 20804630, "skillName": "FR_Support", "teamId": 77, "teamName": "Lvl1",
    "campaignId": 9, "campaignName": "Main", "pointOfContactId": 1203, "pointOfContactName": "8005550100",
    "contactStart": "2025-05-14T18:13:06Z", "totalDurationSeconds": 214, "agentSeconds": 180, "ACWSeconds": 22,
    "holdCount": 1, "holdSeconds": 12, "inQueueSeconds": 10, "isLogged": True, "isRefused": False, "abandoned": False,
    "primaryDispositionId": 5, "secondaryDispositionId": None, "dispositionNotes": "Wants a callback",
    "transferIndicatorId": 0, "transferIndicatorName": "None", "dateContactWarehoused": "2025-05-14T18:17:01Z",
    "dateACWWarehoused": "2025-05-14T18:17:25Z", "lastUpdateTime": "2025-05-14T18:17:25Z",
}  # fmt: skip


def test_a_row_becomes_the_calls_end_its_acw_and_its_data():
    ended, acw, data = read_completed_contact(ROW)
    assert (ended["type"], ended["occurredAt"]) == ("interaction.ended", "2025-05-14T18:16:40Z")
    assert ended["acwConfigured"] is True and ended["endedBy"] == "unknown"
    assert (acw["type"], acw["occurredAt"]) == ("interaction.acw_completed", "2025-05-14T18:17:25Z")
    assert (data["type"], data["occurredAt"]) == ("interaction.updated", "2025-05-14T18:17:25Z")
    assert data["fields"] == {
        "agentId": "39185896", "agentName": "Tyler H", "to": "Tyler H", "ani": "5145550123", "dnis": "8005550100",
        "contactId": "415203958123", "masterContactId": "415203958100", "contactType": "voice", "mediaType": "voice",
        "direction": "inbound", "startTime": "2025-05-14T18:13:06Z", "endTime": "2025-05-14T18:16:40Z",
        "finalState": True, "skillId": "20804630", "skillName": "FR_Support", "dispositionNotes": "Wants a callback",
    }  # fmt: skip


def test_its_events_are_valid_and_their_ids_stable():
    events = read_completed_contact(ROW)
    assert len({parse_event(event).event_id for event in events}) == 3
    assert read_completed_contact(dict(reversed(ROW.items()))) == events


def test_a_row_that_changed_has_other_data_and_the_same_end():
    before = read_completed_contact(ROW)
    after = read_completed_contact({**ROW, "dispositionNotes": "Done", "lastUpdateTime": "2025-05-14T19:00:00Z"})
    assert after[:2] == before[:2] and after[2]["eventId"] != before[2]["eventId"]
    assert after[2]["occurredAt"] == "2025-05-14T19:00:00Z"


def test_newer_versions_with_other_names_and_case_are_read_alike():
    renamed = {"fromAddr": "FromAddress", "toAddr": "to_address", "contactStart": "contactStartDate"}
    newer = {renamed.get(key, key.upper()): value for key, value in ROW.items() if key != "mediaType"}
    newer |= {"mediaTypeId": "4", "Tags": [{"Contact_Id": 1, "TagId": 2, "TagName": "vip"}, {"tagName": "billing"}]}
    newer["CONTACTID"] = str(ROW["contactId"])
    fields = read_completed_contact(newer)[2]["fields"]
    assert fields == {**read_completed_contact(ROW)[2]["fields"], "tags": ["vip", "billing"]}


def test_for_outbound_calls_the_contacts_number_is_the_one_dialled():
    fields = read_completed_contact({**ROW, "isOutbound": True})[2]["fields"]
    assert (fields["ani"], fields["dnis"], fields["direction"]) == ("8005550100", "5145550123", "outbound")


def test_acw_that_is_not_done_yet_is_waited_for():
    ended, data = read_completed_contact({**ROW, "dateACWWarehoused": None, "lastUpdateTime": None})
    assert ended["acwConfigured"] is True and data["occurredAt"] == "2025-05-14T18:16:40Z"


def test_without_the_acw_column_there_is_no_acw():
    row = {key: value for key, value in ROW.items() if key != "dateACWWarehoused"}
    assert read_completed_contact(row)[0]["acwConfigured"] is False


def test_zero_and_blank_say_nothing():
    row = {**ROW, "skillId": 0, "agentId": "0", "firstName": " ", "lastName": "", "dispositionNotes": " "}
    assert not {"skillId", "agentId", "agentName", "to", "dispositionNotes"} & set(
        read_completed_contact(row)[2]["fields"]
    )


def test_a_recording_is_given_only_when_it_is_known():
    assert "recordingUrl" not in read_completed_contact(ROW)[2]["fields"]
    row = {**ROW, "recordingUrl": "https://example.com/1"}
    assert read_completed_contact(row)[2]["fields"]["recordingUrl"] == "https://example.com/1"


@pytest.mark.parametrize("media", [1, 3, "9"])
def test_chats_and_e_mails_are_left_to_the_digital_events(media):
    assert read_completed_contact({**ROW, "mediaType": media}) == []


def test_voicemails_are_voice():
    assert read_completed_contact({**ROW, "mediaType": 5})[2]["fields"]["mediaType"] == "voicemail"


@pytest.mark.parametrize("change", [{"contactId": None}, {"contactStart": "soon"}, {"totalDurationSeconds": None}])
def test_a_row_without_its_contact_or_times_is_refused(change):
    with pytest.raises(RowRefused):
        read_completed_contact({**ROW, **change})


def test_a_row_is_an_object():
    with pytest.raises(RowRefused):
        read_completed_contact([1])
