"""The two lists of the ledger, and the fragments with which they stay up to date."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_safe

from crm_integrations.permissions import EDIT_CONFIGURATIONS, VIEW_CONFIGURATIONS
from crm_integrations.views.access import requires
from memorialization.forms.ledger_filters import LedgerFilterForm
from memorialization.models import Delivery, Interaction
from memorialization.selectors.ledger_branches import delivery_branches, interaction_branches
from memorialization.selectors.ledger_deliveries import delivery_rows, readable_deliveries
from memorialization.selectors.ledger_filters import LedgerFilters
from memorialization.selectors.ledger_interactions import interaction_rows, readable_interactions
from memorialization.selectors.ledger_slices import (
    NEWS_LIMIT,
    PAGE_ROWS,
    Branches,
    LedgerSlice,
    count_news,
    slice_ledger,
)
from memorialization.selectors.ledger_states import DELIVERY_STATES, INTERACTION_STATES

Row = TypeVar("Row", bound=Model)
LARGEST_ID = 2**63 - 1
NOT_STATE = ("q", "configuration", "channel", "since", "until", "reason")


@dataclass(frozen=True, slots=True)
class Chip:
    """A choice of the state row, or a criterion that can be taken away again."""

    label: str
    url: str
    is_active: bool = False
    count: None = None


@require_safe
@requires(VIEW_CONFIGURATIONS)
def list_deliveries(request: HttpRequest) -> HttpResponse:
    """Deliveries, newest first."""
    form = LedgerFilterForm(request.GET, states=DELIVERY_STATES, has_reason=True)
    filters = form.filters()
    page = _page_of(request, delivery_branches(filters), readable_deliveries(Delivery.objects.all()))
    rows = delivery_rows(page.rows)
    unfinished = [row.delivery.pk for row in rows if row.is_unfinished]
    context = {
        **_list_context("delivery_list", form, filters, page),
        "rows": rows,
        "news_url": _news_url("delivery_news", filters, page, unfinished),
        "may_replay": request.user.has_perm(EDIT_CONFIGURATIONS) and any(row.is_replayable for row in rows),
    }
    return render(request, "memorialization/ledger/delivery_list.html", context)


@require_safe
@requires(VIEW_CONFIGURATIONS)
def list_interactions(request: HttpRequest) -> HttpResponse:
    """Interactions, newest first."""
    form = LedgerFilterForm(request.GET, states=INTERACTION_STATES, has_reason=False)
    filters = form.filters()
    page = _page_of(request, interaction_branches(filters), readable_interactions(Interaction.objects.all()))
    context = {
        **_list_context("interaction_list", form, filters, page),
        "rows": interaction_rows(page.rows),
        "news_url": _news_url("interaction_news", filters, page, []),
    }
    return render(request, "memorialization/ledger/interaction_list.html", context)


@require_safe
@requires(VIEW_CONFIGURATIONS)
def show_delivery_news(request: HttpRequest) -> HttpResponse:
    """How many deliveries came since, and the present state of those that the page shows as unfinished."""
    filters = LedgerFilterForm(request.GET, states=DELIVERY_STATES, has_reason=True).filters()
    shown = [_read_id(text) for text in request.GET.get("open", "").split(",")[:PAGE_ROWS]]
    rows = delivery_rows(readable_deliveries(Delivery.objects.filter(pk__in=[pk for pk in shown if pk])))
    unfinished = [row.delivery.pk for row in rows if row.is_unfinished]
    return _news(request, "delivery", filters, delivery_branches, {"changed": rows}, unfinished)


@require_safe
@requires(VIEW_CONFIGURATIONS)
def show_interaction_news(request: HttpRequest) -> HttpResponse:
    """How many interactions came since."""
    filters = LedgerFilterForm(request.GET, states=INTERACTION_STATES, has_reason=False).filters()
    return _news(request, "interaction", filters, interaction_branches, {}, [])


def _page_of(request: HttpRequest, branches: Branches[Row], readable: QuerySet[Row]) -> LedgerSlice[Row]:
    before, after = (_read_id(request.GET.get(name)) for name in ("before", "after"))
    return slice_ledger(branches, readable, before=before, after=after)


def _read_id(text: str | None) -> int | None:
    """A row's id out of an address; None for anything else."""
    if not text or not text.isascii() or not text.isdigit():
        return None
    return min(int(text[:20]), LARGEST_ID)


def _list_context(
    list_name: str, form: LedgerFilterForm, filters: LedgerFilters, page: LedgerSlice[Any]
) -> dict[str, Any]:
    address = reverse(list_name)
    return {
        "form": form,
        "filters": filters,
        "list_url": address,
        "state_chips": _state_chips(address, form.states, filters),
        "criteria": _criteria(address, form, filters),
        "newer_url": _address(address, filters, f"after={page.newer}") if page.newer is not None else "",
        "older_url": _address(address, filters, f"before={page.older}") if page.older is not None else "",
        "breadcrumbs": [],
    }


def _state_chips(address: str, states: Mapping[str, str | Promise], filters: LedgerFilters) -> list[Chip]:
    every = {"": _("Every state"), **states}
    return [
        Chip(str(label), _address(address, filters, state=key), is_active=filters.state == key)
        for key, label in every.items()
    ]


def _criteria(address: str, form: LedgerFilterForm, filters: LedgerFilters) -> list[Chip]:
    """Each criterion beside the state, with the address of the list without it."""
    named = [name for name in NOT_STATE if getattr(filters, name)]
    words = {"q": _("“%(value)s”"), "since": _("From %(value)s"), "until": _("To %(value)s")}
    return [
        Chip(words.get(name, "%(value)s") % {"value": form.described(name)}, _address(address, filters, **{name: ""}))
        for name in named
    ]


def _address(address: str, filters: LedgerFilters, extra: str = "", **changes: Any) -> str:
    query = "&".join(filter(None, [filters.as_query(**changes), extra]))
    return f"{address}?{query}" if query else address


def _news_url(name: str, filters: LedgerFilters, page: LedgerSlice[Any], unfinished: list[int]) -> str:
    """Where the page asks for news; empty on an older page with nothing unfinished: there the past stands still."""
    after = (page.rows[0].pk if page.rows else 0) if page.newer is None else None
    if after is None and not unfinished:
        return ""
    return _address(reverse(name), filters, _news_query(after, unfinished))


def _news_query(after: int | None, unfinished: list[int]) -> str:
    parts = {"after": after, "open": ",".join(str(pk) for pk in unfinished)}
    return "&".join(f"{name}={value}" for name, value in parts.items() if value not in {None, ""})


def _news(
    request: HttpRequest,
    noun: str,
    filters: LedgerFilters,
    find: Callable[[LedgerFilters], Branches[Any]],
    context: dict[str, Any],
    unfinished: list[int],
) -> HttpResponse:
    after = _read_id(request.GET.get("after"))
    count = count_news(find(filters), after=after) if after is not None else 0
    context = {
        **context,
        "words": _news_words(noun, count) if count else "",
        "list_url": _address(reverse(f"{noun}_list"), filters),
        "news_url": _address(reverse(f"{noun}_news"), filters, _news_query(after, unfinished)),
    }
    return render(request, "memorialization/ledger/news.html", context)


def _news_words(noun: str, count: int) -> str:
    if count > NEWS_LIMIT:
        return _("Over %(limit)d new ones") % {"limit": NEWS_LIMIT}
    if noun == "delivery":
        words = ngettext("%(count)d new delivery", "%(count)d new deliveries", count)
    else:
        words = ngettext("%(count)d new interaction", "%(count)d new interactions", count)
    return words % {"count": count}
