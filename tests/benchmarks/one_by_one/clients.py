"""Starts the one-by-one clients. zenpy gets an environment of its own, which only the bench installs."""

import json
import subprocess
import sys
import threading
import venv
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.benchmarks.one_by_one.parts import Part

HERE = Path(__file__).parent
PROGRAMS = {"requests": HERE / "plain.py", "zenpy": HERE / "with_zenpy.py"}
PATIENCE_S = 1800
Write = tuple[str, str, dict[str, Any]]  # kind, id, values


@dataclass
class Race:
    """Clients at work; `parts` waits for them."""

    started: dict[str, subprocess.Popen[str]] = field(default_factory=dict)
    answers: dict[str, str] = field(default_factory=dict)
    threads: list[threading.Thread] = field(default_factory=list)

    def parts(self) -> list[Part]:
        """What each did. Raises RuntimeError when one failed."""
        for thread in self.threads:
            thread.join(PATIENCE_S)
        return [self._read(client) for client in self.started]

    def _read(self, client: str) -> Part:
        if self.started[client].returncode:
            raise RuntimeError(f"the client with {client} failed; what it said is above")
        found = json.loads(self.answers[client])
        return Part(client, tuple(found.pop("done_s")), **found)


def prepare_zenpy(folder: Path) -> Path | None:
    """The Python of an environment with zenpy, made at the first use; None when it cannot be installed."""
    home = folder / "zenpy"
    python = home / "bin" / "python"
    if (home / "failed").exists():
        return None
    if not (home / "ready").exists():
        venv.create(home, with_pip=True)
        command = [python, "-m", "pip", "install", "--quiet", "--no-input", "--disable-pip-version-check", "zenpy"]
        is_ready = subprocess.run(command, stdout=sys.stderr, stderr=subprocess.DEVNULL, check=False).returncode == 0
        (home / ("ready" if is_ready else "failed")).touch()
        return python if is_ready else None
    return python


@contextmanager
def racing(
    zenpy: Path | None, *, url: str, account_of: Callable[[str], tuple[str, str, Sequence[Write]]]
) -> Iterator[Race]:
    """Start both clients, each on the account (subdomain, token, writes) that `account_of` makes for it."""
    pythons = {"requests": Path(sys.executable)} | ({"zenpy": zenpy} if zenpy else {})
    race = Race()
    try:
        for client, python in pythons.items():
            subdomain, token, writes = account_of(client)
            asked = json.dumps({"url": url, "subdomain": subdomain, "token": token, "writes": list(writes)})
            process = subprocess.Popen(
                [python, PROGRAMS[client]], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
            )
            race.started[client] = process
            thread = threading.Thread(target=_collect, args=(race, client, process, asked), daemon=True)
            race.threads.append(thread)
            thread.start()
        yield race
    finally:
        for process in race.started.values():
            if process.poll() is None:
                process.kill()
                process.wait()


def _collect(race: Race, client: str, process: subprocess.Popen[str], asked: str) -> None:
    race.answers[client] = process.communicate(asked)[0]
