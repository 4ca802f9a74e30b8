"""Parts of the ledger's rows, of which a list shows hundreds: a template for each would take longer than the rest."""

from django import template
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from crm_integrations.templatetags.components import badge, icon
from crm_integrations.templatetags.moments import moment, number
from memorialization.selectors.ledger_deliveries import DeliveryRow
from memorialization.selectors.ledger_records import RecordName

register = template.Library()


@register.simple_tag
def delivery_tick(row: DeliveryRow) -> SafeString | str:
    """Where a delivery is chosen for a replay; nothing for one that cannot be replayed."""
    if not row.is_replayable:
        return ""
    return format_html(
        '<input class="form-check-input" type="checkbox" form="replay-form" name="delivery" value="{}"'
        ' aria-label="{}">',
        row.delivery.pk, _("Choose delivery %(number)s") % {"number": row.delivery.pk},
    )  # fmt: skip


@register.simple_tag
def delivery_moment(row: DeliveryRow) -> SafeString:
    """When it was planned, as the way to its page, and what it repeats."""
    delivery, kind = row.delivery, ""
    if delivery.replay_of_id:
        kind = pgettext("noun", "Replay")
    elif delivery.revision > 1:
        kind = _("Revision %(number)s") % {"number": delivery.revision}
    return format_html(
        '<a class="row-link" href="{}">{}<span class="visually-hidden"> {}</span></a><p class="small-print">{}</p>',
        reverse("delivery_detail", args=[delivery.pk]), moment(delivery.created_at),
        _("delivery %(number)s") % {"number": delivery.pk}, kind,
    )  # fmt: skip


@register.simple_tag
def delivery_interaction(row: DeliveryRow, *, is_in_configuration: bool | str = False) -> SafeString:
    """Whose interaction it writes, as the way to it; and by which configuration, unless the page is about that."""
    interaction = row.delivery.interaction
    agent = f" · {interaction.agent_id}" if interaction.agent_id else ""
    configuration = format_html('<p class="small-print">{}</p>', row.delivery.configuration.name)
    return format_html(
        '<a class="row-link mono" href="{}">{}</a><p class="small-print">{}{}</p>{}',
        reverse("interaction_detail", args=[interaction.pk]), interaction.contact.contact_id,
        interaction.get_channel_display(), agent, "" if is_in_configuration else configuration,
    )  # fmt: skip


@register.simple_tag
def delivery_record(row: DeliveryRow) -> SafeString:
    """The record it is written to, and the mappings that say what."""
    mappings = format_html_join("", '<p class="small-print">{}</p>', ((name,) for name in row.mappings))
    return format_html("{}{}", record_link(row.record), mappings)


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
