"""Times and numbers as people read them: relative words with the exact time behind them, localised figures."""

from datetime import datetime, timedelta
from math import floor

from django import template
from django.utils import formats, timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext

register = template.Library()

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
RELATIVE_UNTIL = timedelta(days=7)  # older moments are shown by their date


@register.filter
def moment(at: datetime | None, now: datetime | None = None) -> SafeString | str:
    """`<time>` with relative words and the exact time as its title; a dash for none."""
    if at is None:
        return "–"
    local = timezone.localtime(at)
    words = relative_words(at, now=now or timezone.now())
    exact = exact_time(local)
    return format_html(
        '<time datetime="{}" title="{}">{}<span class="visually-hidden"> ({})</span></time>',
        local.isoformat(), exact, words, exact,
    )  # fmt: skip


def exact_time(local: datetime) -> str:
    """The date and the time to the second with the zone's name."""
    return f"{formats.date_format(local, 'DATE_FORMAT')}, {local:%H:%M:%S} {local.tzname()}"


def relative_words(at: datetime, *, now: datetime) -> str:
    """How long ago, or in how long; a date beyond a week."""
    distance = abs(now - at)
    if distance > RELATIVE_UNTIL:
        return formats.date_format(timezone.localtime(at), "SHORT_DATE_FORMAT")
    if distance < MINUTE:
        return _("just now") if at <= now else _("in a moment")
    span = duration(distance)
    return _("%(span)s ago") % {"span": span} if at <= now else _("in %(span)s") % {"span": span}


@register.filter
def duration(distance: timedelta) -> str:
    """A length of time in its largest whole unit."""
    if distance < HOUR:
        count = distance // MINUTE
        return ngettext("%(count)d min", "%(count)d min", count) % {"count": count}
    if distance < DAY:
        count = distance // HOUR
        return ngettext("%(count)d h", "%(count)d h", count) % {"count": count}
    count = distance // DAY
    return ngettext("%(count)d day", "%(count)d days", count) % {"count": count}


@register.filter
def number(value: float | int | None, decimals: int = 0) -> str:
    """A localised figure with its thousands apart; a dash for none."""
    if value is None:
        return "–"
    return formats.number_format(value, decimal_pos=decimals, use_l10n=True, force_grouping=True)


@register.filter
def share(value: float | None) -> str:
    """A share between 0 and 1 as a percentage; cut, so that only a perfect one shows as 100."""
    if value is None:
        return "–"
    percent = floor(round(value * 1000, 6)) / 10
    figure = formats.number_format(percent, decimal_pos=0 if percent in (0, 100) else 1)
    return pgettext("percentage", "%(figure)s%%") % {"figure": figure}
