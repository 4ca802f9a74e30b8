"""How much of what a limit allows is used while work is behind, and how often the CRM has to refuse a call.

Eight worker processes write notes, which go one by one, against 100 ticket updates a minute; then once more while
another integration takes 30 % of the same limit at an even pace. The demo's clock may run faster, so that whole windows
fit into the run; the factor is printed.
"""

import os
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import requests

from crm_integrations.models import CRMAccount
from tests.benchmarks.backlog import (
    Backlog,
    ended_on,
    make_records,
    open_account,
    read_log,
    seed_backlog,
    worker_environment,
)
from tests.benchmarks.call_windows import LimitUse, read_use
from tests.benchmarks.crew import running_crew
from tests.benchmarks.figures import Figure, at_least, at_most
from tests.benchmarks.options import Options
from tests.benchmarks.servers import running_zendesk
from tests.faults.zendesk_account import ZendeskAccount

WORKERS = 8
LIMIT, WINDOW_S = 100, 60.0
HEAD_ROOM = 10  # per cent, the product's default
HEAD_ROOM_BESIDE = 30  # what an administrator leaves to an integration that takes so much
ROGUE_CALLS = 30  # a window
ROGUE_TICKETS = 50  # in turn, so that the limit of single tickets is none of its concern
SPENDING = frozenset({"PUT tickets/{id}"})
SHARE_TARGET, ALONE_LIMITED_TARGET, BESIDE_LIMITED_TARGET = 95.0, 0.5, 1.0
LOOK_S = 1.0


def measure(options: Options) -> list[Figure]:
    """The share used and the refused calls, alone and beside another integration."""
    scale, windows = options.choose(6, 4, 1), options.choose(3, 4, 5)
    os.environ["DEMO_ZENDESK_TIME_SCALE"] = str(scale)
    figures = []
    with ExitStack() as stack:
        zendesk = stack.enter_context(running_zendesk(options.folder / "zendesk"))
        alone = _seed(zendesk.url, "alone", windows, HEAD_ROOM)
        beside = _seed(zendesk.url, "beside", windows, HEAD_ROOM_BESIDE)
        stack.enter_context(running_crew(options.folder, WORKERS, worker_environment(zendesk.url)))
        figures += _measure(alone, "alone", windows, scale, HEAD_ROOM, ALONE_LIMITED_TARGET)
        with _rogue(beside.account, scale):
            words = f"beside one that takes 30 %, head-room {HEAD_ROOM_BESIDE} %"
            figures += _measure(beside, words, windows, scale, HEAD_ROOM_BESIDE, BESIDE_LIMITED_TARGET)
        figures.append(_harm_done(beside))
    return figures


def _seed(url: str, name: str, windows: int, head_room: int) -> Backlog:
    account = open_account(url, name)
    tickets = make_records(account, "tickets", LIMIT * (windows + 1))
    bodies = [ended_on("ticket", key, number, prefix=f"{name}-") for number, key in enumerate(tickets)]
    backlog = seed_backlog(account, bodies, has_notes=True)
    CRMAccount.objects.filter(address=name).update(head_room_percent=head_room)
    return backlog


def _measure(
    backlog: Backlog, words: str, windows: int, scale: float, head_room: int, limited_target: float
) -> list[Figure]:
    backlog.release()
    use = _wait_for_windows(backlog, windows, patience_s=3 * (windows + 1) * WINDOW_S / scale + 30)
    backlog.stop()
    ours = [call for call in backlog.calls() if call["user_id"] == _own_user(backlog)]
    limited = sum(call["status"] == 429 for call in ours)
    note = f"{WORKERS} workers, clock × {scale}, {use.describe()}"
    return [
        at_least(
            f"calls used of those allowed, {words}",
            100 * use.share_used(LIMIT, head_room),
            SHARE_TARGET,
            unit="%",
            note=note,
        ),
        at_most(
            f"429s among calls, {words}",
            100 * limited / len(ours),
            limited_target,
            unit="%",
            note=f"{limited} of {len(ours)}",
        ),
    ]


def _harm_done(backlog: Backlog) -> Figure:
    """How much of what the other integration tried was refused: it did not ask for more than its 30 %."""
    theirs = [call for call in backlog.calls() if call["user_id"] != _own_user(backlog)]
    refused = sum(call["status"] == 429 for call in theirs)
    note = f"{refused} of {len(theirs)}; its even pace alone would never be refused"
    return Figure("429s among the other integration's calls", 100 * refused / len(theirs), "%", note=note)


def _wait_for_windows(backlog: Backlog, windows: int, *, patience_s: float) -> LimitUse:
    """Until so many windows are over and the next has begun."""
    ends_at = time.monotonic() + patience_s
    while True:
        time.sleep(LOOK_S)
        try:
            use = read_use(read_log(backlog.account), endpoints=SPENDING, window_s=WINDOW_S, user_id=_own_user(backlog))
        except RuntimeError:
            use = None
        if use is not None and len(use.windows) >= windows:
            return use
        if time.monotonic() > ends_at:
            raise RuntimeError(f"{windows} windows did not pass; {backlog.count_by_state()}")


def _own_user(backlog: Backlog) -> int:
    return int(backlog.configuration.authentication.system_user_id)


@contextmanager
def _rogue(account: ZendeskAccount, scale: float) -> Iterator[None]:
    """Another integration, with the token of another user, that writes tickets at an even pace."""
    agent = next(user["id"] for user in account.ask("records/users")["users"] if user["role"] == "agent")
    token = account.ask("tokens", {"user_id": agent, "expires_in": 7200})["access_token"]
    tickets = make_records(account, "tickets", ROGUE_TICKETS)
    is_over = threading.Event()

    def work() -> None:
        session = requests.Session()
        session.headers["Authorization"] = f"Bearer {token}"
        begin, number = time.monotonic(), 0
        while not is_over.wait(max(0.0, begin + number * WINDOW_S / ROGUE_CALLS / scale - time.monotonic())):
            url = f"{account.url}/{account.subdomain}/api/v2/tickets/{tickets[number % ROGUE_TICKETS]}.json"
            session.put(url, json={"ticket": {"subject": f"Other {number}"}}, timeout=60)
            number += 1

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    try:
        yield
    finally:
        is_over.set()
        thread.join()
