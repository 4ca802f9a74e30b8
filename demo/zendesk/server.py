"""A small threaded HTTP/1.1 server with keep-alive, able to break off an answer on purpose.

Werkzeug's own server closes every connection after one answer; the product keeps its connections open, so the demo
must too. It reads requests by hand: the standard library's header parser alone costs more than most answers here.
"""

import io
import socket
import sys
import time
from collections.abc import Callable, Iterable
from email.utils import formatdate
from socketserver import StreamRequestHandler, TCPServer, ThreadingMixIn
from typing import Any
from urllib.parse import unquote

from flask import Flask

IDLE_S = 120  # a silent kept-alive connection is closed after this long
BODY_LIMIT = 20_000_000  # bytes
LINE_LIMIT = 131_072  # bytes of the request line or one header: long lists of ids must fit
HEADERS_MOST = 200
PLAIN_HEADERS = {"content-type": "CONTENT_TYPE", "content-length": "CONTENT_LENGTH"}


class ConnectionDropped(Exception):
    """Raised while an answer is produced: the connection is closed without sending what is missing."""


class RequestRefused(Exception):
    """The bytes are no request this server takes; the status goes out and the connection ends."""

    def __init__(self, status: str) -> None:
        super().__init__(status)
        self.status = status


class KeepAliveHandler(StreamRequestHandler):
    """Turns one HTTP request into one WSGI call and keeps the connection."""

    timeout = IDLE_S
    disable_nagle_algorithm = True
    wbufsize = 65_536
    server: "ThreadedServer"

    def handle(self) -> None:
        """Answer one request after the other; a broken connection ends quietly."""
        try:
            while self.answer_next():
                self.wfile.flush()
        except RequestRefused as refusal:
            self.wfile.write(f"HTTP/1.1 {refusal.status}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".encode())
        except (ConnectionError, TimeoutError, ConnectionDropped):
            return

    def finish(self) -> None:
        """Send what is buffered, if anybody is still there."""
        try:
            super().finish()
        except OSError:
            return

    def answer_next(self) -> bool:
        """One request and its answer; False when the connection is to be closed."""
        line = self.rfile.readline(LINE_LIMIT)
        if not line.strip():
            return False
        parts = line.decode("latin-1").split()
        if len(parts) != 3 or not parts[2].startswith("HTTP/1."):
            raise RequestRefused("400 Bad Request")
        headers = self.read_headers()
        environ = self.build_environ(parts, headers, self.read_body(headers))
        wish = headers.get("connection", "").lower()
        keeps = wish != "close" if parts[2] == "HTTP/1.1" else wish == "keep-alive"
        return self.answer(environ, parts[0]) and keeps

    def read_headers(self) -> dict[str, str]:
        """Names in lower case; repeated ones are joined."""
        headers: dict[str, str] = {}
        for _ in range(HEADERS_MOST):
            line = self.rfile.readline(LINE_LIMIT)
            if line in (b"\r\n", b"\n", b""):
                return headers
            name, _, value = line.decode("latin-1").partition(":")
            name, value = name.strip().lower(), value.strip()
            headers[name] = f"{headers[name]}, {value}" if name in headers else value
        raise RequestRefused("431 Request Header Fields Too Large")

    def read_body(self, headers: dict[str, str]) -> bytes:
        """The whole body; chunked ones are refused."""
        given = headers.get("content-length") or "0"
        if "transfer-encoding" in headers or not given.isdigit() or int(given) > BODY_LIMIT:
            raise RequestRefused("411 Length Required")
        if headers.get("expect", "").lower() == "100-continue":
            self.wfile.write(b"HTTP/1.1 100 Continue\r\n\r\n")
            self.wfile.flush()
        return self.rfile.read(int(given)) if given != "0" else b""

    def answer(self, environ: dict[str, Any], method: str) -> bool:
        """Call the application and send what it returns; False when only the end of the connection ends the body."""
        started: list[tuple[str, list[tuple[str, str]]]] = []

        def start_response(
            status: str, headers: list[tuple[str, str]], _error: Any = None, /
        ) -> Callable[[bytes], object]:
            started.append((status, headers))
            return self.wfile.write

        chunks = self.server.app(environ, start_response)
        try:
            return self.send_answer(started, chunks, method)
        finally:
            getattr(chunks, "close", lambda: None)()

    def send_answer(
        self, started: list[tuple[str, list[tuple[str, str]]]], chunks: Iterable[bytes], method: str
    ) -> bool:
        """Write head and body; whatever was produced before a drop still leaves."""
        status, headers = started[-1]
        has_end = status[:3] in ("204", "304") or any(name.lower() == "content-length" for name, _ in headers)
        lines = [f"HTTP/1.1 {status}", f"Date: {self.server.date()}"]
        lines += [f"{name}: {value}" for name, value in headers]
        if not has_end:
            lines.append("Connection: close")
        self.wfile.write("\r\n".join([*lines, "\r\n"]).encode("latin-1"))
        for chunk in chunks:
            if method != "HEAD":
                self.wfile.write(chunk)
            if not isinstance(chunks, list | tuple):
                self.wfile.flush()  # an answer in pieces is meant to be seen in pieces
        return has_end

    def build_environ(self, parts: list[str], headers: dict[str, str], body: bytes) -> dict[str, Any]:
        """The WSGI environment of the request."""
        path, _, query = parts[1].partition("?")
        environ: dict[str, Any] = {
            "REQUEST_METHOD": parts[0],
            "SCRIPT_NAME": "",
            "PATH_INFO": unquote(path, "latin-1") if "%" in path else path,
            "QUERY_STRING": query,
            "SERVER_NAME": str(self.server.server_address[0]),
            "SERVER_PORT": str(self.server.server_address[1]),
            "SERVER_PROTOCOL": parts[2],
            "REMOTE_ADDR": self.client_address[0],
            "wsgi.version": (1, 0),
            "wsgi.url_scheme": "http",
            "wsgi.input": io.BytesIO(body),
            "wsgi.errors": sys.stderr,
            "wsgi.multithread": True,
            "wsgi.multiprocess": False,
            "wsgi.run_once": False,
        }
        for name, value in headers.items():
            environ[PLAIN_HEADERS.get(name) or "HTTP_" + name.upper().replace("-", "_")] = value
        environ["CONTENT_LENGTH"] = str(len(body))
        return environ


class ThreadedServer(ThreadingMixIn, TCPServer):
    """One thread per connection; they die with the process."""

    daemon_threads = True
    allow_reuse_address = True
    request_queue_size = 128

    def __init__(self, address: tuple[str, int], app: Flask) -> None:
        self.app = app
        self._date = (0, "")
        super().__init__(address, KeepAliveHandler)

    def get_request(self) -> tuple[socket.socket, Any]:
        """Accept a connection."""
        connection, address = super().get_request()
        return connection, address

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that went away is nothing to report; the rest is."""
        if not isinstance(sys.exc_info()[1], OSError):
            super().handle_error(request, client_address)

    def date(self) -> str:
        """The Date header, formatted once a second."""
        second = int(time.time())
        if self._date[0] != second:
            self._date = (second, formatdate(second, usegmt=True))
        return self._date[1]


def build_server(app: Flask, host: str, port: int) -> ThreadedServer:
    """A server bound to the address, not yet serving; port 0 picks a free one."""
    return ThreadedServer((host, port), app)
