"""The mapping editor of data memorialization: a new mapping, or changes to one."""

from uuid import UUID

from django.http import HttpResponse
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods

from crm_integrations.views.access import requires
from crm_integrations.views.mapping_editors import MappingEditor
from crm_integrations.views.signed_in import SignedInRequest
from memorialization.forms.editor_page import PLAN
from memorialization.forms.editor_state import ACTS, ROWS, RowState
from memorialization.mapping_kind import KIND
from memorialization.models import MemorializationMapping
from memorialization.services.mappings import MAPPINGS

EDITOR: MappingEditor[MemorializationMapping, RowState] = MappingEditor(
    mappings=MAPPINGS,
    rows=ROWS,
    acts=ACTS,
    plan=PLAN,
    template="memorialization/mappings/editor.html",
    row_template="memorialization/mappings/_row.html",
    lead=_("Only text is written: attachments, images and conversation notes never are."),
    needs_account=_("Connect an account first: its fields are what a mapping writes to."),
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
