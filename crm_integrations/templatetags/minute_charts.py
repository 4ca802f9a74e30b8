"""Small charts by minute, drawn by the server as SVG: stacked bars, a line, and the same figures as a table."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from math import ceil, log10

from django import template
from django.utils import timezone
from django.utils.functional import Promise

register = template.Library()

WIDTH, HEIGHT, GAP = 600, 100, 3  # units of the view box; the picture is stretched to its place
STEPS = (1, 2, 4, 5, 8, 10)  # times a power of ten: where the scale may end


@dataclass(frozen=True, slots=True)
class Series:
    """One figure per minute, oldest first. `look` names its colour (static/css/accounts.css)."""

    label: str | Promise
    look: str
    values: Sequence[int]

    @property
    def total(self) -> int:
        """All of it."""
        return sum(self.values)


@dataclass(frozen=True, slots=True)
class MinuteChart:
    """`bars` are stacked; `line` lies over them; `bound`, a level such as a limit, is drawn when the bars come near."""

    key: str
    title: str | Promise
    summary: str
    minutes: Sequence[datetime]
    bars: Sequence[Series]
    line: Series | None = None
    bound: int | None = None
    bound_label: str = ""

    @property
    def series(self) -> list[Series]:
        """Everything that has figures."""
        return [*self.bars, *([self.line] if self.line else [])]

    @property
    def is_empty(self) -> bool:
        """Whether nothing happened."""
        return not any(series.total for series in self.series)


@dataclass(frozen=True, slots=True)
class Drawing:
    """One series as the `d` of an SVG path."""

    look: str
    path: str


@register.inclusion_tag("components/minute_chart.html")
def minute_chart(chart: MinuteChart) -> dict[str, object]:
    """The picture with its scale, its legend and its table."""
    peak = find_peak(chart)
    is_bounded = chart.bound is not None and 2 * peak >= chart.bound
    top = round_up(max(peak, chart.bound or 0) if is_bounded else peak)
    levels = [0] * len(chart.minutes)
    drawings = []
    for series in chart.bars:
        drawings.append(Drawing(series.look, draw_bars(series.values, levels, top)))
        levels = [level + value for level, value in zip(levels, series.values, strict=True)]
    minutes = [timezone.localtime(minute) for minute in chart.minutes]
    figures = zip(*(series.values for series in chart.series), strict=True)
    return {
        "chart": chart,
        "top": top,
        "middle": top // 2 if top % 2 == 0 else None,
        "view_box": f"0 0 {WIDTH} {HEIGHT}",
        "drawings": drawings,
        "line": draw_line(chart.line.values, top) if chart.line else "",
        "bound_at": f"{_y(chart.bound, top):.1f}" if is_bounded and chart.bound is not None else "",
        "rows": [row for row in zip(minutes, figures, strict=True) if any(row[1])][::-1],
        "first": minutes[0],
        "last": minutes[-1],
    }


def find_peak(chart: MinuteChart) -> int:
    """The highest stack or point."""
    stacks: list[int] = [sum(values) for values in zip(*(series.values for series in chart.bars), strict=True)]
    return max(*stacks, *(chart.line.values if chart.line else ()), 0)


def round_up(peak: int) -> int:
    """Where the scale ends: a round figure not below the peak, so that it does not jump with every minute."""
    if peak <= 2:
        return 2
    power: int = 10 ** int(log10(peak))
    return next(step * power for step in STEPS if step * power >= peak)


def draw_bars(values: Sequence[int], levels: Sequence[int], top: int) -> str:
    """One bar per minute, each on what lies below it."""
    step = WIDTH / len(values)
    return "".join(
        f"M{index * step:.1f} {_y(level, top):.1f}V{_y(level + value, top):.1f}h{step - GAP:.1f}V{_y(level, top):.1f}z"
        for index, (value, level) in enumerate(zip(values, levels, strict=True))
        if value
    )


def draw_line(values: Sequence[int], top: int) -> str:
    """One point per minute, in the middle of its bar."""
    step = WIDTH / len(values)
    points = [f"{index * step + (step - GAP) / 2:.1f} {_y(value, top):.1f}" for index, value in enumerate(values)]
    return "M" + "L".join(points)


def _y(value: int, top: int) -> float:
    """Downwards from the top; what is there at all is at least a hair high."""
    return HEIGHT - (max(ceil(value / top * HEIGHT * 10) / 10, 1.0) if value else 0.0)
