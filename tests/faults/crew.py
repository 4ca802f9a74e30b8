"""The workers and beats of one row, started as `make run` starts them."""

import signal
import subprocess
import time
from collections.abc import Mapping
from dataclasses import dataclass

from celery import Celery
from kombu import pools
from kombu.exceptions import OperationalError
from redis.exceptions import RedisError

from config.stack.processes import kill_group, start_process, stop_process, wait_until
from tests.faults.servers import START_PATIENCE_S, STOP_PATIENCE_S, Servers


@dataclass
class Member:
    """A worker or beat: how it was started, and whether its death is part of the row."""

    command: tuple[str, ...]
    environment: Mapping[str, str]
    process: subprocess.Popen[bytes]
    may_die: bool = False


class Crew:
    """Workers and beats of one row, looked after as `make run` does; what still runs at its end is killed."""

    def __init__(self, servers: Servers) -> None:
        self.servers = servers
        self.log = servers.folder / "workers.log"
        self.members: list[Member] = []
        self.deaths: list[int] = []  # exit codes of members that ended by themselves

    def start_worker(self, *, may_die: bool = False, **environment: str) -> Member:
        """A worker process, with more environment (FAILPOINT, CLOCK_SKEW_S …)."""
        name = f"worker-{len(self.members)}@%h"
        command = (*self.servers.programs()["worker"].command, "--hostname", name)
        return self._add(command, environment, may_die=may_die)

    def start_beat(self) -> Member:
        """A beat with a schedule of its own."""
        command = [*self.servers.programs()["beat"].command]
        command[command.index("--schedule") + 1] = str(self.servers.folder / f"beat-{time.monotonic_ns()}")
        return self._add(tuple(command), {})

    def tend(self) -> None:
        """Start again what ended by itself. Call it from the main thread."""
        for member in self.members:
            if not member.may_die and member.process.poll() is not None:
                self.deaths.append(member.process.returncode)
                kill_group(member.process)
                member.process = self._start(member.command, member.environment)

    def wait_for_answers(self, count: int) -> bool:
        """Whether so many workers answer on the broker, in time."""
        return wait_until(lambda: self._count_answers() >= count, patience_s=START_PATIENCE_S)

    def _count_answers(self) -> int:
        pools.reset()  # connections from before the broker's last restart are dead
        asker = Celery("asker", broker=self.servers.valkey.url)
        try:
            return len(asker.control.ping(timeout=0.5))
        except (OSError, RedisError, OperationalError):
            return 0
        finally:
            asker.close()

    def kill_all(self) -> None:
        """kill -9 everything."""
        for member in self.members:
            member.may_die = True
            stop_process(member.process, ending=signal.SIGKILL, patience_s=STOP_PATIENCE_S)
        self.members.clear()

    def tail(self) -> str:
        """The end of what they said."""
        return self.log.read_text(errors="replace")[-3000:] if self.log.exists() else ""

    def _add(self, command: tuple[str, ...], environment: Mapping[str, str], *, may_die: bool = False) -> Member:
        member = Member(command, environment, self._start(command, environment), may_die)
        self.members.append(member)
        return member

    def _start(self, command: tuple[str, ...], environment: Mapping[str, str]) -> subprocess.Popen[bytes]:
        with self.log.open("ab") as output:
            return start_process(command, environment={**self.servers.environment, **environment}, output=output)
