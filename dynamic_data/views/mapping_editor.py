"""The editor of dynamic data mappings: a new mapping, or changes to one."""

from uuid import UUID

from django.http import HttpResponse
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods

from crm_integrations.mapping_pages.editor_state import FieldRow
from crm_integrations.views.access import requires
from crm_integrations.views.mapping_editors import MappingEditor
from crm_integrations.views.signed_in import SignedInRequest
from dynamic_data.forms.editor import ACTS, PLAN, ROWS
from dynamic_data.mapping_kind import KIND
from dynamic_data.models import DynamicDataMapping
from dynamic_data.services.mappings import MAPPINGS

EDITOR: MappingEditor[DynamicDataMapping, FieldRow] = MappingEditor(
    mappings=MAPPINGS,
    rows=ROWS,
    acts=ACTS,
    plan=PLAN,
    template="dynamic_data/mappings/editor.html",
    row_template="dynamic_data/mappings/_row.html",
    lead=_("Agents see these fields of each record, in this order: at most five for a record type."),
    needs_account=_("Connect an account first: its fields are what a mapping shows."),
)


@require_http_methods(["GET", "HEAD", "POST"])
@requires(*KIND.create_permissions)
def create(request: SignedInRequest, pk: UUID) -> HttpResponse:
    """A new mapping."""
    return EDITOR.show_new(request, pk)


@require_http_methods(["GET", "HEAD", "POST"])
@requires(*KIND.edit_permissions)
def edit(request: SignedInRequest, pk: UUID, mapping_id: int) -> HttpResponse:
    """Changes to a mapping."""
    return EDITOR.show_stored(request, pk, mapping_id)
