"""Removing an authentication from the page of its account, after a question."""

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from crm_integrations.administration import account_page_url
from crm_integrations.models import Authentication
from crm_integrations.navigation import Crumb
from crm_integrations.permissions import DELETE_CONFIGURATIONS
from crm_integrations.services.authentication_removal import (
    AuthenticationNeeded,
    find_removal_obstacles,
    remove_authentication,
)
from crm_integrations.views.access import requires
from crm_integrations.views.signed_in import SignedInRequest


@require_http_methods(["GET", "HEAD", "POST"])
@requires(DELETE_CONFIGURATIONS)
def remove(request: SignedInRequest, pk: int) -> HttpResponse:
    """Ask, then remove it; what still needs it is named instead."""
    authentication = _authentication_or_404(pk)
    back_url = account_page_url(user=request.user, account_id=authentication.account_id) or reverse("administration")
    now = timezone.now()
    if request.method == "POST":
        return _remove(request, authentication, back_url)
    obstacles = find_removal_obstacles(authentication=authentication, now=now)
    if obstacles:
        return _refuse(request, authentication, obstacles, back_url)
    context = {
        "title": _("Remove the authentication “%(name)s”?") % {"name": authentication.name},
        "text": _("No configuration uses it. This cannot be undone; it can be authenticated anew."),
        "consequences": [
            _("Its tokens are deleted here, and the CRM is told to end them."),
            _("The audit trail keeps who removed it and when."),
        ],
        "confirm_label": _("Remove authentication"),
        "is_dangerous": True,
        "back_url": back_url,
        "breadcrumbs": [Crumb(_("Administration"), reverse("administration")), Crumb(authentication.name)],
    }
    return render(request, "confirm.html", context)


def _remove(request: SignedInRequest, authentication: Authentication, back_url: str) -> HttpResponse:
    name = authentication.name
    try:
        was_told = remove_authentication(authentication=authentication, actor=request.user, now=timezone.now())
    except AuthenticationNeeded as needed:
        return _refuse(request, authentication, needed.reasons, back_url)
    except Authentication.DoesNotExist as error:
        raise Http404 from error
    messages.success(request, _("The authentication “%(name)s” was removed.") % {"name": name})
    if not was_told:
        messages.warning(request, _("The CRM could not be told; end the access of this connection there."))
    return redirect(back_url)


def _refuse(
    request: SignedInRequest, authentication: Authentication, reasons: list[str], back_url: str
) -> HttpResponse:
    words = _("The authentication “%(name)s” cannot be removed. %(reasons)s")
    messages.error(request, words % {"name": authentication.name, "reasons": " ".join(reasons)})
    return redirect(back_url)


def _authentication_or_404(pk: int) -> Authentication:
    rows = Authentication.objects.select_related("account").defer("access_token", "refresh_token")
    authentication = rows.filter(pk=pk).first()
    if authentication is None:
        raise Http404
    return authentication
