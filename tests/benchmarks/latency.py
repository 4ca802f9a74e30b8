"""How long an event takes from the web server's door to the record, while nothing else is going on.

Real processes: the web server and a worker of `make run`, and the demo CRM, whose log says when it took the value.
"""

import json
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from django.conf import settings

from tests.benchmarks.crew import running_crew
from tests.benchmarks.figures import Figure, at_most, percentile
from tests.benchmarks.load import send_all
from tests.benchmarks.options import Options
from tests.benchmarks.scene import Scene, make_body, make_scene
from tests.benchmarks.servers import running_web, running_zendesk
from tests.end_to_end.kill_stage import DemoZendesk

LATENCY_MS = 100
ROUND_TRIP_S = LATENCY_MS / 1000
SWEEP_MARGIN_S = 2
SLOWEST_S = {"sqlite": 6, "postgresql": 3}  # p99; SQLite is the embedded profile
LOOK_EVERY_S = 0.02
PATIENCE_S = 60
NO_BROKER = {"REDIS_URL": "redis://127.0.0.1:1/0"}  # nobody listens: every hint of this web server is lost


def measure(options: Options) -> list[Figure]:
    """The time from sending an event to its value in the CRM: with hints, and with every hint lost."""
    count, lost = options.choose(30, 100, 300), options.choose(5, 10, 20)
    with running_zendesk(options.folder / "zendesk", latency_ms=LATENCY_MS) as zendesk:
        tokens = zendesk.prepare()
        scene, tickets = make_scene(tokens=tokens), zendesk.open_tickets(50)
        address = {"ZENDESK_BASE_URL": f"{zendesk.url}/{{subdomain}}"}
        with running_crew(options.folder, 1, address):
            with running_web(options.folder, address) as port:
                _take_times(scene, port, zendesk, tickets, 3, "warm", pause_s=0)
                took = _take_times(scene, port, zendesk, tickets, count, "idle", pause_s=0.1)
            with running_web(options.folder, address | NO_BROKER) as port:
                took_unhinted = _take_times(scene, port, zendesk, tickets, lost, "lost", pause_s=0.3)
    return [
        at_most("latency: idle event → value in the CRM, p50", percentile(took, 0.5), 0.5 + ROUND_TRIP_S, unit="s"),
        at_most(
            "latency: idle event → value in the CRM, p99",
            percentile(took, 0.99),
            SLOWEST_S[options.database],
            unit="s",
            note=f"{count} events one after the other, a CRM that takes {LATENCY_MS} ms",
        ),
        at_most(
            "latency: every hint lost, slowest",
            max(took_unhinted),
            settings.SWEEP_EVERY_S + SWEEP_MARGIN_S,
            unit="s",
            note=f"{lost} events; the sweep runs every {settings.SWEEP_EVERY_S} s",
        ),
    ]


def _take_times(
    scene: Scene, port: int, zendesk: DemoZendesk, tickets: list[str], count: int, prefix: str, *, pause_s: float
) -> list[float]:
    """Send an event, wait until the CRM has it, and so on; seconds each took."""
    return [
        _take_time(scene, port, zendesk, tickets[number % len(tickets)], f"{prefix}{number}", pause_s)
        for number in range(count)
    ]


def _take_time(scene: Scene, port: int, zendesk: DemoZendesk, ticket: str, name: str, pause_s: float) -> float:
    time.sleep(pause_s)
    seen = zendesk.ask("log?since=0&limit=1")["last"]
    body = make_body("ended", 0, contact=name, record_id=ticket, at=datetime.now(UTC), skillName=f"Value {name}")
    started = time.time()
    load = send_all(
        port=port,
        path=scene.path,
        bodies=[json.dumps(body).encode()],
        expected=202,
        headers=scene.headers,
        connections=1,
    )
    if load.refused:
        raise RuntimeError(f"the event was refused: {load.first_refusal[:300]!r}")
    return _wait_for(lambda: _written_at(zendesk, ticket, seen)) - started


def _written_at(zendesk: DemoZendesk, ticket: str, seen: int) -> float | None:
    """When the CRM applied a write to the ticket, after a place in its log."""
    calls: list[dict[str, Any]] = zendesk.ask(f"log?since={seen}")["calls"]
    found = [call for call in calls if call["applied"] and any(ticket in record for record in call["records"])]
    return float(found[0]["real_at"]) if found else None


def _wait_for(look: Callable[[], float | None]) -> float:
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        if (found := look()) is not None:
            return found
        time.sleep(LOOK_EVERY_S)
    raise TimeoutError("the value never arrived")
