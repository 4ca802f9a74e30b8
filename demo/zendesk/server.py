"""A small threaded HTTP/1.1 server with keep-alive, able to break off an answer on purpose.

Werkzeug's own server closes every connection after one answer;
the product keeps its connections open, so the demo must too.
"""

import io
import socket
import sys
from collections.abc import Callable, Iterable
from http.server import BaseHTTPRequestHandler
from socketserver import TCPServer, ThreadingMixIn
from typing import Any
from urllib.parse import unquote

from flask import Flask

IDLE_S = 120  # a silent kept-alive connection is closed after this long
BODY_LIMIT = 20_000_000  # bytes


class ConnectionDropped(Exception):
    """Raised while an answer is produced: the connection is closed without sending what is missing."""


class KeepAliveHandler(BaseHTTPRequestHandler):
    """Turns one HTTP request into one WSGI call and keeps the connection."""

    protocol_version = "HTTP/1.1"
    timeout = IDLE_S
    disable_nagle_algorithm = True
    wbufsize = 65_536
    server: "ThreadedServer"

    def handle_one_request(self) -> None:
        """Read one request and answer it; a broken connection ends quietly."""
        try:
            self.raw_requestline = self.rfile.readline(65_537)
            if not self.raw_requestline:
                self.close_connection = True
                return
            if self.parse_request():
                self.answer()
                self.wfile.flush()
        except (ConnectionError, TimeoutError, ConnectionDropped):
            self.close_connection = True

    def answer(self) -> None:
        """Call the application and send what it returns."""
        length = int(self.headers.get("Content-Length") or 0)
        if self.headers.get("Transfer-Encoding") or length > BODY_LIMIT:
            self.send_error(411)
            self.close_connection = True
            return
        body = self.rfile.read(length)
        started: list[tuple[str, list[tuple[str, str]]]] = []

        def start_response(
            status: str, headers: list[tuple[str, str]], _error: Any = None, /
        ) -> Callable[[bytes], object]:
            started.append((status, headers))
            return self.wfile.write

        chunks = self.server.app(self.build_environ(body), start_response)
        try:
            self.send_answer(started, chunks)
        finally:
            getattr(chunks, "close", lambda: None)()

    def send_answer(self, started: list[tuple[str, list[tuple[str, str]]]], chunks: Iterable[bytes]) -> None:
        """Write head and body; whatever was produced before a drop still leaves."""
        status, headers = started[-1]
        code, _, reason = status.partition(" ")
        self.send_response(int(code), reason)
        for name, value in headers:
            self.send_header(name, value)
        if not any(name.lower() == "content-length" for name, _ in headers) and code not in ("204", "304"):
            self.send_header("Connection", "close")  # the end of the body is the end of the connection
        self.end_headers()
        for chunk in chunks:
            if self.command != "HEAD":
                self.wfile.write(chunk)

    def build_environ(self, body: bytes) -> dict[str, Any]:
        """The WSGI environment of the request."""
        path, _, query = self.path.partition("?")
        host, port = self.server.server_address[:2]
        environ: dict[str, Any] = {
            "REQUEST_METHOD": self.command,
            "SCRIPT_NAME": "",
            "PATH_INFO": unquote(path, "latin-1"),
            "QUERY_STRING": query,
            "SERVER_NAME": str(host),
            "SERVER_PORT": str(port),
            "SERVER_PROTOCOL": self.request_version,
            "REMOTE_ADDR": self.client_address[0],
            "CONTENT_TYPE": self.headers.get("Content-Type", ""),
            "CONTENT_LENGTH": str(len(body)),
            "wsgi.version": (1, 0),
            "wsgi.url_scheme": "http",
            "wsgi.input": io.BytesIO(body),
            "wsgi.errors": sys.stderr,
            "wsgi.multithread": True,
            "wsgi.multiprocess": False,
            "wsgi.run_once": False,
        }
        for name, value in self.headers.items():
            environ.setdefault("HTTP_" + name.upper().replace("-", "_"), value)
        return environ

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name is the base class's
        """Stay quiet: the call log of each account is the place to look."""


class ThreadedServer(ThreadingMixIn, TCPServer):
    """One thread per connection; they die with the process."""

    daemon_threads = True
    allow_reuse_address = True
    request_queue_size = 128

    def __init__(self, address: tuple[str, int], app: Flask) -> None:
        self.app = app
        super().__init__(address, KeepAliveHandler)

    def get_request(self) -> tuple[socket.socket, Any]:
        """Accept a connection."""
        connection, address = super().get_request()
        return connection, address


def build_server(app: Flask, host: str, port: int) -> ThreadedServer:
    """A server bound to the address, not yet serving; port 0 picks a free one."""
    return ThreadedServer((host, port), app)
