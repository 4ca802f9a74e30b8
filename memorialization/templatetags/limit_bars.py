"""The bar of one limit: used by us, used by others, head-room, left."""

from dataclasses import dataclass

from django import template
from django.utils.translation import gettext as _

from crm_integrations.templatetags.moments import number
from memorialization.selectors.account_limits import LimitRow

WIDTH = 100.0
GAP = 0.4  # between the parts

register = template.Library()


@dataclass(frozen=True, slots=True)
class Part:
    """One stretch of the bar; `x` and `width` are SVG numbers."""

    look: str
    x: str
    width: str


@register.inclusion_tag("memorialization/accounts/limit_bar.html")
def limit_bar(row: LimitRow) -> dict[str, object]:
    """The picture, with its figures in words."""
    words = _("%(ours)s used by us, %(others)s used by others, %(reserved)s head-room, %(left)s left, of %(limit)s")
    figures = {"ours": row.ours, "others": row.others, "reserved": row.reserved, "left": row.left, "limit": row.limit}
    return {"parts": _parts(row), "label": words % {name: number(value) for name, value in figures.items()}}


def _parts(row: LimitRow) -> list[Part]:
    sizes = {"ours": row.ours, "others": row.others, "left": row.left or 0, "reserved": row.reserved}
    total = sum(sizes.values()) or 1
    parts, x = [], 0.0
    for look, size in sizes.items():
        width = size / total * WIDTH
        if size:
            parts.append(Part(look, f"{x:.2f}", f"{max(width - GAP, GAP):.2f}"))
        x += width
    return parts
