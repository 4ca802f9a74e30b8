"""The list of deleted configurations, and restoring one after a question."""

from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_safe

from crm_integrations.models import Configuration
from crm_integrations.models.configurations import RESTORE_DAYS
from crm_integrations.overview import deletion_impact
from crm_integrations.permissions import DELETE_CONFIGURATIONS
from crm_integrations.selectors.deleted_configurations import configuration_even_deleted_or_404, deleted_rows
from crm_integrations.selectors.intake_keys import key_rows
from crm_integrations.services.configurations import NameTaken, StateChanged
from crm_integrations.services.restoration import restorable_since, restore_configuration
from crm_integrations.views.access import requires
from crm_integrations.views.breadcrumbs import list_trail
from crm_integrations.views.signed_in import SignedInRequest

State = Configuration.State


@require_safe
@requires(DELETE_CONFIGURATIONS)
def list_deleted(request: SignedInRequest) -> HttpResponse:
    """What was deleted in the last RESTORE_DAYS, by whom, and until when it can be restored."""
    context = {
        "rows": deleted_rows(now=timezone.now()),
        "days": RESTORE_DAYS,
        "breadcrumbs": list_trail(_("Deleted configurations")),
    }
    return render(request, "crm_integrations/deleted_configurations.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@requires(DELETE_CONFIGURATIONS)
def restore(request: SignedInRequest, pk: UUID) -> HttpResponse:
    """Ask, then bring it back; what is there already, or gone for good, is said instead."""
    configuration, now = configuration_even_deleted_or_404(pk), timezone.now()
    if configuration.deleted_at is None or configuration.deleted_at <= restorable_since(now):
        return _explain(request, configuration)
    if request.method == "POST":
        return _restore(request, configuration)
    context = {
        "title": _("Restore “%(name)s”?") % {"name": configuration.name},
        "text": _("The configuration comes back with its mappings, its history and its Configuration ID."),
        "consequences": _consequences(configuration),
        "confirm_label": _("Restore configuration"),
        "back_url": reverse("configuration_deleted_list"),
        "breadcrumbs": list_trail(configuration.name, _("Restore configuration")),
    }
    return render(request, "confirm.html", context)


def _restore(request: SignedInRequest, configuration: Configuration) -> HttpResponse:
    former = configuration.name
    try:
        restore_configuration(configuration=configuration, actor=request.user, now=timezone.now())
    except StateChanged:
        return _explain(request, configuration_even_deleted_or_404(configuration.pk))
    except NameTaken:
        messages.error(
            request, _("Too many configurations are named “%(name)s”. Rename one of them.") % {"name": former}
        )
        return redirect("configuration_deleted_list")
    if configuration.name != former:
        words = _("Another configuration is named “%(former)s” now, so it was restored as “%(name)s”.")
        messages.warning(request, words % {"former": former, "name": configuration.name})
    if configuration.state == State.DRAFT:
        words = _("“%(name)s” was restored as a draft. Continue its set-up to use it.")
    else:
        words = _("“%(name)s” was restored and is deactivated. Reactivate it when it is to work again.")
    messages.success(request, words % {"name": configuration.name})
    return redirect("configuration_detail", configuration.pk)


def _explain(request: SignedInRequest, configuration: Configuration) -> HttpResponse:
    """Why there is nothing to restore."""
    if configuration.deleted_at is None:
        messages.info(request, _("“%(name)s” is not deleted; it was restored already.") % {"name": configuration.name})
        return redirect("configuration_detail", configuration.pk)
    if configuration.deleted_at <= restorable_since(timezone.now()):
        words = _("“%(name)s” was deleted more than %(days)d days ago and can no longer be restored.")
        messages.error(request, words % {"name": configuration.name, "days": RESTORE_DAYS})
    else:
        messages.warning(request, _("Something of it was changed just now. Try again."))
    return redirect("configuration_deleted_list")


def _consequences(configuration: Configuration) -> list[str]:
    keys = sum(row.is_usable for row in key_rows(configuration, now=timezone.now()))
    if configuration.state_before_deletion == State.DRAFT or configuration.authentication_id is None:
        lines = [_("It comes back as a draft: its set-up has to be finished before it works.")]
    else:
        lines = [_("It comes back deactivated: nothing is accepted or sent until it is reactivated.")]
    if configuration.authentication_id is None:
        lines.append(_("Its authentication does not exist any more; choose another one."))
    lines += [
        _("%(what)s: %(count)d") % {"what": line.label, "count": line.count} for line in deletion_impact(configuration)
    ]
    words = ngettext(
        "%(count)d intake key that was not revoked is valid again.",
        "%(count)d intake keys that were not revoked are valid again.",
        keys,
    )
    return [*lines, words % {"count": keys}]
