"""Parts of the ledger's rows, of which a list shows hundreds: a template for each would take longer than the rest."""

from django import template
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from crm_integrations.templatetags.components import badge, icon
from crm_integrations.templatetags.moments import number
from memorialization.selectors.ledger_deliveries import DeliveryRow
from memorialization.selectors.ledger_records import RecordName

register = template.Library()


@register.simple_tag
def record_link(record: RecordName) -> SafeString | str:
    """The record in words, and the way to it in the CRM."""
    if not record.id:
        return _("%(type)s: no record") % {"type": record.type_title}
    if not record.url:
        return str(record)
    return format_html(
        '<a class="record-link" href="{}" target="_blank" rel="noopener noreferrer">{}{}'
        '<span class="visually-hidden">{}</span></a>',
        record.url, record, icon("external"), _("opens in the CRM"),
    )  # fmt: skip


@register.simple_tag
def live_state(row: DeliveryRow, *, is_update: bool = False) -> SafeString:
    """The state of a row; like the other live parts it changes while it is shown, and not in height."""
    reason = row.reason
    title = format_html(' title="{} {}"', reason.what, reason.do) if reason.what else ""
    words = format_html('<p class="ledger-reason small-print"{}>{}</p>', title, reason.what)
    return _live_part(row, "state", format_html("{}{}", badge(row.state, row.state_label), words), is_update)


@register.simple_tag
def live_fields(row: DeliveryRow, *, is_update: bool = False) -> SafeString:
    """How many of its fields came out which way."""
    counts = ((format_html(' class="{}"', each.look) if each.look else "", each.words) for each in row.counts)
    return _live_part(row, "fields", format_html_join("", "<span{}>{}</span>", counts), is_update)


@register.simple_tag
def live_tries(row: DeliveryRow, *, is_update: bool = False) -> SafeString:
    """How often it was tried."""
    return _live_part(row, "tries", number(row.delivery.attempt_count), is_update)


def _live_part(row: DeliveryRow, part: str, content: str, is_update: bool) -> SafeString:
    """What htmx puts into the place of the same part of the page (`is_update`)."""
    swap = SafeString(' hx-swap-oob="true"') if is_update else ""
    return format_html('<div id="d{}-{}" class="live-{}"{}>{}</div>', row.delivery.pk, part, part, swap, content)
