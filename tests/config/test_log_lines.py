"""What stands in the log, as the settings write it: never an address that opens a card."""

import io
import logging
import os
import signal
import sys

import pytest
import requests

from config.log_lines import LineFormatter
from config.stack.ports import find_free_port, is_answering
from config.stack.processes import start_process, stop_process, wait_until
from tests.launch import SECRETS

SIGNED = ".eJwNyMEJgDAMBdBdcvbQalPrKiIl1AgFNSVNQRB3171:1vPq8X:tLhVfq-5_oQ2mZc0n1sYb8Wk3JdR7uHxE6gVaP4yTqM"
PATIENCE_S = 60


@pytest.fixture
def log(monkeypatch):
    """What the settings' handler writes."""
    [handler] = [each for each in logging.getLogger().handlers if isinstance(each.formatter, LineFormatter)]
    stream = io.StringIO()
    monkeypatch.setattr(handler, "stream", stream)
    return stream


@pytest.mark.parametrize(("rest", "status"), [("/", 404), ("/records/", 405), ("/x", 404)])
def test_a_refused_card_is_logged_without_its_address(client, log, rest, status):
    assert client.get(f"/card/{SIGNED}{rest}").status_code == status
    assert f": /card/[signed]{rest}\n" in log.getvalue()
    assert SIGNED.rpartition(":")[2] not in log.getvalue()


def test_an_address_in_a_traceback_is_left_out_too(log):
    try:
        raise ValueError(f"http://localhost/card/{SIGNED}/?look=poll")
    except ValueError:
        logging.getLogger("anything").exception("It broke.")
    assert "/card/[signed]/?look=poll" in log.getvalue() and SIGNED not in log.getvalue()


def test_other_addresses_are_logged_as_they_are(log):
    logging.getLogger("django.request").warning("Not Found: %s", "/api/v1/configurations/1/customer-card/address")
    assert log.getvalue().endswith("/api/v1/configurations/1/customer-card/address\n")


def test_neither_the_web_servers_access_log_nor_its_warnings_hold_an_address(tmp_path):
    """The server as docs/operations.md starts it, asked to log every request."""
    port, log = find_free_port(), tmp_path / "web.log"
    command = (sys.executable, "-m", "granian", "--interface", "wsgi", "config.wsgi:application", "--access-log")
    command += ("--host", "127.0.0.1", "--port", str(port))
    own = {**os.environ, **SECRETS, "VAR_DIR": str(tmp_path / "var"), "DATABASE_URL": "", "PYTHONUNBUFFERED": "1"}
    with log.open("ab") as output:
        process = start_process(command, environment=own, output=output)
        try:
            wait_until(lambda: is_answering(port) or process.poll() is not None, patience_s=PATIENCE_S)
            answer = requests.post(f"http://127.0.0.1:{port}/card/{SIGNED}/", timeout=PATIENCE_S)
            assert answer.status_code == 405  # a page would need the static files
            wait_until(lambda: "granian.access" in log.read_text(), patience_s=PATIENCE_S)
        finally:
            stop_process(process, ending=signal.SIGTERM, patience_s=PATIENCE_S)
    said = log.read_text()
    assert "django.request Method Not Allowed (POST): /card/[signed]/\n" in said
    assert '"POST /card/[signed]/ HTTP' in said
    assert SIGNED not in said and SIGNED.rpartition(":")[2] not in said
