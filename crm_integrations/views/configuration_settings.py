"""The Settings tab of a configuration."""

from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from crm_integrations.forms.configurations import SettingsForm
from crm_integrations.permissions import EDIT_CONFIGURATIONS
from crm_integrations.selectors.configurations import configuration_or_404, find_provider
from crm_integrations.services.configurations import NameTaken, StateChanged, change_configuration
from crm_integrations.views.access import requires
from crm_integrations.views.configurations import page_context
from crm_integrations.views.posted import posted_data
from crm_integrations.views.signed_in import SignedInRequest


@require_http_methods(["GET", "HEAD", "POST"])
@requires(EDIT_CONFIGURATIONS)
def change_settings(request: SignedInRequest, pk: UUID) -> HttpResponse:
    """Name, rules and where records are looked for."""
    stored, shown = configuration_or_404(pk), configuration_or_404(pk)  # the form writes into its own copy
    form = SettingsForm(posted_data(request), instance=shown, provider=find_provider(stored))
    if request.method == "POST" and form.is_valid():
        try:
            changed = change_configuration(configuration=stored, changes=form.settings(), actor=request.user)
        except NameTaken:
            form.add_error("name", _("Another configuration has this name. Choose a different one."))
        except StateChanged:
            messages.warning(request, _("The configuration was deleted in another window meanwhile."))
            return redirect("configuration_list")
        else:
            messages.success(request, _("Settings saved.") if changed else _("Nothing was changed."))
            return redirect("configuration_settings", stored.pk)
    context = {**page_context(request, stored, "configuration_settings", _("Settings")), "form": form}
    status = 422 if form.errors else 200
    return render(request, "crm_integrations/configuration_settings.html", context, status=status)
