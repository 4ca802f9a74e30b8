"""The Data Memorialization tab: the list of mappings, and what can be done with one besides editing it."""

from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from crm_integrations.selectors.configurations import configuration_or_404
from crm_integrations.selectors.mappings import entity_titles, mapping_or_404
from crm_integrations.views.access import requires
from crm_integrations.views.mapping_lists import (
    answer_delete,
    answer_duplicate,
    answer_switch,
    mapping_trail,
    show_tab,
    tab_context,
)
from crm_integrations.views.signed_in import SignedInRequest
from memorialization.mapping_kind import KIND, WORDS
from memorialization.models import MemorializationMapping
from memorialization.selectors.mappings import mapping_lines, version_lines
from memorialization.services.mappings import MAPPINGS


@require_safe
@requires(*KIND.view_permissions)
def list_mappings(request: SignedInRequest, pk: UUID) -> HttpResponse:
    """Every mapping of the configuration with the acts that the person may do."""
    return show_tab(request, KIND, WORDS, pk, lines=mapping_lines)


@require_safe
@requires(*KIND.view_permissions)
def show_versions(request: SignedInRequest, pk: UUID, mapping_id: int) -> HttpResponse:
    """What the mapping says now, and every version it had with the difference in words."""
    configuration = configuration_or_404(pk)
    mapping = mapping_or_404(MemorializationMapping, configuration, mapping_id)
    lines = version_lines(mapping)
    context = {
        **tab_context(request, KIND, configuration),
        "mapping": mapping,
        "breadcrumbs": mapping_trail(KIND, configuration, mapping.name),
        "versions": lines,
        "current": lines[0].contents if lines else None,
        "titles": entity_titles(configuration),
    }
    return render(request, "memorialization/mappings/versions.html", context)


@requires(*KIND.delete_permissions)
def delete(request: SignedInRequest, pk: UUID, mapping_id: int) -> HttpResponse:
    """Asks first; what was planned already is still written."""
    return answer_delete(
        request,
        MAPPINGS,
        pk,
        mapping_id,
        text=_("The mapping and its versions are deleted. This cannot be undone."),
        consequences=[
            _("Interactions that fall due from now on are no longer written by it."),
            _("Deliveries that are planned already are still written."),
            _("The audit trail keeps what it said last."),
        ],
    )


@require_POST
@requires(*KIND.edit_permissions)
def switch(request: SignedInRequest, pk: UUID, mapping_id: int) -> HttpResponse:
    """Activate (`active=1`) or deactivate; refused with the names of mappings that write the same fields."""
    return answer_switch(request, MAPPINGS, pk, mapping_id)


@require_POST
@requires(*KIND.create_permissions)
def duplicate(request: SignedInRequest, pk: UUID, mapping_id: int) -> HttpResponse:
    """An inactive copy, opened in the editor when the person may edit it."""
    return answer_duplicate(request, MAPPINGS, pk, mapping_id)
