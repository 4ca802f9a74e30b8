"""Keeps the product's processes running, and stops them in order.

It starts programs, shows their output, starts again what died, gives up when a program keeps dying, and on Ctrl-C,
TERM or HUP stops them stage by stage: who produces work first, the broker last. Killed with -9, it takes all with it.
"""

import signal
import subprocess
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from config.stack.processes import kill_group, start_process
from config.stack.screen import Screen

WATCH_EVERY_S = 0.1
DEATHS_WINDOW_S = 60.0
RESTART_DELAYS_S = (0.5, 1.0, 2.0, 4.0)  # by the number of deaths in the window; one more death and it stays down


class StopRequested(Exception):
    """Somebody asked for the end while a step was under way."""


class StepFailed(Exception):
    """A step of the start did not succeed; its own lines said why."""


@dataclass(frozen=True)
class Program:
    """One process of the product. Programs with a lower `stop_stage` are stopped earlier."""

    name: str
    command: tuple[str, ...]
    stop_stage: int
    ending: signal.Signals = signal.SIGKILL  # what it gets when the supervisor is killed
    patience_s: float = 10.0  # for its own clean end
    is_vital: bool = True  # whether the product goes down with it
    is_step: bool = False  # ends by itself and is not started again


@dataclass
class Running:
    """A program and its present process."""

    program: Program
    process: subprocess.Popen[bytes]
    output: threading.Thread
    deaths: list[float] = field(default_factory=list)
    restart_at: float | None = None
    is_given_up: bool = False


def restart_delay_s(deaths: Sequence[float], *, now: float) -> float | None:
    """How long to wait before starting again; None when the program died too often lately."""
    recent = sum(1 for moment in deaths if now - moment < DEATHS_WINDOW_S)
    return RESTART_DELAYS_S[max(recent - 1, 0)] if recent <= len(RESTART_DELAYS_S) else None


class Supervisor:
    """Owns the processes; used from the main thread only."""

    def __init__(self, *, screen: Screen, environment: Mapping[str, str]) -> None:
        self.screen = screen
        self.environment = dict(environment)
        self._running: dict[str, Running] = {}
        self._stop_requests = 0

    def listen_to_signals(self) -> None:
        """Ctrl-C, TERM and HUP ask for a clean end, a second one for an immediate end."""
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            if number == signal.SIGHUP and signal.getsignal(number) == signal.SIG_IGN:
                continue  # nohup
            signal.signal(number, self._on_signal)

    def _on_signal(self, number: int, _frame: object) -> None:
        self._stop_requests += 1

    def start(self, program: Program) -> None:
        """Start a program and keep it running."""
        process, output = self._launch(program)
        self._running[program.name] = Running(program=program, process=process, output=output)

    def is_alive(self, name: str) -> bool:
        """Whether the program's process runs at this moment."""
        return name in self._running and self._running[name].process.poll() is None

    def names(self) -> list[str]:
        """The programs that are looked after and not given up."""
        return [name for name, running in self._running.items() if not running.is_given_up]

    def has_given_up(self, name: str) -> bool:
        """Whether the program died too often and stays off."""
        return name in self._running and self._running[name].is_given_up

    def keep(self, program: Program) -> None:
        """From now on look after a process that was started as a step."""
        self._running[program.name].program = program

    def forget(self, name: str) -> None:
        """Let go of a program that ended by itself."""
        kill_group(self._running.pop(name).process)

    def _launch(self, program: Program) -> tuple[subprocess.Popen[bytes], threading.Thread]:
        process = start_process(
            program.command, environment=self.environment, ending=program.ending, output=subprocess.PIPE
        )
        if process.stdout is None:
            raise RuntimeError("A process was started without a pipe for its output.")
        return process, self.screen.follow(process.stdout, name=program.name)

    def run_steps(self, programs: Sequence[Program]) -> None:
        """Run programs side by side to their end. Raises StepFailed or StopRequested."""
        for program in programs:
            self.start(program)
        names = [program.name for program in programs]
        self.wait_until(lambda: not any(self.is_alive(name) for name in names))
        codes = {name: self._running[name].process.returncode for name in names}
        for name in names:
            self._running[name].output.join(timeout=1)
            self.forget(name)
        if any(codes.values()):
            failed = ", ".join(name for name, code in codes.items() if code)
            raise StepFailed(f"Stopping: {failed} did not succeed (see the lines above).")

    def wait_until(self, is_ready: Callable[[], bool], *, patience_s: float = float("inf")) -> bool:
        """Whether `is_ready` came true in time; programs that die meanwhile are started again.

        Raises StopRequested when the end is asked for, StepFailed when a vital program keeps dying.
        """
        deadline = time.monotonic() + patience_s
        while not is_ready():
            if self._stop_requests:
                raise StopRequested
            if time.monotonic() > deadline:
                return False
            self._look_after_all()
            time.sleep(WATCH_EVERY_S)
        return True

    def watch(self) -> None:
        """Start again what died, until the end is asked for. Raises StepFailed when a vital program keeps dying."""
        while not self._stop_requests:
            self._look_after_all()
            time.sleep(WATCH_EVERY_S)

    def _look_after_all(self) -> None:
        for running in self._running.values():
            self._look_after(running, now=time.monotonic())

    def _look_after(self, running: Running, *, now: float) -> None:
        if running.program.is_step or running.is_given_up or running.process.poll() is None:
            return
        if running.restart_at is None:
            self._note_death(running, now=now)
        elif now >= running.restart_at:
            running.process, running.output = self._launch(running.program)
            running.restart_at = None

    def _note_death(self, running: Running, *, now: float) -> None:
        kill_group(running.process)
        running.deaths.append(now)
        name, code = running.program.name, running.process.returncode
        delay = restart_delay_s(running.deaths, now=now)
        if delay is not None:
            self.screen.say(f"{name} ended unexpectedly (code {code}); starting it again in {delay:g} s.")
            running.restart_at = now + delay
            return
        running.is_given_up = True
        if running.program.is_vital:
            raise StepFailed(f"Stopping: {name} ended {len(RESTART_DELAYS_S) + 1} times within a minute.")
        self.screen.say(f"{name} keeps ending and stays off; the product runs on without it.")

    def stop(self) -> None:
        """Stop everything, stage by stage. A signal meanwhile kills what is left at once."""
        requests_before = self._stop_requests
        for stage in sorted({running.program.stop_stage for running in self._running.values()}):
            group = [running for running in self._running.values() if running.program.stop_stage == stage]
            self._stop_group(group, is_hurried=lambda: self._stop_requests > requests_before)
        for running in self._running.values():
            running.output.join(timeout=1)

    def _stop_group(self, group: Sequence[Running], *, is_hurried: Callable[[], bool]) -> None:
        for running in group:
            if running.process.poll() is None:
                running.process.terminate()
        deadline = time.monotonic() + max(running.program.patience_s for running in group)
        while any(running.process.poll() is None for running in group):
            if is_hurried() or time.monotonic() > deadline:
                break
            time.sleep(WATCH_EVERY_S)
        for running in group:
            kill_group(running.process)
