"""Children end with their parent, and a group is ended whole."""

import os
import signal
import subprocess
import sys

import pytest

from config.stack.processes import start_process, stop_process, wait_until

# Starts a grandchild the way the supervisor does, says its id, and waits to be killed.
PARENT = """
import sys, time
from config.stack.processes import start_process
child = start_process([sys.executable, "-c", "import time; time.sleep(600)"])
print(child.pid, flush=True)
time.sleep(600)
"""
STUBBORN = """
import signal, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print("ready", flush=True)
time.sleep(600)
"""


def is_running(pid: int) -> bool:
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ends children with a killed parent")
def test_killing_the_parent_ends_the_child():
    parent = subprocess.Popen([sys.executable, "-c", PARENT], stdout=subprocess.PIPE)
    child = int(parent.stdout.readline())
    assert is_running(child)

    parent.kill()
    parent.communicate()

    assert wait_until(lambda: not is_running(child), patience_s=10)


def test_a_child_that_ignores_the_request_is_killed():
    process = start_process([sys.executable, "-c", STUBBORN], output=subprocess.PIPE)
    assert process.stdout.readline() == b"ready\n"

    stop_process(process, ending=signal.SIGTERM, patience_s=0.1)
    process.stdout.close()

    assert process.returncode == -signal.SIGKILL


def test_a_child_hears_the_request_even_when_its_parent_ignores_that_signal():
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)  # as everything that a shell has in the background
    try:
        process = start_process([sys.executable, "-c", "import time; time.sleep(600)"], ending=signal.SIGINT)
    finally:
        signal.signal(signal.SIGINT, before)

    stop_process(process, ending=signal.SIGINT, patience_s=30)

    assert process.returncode != -signal.SIGKILL


def test_a_child_has_a_process_group_of_its_own():
    process = start_process([sys.executable, "-c", "import os; print(os.getpgrp())"], output=subprocess.PIPE)
    output, _ = process.communicate()

    assert int(output) == process.pid != os.getpgrp()
