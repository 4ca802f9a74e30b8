"""The server itself, over real sockets on the loopback: keep-alive, dropped answers, a clean stop, kill -9."""

import http.client
import json
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from demo.zendesk.app import create_app
from demo.zendesk.server import build_server

ROOT = Path(__file__).parents[3]


@pytest.fixture
def port(clock):
    server = build_server(create_app(now=clock), "127.0.0.1", 0)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    yield server.server_address[1]
    server.shutdown()
    server.server_close()


def ask(connection, method, path, body=None, headers=None):
    sent = {"Content-Type": "application/json", **(headers or {})}
    connection.request(method, path, None if body is None else json.dumps(body), sent)
    answer = connection.getresponse()
    return answer.status, answer.read()


def mint(connection):
    pair = json.loads(ask(connection, "POST", "/_control/acme/tokens", {})[1])
    return {"Authorization": f"Bearer {pair['access_token']}"}


def test_one_connection_serves_many_calls(port):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    headers = mint(connection)
    first = connection.sock
    for number in range(5):
        status, _ = ask(connection, "PUT", "/acme/api/v2/tickets/2", {"ticket": {"subject": f"{number}"}}, headers)
        assert status == 200
    assert connection.sock is first
    assert first is not None


def test_more_than_twenty_connections_stay_open_at_once(port):
    connections = [http.client.HTTPConnection("127.0.0.1", port, timeout=10) for _ in range(30)]
    headers = mint(connections[0])
    for _ in range(2):
        for connection in connections:
            assert ask(connection, "GET", "/acme/api/v2/users/me.json", None, headers)[0] == 200
    assert all(connection.sock is not None for connection in connections)


def test_a_dropped_answer_closes_the_connection_after_the_write(port):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    headers = mint(connection)
    ask(connection, "POST", "/_control/acme/faults", {"kind": "drop_after", "count": 1})
    with pytest.raises((http.client.RemoteDisconnected, ConnectionError)):
        ask(connection, "PUT", "/acme/api/v2/tickets/2", {"ticket": {"subject": "written"}}, headers)
    connection.close()
    assert b'"written"' in ask(connection, "GET", "/acme/api/v2/tickets/2", None, headers)[1]


def test_a_truncated_answer_is_shorter_than_it_promised(port):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    headers = mint(connection)
    ask(connection, "POST", "/_control/acme/faults", {"kind": "truncate", "count": 1})
    with pytest.raises(http.client.IncompleteRead):
        ask(connection, "GET", "/acme/api/v2/tickets/2", None, headers)


def start(state):
    command = [sys.executable, "-m", "demo.zendesk", "--port", "0", "--state", str(state)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT)
    line = process.stdout.readline()
    assert line.startswith("demo zendesk ready on http://127.0.0.1:")
    return process, int(line.strip().rpartition(":")[2])


def test_the_command_survives_kill_and_stops_cleanly_on_term(tmp_path):
    state = tmp_path / "zendesk.sqlite3"
    process, port = start(state)
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        headers = mint(connection)
        change = {"ticket": {"subject": "acknowledged"}}
        assert ask(connection, "PUT", "/acme/api/v2/tickets/2", change, headers)[0] == 200
    finally:
        process.kill()
        process.wait(10)
        process.stdout.close()
    process, port = start(state)
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        assert b'"acknowledged"' in ask(connection, "GET", "/acme/api/v2/tickets/2", None, headers)[1]
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0
    finally:
        process.kill()
        process.stdout.close()
