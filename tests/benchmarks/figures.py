"""What a benchmark measured: one figure per line of the table, with the target it is held against."""

from collections.abc import Iterable
from dataclasses import dataclass

HEADINGS = ("what", "value", "unit", "target", "met", "note")


@dataclass(frozen=True)
class Figure:
    """One line of the table. `is_met` is None for a figure that only gives context and has no target."""

    name: str
    value: float
    unit: str = ""
    target: str = ""
    is_met: bool | None = None
    note: str = ""


def at_least(name: str, value: float, least: float, *, unit: str = "", note: str = "") -> Figure:
    """Return a figure that is met when the value reaches `least`."""
    return Figure(name, value, unit, f"≥ {_number(least)}", value >= least, note)


def at_most(name: str, value: float, most: float, *, unit: str = "", note: str = "") -> Figure:
    """Return a figure that is met when the value does not pass `most`."""
    return Figure(name, value, unit, f"≤ {_number(most)}", value <= most, note)


def render_table(figures: Iterable[Figure]) -> str:
    """Return the figures as one markdown table, its columns aligned for a terminal."""
    rows = [HEADINGS, *(_cells(figure) for figure in figures)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(HEADINGS))]
    lines = [_line(row, widths) for row in rows]
    return "\n".join([lines[0], "|" + "|".join("-" * (width + 2) for width in widths) + "|", *lines[1:]])


def missed_targets(figures: Iterable[Figure]) -> list[Figure]:
    """Return the figures whose target was not reached."""
    return [figure for figure in figures if figure.is_met is False]


def percentile(values: Iterable[float], share: float) -> float:
    """Return the value below which `share` of the values lie (nearest rank), 0 when there are none."""
    ordered = sorted(values)
    if not ordered:
        return 0.0
    rank = -int(-share * len(ordered) // 1)
    return ordered[min(max(rank, 1), len(ordered)) - 1]


def _cells(figure: Figure) -> tuple[str, ...]:
    met = {True: "yes", False: "NO", None: ""}[figure.is_met]
    return (figure.name, _number(figure.value), figure.unit, figure.target, met, figure.note.replace("|", "/"))


def _line(cells: tuple[str, ...], widths: list[int]) -> str:
    return "| " + " | ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True)) + " |"


def _number(value: float) -> str:
    """Return a number with three meaningful digits, in full when it is large."""
    if abs(value) >= 100 or value == int(value):
        return f"{value:,.0f}"
    return f"{value:.3g}"
