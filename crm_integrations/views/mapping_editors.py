"""The mapping editor's pages for any kind of mappings. Every button of it is a form that works without scripts."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext as _

from crm_integrations.error_explanations import explain_crm_error
from crm_integrations.mapping_pages.editor_acts import EditorActs, Outcome
from crm_integrations.mapping_pages.editor_page import CardPlan, build_editor_page
from crm_integrations.mapping_pages.editor_state import Act, EditorState, FieldRow, read_post
from crm_integrations.mapping_pages.kinds import MappingKind
from crm_integrations.mapping_pages.row_forms import RowForms
from crm_integrations.models import Configuration, DataMapping
from crm_integrations.problems import Problem
from crm_integrations.providers.base import EntityType
from crm_integrations.providers.errors import CRMError
from crm_integrations.selectors.configurations import configuration_or_404
from crm_integrations.selectors.mappings import mapping_or_404
from crm_integrations.services.account_fields import read_account_catalogue
from crm_integrations.services.catalogue import read_entity_types
from crm_integrations.services.mapping_saving import MappingChanged, MappingGone, MappingRefused
from crm_integrations.services.mapping_store import MappingStore
from crm_integrations.views.access import check_permissions
from crm_integrations.views.mapping_lists import mapping_trail
from crm_integrations.views.signed_in import SignedInRequest

SAVE, OVERWRITE, REFRESH = "save", "overwrite", "refresh"
M = TypeVar("M", bound=DataMapping)
R = TypeVar("R", bound=FieldRow)


@dataclass(frozen=True)
class MappingEditor(Generic[M, R]):
    """The editor of one kind of mappings; each view of that kind checks who comes in, then calls it."""

    mappings: MappingStore[M, Any, Any]
    rows: RowForms[R, Any, Any]
    acts: EditorActs[R]  # what the buttons do
    plan: CardPlan[R, Any]
    template: str
    row_template: str
    lead: str | Promise
    needs_account: str | Promise  # why a configuration without an account has none of these mappings

    @property
    def kind(self) -> MappingKind:
        """Its addresses and permissions."""
        return self.mappings.kind

    def show_new(self, request: SignedInRequest, pk: UUID) -> HttpResponse:
        """A new mapping; a configuration without an account cannot have one yet."""
        configuration = configuration_or_404(pk)
        if configuration.authentication is None:
            messages.error(request, str(self.needs_account))
            return redirect(self.kind.list_url, configuration.pk)
        if request.method != "POST":
            return self._show(request, configuration, None, EditorState())
        state, act = read_post(request.POST, build_row=self.rows.typed)
        if act.name not in {SAVE, OVERWRITE}:
            return self._change(request, configuration, None, state, act)
        state.drop_blank_rows()
        try:
            draft = self.rows.draft(state)
            mapping = self.mappings.create(configuration=configuration, draft=draft, actor=request.user)
        except MappingRefused as refused:
            return self._show(request, configuration, None, state, problems=refused.problems)
        except MappingGone as error:
            raise Http404 from error
        return self._saved(request, mapping)

    def show_stored(self, request: SignedInRequest, pk: UUID, mapping_id: int) -> HttpResponse:
        """Changes to a mapping; what somebody else saved meanwhile is never overwritten without being asked."""
        configuration = configuration_or_404(pk)
        if request.method != "POST":
            mapping = mapping_or_404(self.mappings.model, configuration, mapping_id)
            stored = self.mappings.read(mapping).contents
            opened = self.rows.open_contents(stored, version=mapping.version)
            return self._show(request, configuration, mapping, opened)
        state, act = read_post(request.POST, build_row=self.rows.typed)
        try:
            mapping = mapping_or_404(self.mappings.model, configuration, mapping_id)
            if act.name not in {SAVE, OVERWRITE}:
                return self._change(request, configuration, mapping, state, act)
            base_version = state.seen_version if act.name == OVERWRITE else state.base_version
            return self._save_changes(request, mapping, state, base_version)
        except (Http404, MappingGone):
            check_permissions(request, *self.kind.create_permissions)
            messages.error(request, _("Somebody deleted this mapping meanwhile. Save creates it again."))
            return self._show(request, configuration, None, state)

    def _save_changes(
        self, request: SignedInRequest, mapping: M, state: EditorState[R], base_version: int
    ) -> HttpResponse:
        configuration = mapping.configuration
        state.drop_blank_rows()
        draft = self.rows.draft(state)
        try:
            saved = self.mappings.update(mapping=mapping, draft=draft, base_version=base_version, actor=request.user)
        except MappingRefused as refused:
            return self._show(request, configuration, mapping, state, problems=refused.problems)
        except MappingChanged as changed:
            return self._show(request, configuration, mapping, state, changed=changed)
        return self._saved(request, saved)

    def _saved(self, request: SignedInRequest, mapping: M) -> HttpResponse:
        words = {"name": mapping.name, "version": mapping.version}
        messages.success(request, _("The mapping “%(name)s” is saved as version %(version)s.") % words)
        return redirect(self.kind.list_url, mapping.configuration_id)

    def _change(
        self,
        request: SignedInRequest,
        configuration: Configuration,
        mapping: M | None,
        state: EditorState[R],
        act: Act,
    ) -> HttpResponse:
        outcome = self.acts.apply(state, act)
        refresh = state.entities[act.entity].entity_type if act.name == REFRESH and act.entity is not None else ""
        return self._show(request, configuration, mapping, state, outcome=outcome, refresh=refresh)

    def _show(
        self,
        request: SignedInRequest,
        configuration: Configuration,
        mapping: M | None,
        state: EditorState[R],
        *,
        problems: Sequence[Problem] = (),
        outcome: Outcome | None = None,
        changed: MappingChanged | None = None,
        refresh: str = "",
    ) -> HttpResponse:
        """The editor with everything typed, and the account as it is known."""
        outcome = outcome or Outcome()
        catalogue = read_account_catalogue(
            authentication=configuration.authentication,
            entity_types=[entity.entity_type for entity in state.entities],
            refresh=[refresh] if refresh else [],
        )
        entity_types, catalogue_problem = _read_entity_types(configuration)
        page = build_editor_page(
            state,
            self.plan,
            catalogue=catalogue,
            fields=catalogue.as_fields(self.mappings.read_definitions(mapping) if mapping else None),
            entity_types=entity_types,
            problems=[*problems, *outcome.problems],
            focus=outcome.focus,
        )
        context = {
            **self._frame(configuration, mapping),
            "page": page,
            "changed": changed,
            "catalogue_problem": catalogue_problem,
            "is_changed": request.method == "POST",
        }
        return render(request, self.template, context)

    def _frame(self, configuration: Configuration, mapping: M | None) -> dict[str, object]:
        """What the page shows around what was typed."""
        name = mapping.name if mapping else _("New Data Mapping")
        return {
            "kind": self.kind,
            "lead": self.lead,
            "row_template": self.row_template,
            "configuration": configuration,
            "mapping": mapping,
            "address": self._address(configuration, mapping),
            "back_url": reverse(self.kind.list_url, args=[configuration.pk]),
            "breadcrumbs": mapping_trail(self.kind, configuration, name),
        }

    def _address(self, configuration: Configuration, mapping: M | None) -> str:
        if mapping is None:
            return reverse(self.kind.create_url, args=[configuration.pk])
        return reverse(self.kind.edit_url, args=[configuration.pk, mapping.pk])


def _read_entity_types(configuration: Configuration) -> tuple[list[EntityType], str]:
    if configuration.authentication is None:
        return [], ""
    try:
        return read_entity_types(authentication=configuration.authentication), ""
    except CRMError as error:
        return [], explain_crm_error(error)
