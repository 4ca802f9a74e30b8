"""The ledger over many rows: every list, filter, page, timeline, figure and replay selection, 30 requests each.

`make bench ARGS="--only ledger --full"` does it over a million deliveries; a single database by hand:
`python -m tests.benchmarks.child ledger full sqlite FOLDER` on a stage (tests/benchmarks/stage.py).
"""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from config.warm_start import finish_loading
from crm_integrations.selectors.configurations import configuration_rows
from memorialization.metrics import memorialization_metrics
from memorialization.models import Contact, Delivery, Interaction, InteractionEvent
from memorialization.readiness import check_deliveries
from memorialization.selectors.ledger_branches import delivery_branches
from memorialization.selectors.ledger_facts import memorialization_facts
from memorialization.selectors.ledger_filters import LedgerFilters
from memorialization.selectors.ledger_slices import Branch, count_rows
from memorialization.services.replay_choices import ReplayChoice, chosen_branches, newest_delivery_id
from memorialization.services.replay_slices import find_members
from memorialization.services.replay_work import SLICE
from tests.benchmarks.figures import Figure, at_most, percentile
from tests.benchmarks.million_rows import Ledger, fill_ledger
from tests.benchmarks.options import Options
from tests.factories import make_user

REQUESTS, P95_MS, COUNTED = 30, 200, 10_000
HOST = "localhost"
PLAIN_STATIC_FILES = "django.contrib.staticfiles.storage.StaticFilesStorage"


@dataclass(frozen=True)
class Timing:
    """One page or selection: its times and how many queries it took."""

    name: str
    p50_ms: float
    p95_ms: float
    queries: int


def measure(options: Options) -> list[Figure]:
    """Fill the database, then ask for everything."""
    rows = options.choose(20_000, 200_000, 1_000_000)
    started = time.monotonic()
    ledger = fill_ledger(rows=rows)
    filled = Figure(f"ledger: filled with {rows:,} deliveries", time.monotonic() - started, "s")
    return [filled, *figures_of(run(ledger))]


def figures_of(timings: Sequence[Timing]) -> list[Figure]:
    """The table's lines, the slowest last."""
    return [
        at_most(
            f"ledger: {timing.name}", timing.p95_ms, P95_MS, unit="ms (p95)",
            note=f"p50 {timing.p50_ms:.0f} ms, {timing.queries} queries",
        )
        for timing in sorted(timings, key=lambda timing: timing.p95_ms)
    ]  # fmt: skip


def run(ledger: Ledger) -> list[Timing]:
    """Time everything that is asked of the ledger."""
    settings.STORAGES = {**settings.STORAGES, "staticfiles": {"BACKEND": PLAIN_STATIC_FILES}}
    settings.ALLOWED_HOSTS = [HOST]
    client = Client(SERVER_NAME=HOST)
    client.force_login(make_user(username=f"reader-{time.time()}", is_superuser=True, is_staff=True))
    asked = [*_page_requests(client, ledger), *_selections(ledger)]
    asked[0][1]()
    finish_loading()  # as the web does before it serves
    return [_time(name, ask) for name, ask in asked]


def _time(name: str, ask: Callable[[], Any]) -> Timing:
    with CaptureQueriesContext(connection) as captured:
        ask()  # the first one warms up, and is counted
        queries = len(captured)  # at once: the next request forgets them
    took = []
    for _number in range(REQUESTS):
        started = time.perf_counter()
        ask()
        took.append(1000 * (time.perf_counter() - started))
    return Timing(name, percentile(took, 0.5), percentile(took, 0.95), queries)


def _page_requests(client: Client, ledger: Ledger) -> Iterator[tuple[str, Callable[[], Any]]]:
    for name, address, headers in _pages(ledger):
        yield name, lambda address=address, headers=headers: _get(client, address, headers)


def _get(client: Client, address: str, headers: dict[str, str]) -> None:
    response = client.get(address, headers=headers)
    if response.status_code != 200:
        raise RuntimeError(f"{address} answered {response.status_code}: {response.content[:300]!r}")


def _pages(ledger: Ledger) -> Iterator[tuple[str, str, dict[str, str]]]:
    """Name, address and headers of every page."""
    for list_name, filters in (("delivery_list", _delivery_filters), ("interaction_list", _interaction_filters)):
        noun = list_name.partition("_")[0]
        for query in filters(ledger):
            words = " ".join(f"{key}={value}" for key, value in query.items() if key != "configuration")
            words += f" configuration={_name_of(ledger, query)}" if "configuration" in query else ""
            yield f"{noun} list {words or '(all)'}", f"{reverse(list_name)}?{urlencode(query)}", {}
        newest = {"after": (Delivery if noun == "delivery" else Interaction).objects.latest("pk").pk - 5_000}
        yield f"{noun} news, 5,000 new", f"{reverse(f'{noun}_news')}?{urlencode(newest)}", {}
    delivery, busiest = Delivery.objects.get(pk=ledger.rows // 2 + 1), ledger.configurations[0]
    yield "delivery page", reverse("delivery_detail", args=[delivery.pk]), {}
    yield "delivery page, has it changed", reverse("delivery_changes", args=[delivery.pk]), {}
    yield "delivery page, replay asked", reverse("delivery_replay", args=[delivery.pk]), {}
    yield "interaction page with timeline", reverse("interaction_detail", args=[delivery.interaction_id]), {}
    yield "interaction page, has it changed", reverse("interaction_changes", args=[delivery.interaction_id]), {}
    yield "configurations", reverse("configuration_list"), {}
    yield "configuration", reverse("configuration_detail", args=[busiest.pk]), {}
    yield "configuration activity", reverse("configuration_activity", args=[busiest.pk]), {}
    yield "metrics", reverse("metrics"), {}
    contact = Contact.objects.filter(configuration=busiest)[ledger.rows // 10].contact_id
    address = f"/api/v1/configurations/{busiest.pk}/interactions/{contact}"
    yield "API: GET interactions of a contact", address, {"Authorization": f"Bearer {ledger.key}"}


def _name_of(ledger: Ledger, query: dict[str, Any]) -> str:
    return next(each.name for each in ledger.configurations if str(each.pk) == query["configuration"])


def _delivery_filters(ledger: Ledger) -> list[dict[str, Any]]:
    busy, _sales, held = (str(configuration.pk) for configuration in ledger.configurations)
    states = ("waiting", "held", "sending", "delivered", "partial", "failed", "skipped")
    reasons = ("no_record", "record_gone", "misconfigured")
    return [
        *_shared_filters(ledger),
        *({"state": state} for state in states),
        *({"reason": reason} for reason in reasons),
        {"reason": "no_record", "channel": "digital", "configuration": held},
        {"reason": "no_record", "state": "failed"},
        {"reason": "misconfigured", "state": "delivered", "configuration": busy, "channel": "voice"},
        {"state": "delivered", "channel": "digital", "configuration": held},
        {"state": "delivered", "channel": "digital", "configuration": busy, **_days(ledger, 300, 310)},
        {"state": "sending", "configuration": busy, "channel": "digital"},
        {"state": "held", "configuration": busy},
        {"state": "failed", "channel": "digital", **_days(ledger, 400, 729)},
        {"state": "failed", "reason": "record_gone", "before": ledger.rows // 3},
        *_texts(ledger),
    ]


def _interaction_filters(ledger: Ledger) -> list[dict[str, Any]]:
    busy, _sales, held = (str(configuration.pk) for configuration in ledger.configurations)
    return [
        *_shared_filters(ledger),
        *({"state": state} for state in ("open", "waiting", "due", "planned")),
        {"state": "planned", "channel": "digital", "configuration": held},
        {"state": "due", "channel": "digital", "configuration": busy, **_days(ledger, 10, 700)},
        *_texts(ledger),
    ]


def _shared_filters(ledger: Ledger) -> list[dict[str, Any]]:
    busy, _sales, held = (str(configuration.pk) for configuration in ledger.configurations)
    return [
        {},
        {"before": ledger.rows // 2},
        {"before": 60},
        {"after": ledger.rows // 3},
        {"configuration": busy},
        {"configuration": held, "before": ledger.rows // 2},
        {"channel": "voice"},
        {"channel": "digital"},
        {"channel": "digital", "configuration": held},
        _days(ledger, 0, 3),
        _days(ledger, 300, 365),
        {"channel": "digital", "configuration": held, **_days(ledger, 20, 700)},
    ]


def _days(ledger: Ledger, first: int, last: int) -> dict[str, str]:
    return {
        "since": (ledger.start + timedelta(days=first)).date().isoformat(),
        "until": (ledger.start + timedelta(days=last)).date().isoformat(),
    }


def _texts(ledger: Ledger) -> list[dict[str, Any]]:
    """Ids old and new, whole and begun, of every kind; an agent; nothing at all; a text with other criteria."""
    delivery = Delivery.objects.exclude(record_id="").select_related("interaction__contact").filter(pk__gt=50).first()
    assert delivery is not None
    interaction = delivery.interaction
    contact, agent = interaction.contact.contact_id, interaction.agent_id
    event = InteractionEvent.objects.filter(contact=interaction.contact_id)[0].event_id
    laneless = Delivery.objects.filter(lane=None).exclude(record_id="").order_by("pk").values_list("record_id")[0][0]
    held = str(ledger.configurations[2].pk)
    return [
        {"q": text}
        for text in (
            contact, contact[:-1], contact[:6], interaction.segment_id, event, delivery.record_id, laneless,
            delivery.record_id[:-2], delivery.record_id[:2], agent, agent[:5], "Family7", "agent3 family7", "family",
            "nothing-has-this", "7",
        )
    ] + [
        {"q": agent, "before": ledger.rows // 2},
        {"q": agent, "channel": "digital", "configuration": held},
        {"q": contact[:6], "state": "due"},
        {"q": "family1", **_days(ledger, 100, 130)},
    ]  # fmt: skip


def _chosen(filters: LedgerFilters) -> list[Branch[Delivery]]:
    return chosen_branches(ReplayChoice(filters), last_id=newest_delivery_id())


def _selections(ledger: Ledger) -> Iterator[tuple[str, Callable[[], Any]]]:
    """What services and machines ask, without a page."""
    now = timezone.now()
    busy, _sales, held = ledger.configurations
    half_a_year = {name: datetime.fromisoformat(day).date() for name, day in _days(ledger, 300, 480).items()}
    choices = {
        "failed": LedgerFilters(state="failed"),
        "delivered": LedgerFilters(state="delivered"),
        "held": LedgerFilters(state="held"),
        "a reason in half a year": LedgerFilters(reason="record_gone", **half_a_year),
        "failed, of a configuration": LedgerFilters(state="failed", configuration=busy.pk),
        "nothing there": LedgerFilters(state="partial", channel="digital", configuration=held.pk),
        "a record": LedgerFilters(q="35000014"),
    }
    for words, filters in choices.items():
        yield (
            f"replay by filter, count to {COUNTED:,}: {words}",
            lambda filters=filters: count_rows(delivery_branches(filters), limit=COUNTED),
        )
        yield (
            f"replay by filter, first slice: {words}",
            lambda filters=filters: find_members(_chosen(filters), after=0, limit=SLICE),
        )
    yield "facts of all configurations", lambda: memorialization_facts([each.pk for each in ledger.configurations])
    yield "rows of the list of configurations", configuration_rows
    yield "figures for Prometheus", lambda: list(memorialization_metrics())
    yield "readiness of deliveries", lambda: check_deliveries(now)
