"""The Authentication window: the accounts there are, a new one, and after the consent rights, domain and Finish."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from crm_integrations.forms.authentications import (
    ExternalDomainForm,
    SelectionForm,
    folded_names,
    make_account_form,
    make_name_form,
)
from crm_integrations.models import Configuration
from crm_integrations.providers.base import CRMProvider
from crm_integrations.providers.errors import CRMError, GrantEnded
from crm_integrations.selectors.authentications import latest_request, right_lines, selectable_authentications
from crm_integrations.selectors.configurations import configuration_or_404, find_provider
from crm_integrations.services.authorization import begin_authorization
from crm_integrations.services.configurations import StateChanged, finish_authentication, select_authentication
from crm_integrations.services.rights import recheck_rights
from crm_integrations.views.access import requires
from crm_integrations.views.breadcrumbs import configuration_trail
from crm_integrations.views.posted import posted_data
from crm_integrations.views.refusal_notes import take_refusal
from crm_integrations.views.set_up_access import check_may_set_up
from crm_integrations.views.signed_in import SignedInRequest


@require_safe
@requires()
def show_window(request: SignedInRequest, pk: UUID) -> HttpResponse:
    """The window as it opens."""
    configuration, provider = _draft_and_provider(request, pk)
    if configuration.state != Configuration.State.DRAFT:
        return redirect("configuration_detail", configuration.pk)
    return _render_window(request, configuration, provider)


@require_http_methods(["GET", "HEAD", "POST"])
@requires()
def select_account(request: SignedInRequest, pk: UUID) -> HttpResponse:
    """Take one of the accounts that exist, after asking the CRM whether it still opens."""
    configuration, provider = _draft_and_provider(request, pk)
    if request.method != "POST":
        return redirect("configuration_authentication", configuration.pk)
    form = SelectionForm(request.POST, choices=selectable_authentications(configuration))
    if not form.is_valid():
        return _render_window(request, configuration, provider, selection_form=form)
    authentication = form.cleaned_data["authentication"]
    try:
        recheck_rights(
            authentication=authentication, configuration=configuration, actor=request.user, now=timezone.now()
        )
    except GrantEnded:
        authentication.refresh_from_db(fields=["state"])
    except CRMError:
        messages.warning(request, _("The CRM could not be asked for the rights of the system user; check them later."))
    try:
        select_authentication(configuration=configuration, authentication=authentication, actor=request.user)
    except StateChanged:
        form.add_error("authentication", _("This account cannot be used now: it must be re-authenticated first."))
        return _render_window(request, configuration, provider, selection_form=form)
    return redirect("configuration_rights", configuration.pk)


@require_http_methods(["GET", "HEAD", "POST"])
@requires()
def create_authentication(request: SignedInRequest, pk: UUID) -> HttpResponse:
    """Remember what was typed and go to the consent page."""
    configuration, provider = _draft_and_provider(request, pk)
    if request.method != "POST":
        return redirect("configuration_authentication", configuration.pk)
    typed: dict[str, Any] = {
        "configuration": configuration,
        "provider": provider,
        "earlier": None,
        "data": request.POST,
    }
    name_form, account_form = make_name_form(**typed), make_account_form(**typed)
    if not (name_form.is_valid() & account_form.is_valid()):
        return _render_window(request, configuration, provider, name_form=name_form, account_form=account_form)
    options = {name: value for name, value in account_form.cleaned_data.items() if name != "address" and value}
    url = begin_authorization(
        configuration=configuration,
        address=account_form.cleaned_data["address"],
        name=name_form.cleaned_data["authentication_name"],
        options=options,
        actor=request.user,
        session_key=str(request.session.session_key),
        now=timezone.now(),
    )
    return redirect(url)


@require_safe
@requires()
def show_address(request: SignedInRequest, pk: UUID) -> HttpResponse:
    """What the typed address is read as: a line for the window, while one types."""
    configuration, provider = _draft_and_provider(request, pk)
    form = provider.authentication_form(request.GET)
    form.is_valid()
    address = form.cleaned_data.get("address", "")
    context: dict[str, Any] = {
        "url": provider.account_url(address) if address else "",
        "problems": form.errors.get("address", []) if request.GET.get("address", "").strip() else [],
    }
    return render(request, "crm_integrations/account_address.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@requires()
def show_rights(request: SignedInRequest, pk: UUID) -> HttpResponse:
    """What the system user may do; the way on is Next, or Finish where nothing more is asked."""
    configuration, provider = _draft_and_provider(request, pk)
    if configuration.authentication is None:
        return redirect("configuration_authentication", configuration.pk)
    if request.method == "POST":
        return _finish(request, configuration, configuration.external_domain)
    authentication = configuration.authentication
    context = {
        **_window_context(configuration),
        "authentication": authentication,
        "account_url": provider.account_url(authentication.account.address),
        "rights": right_lines(authentication.rights, provider),
        "asks_external_domain": provider.asks_external_domain,
    }
    return render(request, "crm_integrations/window_rights.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@requires()
def ask_external_domain(request: SignedInRequest, pk: UUID) -> HttpResponse:
    """The domain for record links, where the integration type asks for it."""
    configuration, provider = _draft_and_provider(request, pk)
    if configuration.authentication is None or not provider.asks_external_domain:
        return redirect("configuration_rights", configuration.pk)
    form = ExternalDomainForm(posted_data(request), provider=provider, configuration=configuration)
    if request.method == "POST" and form.is_valid():
        return _finish(request, configuration, form.cleaned_data["external_domain"])
    context = {**_window_context(configuration), "form": form}
    return render(request, "crm_integrations/window_domain.html", context, status=422 if form.errors else 200)


def _finish(request: SignedInRequest, configuration: Configuration, external_domain: str) -> HttpResponse:
    try:
        finish_authentication(configuration=configuration, external_domain=external_domain, actor=request.user)
    except StateChanged:
        messages.warning(request, _("The configuration was deleted in another window meanwhile."))
        return redirect("configuration_list")
    messages.success(request, _("Authentication is active."))
    is_draft = configuration.state == Configuration.State.DRAFT
    return redirect("configuration_setup" if is_draft else "configuration_detail", configuration.pk)


def _draft_and_provider(request: SignedInRequest, pk: UUID) -> tuple[Configuration, CRMProvider]:
    configuration = configuration_or_404(pk)
    check_may_set_up(request, configuration)
    provider = find_provider(configuration)
    if provider is None:
        raise Http404
    return configuration, provider


def _render_window(
    request: SignedInRequest, configuration: Configuration, provider: CRMProvider, **forms: Any
) -> HttpResponse:
    typed: dict[str, Any] = {
        "configuration": configuration,
        "provider": provider,
        "earlier": latest_request(configuration, actor=request.user),
    }
    accounts = list(selectable_authentications(configuration))
    name_form = forms.get("name_form") or make_name_form(**typed)
    account_form = forms.get("account_form") or make_account_form(**typed)
    folded = folded_names(account_form)
    context = {
        **_window_context(configuration),
        "accounts": accounts,
        "selection_form": forms.get("selection_form"),
        "selected": str(request.POST.get("authentication") or configuration.authentication_id or ""),
        "name_form": name_form,
        "account_form": account_form,
        "plain_fields": [field for field in account_form if field.name not in folded],
        "folded_fields": [field for field in account_form if field.name in folded],
        "is_folded_open": any(account_form[name].value() for name in folded),
        "is_new_open": not accounts or bool(typed["earlier"]) or name_form.is_bound,
        "refusal": take_refusal(request),
        "type_label": provider.label,
    }
    status = 422 if forms else 200
    return render(request, "crm_integrations/window.html", context, status=status)


def _window_context(configuration: Configuration) -> dict[str, Any]:
    is_draft = configuration.state == Configuration.State.DRAFT
    back = "configuration_setup" if is_draft else "configuration_detail"
    return {
        "title": _("Authentication"),
        "configuration": configuration,
        "back_url": reverse(back, args=[configuration.pk]),
        "breadcrumbs": configuration_trail(configuration, _("Authentication")),
    }
