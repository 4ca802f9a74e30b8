"""The stream: its rate, what stops it, what it plays against."""

import pytest

from demo.contact_centre.centre import BACKLOG_LIMIT, Centre, NoTarget
from demo.contact_centre.storage import Storage
from demo.contact_centre.targets import TargetFile, read_target


def played(centre, clock, *, seconds, step=0.5):
    before = len(centre.log(1000))
    for _ in range(int(seconds / step)):
        centre.tick()
        clock.advance(step)
    return len(centre.log(1000)) - before


def test_the_stream_keeps_its_rate(centre, clock):
    centre.set_rate(30)
    assert 29 <= played(centre, clock, seconds=60) <= 31
    centre.set_rate(0)
    assert played(centre, clock, seconds=60) == 0


def test_a_stream_that_was_held_up_does_not_make_up_for_it(centre, clock):
    centre.set_rate(6)
    centre.tick()
    clock.advance(3600)
    assert played(centre, clock, seconds=60) <= 7


def test_the_stream_is_the_same_again_from_an_empty_file(clock, target_path):
    def stream():
        centre = Centre(Storage(None), target_file=TargetFile(str(target_path), desk_url=""), now=clock, rate=60)
        for _ in range(20):
            centre.tick()
            clock.advance(1)
        return [(play["scenario"], play["seed"]) for play in centre.log()]

    assert stream() == stream()


def test_the_stream_waits_while_too_much_waits(centre, clock, monkeypatch):
    centre.set_rate(60)
    monkeypatch.setattr(centre.storage, "count_waiting", lambda: BACKLOG_LIMIT)
    assert played(centre, clock, seconds=5) == 0


def test_a_rate_out_of_bounds_is_refused(centre):
    for rate in (-1, 1201, float("nan"), float("inf")):
        with pytest.raises(ValueError, match="between 0 and 1200"):
            centre.set_rate(rate)


def test_the_rate_is_kept_for_the_next_start(centre, target_path, clock):
    centre.set_rate(12.5)
    again = Centre(centre.storage, target_file=TargetFile(str(target_path), desk_url=""), now=clock)
    assert again.rate == 12.5


def test_without_a_target_nothing_is_played(clock):
    centre = Centre(Storage(None), target_file=TargetFile(None, desk_url=""), now=clock)
    assert centre.rate == 6
    with pytest.raises(NoTarget):
        centre.play("voice_inbound")
    assert not centre.tick()


def test_a_chosen_target_that_went_away_is_not_replaced_by_another(centre):
    target_id = centre.add_target(read_target(name="", events_url="http://localhost/c/events", intake_key="ai_k"))
    assert centre.target.id == target_id
    centre.storage.remove_target(target_id)
    assert centre.target is None
    with pytest.raises(NoTarget):
        centre.choose_target(target_id)
