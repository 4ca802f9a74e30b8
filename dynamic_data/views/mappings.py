"""The Dynamic Data tab: the list of mappings, and what can be done with one besides editing it."""

from uuid import UUID

from django.http import HttpResponse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from crm_integrations.views.access import requires
from crm_integrations.views.mapping_lists import answer_delete, answer_duplicate, answer_switch, show_tab
from crm_integrations.views.signed_in import SignedInRequest
from dynamic_data.mapping_kind import KIND, WORDS
from dynamic_data.selectors.mappings import mapping_lines
from dynamic_data.services.mappings import MAPPINGS


@require_safe
@requires(*KIND.view_permissions)
def list_mappings(request: SignedInRequest, pk: UUID) -> HttpResponse:
    """Every mapping of the configuration with the acts that the person may do."""
    return show_tab(request, KIND, WORDS, pk, lines=mapping_lines, template="dynamic_data/mappings/list.html")


@requires(*KIND.delete_permissions)
def delete(request: SignedInRequest, pk: UUID, mapping_id: int) -> HttpResponse:
    """Asks first."""
    return answer_delete(
        request,
        MAPPINGS,
        pk,
        mapping_id,
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
    return answer_switch(request, MAPPINGS, pk, mapping_id)


@require_POST
@requires(*KIND.create_permissions)
def duplicate(request: SignedInRequest, pk: UUID, mapping_id: int) -> HttpResponse:
    """An inactive copy, opened in the editor when the person may edit it."""
    return answer_duplicate(request, MAPPINGS, pk, mapping_id)
