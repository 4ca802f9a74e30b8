"""How long an agent waits for the customer card, beside the calls to the CRM that it takes.

Looks alternate: the raw calls by plain `requests` over one connection, a card that nobody has looked at, the same card
once more, and beside it a bare Django view that reads one row. Real processes: the web server of `make run` and the
demo CRM, whose log says how many calls a card costs.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import requests
from django.core.cache import cache
from django.utils import timezone

from crm_integrations.contact_links import RecordReference, contact_links
from crm_integrations.models import Configuration
from crm_integrations.providers.registry import get_provider
from tests.benchmarks.bare.models import BareEvent
from tests.benchmarks.figures import Figure, at_most, percentile
from tests.benchmarks.options import Options
from tests.benchmarks.scene import Scene, make_scene
from tests.benchmarks.servers import running_web, running_zendesk
from tests.end_to_end.kill_stage import SUBDOMAIN, DemoZendesk
from tests.factories import make_dynamic_mapping

LATENCY_MS = 100
RAW_FACTOR, OVERHEAD_MS, CACHED_MS = 1.15, 30, 15
WARM_UP = 5
SHOWN = {
    "ticket": ["status", "priority", "requester_id", "assignee_id", "created_at"],
    "user": ["phone", "email", "details", "time_zone", "notes"],
}
NEEDED_CALLS = 2  # one for each record type; names of people come with the tickets


@dataclass(frozen=True)
class Caller:
    """A contact with a ticket, whose requester and assignee have names, and a user."""

    contact_id: str
    ticket_id: str
    user_id: str


@dataclass
class Looks:
    """Milliseconds that looks took, and the calls of those at cards that were not known."""

    raw: list[float] = field(default_factory=list)
    card: list[float] = field(default_factory=list)
    cached: list[float] = field(default_factory=list)
    bare: list[float] = field(default_factory=list)
    calls: int = 0


def measure(options: Options) -> list[Figure]:
    """The card's time beyond the raw calls', the cached card's, and the calls of a card."""
    count = options.choose(30, 100, 300)
    with running_zendesk(options.folder / "zendesk", latency_ms=0) as zendesk:
        tokens, address = zendesk.prepare(), {"ZENDESK_BASE_URL": f"{zendesk.url}/{{subdomain}}"}
        scene = make_scene(tokens=tokens)
        _show_fields(scene.configuration, zendesk, tokens["access_token"])
        callers = _link_callers(scene.configuration, zendesk, count + WARM_UP)
        zendesk.ask("latency", {"ms": LATENCY_MS})
        with running_web(options.folder, address) as port:
            watch = _Watch(scene, port, zendesk, tokens["access_token"])
            watch.look_at(callers[:WARM_UP])
            return _figures(watch.look_at(callers[WARM_UP:]), count)


class _Watch:
    """Looks at cards with one connection to the web server and one to the CRM, as a script and a client keep them."""

    def __init__(self, scene: Scene, port: int, zendesk: DemoZendesk, access_token: str) -> None:
        self._zendesk = zendesk
        self._address = f"http://127.0.0.1:{port}/api/v1/configurations/{scene.configuration.pk}/customer-card"
        row = BareEvent.objects.create(event_id="bare", body={"eventId": "bare"})
        self._bare = f"http://127.0.0.1:{port}/bare/{row.pk}"
        self._script, self._crm = requests.Session(), requests.Session()
        name, _colon, key = scene.headers.strip().partition(": ")
        self._script.headers[name] = key
        self._crm.headers["Authorization"] = f"Bearer {access_token}"

    def look_at(self, callers: list[Caller]) -> Looks:
        """Each contact in turn."""
        looks = Looks()
        for caller in callers:
            cache.clear()
            looks.raw.append(_take_ms(lambda one=caller: self._ask_crm(one)))
            seen = self._last_call()
            looks.card.append(_take_ms(lambda one=caller: self._ask_card(one)))
            looks.calls += self._last_call() - seen
            looks.cached.append(_take_ms(lambda one=caller: self._ask_card(one)))
            looks.bare.append(_take_ms(self._ask_bare))
        return looks

    def _last_call(self) -> int:
        found: int = self._zendesk.ask("log?since=0&limit=1")["last"]
        return found

    def _ask_crm(self, caller: Caller) -> None:
        base = f"{self._zendesk.url}/{SUBDOMAIN}/api/v2"
        for path in (
            f"tickets/show_many?ids={caller.ticket_id}&include=users",
            f"users/show_many?ids={caller.user_id}",
        ):
            answer = self._crm.get(f"{base}/{path}", timeout=30)
            if answer.status_code != 200 or len(answer.json()[path.partition("/")[0]]) != 1:
                raise RuntimeError(f"{path}: {answer.text[:300]}")

    def _ask_card(self, caller: Caller) -> None:
        answer = self._script.get(self._address, params={"contactId": caller.contact_id}, timeout=30)
        shown = answer.json().get("current", [])
        fields = [each for record in shown for each in record["fields"]]
        names = [
            each for each in fields if each["key"] in ("requester_id", "assignee_id") and not each["value"].isdigit()
        ]
        if [record["id"] for record in shown] != [caller.ticket_id, caller.user_id] or len(names) != 2:
            raise RuntimeError(f"this is not the card: {answer.text[:500]}")
        if len(fields) != sum(map(len, SHOWN.values())):
            raise RuntimeError(f"the card shows {len(fields)} fields")

    def _ask_bare(self) -> None:
        answer = self._script.get(self._bare, timeout=30)
        if answer.json().get("body") != {"eventId": "bare"}:
            raise RuntimeError(f"this is not the row: {answer.text[:300]}")


def _take_ms(act: Callable[[], None]) -> float:
    began = time.perf_counter()
    act()
    return 1000 * (time.perf_counter() - began)


def _show_fields(configuration: Configuration, zendesk: DemoZendesk, access_token: str) -> None:
    """The mapping, with the definitions that the account has."""
    from django.conf import settings

    settings.ZENDESK_BASE_URL = f"{zendesk.url}/{{subdomain}}"
    connection = get_provider("zendesk").connect(SUBDOMAIN, access_token=access_token, options={})
    try:
        known = {entity_type: connection.list_fields(entity_type) for entity_type in SHOWN}
    finally:
        connection.close()
    make_dynamic_mapping(configuration, SHOWN, known=known)


def _link_callers(configuration: Configuration, zendesk: DemoZendesk, count: int) -> list[Caller]:
    """So many contacts, each with a ticket of somebody that somebody works on, and that somebody."""
    rows: list[dict[str, Any]] = zendesk.ask("records/tickets")["tickets"]
    tickets = [row for row in rows if row["assignee_id"]]
    callers, now = [], timezone.now()
    for number in range(count):
        ticket = tickets[number % len(tickets)]
        caller = Caller(f"caller-{number}", str(ticket["id"]), str(ticket["requester_id"]))
        for entity_type, record_id in (("ticket", caller.ticket_id), ("user", caller.user_id)):
            contact_links().link(
                configuration=configuration,
                contact_id=caller.contact_id,
                record=RecordReference(entity_type, record_id),
                origin="bench",
                now=now,
            )
        callers.append(caller)
    return callers


def _figures(looks: Looks, count: int) -> list[Figure]:
    measured = (looks.raw, looks.card, looks.cached, looks.bare)
    raw, card, cached, bare = (percentile(taken, 0.5) for taken in measured)
    p99 = percentile(looks.card, 0.99)
    return [
        Figure("card: its calls by plain requests, p50", raw, "ms", note=f"a CRM that takes {LATENCY_MS} ms a call"),
        Figure("card: ticket and user, not known, p50", card, "ms", note=f"p99 {p99:.0f} ms; {count} contacts in turn"),
        at_most(
            f"card: beyond {RAW_FACTOR} × its calls, p50",
            card - RAW_FACTOR * raw,
            OVERHEAD_MS,
            unit="ms",
            note="one connection to the web server, one of plain requests to the CRM",
        ),
        at_most(
            "card: looked at again within ten seconds, p50",
            cached,
            CACHED_MS,
            unit="ms",
            note=f"p99 {percentile(looks.cached, 0.99):.1f} ms; {cached / bare:.2f} × the bare view",
        ),
        Figure("card: a bare view that reads one row, p50", bare, "ms", note="through the same server and middleware"),
        at_most("card: calls a card", looks.calls / count, NEEDED_CALLS, note=f"{NEEDED_CALLS} are needed"),
    ]
