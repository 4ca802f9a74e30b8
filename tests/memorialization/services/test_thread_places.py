"""Who may have how many threads of a worker."""

from contextlib import ExitStack

from memorialization.services.thread_places import ThreadPlaces


class Worker:
    """A worker of so many threads; `broken`: accounts whose circuit is not closed."""

    def __init__(self, threads, broken=()):
        self.places, self.threads, self.broken = ThreadPlaces(), threads, broken
        self.stack = ExitStack()

    def place_on(self, account_id):
        return self.places.place_on(
            account_id, threads=self.threads, is_circuit_closed=lambda: account_id not in self.broken
        )

    def fill(self, account_id, hints=20):
        """How many of the hints found a place; those threads stay at work."""
        return sum(self.stack.enter_context(self.place_on(account_id)).is_granted for _ in range(hints))


def test_an_account_gets_a_third_of_the_threads():
    assert Worker(12).fill(1) == 4


def test_of_few_threads_it_gets_two():
    assert Worker(5).fill(1) == 2


def test_a_worker_of_two_threads_still_works_on_two_accounts():
    worker = Worker(2)
    assert (worker.fill(1), worker.fill(2)) == (1, 1)


def test_the_last_two_threads_take_only_accounts_that_nobody_is_at_work_on():
    worker = Worker(10)
    assert [worker.fill(account_id) for account_id in (1, 2, 3, 4, 5)] == [3, 3, 2, 1, 1]


def test_an_account_whose_circuit_is_not_closed_gets_one_thread():
    assert Worker(12, broken={1}).fill(1) == 1


def test_a_flood_of_hints_at_a_busy_account_asks_for_its_circuit_no_more_than_it_finds_places():
    asked = []
    places = ThreadPlaces()
    with ExitStack() as stack:
        granted = [
            stack.enter_context(
                places.place_on(1, threads=12, is_circuit_closed=lambda: asked.append(1) or True)
            ).is_granted
            for _ in range(1000)
        ]
    assert (sum(granted), len(asked)) == (4, 3)


def test_a_slow_account_gets_one_thread_until_it_is_fast_again():
    worker = Worker(12)
    worker.places.note_speed(1, is_slow=True)
    assert worker.fill(1) == 1
    worker.places.note_speed(1, is_slow=False)
    assert worker.fill(1) == 3, "and the first is still there"


def test_a_place_is_free_again_after_the_work_and_after_its_failure():
    worker = Worker(2)
    for _ in range(2):
        try:
            with worker.place_on(1) as place:
                assert place.is_granted
                raise ZeroDivisionError
        except ZeroDivisionError:
            pass
    assert worker.places.taken == 0


def test_a_hint_that_found_no_place_is_told_to_one_of_those_at_work():
    worker = Worker(2)
    with worker.place_on(1) as working:
        with worker.place_on(1) as refused:
            assert not refused.is_granted
    assert working.has_missed_hint
    with worker.place_on(1) as later:
        pass
    assert not later.has_missed_hint, "it is told once"


def test_a_process_that_is_about_to_end_grants_nothing():
    worker = Worker(12)
    worker.places.close()
    assert worker.fill(1) == 0
