"""New CRM Configuration: one page in three parts, saved as a draft as soon as it has a name."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from crm_integrations.forms.configurations import BasicsForm
from crm_integrations.models import Configuration, User
from crm_integrations.permissions import CREATE_CONFIGURATIONS
from crm_integrations.selectors.authentications import right_lines
from crm_integrations.selectors.configurations import configuration_or_404, find_provider
from crm_integrations.services.configurations import (
    NameTaken,
    StateChanged,
    activate_configuration,
    change_configuration,
    change_draft_type,
    create_draft,
)
from crm_integrations.views.access import requires
from crm_integrations.views.breadcrumbs import list_trail
from crm_integrations.views.posted import posted_data
from crm_integrations.views.set_up_access import check_may_set_up
from crm_integrations.views.signed_in import SignedInRequest

AUTHENTICATE = "authenticate"  # the value of the button that goes on to the window


@require_http_methods(["GET", "HEAD", "POST"])
@requires(CREATE_CONFIGURATIONS)
def create_configuration(request: SignedInRequest) -> HttpResponse:
    """Part 1 alone is open; saving it makes the draft."""
    form = BasicsForm(posted_data(request))
    if request.method == "POST" and form.is_valid():
        try:
            draft = create_draft(**form.cleaned_data, actor=request.user)
        except NameTaken as error:
            own = _own_draft(error.existing, request.user)
            if own is not None:
                messages.info(request, _("You had begun a draft of this name already; here it is."))
                return redirect("configuration_setup", own.pk)
            _refuse_name(form)
        else:
            return _after_saving(request, draft)
    return _render_set_up(request, form, configuration=None)


@require_http_methods(["GET", "HEAD", "POST"])
@requires()
def set_up_configuration(request: SignedInRequest, pk: UUID) -> HttpResponse:
    """A draft's page; Save activates it once it has its account."""
    configuration = configuration_or_404(pk)
    check_may_set_up(request, configuration)
    if configuration.state != Configuration.State.DRAFT:
        messages.info(request, _("The set-up of this configuration is finished; here is its overview."))
        return redirect("configuration_detail", configuration.pk)
    form = BasicsForm(posted_data(request), configuration=configuration)
    if request.method == "POST" and form.is_valid():
        try:
            _change_basics(configuration, form, request.user)
            return _after_saving(request, configuration)
        except NameTaken:
            _refuse_name(form)
        except StateChanged:
            messages.warning(request, _("The configuration was changed in another window meanwhile; look at it again."))
            return redirect("configuration_setup", configuration.pk)
    return _render_set_up(request, form, configuration=configuration)


def _change_basics(configuration: Configuration, form: BasicsForm, actor: User) -> None:
    change_draft_type(configuration=configuration, integration_type=form.cleaned_data["integration_type"], actor=actor)
    changes = {name: form.cleaned_data[name] for name in ("name", "description")}
    change_configuration(configuration=configuration, changes=changes, actor=actor)


def _after_saving(request: SignedInRequest, configuration: Configuration) -> HttpResponse:
    if request.POST.get("then") == AUTHENTICATE:
        return redirect(_window_address(request, configuration))
    if configuration.authentication_id is None:
        messages.success(request, _("Saved as a draft. Authenticate next."))
        return redirect("configuration_setup", configuration.pk)
    activate_configuration(configuration=configuration, actor=request.user)
    messages.success(request, _("The configuration is saved and active."))
    return redirect("configuration_detail", configuration.pk)


def _window_address(request: SignedInRequest, configuration: Configuration) -> str:
    """Over the set-up page where scripts can open a window, else the window as a page."""
    if request.POST.get("has_script"):
        return reverse("configuration_setup", args=[configuration.pk]) + "?window=authentication"
    return reverse("configuration_authentication", args=[configuration.pk])


def _render_set_up(request: SignedInRequest, form: BasicsForm, *, configuration: Configuration | None) -> HttpResponse:
    context: dict[str, Any] = {
        "form": form,
        "configuration": configuration,
        "breadcrumbs": list_trail(configuration.name if configuration else _("New CRM Configuration")),
        "opens_window": request.GET.get("window") == "authentication",
        **(_authentication_context(configuration) if configuration else {}),
    }
    status = 422 if form.errors else 200
    return render(request, "crm_integrations/set_up.html", context, status=status)


def _authentication_context(configuration: Configuration) -> dict[str, Any]:
    authentication, provider = configuration.authentication, find_provider(configuration)
    if authentication is None or provider is None:
        return {"authentication": None}
    return {
        "authentication": authentication,
        "account_url": provider.account_url(authentication.account.address),
        "failing": [line for line in right_lines(authentication.rights, provider) if line.outcome == "fail"],
    }


def _own_draft(existing: Configuration | None, user: User) -> Configuration | None:
    """The configuration of that name, when it is the same person's draft: most likely a double submit."""
    if existing is None or existing.created_by_id != user.pk:
        return None
    return existing if existing.state == Configuration.State.DRAFT else None


def _refuse_name(form: BasicsForm) -> None:
    form.add_error("name", _("Another configuration has this name. Choose a different one."))
