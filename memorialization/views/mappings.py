"""The Data Memorialization tab: the list of mappings, and what can be done with one besides editing it."""

from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from crm_integrations import permissions
from crm_integrations.models import Configuration
from crm_integrations.navigation import Crumb
from crm_integrations.selectors.configurations import configuration_or_404, effective_state
from crm_integrations.tabs import configuration_tabs
from crm_integrations.views.access import requires
from crm_integrations.views.breadcrumbs import configuration_trail
from crm_integrations.views.signed_in import SignedInRequest
from memorialization.models import MemorializationMapping
from memorialization.selectors.mappings import entity_titles, mapping_lines, mappings_of, version_lines
from memorialization.services.mappings import (
    MappingGone,
    MappingRefused,
    delete_mapping,
    duplicate_mapping,
    set_mapping_active,
)

LIST = "memorialization_mapping_list"
VIEW = (permissions.VIEW_CONFIGURATIONS, permissions.VIEW_DATA_MEMORIALIZATION)
CREATE = (permissions.EDIT_CONFIGURATIONS, permissions.CREATE_DATA_MEMORIALIZATION)
EDIT = (permissions.EDIT_CONFIGURATIONS, permissions.EDIT_DATA_MEMORIALIZATION)
DELETE = (permissions.EDIT_CONFIGURATIONS, permissions.DELETE_DATA_MEMORIALIZATION)


@require_safe
@requires(*VIEW)
def list_mappings(request: SignedInRequest, pk: UUID) -> HttpResponse:
    """Every mapping of the configuration with the acts that the person may do."""
    configuration = configuration_or_404(pk)
    context = {
        "configuration": configuration,
        "state": effective_state(configuration),
        "tabs": configuration_tabs(configuration=configuration, user=request.user, current=LIST),
        "breadcrumbs": configuration_trail(configuration, _("Data Memorialization")),
        "lines": mapping_lines(configuration),
        "may_create": request.user.has_perms(CREATE),
        "may_edit": request.user.has_perms(EDIT),
        "may_delete": request.user.has_perms(DELETE),
    }
    return render(request, "memorialization/mappings/list.html", context)


@require_safe
@requires(*VIEW)
def show_versions(request: SignedInRequest, pk: UUID, mapping_id: int) -> HttpResponse:
    """What the mapping says now, and every version it had with the difference in words."""
    configuration = configuration_or_404(pk)
    mapping = mapping_or_404(configuration, mapping_id)
    lines = version_lines(mapping)
    context = {
        "configuration": configuration,
        "mapping": mapping,
        "tabs": configuration_tabs(configuration=configuration, user=request.user, current=LIST),
        "breadcrumbs": mapping_trail(configuration, mapping.name),
        "versions": lines,
        "current": lines[0].contents if lines else None,
        "titles": entity_titles(configuration),
        "may_edit": request.user.has_perms(EDIT),
    }
    return render(request, "memorialization/mappings/versions.html", context)


@requires(*DELETE)
def delete(request: SignedInRequest, pk: UUID, mapping_id: int) -> HttpResponse:
    """Asks first; what was planned already is still written."""
    configuration = configuration_or_404(pk)
    mapping = mapping_or_404(configuration, mapping_id)
    back_url = reverse(LIST, args=[configuration.pk])
    if request.method == "POST":
        with gone_is_not_found():
            delete_mapping(mapping=mapping, actor=request.user)
        messages.success(request, _("The mapping “%(name)s” was deleted.") % {"name": mapping.name})
        return redirect(back_url)
    context = {
        "title": _("Delete the mapping “%(name)s”?") % {"name": mapping.name},
        "text": _("The mapping and its versions are deleted. This cannot be undone."),
        "consequences": [
            _("Interactions that fall due from now on are no longer written by it."),
            _("Deliveries that are planned already are still written."),
            _("The audit trail keeps what it said last."),
        ],
        "confirm_label": _("Delete mapping"),
        "is_dangerous": True,
        "back_url": back_url,
        "breadcrumbs": mapping_trail(configuration, mapping.name),
    }
    return render(request, "confirm.html", context)


@require_POST
@requires(*EDIT)
def switch(request: SignedInRequest, pk: UUID, mapping_id: int) -> HttpResponse:
    """Activate (`active=1`) or deactivate; refused with the names of mappings that write the same fields."""
    configuration = configuration_or_404(pk)
    mapping = mapping_or_404(configuration, mapping_id)
    is_active = request.POST.get("active") == "1"
    try:
        with gone_is_not_found():
            set_mapping_active(mapping=mapping, is_active=is_active, actor=request.user)
    except MappingRefused as refused:
        for sentence in dict.fromkeys(problem.message for problem in refused.problems):
            messages.error(request, sentence)
    else:
        sentence = _("The mapping “%(name)s” is active.") if is_active else _("The mapping “%(name)s” is inactive.")
        messages.success(request, sentence % {"name": mapping.name})
    return redirect(LIST, configuration.pk)


@require_POST
@requires(*CREATE)
def duplicate(request: SignedInRequest, pk: UUID, mapping_id: int) -> HttpResponse:
    """An inactive copy, opened in the editor when the person may edit it."""
    configuration = configuration_or_404(pk)
    mapping = mapping_or_404(configuration, mapping_id)
    with gone_is_not_found():
        copy = duplicate_mapping(mapping=mapping, actor=request.user)
    messages.success(request, _("“%(name)s” was created. It is inactive until you switch it on.") % {"name": copy.name})
    if request.user.has_perms(EDIT):
        return redirect("memorialization_mapping_edit", configuration.pk, copy.pk)
    return redirect(LIST, configuration.pk)


def mapping_or_404(configuration: Configuration, mapping_id: int) -> MemorializationMapping:
    """The mapping, if it is one of this configuration."""
    mapping = mappings_of(configuration).filter(pk=mapping_id).first()
    if mapping is None:
        raise Http404
    return mapping


@contextmanager
def gone_is_not_found() -> Iterator[None]:
    """404 when the mapping or its configuration was deleted since the page was opened."""
    try:
        yield
    except MappingGone as error:
        raise Http404 from error


def mapping_trail(configuration: Configuration, name: str) -> list[Crumb]:
    """Agent Integrations › the configuration › Data Memorialization › the page."""
    tab = Crumb(_("Data Memorialization"), reverse(LIST, args=[configuration.pk]))
    *above, _page = configuration_trail(configuration, name)
    return [*above, tab, Crumb(name)]
