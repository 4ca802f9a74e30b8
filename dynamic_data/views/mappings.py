"""The Dynamic Data tab: the list of mappings, and what can be done with one besides editing it."""

from uuid import UUID

from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from crm_integrations.models import Configuration
from crm_integrations.selectors.configurations import configuration_or_404, effective_state
from crm_integrations.views.access import requires
from crm_integrations.views.breadcrumbs import configuration_trail
from crm_integrations.views.mapping_lists import answer_delete, answer_duplicate, answer_switch, tab_context
from crm_integrations.views.signed_in import SignedInRequest
from dynamic_data.mapping_kind import KIND, WORDS
from dynamic_data.models import DynamicDataMapping
from dynamic_data.selectors.mappings import mapping_lines, mappings_of
from dynamic_data.services.mappings import delete_mapping, duplicate_mapping, set_mapping_active


@require_safe
@requires(*KIND.view_permissions)
def list_mappings(request: SignedInRequest, pk: UUID) -> HttpResponse:
    """Every mapping of the configuration with the acts that the person may do."""
    configuration = configuration_or_404(pk)
    context = {
        **tab_context(request, KIND, configuration),
        "state": effective_state(configuration),
        "breadcrumbs": configuration_trail(configuration, _("Dynamic Data")),
        "lines": mapping_lines(configuration),
        "words": WORDS,
    }
    return render(request, "dynamic_data/mappings/list.html", context)


@requires(*KIND.delete_permissions)
def delete(request: SignedInRequest, pk: UUID, mapping_id: int) -> HttpResponse:
    """Asks first."""
    mapping = mapping_or_404(configuration_or_404(pk), mapping_id)
    return answer_delete(
        request,
        KIND,
        mapping,
        delete=lambda: delete_mapping(mapping=mapping, actor=request.user),
        text=_("The mapping is deleted. This cannot be undone."),
        consequences=[
            _("Agents no longer see the fields it shows."),
            _("The audit trail keeps what it said last."),
        ],
    )


@require_POST
@requires(*KIND.edit_permissions)
def switch(request: SignedInRequest, pk: UUID, mapping_id: int) -> HttpResponse:
    """Activate (`active=1`) or deactivate; refused with the names of mappings that show the same record types."""
    mapping = mapping_or_404(configuration_or_404(pk), mapping_id)
    return answer_switch(
        request,
        KIND,
        mapping,
        switch=lambda is_active: set_mapping_active(mapping=mapping, is_active=is_active, actor=request.user),
    )


@require_POST
@requires(*KIND.create_permissions)
def duplicate(request: SignedInRequest, pk: UUID, mapping_id: int) -> HttpResponse:
    """An inactive copy, opened in the editor when the person may edit it."""
    mapping = mapping_or_404(configuration_or_404(pk), mapping_id)
    return answer_duplicate(request, KIND, duplicate=lambda: duplicate_mapping(mapping=mapping, actor=request.user))


def mapping_or_404(configuration: Configuration, mapping_id: int) -> DynamicDataMapping:
    """The mapping, if it is one of this configuration."""
    mapping = mappings_of(configuration).filter(pk=mapping_id).first()
    if mapping is None:
        raise Http404
    return mapping
