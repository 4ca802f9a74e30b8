"""How fast events are taken in, beside a bare Django view that inserts one row, on the same server in the same run.

Rounds of the two alternate, so that whatever else the machine does meets both.
"""

import json
from collections.abc import Callable, Sequence
from typing import Any

from tests.benchmarks.figures import Figure, at_least, at_most, percentile
from tests.benchmarks.load import Load, send_all
from tests.benchmarks.options import Options
from tests.benchmarks.scene import Scene, ended_bodies, lifelong_bodies, make_scene
from tests.benchmarks.servers import running_web

ARRAY = 100
WARM_UP = 200
NOTE = "4 connections, 1 kB bodies; it passes the product's middleware, as pages do; the API a part of it"


def measure(options: Options) -> list[Figure]:
    """Requests and events per second as ratios to the bare view."""
    scene = make_scene()
    rounds, count = options.choose(3, 6, 12), options.choose(500, 1200, 3000)
    loads: dict[str, list[Load]] = {name: [] for name in SENDERS}
    with running_web(options.folder) as port:
        for number in range(-1, rounds):  # the first one warms up
            size = count if number >= 0 else WARM_UP
            for name, send in SENDERS.items():
                load = send(scene, port, size, f"{name}{number}-")
                _check(name, load)
                if number >= 0:
                    loads[name].append(load)
    return _figures(loads)


def _send_bare(scene: Scene, port: int, count: int, prefix: str, path: str = "/bare") -> Load:
    bodies = _encode(ended_bodies(count, prefix=prefix))
    return send_all(port=port, path=path, bodies=bodies, expected=201, headers=scene.headers)


def _send_plain(scene: Scene, port: int, count: int, prefix: str) -> Load:
    return _send_bare(scene, port, count, prefix, "/plain")


def _send_ended(scene: Scene, port: int, count: int, prefix: str) -> Load:
    return _send(scene, port, ended_bodies(count, prefix=prefix))


def _send_lifelong(scene: Scene, port: int, count: int, prefix: str) -> Load:
    return _send(scene, port, lifelong_bodies(count, prefix=prefix))


def _send_arrays(scene: Scene, port: int, count: int, prefix: str) -> Load:
    bodies = ended_bodies(max(count * 2, 4 * ARRAY), prefix=prefix)
    return _send(scene, port, [bodies[start : start + ARRAY] for start in range(0, len(bodies), ARRAY)])


SENDERS: dict[str, Callable[[Scene, int, int, str], Load]] = {
    "bare": _send_bare,
    "plain": _send_plain,
    "ended": _send_ended,
    "lifelong": _send_lifelong,
    "arrays": _send_arrays,
}


def _send(scene: Scene, port: int, bodies: Sequence[Any]) -> Load:
    return send_all(port=port, path=scene.path, bodies=_encode(bodies), expected=202, headers=scene.headers)


def _encode(bodies: Sequence[Any]) -> list[bytes]:
    return [json.dumps(body).encode() for body in bodies]


def _check(name: str, load: Load) -> None:
    if load.refused:
        raise RuntimeError(f"{name}: {load.refused} refused, the first with {load.first_refusal[:500]!r}")


def _figures(loads: dict[str, list[Load]]) -> list[Figure]:
    rates = {name: _median([load.rate for load in found]) for name, found in loads.items()}
    p99 = {name: percentile([s for load in found for s in load.took_s], 0.99) for name, found in loads.items()}
    bare = rates["bare"]
    return [
        Figure("intake: bare view, one row", bare, "requests/s", note=f"p99 {1000 * p99['bare']:.1f} ms; {NOTE}"),
        Figure(
            "intake: bare view with the least middleware",
            rates["plain"],
            "requests/s",
            note=f"ended calls singly reach {rates['ended'] / rates['plain']:.2f} × of it",
        ),
        Figure("intake: ended calls, singly", rates["ended"], "requests/s", note=f"p99 {1000 * p99['ended']:.1f} ms"),
        at_least("intake: ended calls, singly / bare", rates["ended"] / bare, 0.6, unit="×"),
        at_most("intake: p99, ended singly / bare", p99["ended"] / p99["bare"], 2, unit="×"),
        at_least(
            "intake: whole calls (4 events each), singly / bare",
            rates["lifelong"] / bare,
            0.6,
            unit="×",
            note=f"{rates['lifelong']:.0f}/s, p99 {1000 * p99['lifelong']:.1f} ms",
        ),
        at_most("intake: p99, whole calls / bare", p99["lifelong"] / p99["bare"], 2, unit="×"),
        at_least(
            "intake: arrays of 100 ended calls, events / bare requests",
            ARRAY * rates["arrays"] / bare,
            8,
            unit="×",
            note=f"{ARRAY * rates['arrays']:.0f} events/s, p99 {1000 * p99['arrays']:.0f} ms an array",
        ),
    ]


def _median(values: Sequence[float]) -> float:
    return percentile(values, 0.5)
