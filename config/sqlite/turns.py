"""Writers of a SQLite database take turns, about in the order in which they come.

SQLite lets one write and has the others ask again, after pauses of up to 100 ms each and in no order, so that with a
few busy processes a writer may wait for seconds (https://www.sqlite.org/c3ref/busy_timeout.html). Here they queue up
for a lock on a file beside the database, which the system hands on at once and takes back from a process that dies
(https://man7.org/linux/man-pages/man2/flock.2.html). It is about order only: what keeps the database whole are SQLite's
own locks, and a program that knows nothing of turns, such as a shell or a backup, does no harm.

Workers have a queue of their own before that one, so that of all their threads one at a time is in the way of those
who take in events, and of people.
"""

import fcntl
import os
import time
from _thread import LockType, allocate_lock, start_new_thread
from contextlib import suppress
from pathlib import Path

SUFFIX = "-turns"  # of the file beside the database
SUFFIX_OF_WORKERS = "-turns-of-workers"

_suffixes = [SUFFIX]  # of the queues that this process's writers pass


def be_worker() -> None:
    """From now on this process's writers queue up as workers."""
    _suffixes[:] = [SUFFIX_OF_WORKERS, SUFFIX]


class Turn:
    """The place of one connection in the queues. It may take it again only after it gave it back."""

    def __init__(self, database: Path, *, timeout_s: float) -> None:
        self._timeout_s = timeout_s
        self._places = [_Place(Path(f"{database}{suffix}"), like=database) for suffix in _suffixes]
        self.is_taken = False

    def take(self) -> bool:
        """Wait until it is this connection's turn; False when it is not within the time-out."""
        ends_at = time.monotonic() + self._timeout_s
        try:
            self.is_taken = all(place.take(timeout_s=max(0.0, ends_at - time.monotonic())) for place in self._places)
        finally:
            if not self.is_taken:
                self.give_back()
        return self.is_taken

    def give_back(self) -> None:
        """Let the next one write."""
        for place in reversed(self._places):
            place.give_back()
        self.is_taken = False


class _Place:
    """The place in one queue."""

    def __init__(self, path: Path, *, like: Path) -> None:
        self._path, self._like = path, like
        self._file: _LockFile | None = None
        self._is_taken = False

    def take(self, *, timeout_s: float) -> bool:
        self._file = self._file or _LockFile(_open_like(self._path, self._like))
        self._is_taken = self._file.try_lock() or self._waited(self._file, timeout_s)
        return self._is_taken

    def give_back(self) -> None:
        if self._is_taken and self._file:
            self._file.unlock()
        self._is_taken = False

    def _waited(self, file: "_LockFile", timeout_s: float) -> bool:
        """A wait for a lock of the system has no end of its own, so it goes on in a thread that may be left behind.

        Who left it holds the file no more, so that it closes, and the lock with it, once the thread has come through.
        """
        self._file = None
        is_through = allocate_lock()
        is_through.acquire()
        start_new_thread(_wait, (file, is_through))
        if is_through.acquire(timeout=timeout_s):
            self._file = file
        return self._file is not None


def _open_like(path: Path, database: Path) -> int:
    """The lock's file, made when it is not there: whoever may write to the database may queue up."""
    with suppress(FileNotFoundError):
        return os.open(path, os.O_RDWR)
    like = database.stat()
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    os.fchmod(descriptor, like.st_mode & 0o777)
    for uid, gid in ((-1, like.st_gid), (like.st_uid, -1)):
        with suppress(PermissionError):  # somebody of the database's group who is neither its owner nor root
            os.fchown(descriptor, uid, gid)
    return descriptor


class _LockFile:
    """A file that is open as long as somebody holds it, and a lock on it."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    def __del__(self) -> None:
        os.close(self._descriptor)

    def try_lock(self) -> bool:
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def lock(self) -> None:
        fcntl.flock(self._descriptor, fcntl.LOCK_EX)

    def unlock(self) -> None:
        fcntl.flock(self._descriptor, fcntl.LOCK_UN)


def _wait(file: _LockFile, is_through: LockType) -> None:
    try:
        file.lock()
    finally:
        is_through.release()
