"""Replaying deliveries: one, or those ticked on the list; what will happen is said first."""

import re
from collections import Counter
from collections.abc import Sequence

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_http_methods

from crm_integrations.database_clock import read_database_clock
from crm_integrations.models import Configuration
from crm_integrations.permissions import EDIT_CONFIGURATIONS
from crm_integrations.views.access import requires
from memorialization.models import Delivery
from memorialization.selectors.ledger_deliveries import (
    DeliveryRow,
    delivery_or_404,
    delivery_rows,
    readable_deliveries,
)
from memorialization.selectors.ledger_states import HELD
from memorialization.services.replays import PRUNED, ReplayRefused, replay_delivery
from memorialization.views.ledger_pages import delivery_trail, person_of

ASKS = ["GET", "HEAD", "POST"]
SELECTION_LIMIT = 100
ID = re.compile(r"[0-9]{1,18}")
REFUSALS = {
    "sending": gettext_lazy("It is being sent right now; wait for what comes of it."),
    "no_record": gettext_lazy("It has no record. Link one to the interaction: the values are then written to it."),
    "nothing_to_write": gettext_lazy("It has nothing to write: every value is blank, withheld or left out."),
    "erased": gettext_lazy("What was stored about its contact was erased."),
    PRUNED: gettext_lazy("It is not there any more: the history of its time was deleted meanwhile."),
    "not_authenticated": gettext_lazy("The configuration is connected to no account. Authenticate it first."),
    "unlinked": gettext_lazy("The record was unlinked from the interaction. Link it again to write to it."),
    "replayed": gettext_lazy("It was replayed before; what became of it is shown with that replay."),
    "error": gettext_lazy("It could not be replayed because of an error in the product; the log names it."),
}


@require_http_methods(ASKS)
@requires(EDIT_CONFIGURATIONS)
def replay(request: HttpRequest, pk: int) -> HttpResponse:
    """Send one delivery again."""
    delivery = delivery_or_404(pk)
    if request.method == "POST":
        return _replay_one(request, delivery)
    row = delivery_rows([delivery])[0]
    context = {
        "title": _("Replay the delivery to %(record)s?") % {"record": row.record},
        "text": what_happens_to(row),
        "consequences": [] if row.is_waiting_now else _consequences([row]),
        "confirm_label": _("Try now") if row.is_waiting_now else _("Replay"),
        "back_url": reverse("delivery_detail", args=[pk]),
        "breadcrumbs": delivery_trail(delivery, _("Replay")),
    }
    return render(request, "confirm.html", context)


@require_http_methods(ASKS)
@requires(EDIT_CONFIGURATIONS)
def replay_selection(request: HttpRequest) -> HttpResponse:
    """Send the deliveries again that were ticked; they are named in the address."""
    rows = _selected_rows(request)
    if not rows:
        messages.info(request, _("Tick the deliveries to replay first."))
        return redirect("delivery_list")
    if len(rows) > SELECTION_LIMIT:
        messages.error(request, _("At most %(limit)d deliveries are replayed at a time.") % {"limit": SELECTION_LIMIT})
        return redirect("delivery_list")
    if request.method == "POST":
        return _replay_rows(request, rows)
    count = len(rows)
    title = ngettext("Replay %(count)d delivery?", "Replay %(count)d deliveries?", count) % {"count": count}
    context = {
        "title": title,
        "text": _("Each takes its place in the order of its record, within the limits of the CRM."),
        "consequences": _consequences(rows),
        "confirm_label": ngettext("Replay %(count)d delivery", "Replay %(count)d deliveries", count) % {"count": count},
        "back_url": reverse("delivery_list"),
        "breadcrumbs": [],
    }
    return render(request, "confirm.html", context)


def _selected_rows(request: HttpRequest) -> list[DeliveryRow]:
    """The rows that the address names, one more than may be replayed at most."""
    ids = {int(text) for text in request.GET.getlist("delivery") if ID.fullmatch(text)}
    present = Delivery.objects.exclude(configuration__state=Configuration.State.DELETED)
    found = readable_deliveries(present.filter(pk__in=sorted(ids)[: SELECTION_LIMIT + 1]))
    return delivery_rows(found.order_by("pk"))


def _replay_one(request: HttpRequest, delivery: Delivery) -> HttpResponse:
    try:
        replayed = replay_delivery(delivery=delivery, actor=person_of(request), now=read_database_clock())
    except ReplayRefused as refused:
        messages.error(request, str(REFUSALS.get(refused.reason, refused.reason)))
        return redirect("delivery_list") if refused.reason == PRUNED else redirect("delivery_detail", delivery.pk)
    words = _("It is tried now.") if replayed.pk == delivery.pk else _("It is being sent again, as this delivery.")
    messages.success(request, words)
    return redirect("delivery_detail", replayed.pk)


def _replay_rows(request: HttpRequest, rows: Sequence[DeliveryRow]) -> HttpResponse:
    """Each in a transaction of its own: one that is refused keeps back no other."""
    refused: Counter[str] = Counter()
    for row in rows:
        try:
            replay_delivery(delivery=row.delivery, actor=person_of(request), now=read_database_clock())
        except ReplayRefused as refusal:
            refused[refusal.reason] += 1
    done = len(rows) - refused.total()
    if done:
        words = ngettext("%(count)d delivery is being sent again.", "%(count)d deliveries are being sent again.", done)
        messages.success(request, words % {"count": done})
    for reason, count in refused.items():
        words = ngettext("%(count)d was not replayed. %(why)s", "%(count)d were not replayed. %(why)s", count)
        messages.warning(request, words % {"count": count, "why": REFUSALS.get(reason, reason)})
    return redirect("delivery_list")


def what_happens_to(row: DeliveryRow) -> str:
    """What a replay does with one delivery."""
    if row.is_waiting_now:
        return _("It waits for its next try; it will be tried now instead.")
    return _("The same values are sent again, as a new revision of this delivery.")


def _consequences(rows: Sequence[DeliveryRow]) -> list[str]:
    """What a replay does to these, by what they are now."""
    blocked = sum(not row.is_replayable for row in rows)
    held = sum(row.state == HELD for row in rows)
    again = sum(row.delivery.state == Delivery.State.DELIVERED for row in rows)
    counted = (
        (blocked, ngettext("%(count)d cannot be replayed now and is left out.",
                           "%(count)d cannot be replayed now and are left out.", blocked)),
        (held, ngettext("%(count)d is held and goes on when its account is authenticated.",
                        "%(count)d are held and go on when their account is authenticated.", held)),
        (again, ngettext("%(count)d was delivered before; the same values are written once more.",
                         "%(count)d were delivered before; the same values are written once more.", again)),
    )  # fmt: skip
    return [
        *(words % {"count": count} for count, words in counted if count),
        _("A newer value on the record is never overwritten; such a field says “superseded”."),
        _("An internal note that is on the record already is not posted a second time."),
    ]
