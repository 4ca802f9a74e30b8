"""Plays the rows of one profile in a child process: Django knows one database a process, and reads it at import."""

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from config.stack.processes import BASE_DIR
from tests.faults.servers import profile_environment


class NotPlayed(Exception):
    """The child gave up; what it said went to the screen."""


@dataclass(frozen=True)
class Choice:
    """Which rows (names separated by commas; empty: all), how large, and with which seeds."""

    rows: str = ""
    size: int = 0
    seed: int = 1
    seeds: int = 1
    is_list: bool = False


def play_in_child(profile: str, choice: Choice) -> list[dict[str, Any]]:
    """The results; nothing of the developer's own settings and data is seen or touched. Raises NotPlayed."""
    with TemporaryDirectory(prefix=f"faults-{profile}-", ignore_cleanup_errors=True) as folder:
        Path(folder).chmod(0o755)  # PostgreSQL may run as another user
        command = [sys.executable, "-m", "tests.faults", "--profile", profile, "--folder", folder]
        command += ["--rows", choice.rows, "--size", str(choice.size), "--seed", str(choice.seed)]
        command += ["--seeds", str(choice.seeds), *(["--list"] if choice.is_list else [])]
        environment = profile_environment(profile, Path(folder))
        child = subprocess.Popen(command, cwd=BASE_DIR, env=environment, stdout=subprocess.PIPE, text=True)
        assert child.stdout is not None
        results = [json.loads(line) for line in child.stdout]
        if child.wait() != 0:
            raise NotPlayed(f"The rows of the profile {profile} could not be played (code {child.returncode}).")
    return results
