"""Events of CXone's Digital Experience, in their real shapes."""

import copy

import pytest

from memorialization.events.fold import fold_events
from memorialization.events.parsing import parse_event
from memorialization.formats.digital_events import read_digital_event
from memorialization.formats.rows import RowRefused

CLOSED = {
    "eventId": "426d9f85", "eventObject": "Case", "eventType": "CaseStatusChanged",
    "createdAt": "2023-12-06T08:06:04+00:00", "createdAtWithMilliseconds": "2023-12-06T08:06:04.443+00:00",
    "data": {
        "case": {
            "id": "7259998", "contactId": "6eb27375", "interactionId": "daf7c129", "status": "closed",
            "statusUpdatedAt": "2023-12-06T08:06:04+00:00", "direction": "inbound", "routingQueueId": None,
            "inboxAssignee": None, "inboxAssigneeUser": None, "inboxAssigneeLastAssignedAt": None,
            "authorEndUserIdentity": {"id": "chat_986C", "firstName": "", "lastName": "", "fullName": " "},
            "endUser": {"fullName": " ", "customFields": [], "identities": []},
            "recipients": [{"name": "", "anonymizedAt": None}], "customFields": [],
            "detailUrl": "https://app.example.com/case/7259998",
        },
        "brand": {"id": 6435, "tenantId": None, "timezone": "Europe/Prague"},
        "channel": {"id": "chat_ea02", "name": "iOS messaging channel", "realExternalPlatformId": "chat"},
        "routingQueue": None,
    },
}  # fmt: skip
UNASSIGNED = {
    "eventId": "7685ea72", "eventType": "CaseInboxAssigneeChanged", "createdAt": "2024-05-14T19:14:39+01:00",
    "data": {
        "previousInboxAssignee": {
            "id": 49707, "agentId": 39185896, "incontactId": "11ee110e", "firstName": "Tyler", "surname": "Hendrickson"
        },
        "inboxAssignee": None, "acceptRejectFlow": {"isTransfer": False, "isEnabled": False},
        "routingQueue": {"id": "0b1d1029", "name": "iOS Queue", "skillId": 20804630},
        "case": {
            "id": "507345195372", "status": "resolved", "statusUpdatedAt": "2024-05-14T18:14:22+00:00",
            "inboxAssigneeLastAssignedAt": "2024-05-14T18:14:04+00:00", "inboxAssigneeUser": None,
            "interactionId": "3914aa71",
        },
        "channel": {"name": "SDK Sample App", "realExternalPlatformId": "chat"},
    },
}  # fmt: skip
ASSIGNED = {
    "eventId": "a1", "eventType": "CaseInboxAssigneeChanged", "createdAt": "2024-05-14T18:14:04+00:00",
    "data": {
        "previousInboxAssignee": None,
        "inboxAssignee": {"id": 49707, "agentId": "39185896", "firstName": "Tyler", "surname": "Hendrickson"},
        "routingQueue": {"skillId": 0, "name": ""},
        "case": {
            "id": 507345195372, "inboxAssigneeLastAssignedAt": "2024-05-14T18:14:04+00:00",
            "endUser": {"fullName": "Zoé T", "customFields": [{"ident": "email", "value": "a@b.c"}]},
        },
    },
}  # fmt: skip


def changed(event, **paths):
    """A copy with values at dotted paths (`data__case__id=…`) replaced."""
    event = copy.deepcopy(event)
    for path, value in paths.items():
        *parents, last = path.split("__")
        place = event
        for step in parents:
            place = place[step]
        place[last] = value
    return event


def test_no_new_agent_is_an_unassignment_of_the_previous_ones_segment():
    (event,) = read_digital_event(UNASSIGNED)
    assert (event["type"], event["eventId"], event["contactId"]) == (
        "interaction.unassigned", "7685ea72", "507345195372",
    )  # fmt: skip
    assert event["occurredAt"] == "2024-05-14T18:14:39Z" and event["channel"] == "digital"
    assert event["fields"] == {
        "contactId": "507345195372", "interactionId": "3914aa71", "channelName": "SDK Sample App",
        "channelType": "chat", "eventType": "digital", "mediaType": "digital", "skillId": "20804630",
        "skillName": "iOS Queue", "status": "resolved", "agentId": "39185896", "agentName": "Tyler Hendrickson",
        "to": "Tyler Hendrickson", "startTime": "2024-05-14T18:14:04Z", "endTime": "2024-05-14T18:14:39Z",
    }  # fmt: skip


def test_an_agent_where_there_was_none_starts_a_segment():
    (event,) = read_digital_event(ASSIGNED)
    assert event["type"] == "interaction.started" and event["fields"]["startTime"] == "2024-05-14T18:14:04Z"
    assert event["fields"]["customerName"] == event["fields"]["from"] == "Zoé T"
    assert "skillId" not in event["fields"] and event["scriptVariables"] == {"email": "a@b.c"}


def test_start_and_end_of_an_agents_part_meet_in_one_segment_though_ids_are_numbers_and_text():
    events = [parse_event(event) for document in (ASSIGNED, UNASSIGNED) for event in read_digital_event(document)]
    (segment,) = fold_events(events).segments
    assert segment.segment_id == "39185896@2024-05-14T18:14:04Z" and segment.closing == "interaction.unassigned"


def test_another_agent_is_a_transfer_and_a_start():
    other = {"id": 5, "agentId": 77, "firstName": "Ana", "surname": ""}
    transferred, started = read_digital_event(changed(UNASSIGNED, data__inboxAssignee=other))
    assert (transferred["type"], transferred["fields"]["agentId"]) == ("interaction.transferred", "39185896")
    assert "startTime" not in transferred["fields"]  # what is told by then is the new agent's
    assert (started["type"], started["eventId"], started["fields"]["agentName"]) == (
        "interaction.started", "7685ea72:started", "Ana",
    )  # fmt: skip


def test_a_transfer_to_a_queue_is_a_transfer():
    (event,) = read_digital_event(changed(UNASSIGNED, data__acceptRejectFlow={"isTransfer": True}))
    assert event["type"] == "interaction.transferred"


def test_the_same_agent_again_ends_nothing():
    same = {"id": 49707, "incontactId": "11ee110e"}
    assert [event["type"] for event in read_digital_event(changed(UNASSIGNED, data__inboxAssignee=same))] == [
        "interaction.updated"
    ]


def test_a_closed_case_has_ended_by_nobody_known():
    (event,) = read_digital_event(CLOSED)
    assert (event["type"], event["endedBy"], event["occurredAt"]) == (
        "interaction.ended", "unknown", "2023-12-06T08:06:04.443000Z",
    )  # fmt: skip
    assert "customerName" not in event["fields"] and "agentId" not in event["fields"]
    assert event["fields"]["transcriptUrl"] == "https://app.example.com/case/7259998"


def test_another_status_is_late_data():
    (event,) = read_digital_event(changed(CLOSED, data__case__status="pending"))
    assert event["type"] == "interaction.updated" and event["fields"]["status"] == "pending"


def test_end_contact_is_the_contacts_own_end():
    document = {
        "eventType": "EndContact",
        "createdAt": "2024-05-14T18:14:22+00:00",
        "data": {"thread": {}, "contact": {"id": "12345"}},
    }
    (event,) = read_digital_event(document)
    assert (event["type"], event["endedBy"], event["contactId"]) == ("interaction.ended", "contact", "12345")
    assert read_digital_event(document)[0]["eventId"] == event["eventId"]


def test_an_anonymized_customer_is_not_written_about():
    gone = [{"name": "", "anonymizedAt": "2024-01-01T00:00:00+00:00"}]
    document = changed(ASSIGNED, data__case__recipients=gone, data__case__detailUrl="https://x")
    (event,) = read_digital_event(document)
    assert not {"customerName", "from", "transcriptUrl"} & set(event["fields"]) and "scriptVariables" not in event


@pytest.mark.parametrize("name", ["MessageAddedIntoCase", "CaseCreated", "", None])
def test_other_events_say_nothing_about_an_agents_part(name):
    assert read_digital_event(changed(UNASSIGNED, eventType=name)) == []


def test_aliases_of_event_names_are_known():
    assert read_digital_event(changed(UNASSIGNED, eventType="ASSIGNED_AGENT_CHANGED"))[0]["type"].endswith("unassigned")


@pytest.mark.parametrize("change", [{"data__case__id": None}, {"createdAt": None}])
def test_an_event_without_its_case_or_time_is_refused(change):
    with pytest.raises(RowRefused):
        read_digital_event(changed(UNASSIGNED, **change))


@pytest.mark.parametrize("document", [CLOSED, UNASSIGNED, ASSIGNED])
def test_what_is_made_of_real_events_is_valid(document):
    assert all(parse_event(event) for event in read_digital_event(document))


@pytest.mark.parametrize("odd", [float("nan"), float("inf")])
def test_an_event_without_an_id_that_holds_no_json_number_is_refused_and_stops_nobody(odd):
    document = {key: value for key, value in copy.deepcopy(CLOSED).items() if key != "eventId"}
    with pytest.raises(RowRefused):
        read_digital_event({**document, "weight": odd})
