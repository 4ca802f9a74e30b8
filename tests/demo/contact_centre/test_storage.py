import stat

from demo.contact_centre.customers import CustomerBook
from demo.contact_centre.scenarios import play
from demo.contact_centre.storage import PLAYS_KEPT, Storage
from demo.contact_centre.targets import read_target


def add(storage, clock, **keys):
    told = play(name="voice_caller_gives_up", seed=1, book=CustomerBook(), now=clock())
    return storage.add_play(told, **{"target_id": 0, "origin": "person", "now": clock().timestamp(), **keys})


def take_all(storage):
    while send := storage.find_ready(9e12, busy_plays=(), paused_targets=()):
        storage.store_answer(send, state="done", answer={}, due_at=0)


def test_the_file_with_the_keys_is_private(tmp_path):
    path = tmp_path / "new" / "centre.sqlite3"
    storage = Storage(str(path))
    storage.store_target(read_target(name="", events_url="http://localhost/c/events", intake_key="ai_k"))
    modes = {stat.S_IMODE(file.stat().st_mode) for file in path.parent.iterdir()}
    storage.close()
    assert modes == {0o600}


def test_an_address_typed_again_replaces_its_key():
    storage = Storage(None)
    one = storage.store_target(read_target(name="a", events_url="http://localhost/c/events", intake_key="ai_1"))
    two = storage.store_target(read_target(name="b", events_url="http://localhost/c/events", intake_key="ai_2"))
    assert one == two
    assert [(each.name, each.intake_key) for each in storage.targets()] == [("b", "ai_2")]


def test_a_forgotten_target_takes_along_what_waits_for_it(clock):
    storage = Storage(None)
    target_id = storage.store_target(read_target(name="", events_url="http://localhost/c/events", intake_key="ai_k"))
    add(storage, clock, target_id=target_id)
    add(storage, clock)
    storage.remove_target(target_id)
    assert storage.targets() == []
    assert storage.count_waiting() == 1


def test_old_plays_are_dropped_once_they_are_sent(clock):
    storage = Storage(None)
    for _ in range(PLAYS_KEPT + 10):
        add(storage, clock)
    assert storage.count_waiting() == PLAYS_KEPT + 10
    take_all(storage)
    add(storage, clock)
    assert len(storage.log(1000)) == PLAYS_KEPT


def test_no_seed_is_taken_twice():
    storage = Storage(None)
    assert [storage.take_seed() for _ in range(3)] == [1, 2, 3]


def test_calls_of_busy_plays_and_paused_targets_are_passed_over(clock):
    storage = Storage(None)
    first, second = add(storage, clock), add(storage, clock, target_id=7)
    assert storage.find_ready(9e12, busy_plays={first}, paused_targets=()).play_id == second
    assert storage.find_ready(9e12, busy_plays=(), paused_targets={0}).play_id == second
    assert storage.find_ready(9e12, busy_plays={first}, paused_targets={7}) is None
    assert storage.find_ready(clock().timestamp() - 1, busy_plays=(), paused_targets=()) is None
