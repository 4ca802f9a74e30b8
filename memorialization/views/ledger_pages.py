"""The page of an interaction and the page of a delivery."""

from functools import partial
from typing import Any, cast

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from crm_integrations.models import User
from crm_integrations.navigation import Crumb
from crm_integrations.permissions import EDIT_CONFIGURATIONS, VIEW_CONFIGURATIONS
from crm_integrations.views.access import requires
from memorialization.models import Delivery, Interaction
from memorialization.selectors.ledger_deliveries import delivery_or_404, delivery_rows
from memorialization.selectors.ledger_details import (
    delivery_sheet,
    delivery_sheets,
    is_unfinished,
    linked_records,
    page_version,
    record_names_of,
)
from memorialization.selectors.ledger_events import events_of
from memorialization.selectors.ledger_interactions import agent_name, interaction_or_404
from memorialization.selectors.ledger_matching import matching_entries, record_choices
from memorialization.selectors.ledger_records import configuration_account
from memorialization.selectors.ledger_timeline import delivery_timeline, interaction_timeline


@require_safe
@requires(VIEW_CONFIGURATIONS)
def show_interaction(request: HttpRequest, pk: int) -> HttpResponse:
    """What happened to one interaction, and what was written where."""
    interaction = interaction_or_404(pk)
    sheets = delivery_sheets(interaction)
    rows = [sheet.row for sheet in sheets]
    names, account = record_names_of(interaction), configuration_account(interaction.configuration)
    title_of = partial(names.title, account)
    context = {
        "interaction": interaction,
        "agent": agent_name(interaction),
        "sheets": sheets,
        "links": linked_records(interaction, names),
        "choices": record_choices(interaction, names),
        "entries": interaction_timeline(
            interaction,
            events_of(interaction),
            rows,
            title_of=title_of,
            matching=matching_entries(interaction, title_of),
        ),
        "breadcrumbs": interaction_trail(interaction),
        **_page_context(request, [row.delivery for row in rows], interaction),
    }
    return render(request, "memorialization/ledger/interaction_detail.html", context)


@require_safe
@requires(VIEW_CONFIGURATIONS)
def show_delivery(request: HttpRequest, pk: int) -> HttpResponse:
    """One write that is owed to one record: its fields, its tries, its end."""
    delivery = delivery_or_404(pk)
    row = delivery_rows([delivery])[0]
    context = {
        "delivery": delivery,
        "sheet": delivery_sheet(row),
        "replays": delivery.replays.order_by("pk").values_list("pk", flat=True),
        "entries": delivery_timeline(row),
        "breadcrumbs": delivery_trail(delivery),
        **_page_context(request, [delivery], delivery.interaction),
    }
    return render(request, "memorialization/ledger/delivery_detail.html", context)


@require_safe
@requires(VIEW_CONFIGURATIONS)
def show_interaction_change(request: HttpRequest, pk: int) -> HttpResponse:
    """Whether the interaction's page is out of date."""
    interaction = interaction_or_404(pk)
    deliveries = list(Delivery.objects.filter(interaction=interaction).defer("fields"))
    return _change(request, deliveries, interaction, reverse("interaction_detail", args=[pk]))


@require_safe
@requires(VIEW_CONFIGURATIONS)
def show_delivery_change(request: HttpRequest, pk: int) -> HttpResponse:
    """Whether the delivery's page is out of date."""
    delivery = delivery_or_404(pk)
    return _change(request, [delivery], delivery.interaction, reverse("delivery_detail", args=[pk]))


def interaction_trail(interaction: Interaction, *names: str) -> list[Crumb]:
    """Interactions › this one › names."""
    own = str(interaction.contact)
    if not names:
        return [Crumb(_("Interactions"), reverse("interaction_list")), Crumb(own)]
    page = Crumb(own, reverse("interaction_detail", args=[interaction.pk]))
    return [Crumb(_("Interactions"), reverse("interaction_list")), page, *(Crumb(name) for name in names)]


def delivery_trail(delivery: Delivery, *names: str) -> list[Crumb]:
    """Deliveries › this one › names."""
    own = _("Delivery %(number)d") % {"number": delivery.pk}
    if not names:
        return [Crumb(_("Deliveries"), reverse("delivery_list")), Crumb(own)]
    page = Crumb(own, reverse("delivery_detail", args=[delivery.pk]))
    return [Crumb(_("Deliveries"), reverse("delivery_list")), page, *(Crumb(name) for name in names)]


def person_of(request: HttpRequest) -> User:
    """Who acts; `requires` has let nobody in who did not sign in."""
    return cast(User, request.user)


def _page_context(request: HttpRequest, deliveries: list[Delivery], interaction: Interaction) -> dict[str, Any]:
    """What both pages have: who may act, and the address that tells whether something has changed."""
    address = f"{request.path}changes/?seen={page_version(interaction, deliveries)}"
    return {
        "may_edit": request.user.has_perm(EDIT_CONFIGURATIONS),
        "news_url": address if is_unfinished(interaction, deliveries) else "",
    }


def _change(request: HttpRequest, deliveries: list[Delivery], interaction: Interaction, page: str) -> HttpResponse:
    has_changed = request.GET.get("seen", "") != page_version(interaction, deliveries)
    context = {
        "words": _("This page has changed") if has_changed else "",
        "list_url": page,
        "news_url": "" if has_changed else request.get_full_path(),
    }
    return render(request, "memorialization/ledger/news.html", context)
