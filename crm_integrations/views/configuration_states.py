"""Deactivating, reactivating and deleting a configuration; each asks first."""

from collections.abc import Callable, Mapping
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_http_methods

from crm_integrations.models import Configuration
from crm_integrations.models.configurations import RESTORE_DAYS
from crm_integrations.overview import deletion_impact
from crm_integrations.permissions import DELETE_CONFIGURATIONS, EDIT_CONFIGURATIONS
from crm_integrations.selectors.configurations import configuration_or_404
from crm_integrations.selectors.intake_keys import key_rows
from crm_integrations.services.configurations import (
    StateChanged,
    deactivate_configuration,
    delete_configuration,
    reactivate_configuration,
)
from crm_integrations.views.access import requires
from crm_integrations.views.breadcrumbs import configuration_trail
from crm_integrations.views.signed_in import SignedInRequest

CHANGED_MEANWHILE = gettext_lazy("The configuration was changed in another window meanwhile; here is how it is now.")
ASKS = ["GET", "HEAD", "POST"]


@require_http_methods(ASKS)
@requires(EDIT_CONFIGURATIONS)
def deactivate(request: SignedInRequest, pk: UUID) -> HttpResponse:
    """Stop a configuration until somebody starts it again."""
    configuration = configuration_or_404(pk)
    if request.method == "POST":
        return _attempt(request, configuration, deactivate_configuration, gettext_lazy("Configuration deactivated."))
    consequences = [
        _("Events are refused from now on; the sender learns that the configuration is deactivated."),
        _("Deliveries that wait are held and go on when the configuration is reactivated."),
        _("Mappings, keys and the authentication stay as they are."),
    ]
    context = {
        "title": _("Deactivate “%(name)s”?") % {"name": configuration.name},
        "text": _("The configuration stops until it is reactivated."),
        "consequences": consequences,
        "confirm_label": _("Deactivate"),
        "is_dangerous": True,
    }
    return _ask(request, configuration, context)


@require_http_methods(ASKS)
@requires(EDIT_CONFIGURATIONS)
def reactivate(request: SignedInRequest, pk: UUID) -> HttpResponse:
    """Start a deactivated configuration again."""
    configuration = configuration_or_404(pk)
    if request.method == "POST":
        return _attempt(request, configuration, reactivate_configuration, gettext_lazy("Configuration reactivated."))
    context = {
        "title": _("Reactivate “%(name)s”?") % {"name": configuration.name},
        "text": _("Events are accepted again, and deliveries that were held go on in order."),
        "confirm_label": _("Reactivate"),
    }
    return _ask(request, configuration, context)


@require_http_methods(ASKS)
@requires(DELETE_CONFIGURATIONS)
def delete(request: SignedInRequest, pk: UUID) -> HttpResponse:
    """Delete a configuration after its name was typed and what goes with it was shown."""
    configuration = configuration_or_404(pk)
    error = ""
    if request.method == "POST":
        if request.POST.get("typed_name", "").strip() == configuration.name:
            return _delete(request, configuration)
        error = _("This is not the name of the configuration. Type it exactly as shown.")
    context = {
        "title": _("Delete “%(name)s”?") % {"name": configuration.name},
        "text": _("The configuration stops at once and disappears from every list. It takes along:"),
        "consequences": _impact(configuration),
        "confirm_label": _("Delete configuration"),
        "is_dangerous": True,
        "typed_name": configuration.name,
        "error": error,
    }
    return _ask(request, configuration, context, status=422 if error else 200)


def _delete(request: SignedInRequest, configuration: Configuration) -> HttpResponse:
    try:
        delete_configuration(configuration=configuration, actor=request.user, now=timezone.now())
    except StateChanged:
        messages.info(request, _("The configuration was deleted already."))
    else:
        words = _("“%(name)s” was deleted. It can be restored for %(days)d days; its name is free again.")
        messages.success(request, words % {"name": configuration.name, "days": RESTORE_DAYS})
    return redirect("configuration_list")


def _impact(configuration: Configuration) -> list[str]:
    keys = sum(row.is_usable for row in key_rows(configuration, now=timezone.now()))
    lines = [
        _("%(what)s: %(count)d") % {"what": line.label, "count": line.count} for line in deletion_impact(configuration)
    ]
    lines.append(
        ngettext("%(count)d intake key stops working", "%(count)d intake keys stop working", keys) % {"count": keys}
    )
    lines.append(_("The authentication stays and can be used by other configurations."))
    lines.append(_("Everything can be restored for %(days)d days.") % {"days": RESTORE_DAYS})
    return lines


def _attempt(
    request: SignedInRequest, configuration: Configuration, act: Callable[..., None], done: str | Promise
) -> HttpResponse:
    try:
        act(configuration=configuration, actor=request.user)
    except StateChanged:
        messages.warning(request, str(CHANGED_MEANWHILE))
    else:
        messages.success(request, str(done))
    return redirect("configuration_detail", configuration.pk)


def _ask(
    request: SignedInRequest, configuration: Configuration, context: Mapping[str, object], status: int = 200
) -> HttpResponse:
    frame = {
        "back_url": reverse("configuration_detail", args=[configuration.pk]),
        "breadcrumbs": configuration_trail(configuration, str(context["confirm_label"])),
    }
    return render(request, "confirm.html", {**context, **frame}, status=status)
