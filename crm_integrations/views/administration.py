"""`/administration/`: the first of its pages that the person may open."""

from django.http import HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_safe

from crm_integrations.administration import administration_tabs
from crm_integrations.permissions import VIEW_CONFIGURATIONS
from crm_integrations.views.access import MissingPermission, requires
from crm_integrations.views.signed_in import SignedInRequest


@require_safe
@requires(VIEW_CONFIGURATIONS)
def start(request: SignedInRequest) -> HttpResponse:
    """Go to the first section."""
    tabs = administration_tabs(user=request.user)
    if not tabs:
        raise MissingPermission
    return redirect(tabs[0].url)
