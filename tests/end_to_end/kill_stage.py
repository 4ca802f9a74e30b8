"""The stage of the kill tests: a demo Zendesk, the test's own database and broker, and workers that are killed."""

import json
import os
import subprocess
import sys
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from django.conf import settings
from django.db import connection

from config.stack.ports import find_free_port
from config.stack.processes import BASE_DIR, start_process, stop_process, wait_for_end

SUBDOMAIN = "acme"
START_PATIENCE_S = 30.0
END_PATIENCE_S = 120.0
# Short, so that a kill costs seconds; the lease is lengthened by the engine to what its calls may take.
QUICK = {"LEASE_S": "5", "SETTLE_S": "1", "CALL_TIMEOUT_S": "1", "READ_TIMEOUT_S": "1", "SWEEP_EVERY_S": "1"}
WORKERS = {
    "celery": ["-m", "celery", "-A", "config", "worker", "--concurrency", "4", "--without-gossip", "--without-mingle"],
    "command": ["manage.py", "push_deliveries"],
}


@dataclass(frozen=True)
class DemoZendesk:
    """A running demo Zendesk, and its switchboard."""

    url: str

    def ask(self, path: str, body: Mapping[str, Any] | None = None) -> Any:
        """GET, or POST with a body, under /_control/{subdomain}/."""
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"{self.url}/_control/{SUBDOMAIN}/{path}", data=data)
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.load(answer)

    def prepare(self) -> dict[str, Any]:
        """No limits; a token pair of the system user."""
        self.ask("limits", {"enabled": False})
        return self.ask("tokens", {"expires_in": 7200})

    def open_tickets(self, count: int) -> list[str]:
        """Ids of tickets that take changes."""
        tickets = self.ask("records/tickets")["tickets"]
        return [str(ticket["id"]) for ticket in tickets if ticket["status"] != "closed"][:count]

    def ticket(self, ticket_id: str) -> dict[str, Any]:
        """One ticket with its comments and audits."""
        return self.ask(f"records/tickets/{ticket_id}")


@contextmanager
def running_demo_zendesk(folder: Path) -> Iterator[DemoZendesk]:
    """The demo Zendesk on a free port, its state under `folder`."""
    port = find_free_port()
    command = [sys.executable, "-m", "demo.zendesk", "--port", str(port), "--state", str(folder / "zendesk.sqlite3")]
    process = subprocess.Popen(command, cwd=BASE_DIR, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    try:
        line = process.stdout.readline().decode() if process.stdout else ""
        assert "ready on" in line, "the demo Zendesk did not start"
        yield DemoZendesk(f"http://127.0.0.1:{port}")
    finally:
        process.terminate()
        process.wait(timeout=START_PATIENCE_S)


@dataclass(frozen=True)
class Workers:
    """Starts workers on the test's database and broker."""

    environment: Mapping[str, str]
    log: Path

    @contextmanager
    def running(self, kind: str, *, failpoint: str = "") -> Iterator[subprocess.Popen[bytes]]:
        """A worker process of that kind, armed with a failpoint."""
        with self.log.open("ab") as log:
            process = start_process(
                [sys.executable, *WORKERS[kind]], environment=self.environment | {"FAILPOINT": failpoint}, output=log
            )
            try:
                yield process
            finally:
                stop_process(process, ending=15, patience_s=START_PATIENCE_S)

    def run_until_killed(self, kind: str, *, failpoint: str) -> None:
        """Start a worker and wait until its failpoint killed it."""
        with self.running(kind, failpoint=failpoint) as process:
            assert wait_for_end(process, patience_s=END_PATIENCE_S), f"{failpoint} was never reached:\n{self.tail()}"
            assert process.returncode == -9, f"{failpoint}: exit code {process.returncode}:\n{self.tail()}"

    def tail(self) -> str:
        """The end of what the workers said."""
        return self.log.read_text(errors="replace")[-4000:]


def worker_environment(*, zendesk: DemoZendesk, broker_url: str, folder: Path) -> dict[str, str]:
    """What makes a child process see this test's database, broker, keys and Zendesk."""
    kept = {name: value for name, value in os.environ.items() if name != "FAILPOINT"}
    return {
        **kept,
        **QUICK,
        "DATABASE_URL": address_of_test_database(),
        "REDIS_URL": broker_url,
        "VAR_DIR": str(folder / "var"),
        "SECRET_KEY": settings.SECRET_KEY,
        "ENCRYPTION_KEYS": ",".join(settings.ENCRYPTION_KEYS),
        "ZENDESK_BASE_URL": f"{zendesk.url}/{{subdomain}}",
        "ZENDESK_OAUTH_CLIENT_ID": "agent_integrations_demo",
        "ZENDESK_OAUTH_CLIENT_SECRET": "demo-secret",
    }


def address_of_test_database() -> str:
    """DATABASE_URL of the database that pytest-django made."""
    known = connection.settings_dict
    if connection.vendor == "sqlite":
        return f"sqlite://{known['NAME']}"
    host, user = quote(known["HOST"], safe=""), quote(known["USER"])
    port = f":{known['PORT']}" if known["PORT"] else ""
    if known["HOST"].startswith("/"):
        return f"postgres://{user}@/{known['NAME']}?host={host}"
    return f"postgres://{user}:{quote(known['PASSWORD'])}@{known['HOST']}{port}/{known['NAME']}"
