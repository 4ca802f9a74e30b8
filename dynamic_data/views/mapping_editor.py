"""The editor of dynamic data mappings: a new mapping, or changes to one."""

from collections.abc import Iterable, Sequence
from uuid import UUID

from django.http import HttpResponse, QueryDict
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods

from crm_integrations.mapping_pages.account_fields import AccountFields, Kept
from crm_integrations.mapping_pages.editor_acts import EditorActs
from crm_integrations.mapping_pages.editor_page import EditorPage
from crm_integrations.mapping_pages.editor_state import Act, EditorState, FieldRow
from crm_integrations.models import Configuration, User
from crm_integrations.problems import Problem
from crm_integrations.providers.base import EntityType
from crm_integrations.services.account_fields import AccountCatalogue
from crm_integrations.views.access import requires
from crm_integrations.views.mapping_editors import MappingEditor
from crm_integrations.views.signed_in import SignedInRequest
from dynamic_data.forms.editor import ACTS, RowView, build_page, draft_from_state, read_post, state_from_contents
from dynamic_data.mapping_kind import KIND
from dynamic_data.models import DynamicDataMapping
from dynamic_data.services.mapping_storage import stored_contents, stored_definitions
from dynamic_data.services.mappings import create_mapping, update_mapping
from dynamic_data.views.mappings import mapping_or_404


class DynamicDataEditor(MappingEditor[DynamicDataMapping, FieldRow]):
    """Rows of External CRM Field alone, at most five for a record type."""

    kind = KIND
    template = "dynamic_data/mappings/editor.html"
    row_template = "dynamic_data/mappings/_row.html"
    lead = _("Agents see these fields of each record, in this order: at most five for a record type.")
    needs_account = _("Connect an account first: its fields are what a mapping shows.")

    @property
    def acts(self) -> EditorActs[FieldRow]:
        """See MappingEditor."""
        return ACTS

    def find(self, configuration: Configuration, mapping_id: int) -> DynamicDataMapping:
        """See MappingEditor."""
        return mapping_or_404(configuration, mapping_id)

    def read_post(self, data: QueryDict) -> tuple[EditorState[FieldRow], Act]:
        """See MappingEditor."""
        return read_post(data)

    def open_stored(self, mapping: DynamicDataMapping) -> EditorState[FieldRow]:
        """See MappingEditor."""
        return state_from_contents(stored_contents(mapping), version=mapping.version)

    def create(self, configuration: Configuration, state: EditorState[FieldRow], actor: User) -> DynamicDataMapping:
        """See MappingEditor."""
        return create_mapping(configuration=configuration, draft=draft_from_state(state), actor=actor)

    def update(
        self, mapping: DynamicDataMapping, state: EditorState[FieldRow], base_version: int, actor: User
    ) -> DynamicDataMapping:
        """See MappingEditor."""
        return update_mapping(mapping=mapping, draft=draft_from_state(state), base_version=base_version, actor=actor)

    def kept(self, mapping: DynamicDataMapping) -> Kept:
        """See MappingEditor."""
        return stored_definitions(mapping)

    def build_page(
        self,
        state: EditorState[FieldRow],
        *,
        catalogue: AccountCatalogue,
        fields: AccountFields,
        entity_types: Sequence[EntityType],
        problems: Iterable[Problem],
        focus: str,
    ) -> EditorPage[FieldRow, RowView]:
        """See MappingEditor."""
        return build_page(
            state, catalogue=catalogue, fields=fields, entity_types=entity_types, problems=problems, focus=focus
        )


EDITOR = DynamicDataEditor()


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
