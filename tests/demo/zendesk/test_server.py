"""The server itself, over real sockets on the loopback: keep-alive, dropped answers, a clean stop, kill -9."""

import http.client
import json
import signal
import socket
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


def test_a_dripping_answer_sends_its_headers_at_once(clock):
    slept = []
    gate = threading.Event()

    def sleep(seconds):
        slept.append(seconds)
        gate.wait(10)

    server = build_server(create_app(now=clock, sleep=sleep), "127.0.0.1", 0)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    connection = http.client.HTTPConnection("127.0.0.1", server.server_address[1], timeout=10)
    headers = mint(connection)
    ask(connection, "POST", "/_control/acme/faults", {"kind": "drip", "count": 1})
    connection.request("GET", "/acme/api/v2/tickets/2", None, headers)
    answer = connection.getresponse()  # returns although no byte of the body was sent
    assert answer.status == 200
    gate.set()
    assert b'"ticket"' in answer.read()
    assert set(slept) == {1.0}
    server.shutdown()
    server.server_close()


def exchange(port, request):
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        connection.sendall(request)
        connection.shutdown(socket.SHUT_WR)
        return b"".join(iter(lambda: connection.recv(65_536), b""))


def test_what_is_no_request_is_refused_and_the_connection_closed(port):
    assert exchange(port, b"nonsense\r\n\r\n").startswith(b"HTTP/1.1 400 ")
    chunked = b"POST /acme/api/v2/tickets HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
    assert exchange(port, chunked).startswith(b"HTTP/1.1 411 ")
    many = b"".join(b"X-%d: 1\r\n" % number for number in range(300))
    assert exchange(port, b"GET / HTTP/1.1\r\n" + many + b"\r\n").startswith(b"HTTP/1.1 431 ")


def test_an_old_client_and_one_that_says_close_get_one_answer(port):
    for line in (
        b"GET /acme/api/v2/users/me HTTP/1.0\r\n",
        b"GET /acme/api/v2/users/me HTTP/1.1\r\nConnection: close\r\n",
    ):
        assert exchange(port, line + b"Host: localhost\r\n\r\n").startswith(b"HTTP/1.1 200 OK\r\n")


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
