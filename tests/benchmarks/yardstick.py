"""What one plain call costs on this machine: a yardstick for targets in milliseconds of processor.

A machine of half the speed, or a shared one, takes twice the time for everything; the ratio to this call stays.
"""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import requests

CALLS = 500
BODY = {"ticket": {"custom_fields": [{"id": number, "value": "x" * 40} for number in range(30)]}}  # some 2 kB
ANSWER = b'{"ticket": {"id": 1}}'


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_PUT(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(ANSWER)))
        self.end_headers()
        self.wfile.write(ANSWER)

    def log_message(self, *_args: object) -> None:
        """Say nothing."""


def plain_call_ms() -> float:
    """Milliseconds of processor that `requests` takes to send 2 kB over a kept connection and read a short answer."""
    with _running_server() as url, requests.Session() as session:
        session.trust_env = False
        session.put(url, json=BODY, timeout=10)
        began = time.thread_time()
        for _number in range(CALLS):
            session.put(url, json=BODY, timeout=10).json()
        return 1000 * (time.thread_time() - began) / CALLS


@contextmanager
def _running_server() -> Iterator[str]:
    """In threads of this process, whose processor time is not the caller's."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
