"""The command itself: ready line, kill -9 and restart, a clean stop."""

import json
import signal
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

from demo.contact_centre.__main__ import read_arguments

ROOT = Path(__file__).parents[3]


def start(tmp_path, target_path):
    command = [sys.executable, "-m", "demo.contact_centre", "--port", "0", "--rate", "0", "--zendesk", ""]
    command += ["--state", str(tmp_path / "centre.sqlite3"), "--target", str(target_path)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT)
    line = process.stdout.readline()
    assert line.startswith("demo contact centre ready on http://127.0.0.1:"), line
    return process, line.split()[-1]


def ask(url, body=None):
    data = None if body is None else json.dumps(body).encode()
    with urllib.request.urlopen(urllib.request.Request(url, data), timeout=10) as answer:
        return json.loads(answer.read())


def wait_for(is_reached):
    deadline = time.monotonic() + 20
    while not is_reached():
        if time.monotonic() > deadline:
            pytest.fail("It was not reached.")
        time.sleep(0.05)


def test_what_was_promised_is_sent_after_kill_and_restart(tmp_path, target_path, product):
    product.answers = [(503, {})] * 1000
    process, url = start(tmp_path, target_path)
    try:
        said = ask(f"{url}/_control/play", {"scenario": "voice_inbound", "span_s": 0})
    finally:
        process.kill()
        process.wait(10)
        process.stdout.close()
    product.answers, product.calls = [], []
    process, url = start(tmp_path, target_path)
    try:
        wait_for(lambda: ask(f"{url}/_control/log")["waiting"] == 0)
        assert [event["eventId"] for event in product.events] == said["eventIds"]
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0
    finally:
        process.kill()
        process.stdout.close()


def test_the_defaults_fit_make_run(monkeypatch):
    monkeypatch.delenv("DEMO_CONTACT_CENTRE_PORT", raising=False)
    monkeypatch.setenv("DEMO_ZENDESK_PORT", "8950")
    options = read_arguments([])
    assert (options.port, options.zendesk, options.rate) == (8901, "http://127.0.0.1:8950/acme", None)
    with pytest.raises(SystemExit):
        read_arguments(["--rate", "-1"])
