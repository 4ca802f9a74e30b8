"""Preview: a record of the administrator's choice as the customer card shows it to agents."""

from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import render
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from crm_integrations.error_explanations import explain_crm_error
from crm_integrations.models import Configuration
from crm_integrations.providers.base import EntityType
from crm_integrations.providers.errors import CRMError
from crm_integrations.selectors.configurations import configuration_or_404, effective_state
from crm_integrations.services.catalogue import read_entity_types
from crm_integrations.views.access import requires
from crm_integrations.views.mapping_lists import mapping_trail, tab_context
from crm_integrations.views.signed_in import SignedInRequest
from dynamic_data.forms.preview import PreviewForm
from dynamic_data.mapping_kind import KIND
from dynamic_data.services.customer_card import CardReader, CardRefused, CustomerCard, build_record_card


@require_safe
@requires(*KIND.view_permissions)
def show(request: SignedInRequest, pk: UUID) -> HttpResponse:
    """The form, and the card of what it names; nothing is linked and nothing is written."""
    configuration = configuration_or_404(pk)
    entity_types, problem = _read_entity_types(configuration)
    is_asked = any(request.GET.get(name) for name in ("entityType", "id", "link"))
    form = PreviewForm(request.GET if is_asked else None, configuration=configuration, entity_types=entity_types)
    card = None
    if is_asked and form.is_valid():
        try:
            card = _build_card(configuration, form)
        except CardRefused as refused:
            problem = refused.reason
    context = {
        **tab_context(request, KIND, configuration),
        "state": effective_state(configuration),
        "breadcrumbs": mapping_trail(KIND, configuration, _("Preview")),
        "form": form,
        "card": card,
        "problem": problem,
    }
    return render(request, "dynamic_data/preview.html", context, status=422 if is_asked and form.errors else 200)


def _build_card(configuration: Configuration, form: PreviewForm) -> CustomerCard | None:
    if form.reference is None:
        return None
    reader = CardReader(get_language() or "en", configuration.time_zone)
    return build_record_card(configuration=configuration, reference=form.reference, reader=reader)


def _read_entity_types(configuration: Configuration) -> tuple[list[EntityType], str]:
    if configuration.authentication is None:
        return [], _("Connect an account first: its fields are what a mapping shows.")
    try:
        return read_entity_types(authentication=configuration.authentication), ""
    except CRMError as error:
        return [], explain_crm_error(error)
