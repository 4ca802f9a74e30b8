"""Child processes that never outlive the process that started them, not even when that one is killed with -9."""

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import IO

BASE_DIR = Path(__file__).resolve().parent.parent.parent
PR_SET_PDEATHSIG = 1  # prctl(2): the signal a process gets when its parent dies
POLL_S = 0.05
# Looked up before any fork: a child between fork and exec must not import. macOS has no prctl, and no such guarantee.
_prctl: Callable[..., int] | None = ctypes.CDLL(None).prctl if sys.platform == "linux" else None


def end_with_parent(*, parent: int, ending: signal.Signals) -> None:
    """Have the kernel send `ending` to this process when `parent` dies, or at once when it is already gone."""
    if _prctl is None:
        return
    _prctl(PR_SET_PDEATHSIG, int(ending))
    if os.getppid() != parent:
        os.kill(os.getpid(), ending)


def start_process(
    command: Sequence[str],
    *,
    environment: Mapping[str, str] | None = None,
    ending: signal.Signals = signal.SIGKILL,
    output: int | IO[bytes] | None = None,
    user: str | None = None,
) -> subprocess.Popen[bytes]:
    """Start a child in a process group of its own, so that a Ctrl-C in the terminal reaches only its parent.

    `ending` is what it gets when the parent is killed. Call it from the main thread: the kernel watches the thread.
    """
    parent = os.getpid()
    return subprocess.Popen(
        list(command),
        cwd=BASE_DIR,
        env=None if environment is None else dict(environment),
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=subprocess.STDOUT if output is not None else None,
        process_group=0,
        user=user,
        preexec_fn=lambda: _begin_child(parent, ending),
    )


def _begin_child(parent: int, ending: signal.Signals) -> None:
    """What a shell has in the background ignores SIGINT, and so would its children."""
    if ending != signal.SIGKILL:
        signal.signal(ending, signal.SIG_DFL)
    end_with_parent(parent=parent, ending=ending)


def stop_process(process: subprocess.Popen[bytes], *, ending: signal.Signals, patience_s: float) -> None:
    """Ask a child to end, wait, and kill whatever of its group is left."""
    if process.poll() is None:
        process.send_signal(ending)
    wait_for_end(process, patience_s=patience_s)
    kill_group(process)


def wait_for_end(process: subprocess.Popen[bytes], *, patience_s: float) -> bool:
    """Whether the child ended in time."""
    try:
        process.wait(timeout=patience_s)
    except subprocess.TimeoutExpired:
        return False
    return True


def kill_group(process: subprocess.Popen[bytes]) -> None:
    """Kill a child and the children it left behind; nothing when all are gone."""
    # macOS answers with the second error for a group of zombies
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def wait_until(is_ready: Callable[[], bool], *, patience_s: float) -> bool:
    """Whether `is_ready` came true in time."""
    deadline = time.monotonic() + patience_s
    while time.monotonic() < deadline:
        if is_ready():
            return True
        time.sleep(POLL_S)
    return False
