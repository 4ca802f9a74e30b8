"""The Record matching tab of a configuration: the rules in their order, each with its switch."""

from uuid import UUID

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from crm_integrations.permissions import EDIT_CONFIGURATIONS, VIEW_CONFIGURATIONS
from crm_integrations.selectors.configurations import configuration_or_404, find_provider
from crm_integrations.services.configurations import StateChanged
from crm_integrations.services.matching_settings import MatchingChanged, change_matching, matching_version
from crm_integrations.views.access import requires
from crm_integrations.views.configurations import page_context
from crm_integrations.views.posted import posted_data
from crm_integrations.views.signed_in import SignedInRequest
from memorialization.forms.record_matching import RecordMatchingForm
from memorialization.selectors.target_types import record_type_titles

TAB = "record_matching"


@require_http_methods(["GET", "HEAD", "POST"])
@requires(VIEW_CONFIGURATIONS)
def show_rules(request: SignedInRequest, pk: UUID) -> HttpResponse:
    """Look at the rules; with the right to edit the configuration, change them."""
    may_edit = request.user.has_perm(EDIT_CONFIGURATIONS)
    if request.method == "POST" and not may_edit:
        raise PermissionDenied
    stored, shown = configuration_or_404(pk), configuration_or_404(pk)  # the form writes into its own copy
    provider, title_of = find_provider(stored), record_type_titles(stored)
    form = RecordMatchingForm(
        posted_data(request), instance=shown, provider=provider, title_of=title_of, may_edit=may_edit
    )
    status = 200
    if request.method == "POST" and form.is_valid():
        try:
            changed = change_matching(
                configuration=stored, changes=form.settings(), seen=form.cleaned_data["seen"], actor=request.user
            )
        except MatchingChanged:
            status = 409
            form.add_error(None, _("The rules were changed in another window meanwhile. Check them, then save again."))
            seen_now = request.POST.copy()
            seen_now["seen"] = matching_version(stored)
            form.data = seen_now
        except StateChanged:
            messages.warning(request, _("The configuration was deleted in another window meanwhile."))
            return redirect("configuration_list")
        else:
            messages.success(request, _("Record matching saved.") if changed else _("Nothing was changed."))
            return redirect("record_matching", stored.pk)
    context = {
        **page_context(request, stored, TAB, _("Record matching")),
        "form": form,
        "person_title": title_of(provider.person_type) if provider and provider.person_type else "",
        "case_title": title_of(provider.case_type) if provider and provider.case_type else "",
    }
    status = 422 if form.errors and status == 200 else status
    return render(request, "memorialization/record_matching.html", context, status=status)
