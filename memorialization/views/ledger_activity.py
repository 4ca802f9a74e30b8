"""The Activity tab of a configuration: its newest interactions and deliveries."""

from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from crm_integrations.permissions import VIEW_CONFIGURATIONS
from crm_integrations.selectors.configurations import configuration_or_404, effective_state
from crm_integrations.tabs import configuration_tabs
from crm_integrations.views.access import requires
from crm_integrations.views.breadcrumbs import configuration_trail
from memorialization.selectors.ledger_deliveries import newest_deliveries
from memorialization.selectors.ledger_filters import LedgerFilters
from memorialization.selectors.ledger_interactions import newest_interactions

TAB = "configuration_activity"
ROWS = 10


@require_safe
@requires(VIEW_CONFIGURATIONS)
def show_activity(request: HttpRequest, pk: UUID) -> HttpResponse:
    """The last of both, with ways to everything."""
    configuration = configuration_or_404(pk)
    query = LedgerFilters(configuration=pk).as_query()
    context = {
        "configuration": configuration,
        "state": effective_state(configuration),
        "tabs": configuration_tabs(configuration=configuration, user=request.user, current=TAB),
        "breadcrumbs": configuration_trail(configuration, _("Activity")),
        "interactions": newest_interactions(pk, limit=ROWS),
        "deliveries": newest_deliveries(pk, limit=ROWS),
        "interactions_url": f"{reverse('interaction_list')}?{query}",
        "deliveries_url": f"{reverse('delivery_list')}?{query}",
    }
    return render(request, "memorialization/ledger/activity.html", context)
