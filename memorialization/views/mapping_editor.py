"""The mapping editor: a new mapping, or changes to one. Every button of it is a form that works without scripts."""

from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from crm_integrations.error_explanations import explain_crm_error
from crm_integrations.models import Configuration
from crm_integrations.problems import Problem
from crm_integrations.providers.base import EntityType
from crm_integrations.providers.errors import CRMError
from crm_integrations.selectors.configurations import configuration_or_404
from crm_integrations.services.catalogue import read_entity_types
from crm_integrations.views.access import check_permissions, requires
from crm_integrations.views.signed_in import SignedInRequest
from memorialization.forms.editor_acts import Outcome, apply_act
from memorialization.forms.editor_page import build_page
from memorialization.forms.editor_state import Act, EditorState, read_post, state_from_contents
from memorialization.mappings.contents import MappingContents
from memorialization.models import MemorializationMapping
from memorialization.services.account_fields import read_account_catalogue
from memorialization.services.mapping_storage import current_version, stored_definitions
from memorialization.services.mappings import (
    MappingChanged,
    MappingGone,
    MappingRefused,
    create_mapping,
    update_mapping,
)
from memorialization.views.mappings import CREATE, EDIT, LIST, mapping_or_404, mapping_trail

SAVE, OVERWRITE, REFRESH = "save", "overwrite", "refresh"


@require_http_methods(["GET", "HEAD", "POST"])
@requires(*CREATE)
def create(request: SignedInRequest, pk: UUID) -> HttpResponse:
    """A new mapping; a configuration without an account cannot have one yet."""
    configuration = configuration_or_404(pk)
    if configuration.authentication is None:
        messages.error(request, _("Connect an account first: its fields are what a mapping writes to."))
        return redirect(LIST, configuration.pk)
    if request.method != "POST":
        return _show(request, configuration, None, EditorState())
    state, act = read_post(request.POST)
    if act.name not in {SAVE, OVERWRITE}:
        return _change(request, configuration, None, state, act)
    state.drop_blank_rows()
    try:
        mapping = create_mapping(configuration=configuration, draft=state.as_draft(), actor=request.user)
    except MappingRefused as refused:
        return _show(request, configuration, None, state, problems=refused.problems)
    except MappingGone as error:
        raise Http404 from error
    return _saved(request, mapping)


@require_http_methods(["GET", "HEAD", "POST"])
@requires(*EDIT)
def edit(request: SignedInRequest, pk: UUID, mapping_id: int) -> HttpResponse:
    """Changes to a mapping; what somebody else saved meanwhile is never overwritten without being asked."""
    configuration = configuration_or_404(pk)
    if request.method != "POST":
        mapping = mapping_or_404(configuration, mapping_id)
        stored = MappingContents.from_json(current_version(mapping).contents)
        return _show(request, configuration, mapping, state_from_contents(stored, version=mapping.version))
    state, act = read_post(request.POST)
    try:
        mapping = mapping_or_404(configuration, mapping_id)
        if act.name not in {SAVE, OVERWRITE}:
            return _change(request, configuration, mapping, state, act)
        base_version = state.seen_version if act.name == OVERWRITE else state.base_version
        return _save_changes(request, mapping, state, base_version)
    except (Http404, MappingGone):
        check_permissions(request, *CREATE)
        messages.error(request, _("Somebody deleted this mapping meanwhile. Save creates it again."))
        return _show(request, configuration, None, state)


def _save_changes(
    request: SignedInRequest, mapping: MemorializationMapping, state: EditorState, base_version: int
) -> HttpResponse:
    configuration = mapping.configuration
    state.drop_blank_rows()
    try:
        saved = update_mapping(mapping=mapping, draft=state.as_draft(), base_version=base_version, actor=request.user)
    except MappingRefused as refused:
        return _show(request, configuration, mapping, state, problems=refused.problems)
    except MappingChanged as changed:
        return _show(request, configuration, mapping, state, changed=changed)
    return _saved(request, saved)


def _saved(request: SignedInRequest, mapping: MemorializationMapping) -> HttpResponse:
    words = {"name": mapping.name, "version": mapping.version}
    messages.success(request, _("The mapping “%(name)s” is saved as version %(version)s.") % words)
    return redirect(LIST, mapping.configuration_id)


def _change(
    request: SignedInRequest,
    configuration: Configuration,
    mapping: MemorializationMapping | None,
    state: EditorState,
    act: Act,
) -> HttpResponse:
    outcome = apply_act(state, act)
    refresh = state.entities[act.entity].entity_type if act.name == REFRESH and act.entity is not None else ""
    return _show(request, configuration, mapping, state, outcome=outcome, refresh=refresh)


def _show(
    request: SignedInRequest,
    configuration: Configuration,
    mapping: MemorializationMapping | None,
    state: EditorState,
    *,
    problems: list[Problem] | None = None,
    outcome: Outcome | None = None,
    changed: MappingChanged | None = None,
    refresh: str = "",
) -> HttpResponse:
    """The editor with everything typed, and the account as it is known."""
    outcome = outcome or Outcome()
    found = [*(problems or []), *([Problem(("adding",), outcome.problem)] if outcome.problem else [])]
    types = [entity.entity_type for entity in state.entities]
    catalogue = read_account_catalogue(
        authentication=configuration.authentication, entity_types=types, refresh=[refresh] if refresh else []
    )
    entity_types, catalogue_problem = _read_entity_types(configuration)
    page = build_page(
        state,
        catalogue=catalogue,
        fields=catalogue.as_fields(stored_definitions(mapping) if mapping else None),
        entity_types=entity_types,
        problems=found,
        focus=outcome.focus,
    )
    name = mapping.name if mapping else _("New Data Mapping")
    context = {
        "configuration": configuration,
        "mapping": mapping,
        "page": page,
        "changed": changed,
        "catalogue_problem": catalogue_problem,
        "is_changed": request.method == "POST",
        "address": _address(configuration, mapping),
        "back_url": reverse(LIST, args=[configuration.pk]),
        "breadcrumbs": mapping_trail(configuration, name),
    }
    return render(request, "memorialization/mappings/editor.html", context)


def _read_entity_types(configuration: Configuration) -> tuple[list[EntityType], str]:
    if configuration.authentication is None:
        return [], ""
    try:
        return read_entity_types(authentication=configuration.authentication), ""
    except CRMError as error:
        return [], explain_crm_error(error)


def _address(configuration: Configuration, mapping: MemorializationMapping | None) -> str:
    if mapping is None:
        return reverse("memorialization_mapping_create", args=[configuration.pk])
    return reverse("memorialization_mapping_edit", args=[configuration.pk, mapping.pk])
