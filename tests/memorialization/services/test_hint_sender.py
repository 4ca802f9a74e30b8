"""The thread that sends hints: the first at once, a burst as few, and never in the way of the one who asks."""

import threading

from memorialization.services.hint_sender import HintSender

PATIENCE_S = 10


class Broker:
    """Takes hints; while its door is shut, whoever brings one waits."""

    def __init__(self) -> None:
        self.taken: list[int] = []
        self.door, self.arrived, self.has_taken = threading.Event(), threading.Event(), threading.Semaphore(0)

    def take(self, account_id: int) -> None:
        self.arrived.set()
        assert self.door.wait(PATIENCE_S)
        self.taken.append(account_id)
        self.has_taken.release()


def test_the_first_hint_leaves_at_once_and_a_burst_meanwhile_becomes_one_per_account():
    broker = Broker()
    sender = HintSender(broker.take, gap_s=0)
    sender.submit(1)
    assert broker.arrived.wait(PATIENCE_S)  # it is on its way, and the broker is slow
    for account_id in (1, 2, 1, 2, 1):
        sender.submit(account_id)
    assert broker.taken == []  # nobody waited for it
    broker.door.set()
    assert all(broker.has_taken.acquire(timeout=PATIENCE_S) for _ in range(3))
    assert broker.taken == [1, 1, 2]


def test_what_waits_when_the_process_ends_is_sent_by_the_one_who_ends_it():
    broker = Broker()
    broker.door.set()
    sender = HintSender(broker.take, gap_s=0)
    sender._waiting = {3}
    sender.send_waiting()
    sender.send_waiting()
    assert broker.taken == [3]
