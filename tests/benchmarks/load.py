"""A small load generator: keep-alive connections that each send the next body as soon as the last is answered."""

import socket
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

CONNECTIONS = 4
ANSWER_BYTES = 262_144
TIMEOUT_S = 60


@dataclass
class Load:
    """What came of a run: seconds each request took, and how many were answered otherwise than hoped."""

    took_s: list[float] = field(default_factory=list)
    refused: int = 0
    elapsed_s: float = 0.0
    first_refusal: bytes = b""

    @property
    def rate(self) -> float:
        """Requests answered per second."""
        return len(self.took_s) / self.elapsed_s if self.elapsed_s else 0.0


def send_all(
    *, port: int, path: str, bodies: Iterable[bytes], expected: int, headers: str = "", connections: int = CONNECTIONS
) -> Load:
    """Send every body once, over several connections at once."""
    load, source, lock = Load(), iter(bodies), threading.Lock()
    ready = threading.Barrier(connections + 1)

    def work() -> None:
        took, refused = _send_each(port, path, headers, _shared(source, lock), expected, ready.wait)
        with lock:
            load.took_s += took
            load.refused += len(refused)
            load.first_refusal = load.first_refusal or (refused[0] if refused else b"")

    threads = [threading.Thread(target=work, daemon=True) for _ in range(connections)]
    for thread in threads:
        thread.start()
    ready.wait()
    started = time.perf_counter()
    for thread in threads:
        thread.join()
    load.elapsed_s = time.perf_counter() - started
    return load


def _shared(source: Iterator[bytes], lock: threading.Lock) -> Iterator[bytes]:
    while True:
        with lock:
            body = next(source, None)
        if body is None:
            return
        yield body


def _send_each(
    port: int, path: str, headers: str, bodies: Iterable[bytes], expected: int, begin: Callable[[], object]
) -> tuple[list[float], list[bytes]]:
    took, refused = [], []
    head = f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n{headers}Content-Length: "
    wanted = f"HTTP/1.1 {expected} ".encode()
    with socket.create_connection(("127.0.0.1", port), timeout=TIMEOUT_S) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        begin()
        for body in bodies:
            started = time.perf_counter()
            connection.sendall(b"%b%d\r\n\r\n%b" % (head.encode(), len(body), body))
            answer = _read_answer(connection)
            took.append(time.perf_counter() - started)
            if not answer.startswith(wanted):
                refused.append(answer)
    return took, refused


def _read_answer(connection: socket.socket) -> bytes:
    """One answer with its body; the server must say how long it is."""
    data = connection.recv(ANSWER_BYTES)
    while b"\r\n\r\n" not in data:
        data += _more(connection)
    head, _, body = data.partition(b"\r\n\r\n")
    length = next(
        int(line.partition(b":")[2]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")
    )
    while len(body) < length:
        more = _more(connection)
        body, data = body + more, data + more
    return data


def _more(connection: socket.socket) -> bytes:
    data = connection.recv(ANSWER_BYTES)
    if not data:
        raise ConnectionError("the server closed the connection")
    return data
