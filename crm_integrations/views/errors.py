"""Pages for what went wrong: what happened, why, and what to do or whom to ask."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.loader import get_template
from django.utils.translation import gettext as _

from crm_integrations.permission_labels import permission_label
from crm_integrations.services.roles import administrator_names


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """400: the browser sent something that could not be read."""
    return render(request, "errors/400.html", {"title": _("This request could not be read")}, status=400)


def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponse:
    """403: names what is missing and the people who can grant it."""
    missing = [permission_label(name) for name in getattr(exception, "permissions", ())]
    is_known = request.user.is_authenticated
    context = {
        "title": _("You may not open this page"),
        "missing": missing,
        "administrators": administrator_names() if is_known else [],
    }
    return render(request, "errors/403.html", context, status=403)


def page_not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """404: nothing is at this address."""
    return render(request, "errors/404.html", {"title": _("There is no page at this address")}, status=404)


def server_error(request: HttpRequest) -> HttpResponse:
    """500: stands alone; it asks neither the database nor the session."""
    return HttpResponse(get_template("errors/500.html").render(), status=500)
