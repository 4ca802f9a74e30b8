"""Programs that die are started again within bounds, and the end comes in order."""

import io
import signal
import sys

import pytest

from config.stack.screen import Screen
from config.stack.supervisor import (
    DEATHS_WINDOW_S,
    RESTART_DELAYS_S,
    Program,
    StepFailed,
    StopRequested,
    Supervisor,
    restart_delay_s,
)

LASTING = "import signal,time;signal.signal(signal.SIGTERM,lambda *_:(print('{0} ends',flush=True),exit(0)));"
LASTING += "print('{0} is up',flush=True);time.sleep(600)"


def python(source: str) -> tuple[str, ...]:
    return (sys.executable, "-c", source)


@pytest.fixture
def stream():
    return io.StringIO()


@pytest.fixture
def supervisor(stream):
    made = Supervisor(screen=Screen(stream), environment={})
    yield made
    made.stop()


def test_delays_grow_with_the_deaths_and_then_it_stays_down():
    delays = [restart_delay_s([100.0] * deaths, now=100.0) for deaths in range(1, len(RESTART_DELAYS_S) + 2)]

    assert delays == [*RESTART_DELAYS_S, None]


def test_deaths_of_long_ago_are_forgiven():
    assert restart_delay_s([0.0] * 10, now=DEATHS_WINDOW_S + 1) == RESTART_DELAYS_S[0]


def test_a_step_that_fails_stops_the_start(supervisor, stream):
    with pytest.raises(StepFailed, match="database"):
        supervisor.run_steps([Program("database", python("print('no disk'); exit(3)"), 0, is_step=True)])

    assert "database       | no disk" in stream.getvalue()


def test_a_program_that_dies_is_started_again(supervisor, stream, tmp_path):
    mark = tmp_path / "mark"
    source = f"import pathlib,time; p=pathlib.Path({str(mark)!r}); first=not p.exists(); p.touch(); "
    supervisor.start(Program("web", python(source + "exit(1) if first else print('second life', flush=True)"), 0))

    assert supervisor.wait_until(lambda: "second life" in stream.getvalue(), patience_s=20)
    assert "web ended unexpectedly (code 1)" in stream.getvalue()


def test_a_vital_program_that_keeps_dying_takes_the_product_down(supervisor, monkeypatch):
    monkeypatch.setattr("config.stack.supervisor.RESTART_DELAYS_S", (0.0,))
    supervisor.start(Program("web", python("exit(1)"), 0))

    with pytest.raises(StepFailed, match="web ended"):
        supervisor.wait_until(lambda: False, patience_s=20)


def test_the_demo_may_keep_dying(supervisor, stream, monkeypatch):
    monkeypatch.setattr("config.stack.supervisor.RESTART_DELAYS_S", (0.0,))
    supervisor.start(Program("demo", python("exit(1)"), 0, is_vital=False))

    assert supervisor.wait_until(lambda: supervisor.has_given_up("demo"), patience_s=20)
    assert "the product runs on without it" in stream.getvalue()


def test_the_worker_ends_before_its_broker(supervisor, stream):
    for name, stage in (("broker", 2), ("worker", 1), ("web", 0)):
        supervisor.start(Program(name, python(LASTING.format(name)), stage))
    assert supervisor.wait_until(lambda: stream.getvalue().count("is up") == 3, patience_s=20)

    supervisor.stop()

    said = stream.getvalue()
    assert -1 < said.index("web ends") < said.index("worker ends") < said.index("broker ends")


def test_a_request_to_stop_ends_a_wait(supervisor):
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    try:
        supervisor.listen_to_signals()
        signal.raise_signal(signal.SIGTERM)
        with pytest.raises(StopRequested):
            supervisor.wait_until(lambda: False)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
