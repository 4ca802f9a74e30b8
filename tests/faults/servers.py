"""The servers of one profile, as `make run` starts them, each with the ways it can fail.

Everything lives in a temporary folder and on free ports; data outlive a server's restart, as they would for real.
"""

import os
import resource
import shutil
import signal
import subprocess
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.parse import quote

import psycopg2
import redis

from config.stack.ports import find_free_port, is_answering
from config.stack.postgres import choose_identity, find_programs, running_postgres
from config.stack.processes import start_process, stop_process, wait_until
from config.stack.profile import Profile
from config.stack.programs import demo_zendesk, preparation, product
from config.stack.supervisor import Program
from config.stack.valkey import prepare_valkey
from tests.launch import suite_environment

EMBEDDED, PRODUCTION = "embedded", "production"
START_PATIENCE_S = 90.0
STOP_PATIENCE_S = 20.0
# Short, so that a fault costs seconds; the engine lengthens the lease to what its calls may take.
QUICK = {
    "LEASE_S": "5",
    "SETTLE_S": "1",
    "CALL_TIMEOUT_S": "2",
    "READ_TIMEOUT_S": "2",
    "CONNECT_TIMEOUT_S": "2",
    "SWEEP_EVERY_S": "1",
    "CIRCUIT_PROBE_S": "2",
    "LOG_LEVEL": "WARNING",
}


def profile_environment(profile: str, folder: Path) -> dict[str, str]:
    """What every process of a profile must see from its first import on, the one that plays the rows included."""
    ports = {"web": str(find_free_port()), "zendesk": str(find_free_port())}
    database = f"sqlite:///{folder}/product.sqlite3"
    if profile == PRODUCTION:
        database = f"postgres://postgres@/postgres?host={quote(str(sockets_of(folder)), safe='')}"
    return {
        **{name: value for name, value in suite_environment(folder).items() if name != "FAILPOINT"},
        **QUICK,
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "PYTHONUNBUFFERED": "1",
        "DATABASE_URL": database,
        "PORT": ports["web"],
        "DEMO_ZENDESK_PORT": ports["zendesk"],
        "SITE_URL": f"http://127.0.0.1:{ports['web']}",
        "ZENDESK_BASE_URL": f"http://127.0.0.1:{ports['zendesk']}/{{subdomain}}",
        "ZENDESK_OAUTH_CLIENT_ID": "agent_integrations_demo",
        "ZENDESK_OAUTH_CLIENT_SECRET": "demo-secret",
    }


def sockets_of(folder: Path) -> Path:
    """Where PostgreSQL listens: the same place after each restart."""
    return folder / "sockets"


class NotStarted(Exception):
    """A server did not come up; the text says where to look."""


class Server:
    """One process that can be ended, killed, put to sleep and started again."""

    def __init__(self, name: str, command: Callable[[], tuple[str, ...]], *, is_up: Callable[[], bool]) -> None:
        self.name, self.command, self.is_up = name, command, is_up
        self.environment: Mapping[str, str] | None = None
        self.user: str | None = None
        self.log: Path | None = None
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start and wait until it answers. Raises NotStarted."""
        with (self.log or Path(os.devnull)).open("ab") as output:
            self.process = start_process(
                self.command(), environment=self.environment, output=output, user=self.user, ending=signal.SIGKILL
            )
        has_ended = lambda: self.process is not None and self.process.poll() is not None  # noqa: E731
        if not wait_until(lambda: has_ended() or self.is_up(), patience_s=START_PATIENCE_S) or has_ended():
            raise NotStarted(f"{self.name} did not start; see {self.log}")

    def stop(self, ending: signal.Signals = signal.SIGTERM) -> None:
        """End it and whatever it left behind."""
        if self.process is not None:
            stop_process(self.process, ending=ending, patience_s=STOP_PATIENCE_S)
            self.process = None

    def restart(self, ending: signal.Signals = signal.SIGTERM) -> None:
        """End it and start it again at the same address."""
        self.stop(ending)
        self.start()

    @contextmanager
    def asleep(self) -> Iterator[None]:
        """Stopped in the middle of everything: its sockets stay open and nobody answers."""
        self._signal_group(signal.SIGSTOP)
        try:
            yield
        finally:
            self._signal_group(signal.SIGCONT)

    def _signal_group(self, number: signal.Signals) -> None:
        if self.process is not None:
            os.killpg(self.process.pid, number)

    @contextmanager
    def without_disk(self, bytes_left: int) -> Iterator[None]:
        """See the function of this name."""
        assert self.process is not None, "a server that runs"
        with without_disk(self.process.pid, bytes_left):
            yield


@contextmanager
def without_disk(pid: int, bytes_left: int) -> Iterator[None]:
    """No file of a process and its children may grow beyond so many bytes (RLIMIT_FSIZE), as if the disk were full."""
    try:
        _limit_files(pid, bytes_left)
        yield
    finally:
        _limit_files(pid, None)


def _limit_files(pid: int, most_bytes: int | None) -> None:
    """Of a process and its children, but for those that end meanwhile."""
    for member in descendants(pid):
        with suppress(ProcessLookupError):
            _soft, hard = resource.prlimit(member, resource.RLIMIT_FSIZE)
            resource.prlimit(member, resource.RLIMIT_FSIZE, (hard if most_bytes is None else most_bytes, hard))


def descendants(pid: int) -> list[int]:
    """A process and everything under it."""
    parents: dict[int, int] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            words = stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        parents[int(stat.parent.name)] = int(words[1])
    found, grown = {pid}, True
    while grown:
        more = {child for child, parent in parents.items() if parent in found} - found
        grown = bool(more)
        found |= more
    return sorted(found)


class Servers:
    """Database, broker, demo Zendesk and web of one profile."""

    def __init__(self, profile: str, folder: Path) -> None:
        self.profile, self.folder = profile, folder
        self.is_embedded = profile == EMBEDDED
        self.ports = {"web": int(os.environ["PORT"]), "zendesk": int(os.environ["DEMO_ZENDESK_PORT"])}
        self.valkey = prepare_valkey(folder=folder / "valkey")
        self.broker = Server("valkey", lambda: self.valkey.command, is_up=lambda: is_answering(self.valkey.port))
        self.database = self._prepare_postgres() if not self.is_embedded else None
        self.environment = {**os.environ, "REDIS_URL": self.valkey.url}
        self.zendesk = self._server("demo zendesk", demo_zendesk(self._choices()), port=self.ports["zendesk"])
        self.web = self._server("web", self.programs()["web"], port=self.ports["web"])

    def start(self) -> None:
        """Bring everything up, migrated."""
        for server in (self.broker, self.database, self.zendesk):
            if server is not None:
                server.start()
        self.migrate()
        self.web.start()

    def stop(self) -> None:
        """Take everything down."""
        for server in (self.web, self.zendesk, self.database, self.broker):
            if server is not None:
                server.stop(signal.SIGINT if server is self.database else signal.SIGTERM)

    def migrate(self) -> None:
        """The database step of `make run`."""
        step = next(program for program in preparation() if program.name == "database")
        subprocess.run(step.command, env=self.environment, check=True, stdout=subprocess.DEVNULL)

    def programs(self) -> dict[str, Program]:
        """The product's programs by name."""
        return {program.name: program for program in product(self._choices())}

    def flush_broker(self) -> None:
        """Everything the broker holds is gone."""
        with redis.Redis.from_url(self.valkey.url, socket_timeout=5) as client:
            client.flushall()

    def web_url(self) -> str:
        """Where the intake is."""
        return f"http://127.0.0.1:{self.ports['web']}"

    def zendesk_url(self) -> str:
        """Where the demo Zendesk is."""
        return f"http://127.0.0.1:{self.ports['zendesk']}"

    def _choices(self) -> Profile:
        return Profile(
            var_dir=self.folder / "var",
            port=self.ports["web"],
            demo_zendesk_port=self.ports["zendesk"],
            demo_contact_centre_port=0,
            has_demo=False,
            web_processes=2,
            site_url=f"http://127.0.0.1:{self.ports['web']}",
            zendesk_base_url="",
            redis_url="",
            database_url="",
            has_bundled_postgres=False,
        )

    def _server(self, name: str, program: Program, *, port: int) -> Server:
        server = Server(name, lambda: program.command, is_up=lambda: is_answering(port))
        server.environment, server.log = self.environment, self.folder / f"{name.replace(' ', '_')}.log"
        return server

    def _prepare_postgres(self) -> Server:
        """A cluster made by the launcher of `make run`, served at an address that outlives its restarts."""
        cluster = self.folder / "postgres"
        with running_postgres(folder=cluster, is_quick=True):
            pass  # made, and seen to work
        identity, programs = choose_identity(), find_programs()
        assert programs is not None, "running_postgres has just used it"
        sockets = sockets_of(self.folder)
        sockets.mkdir()
        if identity.user:
            shutil.chown(sockets, identity.user)
        settings = ("listen_addresses=", f"unix_socket_directories={sockets}", "max_connections=200", "fsync=off")
        command = (*identity.prefix, str(programs / "postgres"), "-D", str(cluster / "data"))
        command += tuple(word for setting in settings for word in ("-c", setting))
        server = Server("postgres", lambda: command, is_up=lambda: _accepts(sockets))
        server.user, server.log = identity.user, self.folder / "postgres.log"
        return server


def _accepts(sockets: Path) -> bool:
    try:
        psycopg2.connect(host=str(sockets), user="postgres", dbname="postgres").close()
    except psycopg2.OperationalError:
        return False
    return True


@contextmanager
def running_servers(profile: str, folder: Path) -> Iterator[Servers]:
    """Everything of one profile. The environment must be the one of `profile_environment`."""
    servers = Servers(profile, folder)
    try:
        servers.start()
        yield servers
    finally:
        servers.stop()
