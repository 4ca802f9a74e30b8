"""The mapping editor of data memorialization: a new mapping, or changes to one."""

from collections.abc import Iterable, Sequence
from uuid import UUID

from django.http import HttpResponse, QueryDict
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods

from crm_integrations.mapping_pages.account_fields import AccountFields, Kept
from crm_integrations.mapping_pages.editor_acts import EditorActs
from crm_integrations.mapping_pages.editor_page import EditorPage
from crm_integrations.mapping_pages.editor_state import Act, EditorState
from crm_integrations.models import Configuration, User
from crm_integrations.problems import Problem
from crm_integrations.providers.base import EntityType
from crm_integrations.services.account_fields import AccountCatalogue
from crm_integrations.views.access import requires
from crm_integrations.views.mapping_editors import MappingEditor
from crm_integrations.views.signed_in import SignedInRequest
from memorialization.forms.editor_page import build_page
from memorialization.forms.editor_rows import RowView
from memorialization.forms.editor_state import ACTS, RowState, draft_from_state, read_post, state_from_contents
from memorialization.mapping_kind import KIND
from memorialization.mappings.contents import MappingContents
from memorialization.models import MemorializationMapping
from memorialization.services.mapping_storage import current_version, stored_definitions
from memorialization.services.mappings import create_mapping, update_mapping
from memorialization.views.mappings import mapping_or_404


class MemorializationEditor(MappingEditor[MemorializationMapping, RowState]):
    """Rows of CRM field ← channel · CXone data."""

    kind = KIND
    template = "memorialization/mappings/editor.html"
    row_template = "memorialization/mappings/_row.html"
    lead = _("Only text is written: attachments, images and conversation notes never are.")
    needs_account = _("Connect an account first: its fields are what a mapping writes to.")

    @property
    def acts(self) -> EditorActs[RowState]:
        """See MappingEditor."""
        return ACTS

    def find(self, configuration: Configuration, mapping_id: int) -> MemorializationMapping:
        """See MappingEditor."""
        return mapping_or_404(configuration, mapping_id)

    def read_post(self, data: QueryDict) -> tuple[EditorState[RowState], Act]:
        """See MappingEditor."""
        return read_post(data)

    def open_stored(self, mapping: MemorializationMapping) -> EditorState[RowState]:
        """See MappingEditor."""
        stored = MappingContents.from_json(current_version(mapping).contents)
        return state_from_contents(stored, version=mapping.version)

    def create(self, configuration: Configuration, state: EditorState[RowState], actor: User) -> MemorializationMapping:
        """See MappingEditor."""
        return create_mapping(configuration=configuration, draft=draft_from_state(state), actor=actor)

    def update(
        self, mapping: MemorializationMapping, state: EditorState[RowState], base_version: int, actor: User
    ) -> MemorializationMapping:
        """See MappingEditor."""
        return update_mapping(mapping=mapping, draft=draft_from_state(state), base_version=base_version, actor=actor)

    def kept(self, mapping: MemorializationMapping) -> Kept:
        """See MappingEditor."""
        return stored_definitions(mapping)

    def build_page(
        self,
        state: EditorState[RowState],
        *,
        catalogue: AccountCatalogue,
        fields: AccountFields,
        entity_types: Sequence[EntityType],
        problems: Iterable[Problem],
        focus: str,
    ) -> EditorPage[RowState, RowView]:
        """See MappingEditor."""
        return build_page(
            state, catalogue=catalogue, fields=fields, entity_types=entity_types, problems=problems, focus=focus
        )


EDITOR = MemorializationEditor()


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
