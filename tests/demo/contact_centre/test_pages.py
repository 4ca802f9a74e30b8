import re

import pytest

from demo.contact_centre.app import create_app
from demo.contact_centre.scenarios import SCENARIOS
from tests.demo.contact_centre.conftest import KEY


@pytest.fixture
def client(centre):
    return create_app(centre).test_client()


def page_of(client):
    return client.get("/").get_data(as_text=True)


def test_the_page_offers_every_scenario_and_says_what_is_running(client):
    page = page_of(client)
    assert all(f'value="{name}"' in page for name in SCENARIOS)
    assert "Stopped" in page and "Seeded demo configuration" in page
    assert "Nothing has been played yet." in page


def test_a_button_plays_one_and_the_log_shows_the_answers_and_the_way_to_the_product(client, centre, clock):
    answer = client.post("/play", data={"scenario": "voice_repeated_and_shuffled", "ticket_id": ""})
    assert (answer.status_code, answer.headers["Location"]) == (303, "/?played=1#log")
    assert "started: waiting" in page_of(client)
    clock.advance(10)
    centre.outbox.send_due()
    page, contact_id = page_of(client), centre.log()[0]["contact_ids"][0]
    assert "acw completed: accepted" in page and "duplicate" in page
    assert f"http://localhost:8000/interactions/?q={contact_id}" in page
    assert KEY not in page


def test_what_was_just_played_is_named_with_the_way_to_it_and_to_its_interaction(client, centre):
    client.post("/play", data={"scenario": "digital_chat"})
    place = client.post("/play", data={"scenario": "voice_caller_gives_up"}).headers["Location"]
    newest = centre.log()[0]
    told = re.search(r'<p class="played".*?</p>', client.get(place).get_data(as_text=True), re.DOTALL)[0]
    assert f'href="/plays/{newest["id"]}"' in told and SCENARIOS["voice_caller_gives_up"].title in told
    assert f'href="http://localhost:8000/interactions/?q={newest["contact_ids"][0]}"' in told
    assert all('class="played"' not in client.get(path).get_data(as_text=True) for path in ("/", "/?played=99"))


def test_refusals_are_told(client, centre, product):
    product.answers = [(422, {}), (500, {})]
    client.post("/play", data={"scenario": "voice_caller_gives_up"})
    client.post("/play", data={"scenario": "voice_caller_gives_up"})
    centre.outbox.send_due()
    page = page_of(client)
    assert "ended: 422 As told" in page and "ended: waiting, As told" in page


def test_the_switch_changes_the_stream(client, centre):
    client.post("/rate", data={"rate": "7,5"})
    assert centre.rate == 7.5
    assert "7.5 interactions per minute" in page_of(client)
    answer = client.post("/rate", data={"rate": "fast"})
    assert answer.status_code == 422 and "from 0 to 1200" in answer.get_data(as_text=True)
    assert centre.rate == 7.5


def test_another_configuration_can_be_played_and_its_key_is_never_shown(client, centre, product):
    form = {"name": "Mine", "events_url": product.url, "intake_key": "ai_mine-and-only-mine", "desk_url": ""}
    assert client.post("/targets", data=form).status_code == 303
    assert centre.target.name == "Mine"
    assert "ai_mine" not in page_of(client)
    target_id = centre.target.id
    client.post("/targets/0/choose")
    assert centre.target.id == 0
    client.post(f"/targets/{target_id}/remove")
    assert [target.id for target in centre.targets()] == [0]
    assert client.post(f"/targets/{target_id}/choose").status_code == 404


def test_a_wrong_address_is_told_and_what_was_typed_stays_but_for_the_key(client):
    form = {"name": "Mine", "events_url": "http://localhost/nothing", "intake_key": "ai_mine-and-only-mine"}
    answer = client.post("/targets", data=form)
    page = answer.get_data(as_text=True)
    assert answer.status_code == 422 and "ends with /events" in page and "http://localhost/nothing" in page
    assert "ai_mine" not in page


def test_nothing_to_play_against_is_told(client, target_path):
    target_path.unlink()
    answer = client.post("/play", data={"scenario": "digital_chat"})
    assert answer.status_code == 409 and "no configuration to play against" in answer.get_data(as_text=True)
    assert "No configuration yet" in page_of(client)


def test_the_pulse_moves_when_something_was_played(client):
    before = client.get("/pulse").get_json()
    assert client.get("/pulse").get_json() == before
    client.post("/play", data={"scenario": "digital_chat"})
    assert client.get("/pulse").get_json() != before


def test_pages_have_the_strict_policy_and_their_files(client):
    page = client.get("/")
    assert "default-src 'self'" in page.headers["Content-Security-Policy"]
    for path in ("/_look/demo.css", "/_look/refresh.js", "/_static/contact_centre.css", "/_static/icon.svg"):
        assert client.get(path).status_code == 200, path
    assert client.get("/_look/../__init__.py").status_code == 404
    assert client.get("/elsewhere").status_code == 404
    assert client.get("/_control/elsewhere").get_json() == {"error": "not found"}


def test_a_play_shows_its_calls_and_the_customer_card_in_a_frame(client, centre, clock):
    client.post("/play", data={"scenario": "voice_new_ticket", "ticket_id": ""})
    clock.advance(10)
    centre.outbox.send_due()
    assert "/plays/1" in page_of(client)
    answer = client.get("/plays/1")
    page, contact_id = answer.get_data(as_text=True), centre.log()[0]["contact_ids"][0]
    assert "search ani: 1 found" in page and "create ticket: created" in page
    assert f'src="http://localhost:8000/card/{contact_id}/"' in page and KEY not in page
    assert answer.headers["Content-Security-Policy"].endswith("frame-src http://localhost:8000")


@pytest.mark.parametrize(("accepted", "language"), [("fr-CA, en;q=0.5", "fr"), ("en-CA", "en"), ("de", "en")])
def test_the_card_speaks_the_language_of_the_browser(client, product, accepted, language):
    client.post("/play", data={"scenario": "voice_known_caller", "ticket_id": ""})
    client.get("/plays/1", headers={"Accept-Language": accepted})
    assert product.calls[-1]["body"]["language"] == language


def test_without_a_card_the_play_says_why(client, product):
    client.post("/play", data={"scenario": "voice_known_caller", "ticket_id": ""})
    product.answers = [(409, {})]
    page = client.get("/plays/1")
    assert "no customer card: As told" in page.get_data(as_text=True)
    assert "frame-src" not in page.headers["Content-Security-Policy"]
    assert client.get("/plays/99").status_code == 404
