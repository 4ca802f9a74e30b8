"""Signing in and out, the own password, and the choice of language and theme."""

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import views as auth_views
from django.contrib.auth.forms import AuthenticationForm
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect
from django.urls import reverse_lazy
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from crm_integrations.models import User
from crm_integrations.navigation import THEME_COOKIE_NAME, Crumb, navigation_links
from crm_integrations.preferences import PreferencesForm
from crm_integrations.services.preferences import store_preferences
from crm_integrations.services.roles import mark_administrators_as_staff
from crm_integrations.views.access import MissingPermission, requires

COOKIE_AGE_S = 365 * 24 * 3600
COOKIE_NAMES = {"language": settings.LANGUAGE_COOKIE_NAME, "theme": THEME_COOKIE_NAME}


class SignInView(auth_views.LoginView):
    """The sign-in page; those who are signed in already go on to where they wanted."""

    template_name = "accounts/login.html"
    redirect_authenticated_user = True
    extra_context = {"title": gettext_lazy("Sign in")}

    def form_valid(self, form: AuthenticationForm) -> HttpResponse:
        """Open /admin/ for people who were made administrators since they last came."""
        mark_administrators_as_staff(users=User.objects.filter(pk=form.get_user().pk))
        return super().form_valid(form)


class PasswordView(auth_views.PasswordChangeView):
    """Changes the own password; other sessions of the account end with it."""

    template_name = "accounts/password.html"
    success_url = reverse_lazy("password_change")
    extra_context = {
        "title": gettext_lazy("Change password"),
        "breadcrumbs": [Crumb(gettext_lazy("Account")), Crumb(gettext_lazy("Change password"))],
    }

    def form_valid(self, form: Any) -> HttpResponse:
        """Say that it is done."""
        messages.success(self.request, _("Your password was changed."))
        return super().form_valid(form)


@requires()
def start(request: HttpRequest) -> HttpResponse:
    """`/`: the first page of the navigation that the person may open."""
    links = navigation_links(request)
    if not links:
        raise MissingPermission()
    return redirect(links[0].url)


@require_POST
def preferences(request: HttpRequest) -> HttpResponse:
    """Take the language or theme and go back to where the person was; unknown values change nothing."""
    form = PreferencesForm(request.POST)
    form.is_valid()
    choices = form.choices_made()
    response = HttpResponseRedirect(_safe_next(request))
    if request.user.is_authenticated and choices:
        store_preferences(user=request.user, choices=choices)
    for name, value in choices.items():
        response.set_cookie(
            COOKIE_NAMES[name], value, max_age=COOKIE_AGE_S, samesite="Lax", httponly=True, secure=request.is_secure()
        )
    return response


def admin_sign_in(request: HttpRequest) -> HttpResponse:
    """One sign-in page for all: /admin/'s own leads here, and says no to those who may not use the raw tables."""
    if request.user.is_authenticated:
        raise MissingPermission("crm_integrations.change_user")
    next_url = request.GET.get("next", reverse_lazy("admin:index"))
    return auth_views.redirect_to_login(str(next_url))


def _safe_next(request: HttpRequest) -> str:
    url = request.POST.get("next", "")
    hosts = {request.get_host()}
    is_safe = url_has_allowed_host_and_scheme(url, allowed_hosts=hosts, require_https=request.is_secure())
    return url if is_safe else "/"
