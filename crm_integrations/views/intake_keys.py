"""Intake keys of a configuration: create (shown once), rotate, revoke."""

from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from crm_integrations.encryption import UnreadableSecret, decrypt_text, encrypt_text
from crm_integrations.forms.intake_keys import KeyForm, RotationForm
from crm_integrations.models import Configuration, IntakeKey
from crm_integrations.permissions import EDIT_CONFIGURATIONS
from crm_integrations.selectors.configurations import configuration_or_404
from crm_integrations.selectors.intake_keys import readable_keys
from crm_integrations.services.intake_keys import IntakeKeyEnded, create_key, revoke_key, rotate_key
from crm_integrations.views.access import requires
from crm_integrations.views.breadcrumbs import configuration_trail
from crm_integrations.views.posted import posted_data
from crm_integrations.views.signed_in import SignedInRequest

SESSION_KEY = "new_intake_key"  # [id, encrypted text]: from the post that made it to the one page that shows it
ASKS = ["GET", "HEAD", "POST"]


@require_http_methods(ASKS)
@requires(EDIT_CONFIGURATIONS)
def create(request: SignedInRequest, pk: UUID) -> HttpResponse:
    """A new key."""
    configuration = configuration_or_404(pk)
    form = KeyForm(posted_data(request))
    if request.method == "POST" and form.is_valid():
        key, text = create_key(configuration=configuration, **form.cleaned_data, actor=request.user, now=timezone.now())
        return _show_next(request, key, text)
    return _ask(request, configuration, form, _("New intake key"), _("Create key"))


@require_safe
@requires(EDIT_CONFIGURATIONS)
def show_new_key(request: SignedInRequest, pk: UUID, key_id: int) -> HttpResponse:
    """The one page that shows a key; leaving it is for good."""
    configuration = configuration_or_404(pk)
    key = get_object_or_404(readable_keys(configuration), pk=key_id)
    text = _take_text(request, key)
    if not text:
        messages.warning(request, _("A key is shown only once. If it was not kept, revoke it and create another."))
        return redirect("configuration_detail", configuration.pk)
    context = {
        **_window(configuration, _("Your new intake key")),
        "key": key,
        "text_of_key": text,
        "events_url": f"{settings.SITE_URL}/api/v1/configurations/{configuration.pk}/events",
    }
    response = render(request, "crm_integrations/intake_key_new.html", context)
    response.headers["Cache-Control"] = "no-store"
    return response


@require_http_methods(ASKS)
@requires(EDIT_CONFIGURATIONS)
def rotate(request: SignedInRequest, pk: UUID, key_id: int) -> HttpResponse:
    """A successor for a key, which goes on working for a while."""
    configuration = configuration_or_404(pk)
    key = get_object_or_404(readable_keys(configuration), pk=key_id)
    form = RotationForm(posted_data(request))
    if request.method == "POST" and form.is_valid():
        try:
            successor, text = rotate_key(key=key, overlap=form.overlap_span(), actor=request.user, now=timezone.now())
        except IntakeKeyEnded:
            messages.warning(request, _("This key is being replaced or has ended already; nothing was changed."))
            return redirect("configuration_detail", configuration.pk)
        return _show_next(request, successor, text)
    title = _("Rotate “%(label)s”") % {"label": key.label}
    return _ask(request, configuration, form, title, _("Create new key"))


@require_http_methods(ASKS)
@requires(EDIT_CONFIGURATIONS)
def revoke(request: SignedInRequest, pk: UUID, key_id: int) -> HttpResponse:
    """End a key at once."""
    configuration = configuration_or_404(pk)
    key = get_object_or_404(readable_keys(configuration), pk=key_id)
    if request.method == "POST":
        is_new = revoke_key(key=key, actor=request.user, now=timezone.now())
        messages.success(request, _("Key revoked.") if is_new else _("The key was revoked already."))
        return redirect("configuration_detail", configuration.pk)
    context = {
        **_window(configuration, _("Revoke “%(label)s”?") % {"label": key.label}),
        "text": _("Whoever still uses this key (ending in %(hint)s) is refused at once.") % {"hint": key.hint},
        "confirm_label": _("Revoke key"),
        "is_dangerous": True,
    }
    return render(request, "confirm.html", context)


def _show_next(request: SignedInRequest, key: IntakeKey, text: str) -> HttpResponse:
    request.session[SESSION_KEY] = [key.pk, encrypt_text(text)]
    return redirect("intake_key_new", key.configuration_id, key.pk)


def _take_text(request: SignedInRequest, key: IntakeKey) -> str:
    key_id, stored = request.session.get(SESSION_KEY, [None, ""])
    if key_id != key.pk:
        return ""
    del request.session[SESSION_KEY]
    try:
        return decrypt_text(stored)
    except UnreadableSecret:
        return ""


def _ask(
    request: SignedInRequest, configuration: Configuration, form: KeyForm | RotationForm, title: str, action: str
) -> HttpResponse:
    context = {**_window(configuration, title), "form": form, "action": action}
    return render(request, "crm_integrations/intake_key_form.html", context, status=422 if form.errors else 200)


def _window(configuration: Configuration, title: str) -> dict[str, Any]:
    return {
        "title": title,
        "configuration": configuration,
        "back_url": reverse("configuration_detail", args=[configuration.pk]),
        "breadcrumbs": configuration_trail(configuration, _("Intake keys")),
    }
