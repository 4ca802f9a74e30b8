"""What a person can do in the ledger: replay deliveries, link and unlink records. Each asks first."""

import uuid
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from crm_integrations.database_clock import read_database_clock
from crm_integrations.permissions import EDIT_CONFIGURATIONS
from crm_integrations.views.access import requires
from memorialization.events.schema import RecordLink
from memorialization.forms.record_links import RecordLinkForm
from memorialization.models import Interaction
from memorialization.selectors.ledger_details import linkable_types, linked_records, record_names_of
from memorialization.selectors.ledger_interactions import interaction_or_404
from memorialization.services.record_links import (
    RecordMissing,
    RecordUnchecked,
    check_record,
    link_record,
    unlink_record,
)
from memorialization.views.ledger_pages import interaction_trail, person_of

ASKS = ["GET", "HEAD", "POST"]


@require_http_methods(ASKS)
@requires(EDIT_CONFIGURATIONS)
def link(request: HttpRequest, pk: int) -> HttpResponse:
    """Tie a CRM record to the interaction, after a look whether it exists."""
    interaction = interaction_or_404(pk)
    types = linkable_types(interaction)
    form = RecordLinkForm(request.POST or None, types=types)
    if request.method == "POST" and form.is_valid() and _is_linkable(form, interaction):
        return _link(request, form, interaction)
    context = {
        **_window(interaction, _("Link a record")),
        "form": form,
        "has_types": bool(types),
        "is_planned": interaction.state == Interaction.State.PLANNED,
        "configuration": interaction.configuration,
    }
    status = 422 if form.is_bound else 200
    return render(request, "memorialization/ledger/link_form.html", context, status=status)


@require_http_methods(ASKS)
@requires(EDIT_CONFIGURATIONS)
def unlink(request: HttpRequest, pk: int) -> HttpResponse:
    """Untie a record from the interaction."""
    interaction = interaction_or_404(pk)
    wanted = RecordLink(request.GET.get("type", ""), request.GET.get("id", ""))
    known = linked_records(interaction, record_names_of(interaction))
    records = {RecordLink(record.entity_type, record.name.id): record for record in known}
    record = records.get(wanted)
    if record is None:
        raise Http404
    if request.method == "POST":
        unlink_record(
            interaction=interaction,
            record=wanted,
            event_id=uuid.uuid4(),
            actor=person_of(request),
            now=read_database_clock(),
        )
        messages.success(request, _("%(record)s is unlinked.") % {"record": record.name})
        return redirect("interaction_detail", pk)
    context = {
        **_window(interaction, _("Unlink %(record)s?") % {"record": record.name}),
        "text": _("The interaction is no longer written to this record."),
        "consequences": [
            _("What waits for the record is skipped."),
            _("What was written to it stays; nothing is taken back in the CRM."),
            _("It can be linked again."),
        ],
        "confirm_label": _("Unlink"),
    }
    return render(request, "confirm.html", context)


def _is_linkable(form: RecordLinkForm, interaction: Interaction) -> bool:
    """Whether the CRM knows the record; when it cannot say so, whether the person wants the link nevertheless."""
    record = RecordLink(form.cleaned_data["entity_type"], form.cleaned_data["record_id"])
    if form.cleaned_data["is_unchecked"]:
        return True
    try:
        check_record(configuration=interaction.configuration, record=record)
    except RecordMissing:
        form.add_error("record_id", _("The CRM has no such record, or the system user may not see it."))
    except RecordUnchecked as unchecked:
        form.offer_unchecked(_("The record could not be checked: %(why)s") % {"why": unchecked})
    return not form.errors


def _link(request: HttpRequest, form: RecordLinkForm, interaction: Interaction) -> HttpResponse:
    given = form.cleaned_data
    record = RecordLink(given["entity_type"], given["record_id"])
    now = read_database_clock()
    if link_record(
        interaction=interaction, record=record, event_id=given["event_id"], actor=person_of(request), now=now
    ):
        messages.success(request, _linked_words(interaction))
    else:
        messages.info(request, _("The record was linked already; nothing was changed."))
    return redirect("interaction_detail", interaction.pk)


def _linked_words(interaction: Interaction) -> str:
    if interaction.state == Interaction.State.PLANNED:
        return _("The record is linked; the interaction's values are being written to it.")
    return _("The record is linked; it is written to when the interaction falls due.")


def _window(interaction: Interaction, title: str) -> dict[str, Any]:
    return {
        "title": title,
        "interaction": interaction,
        "back_url": reverse("interaction_detail", args=[interaction.pk]),
        "breadcrumbs": interaction_trail(interaction, title),
    }
