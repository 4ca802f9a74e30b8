"""Worker processes of `make run`, several at once, whose processor time is known."""

import os
import signal
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from subprocess import Popen

from config.stack.processes import start_process, stop_process, wait_until
from config.stack.profile import read_profile
from config.stack.programs import product
from memorialization.models import Heartbeat
from memorialization.services.heartbeats import WORKER

START_PATIENCE_S = 180
STOP_PATIENCE_S = 45
TICKS_S = os.sysconf("SC_CLK_TCK")


@dataclass
class Crew:
    """Workers that consume."""

    processes: list[Popen[bytes]] = field(default_factory=list)

    def cpu_s(self) -> float:
        """Seconds of processor that they had until now, user and system, all threads."""
        return sum(_cpu_of(process.pid) for process in self.processes)

    def idle_share(self, *, seconds: float) -> float:
        """The share of a processor that they take while nothing is to do."""
        before = self.cpu_s()
        time.sleep(seconds)
        return (self.cpu_s() - before) / seconds


@contextmanager
def running_crew(folder: Path, count: int, environment: Mapping[str, str]) -> Iterator[Crew]:
    """So many workers; all have shown their first sign of life when the block begins."""
    program = next(program for program in product(read_profile()) if program.name == "worker")
    crew = Crew()
    with (folder / "workers.log").open("ab") as log:
        try:
            for number in range(count):
                command = (*program.command, "--hostname", f"crew-{number}@%h")
                crew.processes.append(start_process(command, environment={**os.environ, **environment}, output=log))
            if not wait_until(lambda: _alive() >= count, patience_s=START_PATIENCE_S):
                tail = (folder / "workers.log").read_text(errors="replace")[-2000:]
                raise RuntimeError(f"the workers did not come up: {tail}")
            yield crew
        finally:
            for process in crew.processes:
                process.send_signal(signal.SIGTERM)
            for process in crew.processes:
                stop_process(process, ending=signal.SIGTERM, patience_s=STOP_PATIENCE_S)
            Heartbeat.objects.all().delete()


def _alive() -> int:
    return Heartbeat.objects.filter(name__startswith=f"{WORKER}crew-").count()


def _cpu_of(pid: int) -> float:
    words = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(words[11]) + int(words[12])) / TICKS_S
