"""Administration › CRM accounts: how the delivery engine uses each account's limits, live."""

from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from crm_integrations.administration import administration_tabs
from crm_integrations.forms.head_room import HeadRoomForm
from crm_integrations.models import CRMAccount
from crm_integrations.navigation import Crumb
from crm_integrations.permissions import DELETE_CONFIGURATIONS, EDIT_CONFIGURATIONS, VIEW_CONFIGURATIONS
from crm_integrations.selectors.authentications import authentication_uses
from crm_integrations.services.head_room import change_head_room
from crm_integrations.views.access import check_permissions, requires
from crm_integrations.views.signed_in import SignedInRequest
from memorialization.selectors.account_load import (
    account_or_404,
    account_url,
    read_account_lines,
    read_account_load,
    type_label,
)
from memorialization.views.account_charts import build_charts

LIST = "account_list"


@require_safe
@requires(VIEW_CONFIGURATIONS)
def list_accounts(request: SignedInRequest) -> HttpResponse:
    """One line per account."""
    context = {
        "tabs": administration_tabs(user=request.user, current=LIST),
        "breadcrumbs": [],
        **_list_context(),
    }
    return render(request, "memorialization/accounts/list.html", context)


@require_safe
@requires(VIEW_CONFIGURATIONS)
def show_list_live(request: SignedInRequest) -> HttpResponse:
    """The lines as they are now."""
    return render(request, "memorialization/accounts/list_live.html", _list_context())


@require_http_methods(["GET", "HEAD", "POST"])
@requires(VIEW_CONFIGURATIONS)
def show_account(request: SignedInRequest, pk: int) -> HttpResponse:
    """Everything about one account; by POST, the head-room is changed."""
    account = account_or_404(pk)
    is_change = request.method == "POST"
    if is_change:
        check_permissions(request, EDIT_CONFIGURATIONS)
    initial = {"percent": account.head_room_percent}
    form = HeadRoomForm(request.POST, initial=initial) if is_change else HeadRoomForm(initial=initial)
    if is_change and form.is_valid():
        changed = change_head_room(account_id=account.pk, percent=form.cleaned_data["percent"], actor=request.user)
        messages.success(request, _("Head-room saved.") if changed else _("Nothing was changed."))
        return redirect("account_detail", account.pk)
    context = {
        **_page_context(account),
        **_live_context(account),
        "charts": build_charts(account=account, now=timezone.now()),
        "form": form,
        "may_edit": request.user.has_perm(EDIT_CONFIGURATIONS),
        "may_remove": request.user.has_perm(DELETE_CONFIGURATIONS),
    }
    return render(request, "memorialization/accounts/detail.html", context, status=422 if form.errors else 200)


@require_safe
@requires(VIEW_CONFIGURATIONS)
def show_account_live(request: SignedInRequest, pk: int) -> HttpResponse:
    """The figures as they are now."""
    return render(request, "memorialization/accounts/live_answer.html", _live_context(account_or_404(pk)))


@require_safe
@requires(VIEW_CONFIGURATIONS)
def show_account_charts(request: SignedInRequest, pk: int) -> HttpResponse:
    """The charts as they are now."""
    account = account_or_404(pk)
    context = {"account": account, "charts": build_charts(account=account, now=timezone.now())}
    return render(request, "memorialization/accounts/charts.html", context)


def _list_context() -> dict[str, Any]:
    now = timezone.now()
    lines = [(line, type_label(line.account)) for line in read_account_lines(now=now)]
    return {"lines": lines, "now": now}


def _live_context(account: CRMAccount) -> dict[str, Any]:
    now = timezone.now()
    load = read_account_load(account=account, now=now)
    return {"load": load, "account": load.account, "now": now}


def _page_context(account: CRMAccount) -> dict[str, Any]:
    return {
        "type_label": type_label(account),
        "account_url": account_url(account),
        "uses": authentication_uses(account),
        "breadcrumbs": [
            Crumb(_("Administration"), reverse("administration")),
            Crumb(_("CRM accounts"), reverse(LIST)),
            Crumb(account.address),
        ],
    }
