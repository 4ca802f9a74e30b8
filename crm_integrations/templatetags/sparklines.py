"""A row of small bars drawn by the server as SVG, with its meaning in words for those who do not see it."""

from collections.abc import Sequence
from dataclasses import dataclass

from django import template

register = template.Library()

HEIGHT, STEP, BAR = 24, 5, 4  # units of the view box


@dataclass(frozen=True)
class Bar:
    """One bar from its upper left corner."""

    x: int
    y: float
    height: float
    is_empty: bool


@register.inclusion_tag("components/sparkline.html")
def sparkline(values: Sequence[float], label: str) -> dict[str, object]:
    """Bars for `values` from old to new; `label` says in words what they show."""
    return {"bars": _bars(values), "label": label, "width": max(len(values), 1) * STEP, "height": HEIGHT, "bar": BAR}


def _bars(values: Sequence[float]) -> list[Bar]:
    top = max(values, default=0)
    return [_bar(index, value, top) for index, value in enumerate(values)]


def _bar(index: int, value: float, top: float) -> Bar:
    height = max(round(value / top * HEIGHT, 1), 2) if top and value else 1
    return Bar(index * STEP, round(HEIGHT - height, 1), height, not value)
