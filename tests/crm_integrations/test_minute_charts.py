"""Charts by minute (crm_integrations.templatetags.minute_charts)."""

from datetime import UTC, datetime, timedelta

import pytest
from django.template.loader import render_to_string

from crm_integrations.templatetags.minute_charts import (
    HEIGHT,
    MinuteChart,
    Series,
    draw_bars,
    draw_line,
    minute_chart,
    round_up,
)

START = datetime(2026, 1, 15, 15, 0, tzinfo=UTC)


def make_chart(*bars: tuple[int, ...], line: tuple[int, ...] | None = None, bound: int | None = None) -> MinuteChart:
    count = len(bars[0])
    return MinuteChart(
        key="calls",
        title="Calls per minute",
        summary="In words",
        minutes=[START + timedelta(minutes=number) for number in range(count)],
        bars=[Series(f"Bar {number}", f"look{number}", values) for number, values in enumerate(bars)],
        line=Series("Line", "calls", line) if line else None,
        bound=bound,
        bound_label="Allowed",
    )


def draw(chart: MinuteChart) -> str:
    return render_to_string("components/minute_chart.html", minute_chart(chart))


@pytest.mark.parametrize(("peak", "top"), [(0, 2), (1, 2), (3, 4), (7, 8), (9, 10), (41, 50), (100, 100), (640, 800)])
def test_the_scale_ends_at_a_round_figure(peak, top):
    assert round_up(peak) == top


def test_bars_stand_on_what_lies_below_them():
    assert draw_bars((5, 0), (5, 0), 10) == f"M0.0 {HEIGHT / 2}V0.0h297.0V{HEIGHT / 2}z"


def test_what_is_tiny_is_still_seen():
    assert draw_bars((1,), (0,), 1_000_000) == "M0.0 100.0V99.0h597.0V100.0z"


def test_a_line_has_a_point_per_minute():
    assert draw_line((0, 10), 10) == "M148.5 100.0L448.5 0.0"


def test_the_bound_is_drawn_only_when_the_bars_come_near_it():
    assert minute_chart(make_chart((10, 20), bound=700))["bound_at"] == ""
    assert minute_chart(make_chart((10, 600), bound=700))["bound_at"] == "12.5"
    assert "Allowed" in draw(make_chart((10, 600), bound=700))


def test_the_table_has_every_minute_in_which_something_happened_newest_first():
    page = draw(make_chart((1, 0, 3), (0, 0, 2), line=(0, 0, 7)))
    assert page.index("15:02</th>") < page.index("15:00</th>")
    assert "15:01</th>" not in page
    assert page.count("<td") == 6


def test_an_hour_without_anything_has_no_picture_to_unfold():
    page = draw(make_chart((0, 0)))
    assert "Nothing in the last hour" in page
    assert "<details" not in page
    assert 'role="img" aria-label="In words"' in page


def test_a_chart_needs_no_inline_style():
    assert "style" not in draw(make_chart((1, 2), line=(1, 1), bound=2))
