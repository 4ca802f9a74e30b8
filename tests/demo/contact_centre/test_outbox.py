"""Sending until it is taken: order, repetition, back-off, Retry-After, new keys, targets that are not there."""

import pytest

from demo.contact_centre.centre import Centre
from demo.contact_centre.outbox import GIVE_UP_AFTER_S, LONGEST_DELAY_S
from demo.contact_centre.storage import Storage
from demo.contact_centre.targets import TargetFile, read_target
from tests.demo.contact_centre.conftest import KEY, write_target


def play(centre, name="voice_inbound", **keys):
    return centre.play(name, seed=1, **{"span_s": 0, **keys})


def states(centre):
    return [send["state"] for play_row in centre.log() for send in play_row["sends"]]


def test_events_go_out_when_they_are_due_and_in_their_order(centre, product, clock):
    told = play(centre, span_s=4)
    assert centre.outbox.send_due() == 1
    clock.advance(4)
    assert centre.outbox.send_due() == 2
    assert [event["eventId"] for event in product.events] == list(told.event_ids)
    assert product.calls[0]["headers"]["Authorization"] == f"Bearer {KEY}"
    assert states(centre) == ["done"] * 3


def test_an_event_that_was_not_taken_holds_back_what_follows_and_is_sent_again_alike(centre, product, clock):
    product.answers = [(500, {}), (502, {})]
    play(centre)
    assert centre.outbox.send_due() == 1
    clock.advance(1.3)
    assert centre.outbox.send_due() == 1
    clock.advance(2.5)
    assert centre.outbox.send_due() == 3
    assert product.calls[0]["body"] == product.calls[1]["body"] == product.calls[2]["body"]
    assert states(centre) == ["done"] * 3
    assert centre.log()[0]["sends"][0]["tries"] == 3


def test_retry_after_is_a_floor(centre, product, clock):
    product.answers = [(503, {"Retry-After": "30"})]
    play(centre)
    centre.outbox.send_due()
    clock.advance(29)
    assert centre.outbox.send_due() == 0
    clock.advance(1)
    assert centre.outbox.send_due() == 3


def test_delays_grow_to_their_limit_and_the_target_is_left_alone_meanwhile(centre, product, clock):
    product.answers = [(503, {})] * 30
    play(centre)
    play(centre)
    tries = 0
    for _ in range(600):
        tries += centre.outbox.send_due()
        clock.advance(1)
    assert 10 <= tries <= 20
    clock.advance(LONGEST_DELAY_S * 1.2)
    product.answers = []
    assert centre.outbox.send_due() == 6


def test_a_refusal_is_kept_and_the_rest_goes_on(centre, product):
    product.answers = [(422, {})]
    play(centre)
    assert centre.outbox.send_due() == 3
    assert states(centre) == ["refused", "done", "done"]
    assert centre.log()[0]["sends"][0]["answer"] == {"status": 422, "problem": "As told"}


def test_a_key_that_was_replaced_meanwhile_is_used_for_the_same_event(centre, product, clock, target_path, monkeypatch):
    play(centre)
    product.answers = [(401, {})]
    monkeypatch.setattr("demo.contact_centre.outbox.post", rotating(target_path, product.url))
    centre.outbox.send_due()
    clock.advance(2)
    monkeypatch.undo()
    centre.outbox.send_due()
    assert states(centre) == ["done"] * 3
    assert {call["headers"]["Authorization"] for call in product.calls[1:]} == {"Bearer ai_new-key-after-seeding-again"}


def rotating(path, url):
    from demo.contact_centre import sending

    def post(session, **keys):
        answer = sending.post(session, **keys)
        write_target(path, url, key="ai_new-key-after-seeding-again")
        return answer

    return post


def test_a_wrong_key_is_refused_for_good(centre, product):
    product.answers = [(401, {})] * 3
    play(centre)
    assert centre.outbox.send_due() == 3
    assert states(centre) == ["refused"] * 3


def test_another_target_is_not_held_up_by_one_that_is_down(centre, product, clock):
    centre.add_target(read_target(name="down", events_url="http://127.0.0.1:9/x/events", intake_key="ai_x"))
    play(centre)
    centre.choose_target(0)
    play(centre)
    assert centre.outbox.send_due() == 4
    assert states(centre) == ["done"] * 3 + ["waiting"] * 3


def test_a_target_that_never_answers_is_given_up_in_the_end(centre, product, clock):
    product.answers = [(503, {})] * 2
    play(centre)
    centre.outbox.send_due()
    clock.advance(GIVE_UP_AFTER_S + 1)
    centre.outbox.send_due()
    assert states(centre)[0] == "refused"


def test_calls_wait_while_the_target_file_is_away(centre, product, clock, target_path):
    play(centre)
    said = target_path.read_text()
    target_path.unlink()
    assert centre.outbox.send_due() == 1  # looked for its target and found none
    assert states(centre) == ["waiting"] * 3
    target_path.write_text(said)
    clock.advance(10)
    centre.outbox.send_due()
    assert states(centre) == ["done"] * 3


def test_a_restart_goes_on_where_the_process_stopped(tmp_path, product, clock, target_path):
    path, file = str(tmp_path / "state" / "centre.sqlite3"), TargetFile(str(target_path), desk_url="")
    first = Centre(Storage(path), target_file=file, now=clock, rate=0)
    told = play(first, span_s=4)
    first.outbox.send_due()
    first.storage.close()
    clock.advance(60)
    second = Centre(Storage(path), target_file=file, now=clock)
    assert second.outbox.send_due() == 2
    assert [event["eventId"] for event in product.events] == list(told.event_ids)
    second.storage.close()


def test_links_go_to_the_link_api(centre, product, book, monkeypatch):
    monkeypatch.setattr(centre.desk, "book_of", lambda _url: book)
    told = play(centre, "voice_link_api", ticket_id="11")
    centre.outbox.send_due()
    links = [call for call in product.calls if call["path"] != "events"]
    assert {call["path"] for call in links} == {f"interactions/{told.contact_ids[0]}/records"}
    assert [call["body"] for call in links] == [
        {"entityType": "ticket", "id": "11"},
        {"entityType": "user", "id": "36001"},
    ]


def test_several_threads_keep_the_order_of_each_interaction(centre, product):
    told = [centre.play("voice_transfer", seed=seed, span_s=0) for seed in range(8)]
    centre.outbox.start()
    try:
        wait_for(lambda: centre.storage.count_waiting() == 0)
    finally:
        centre.outbox.stop()
    sent = [event["eventId"] for event in product.events]
    assert len(sent) == len(set(sent))
    for each in told:
        assert [event_id for event_id in sent if event_id in each.event_ids] == list(each.event_ids)


def wait_for(is_reached):
    import time

    deadline = time.monotonic() + 20
    while not is_reached():
        if time.monotonic() > deadline:
            pytest.fail("It was not reached.")
        time.sleep(0.02)


def test_a_workflow_that_has_to_wait_holds_up_its_own_interaction_only(centre, product, clock):
    product.answers = [(503, {"Retry-After": "30"})]
    play(centre, "voice_new_ticket")
    assert centre.outbox.send_due() == 1
    play(centre)
    assert centre.outbox.send_due() == 3
    clock.advance(31)
    assert centre.outbox.send_due() == 5
