"""The web server a benchmark measures, started as `make run` starts it, and a demo CRM (workers: `crew`)."""

import os
import signal
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from config.stack.ports import find_free_port, is_answering
from config.stack.processes import start_process, stop_process, wait_until
from config.stack.profile import read_profile
from config.stack.programs import product
from tests.end_to_end.kill_stage import DemoZendesk, running_demo_zendesk

START_PATIENCE_S = 60
STOP_PATIENCE_S = 45
WITH_BARE_VIEW = {"config.wsgi:application": "tests.benchmarks.bare.wsgi:application"}


@contextmanager
def running_web(folder: Path, environment: Mapping[str, str] | None = None) -> Iterator[int]:
    """The web server of `make run`, with the bare view beside its API, on a free port, which it gives."""
    port, log = find_free_port(), folder / "web.log"
    own = {**os.environ, "PYTHONUNBUFFERED": "1", "PORT": str(port), **(environment or {})}
    with log.open("ab") as output:
        process = start_process(_web_command(port), environment=own, output=output)
        try:
            wait_until(lambda: is_answering(port) or process.poll() is not None, patience_s=START_PATIENCE_S)
            if process.poll() is not None or not is_answering(port):
                raise RuntimeError(f"the web server did not come up: {tail_of(log)}")
            yield port
        finally:
            stop_process(process, ending=signal.SIGTERM, patience_s=STOP_PATIENCE_S)


@contextmanager
def running_zendesk(folder: Path, *, latency_ms: int = 100) -> Iterator[DemoZendesk]:
    """A fresh demo Zendesk without limits that answers every call so late."""
    folder.mkdir(parents=True, exist_ok=True)
    with running_demo_zendesk(folder) as zendesk:
        zendesk.ask("limits", {"enabled": False})
        zendesk.ask("latency", {"ms": latency_ms})
        yield zendesk


def tail_of(log: Path) -> str:
    """The end of what a process said."""
    return log.read_text(errors="replace")[-2000:]


def _web_command(port: int) -> tuple[str, ...]:
    """The command of `make run`, on this port and with the bare view."""
    profile = replace(read_profile(), port=port)
    web = next(program for program in product(profile) if program.name == "web")
    return tuple(WITH_BARE_VIEW.get(word, word) for word in web.command)
