import pytest

from demo.contact_centre.app import create_app
from tests.demo.contact_centre.conftest import KEY


@pytest.fixture
def client(centre):
    return create_app(centre).test_client()


def test_play_says_what_will_be_sent(client, centre, product):
    said = client.post("/_control/play", json={"scenario": "voice_transfer", "seed": 7, "span_s": 0}).get_json()
    assert said["contactId"] == said["contactIds"][0] and len(said["contactIds"]) == 3
    assert (said["scenario"], said["seed"]) == ("voice_transfer", 7)
    centre.outbox.send_due()
    assert [event["eventId"] for event in product.events] == said["eventIds"]


def test_a_scenario_can_be_played_on_one_ticket(client, centre, product):
    client.post("/_control/play", json={"scenario": "voice_without_acw", "ticket_id": 35436, "span_s": 0})
    centre.outbox.send_due()
    assert product.events[-1]["records"] == [{"entityType": "ticket", "id": "35436"}]


@pytest.mark.parametrize(
    ("asked", "status"),
    [({"scenario": "voice_mail"}, 404), ({}, 404), ({"scenario": "digital_chat", "seed": "x"}, 422)],
)
def test_what_cannot_be_played_is_refused(client, asked, status):
    answer = client.post("/_control/play", json=asked)
    assert answer.status_code == status and answer.get_json()["error"]


def test_play_without_a_target_is_refused(client, target_path):
    target_path.unlink()
    assert client.post("/_control/play", json={"scenario": "digital_chat"}).status_code == 409


def test_the_rate_can_be_changed(client, centre):
    assert client.post("/_control/rate", json={"rate": 30}).get_json() == {"rate": 30}
    assert centre.rate == 30
    for wrong in ({"rate": -1}, {"rate": "many"}, {}, {"rate": None}):
        assert client.post("/_control/rate", json=wrong).status_code == 422


def test_the_log_has_every_call_with_its_answer(client, centre):
    said = client.post("/_control/play", json={"scenario": "digital_chat", "span_s": 0}).get_json()
    log = client.get("/_control/log").get_json()
    assert (log["waiting"], log["interactions"][0]["waiting"]) == (2, 2)
    centre.outbox.send_due()
    sends = client.get("/_control/log").get_json()["interactions"][0]["sends"]
    assert [send["answer"]["accepted"] for send in sends] == [[event_id] for event_id in said["eventIds"]]
    assert {(send["state"], send["answer"]["status"]) for send in sends} == {("done", 202)}


def test_targets_can_be_added_chosen_and_removed_and_no_answer_has_a_key(client, product):
    asked = {"name": "Other", "events_url": product.url, "intake_key": "ai_other-key"}
    target_id = client.post("/_control/targets", json=asked).get_json()["id"]
    state = client.get("/_control/").get_json()
    assert state["target"]["name"] == "Other"
    assert [target["id"] for target in state["targets"]] == [0, target_id]
    assert client.post("/_control/targets/0/choose").status_code == 200
    assert client.delete(f"/_control/targets/{target_id}").status_code == 200
    assert client.post(f"/_control/targets/{target_id}/choose").status_code == 404
    assert client.post("/_control/targets", json={"events_url": "x"}).status_code == 422
    texts = [client.get(path).get_data(as_text=True) for path in ("/_control/", "/_control/log", "/")]
    assert not any(key in text for key in (KEY, "ai_other-key") for text in texts)


def test_a_page_of_another_site_can_change_nothing(client):
    answer = client.post("/_control/rate", json={"rate": 100}, headers={"Origin": "https://evil.example"})
    assert answer.status_code == 403
    assert client.get("/", headers={"Host": "evil.example"}).status_code == 400
