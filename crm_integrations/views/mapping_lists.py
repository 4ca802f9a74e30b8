"""The tab of any kind of mappings, and what can be done with one from it besides editing: delete, switch, duplicate."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext as _

from crm_integrations.mapping_pages.kinds import MappingKind, MappingWords
from crm_integrations.models import Configuration
from crm_integrations.navigation import Crumb
from crm_integrations.selectors.configurations import configuration_or_404, effective_state
from crm_integrations.selectors.mappings import mapping_or_404
from crm_integrations.services.mapping_saving import MappingGone, MappingRefused
from crm_integrations.services.mapping_store import MappingStore
from crm_integrations.tabs import configuration_tabs
from crm_integrations.views.breadcrumbs import configuration_trail
from crm_integrations.views.signed_in import SignedInRequest

Mappings = MappingStore[Any, Any, Any]


def show_tab(
    request: SignedInRequest,
    kind: MappingKind,
    words: MappingWords,
    pk: UUID,
    *,
    lines: Callable[[Configuration], Sequence[object]],
    template: str = "crm_integrations/mappings/list.html",
) -> HttpResponse:
    """Every mapping of the configuration with the acts that the person may do."""
    configuration = configuration_or_404(pk)
    context = {
        **tab_context(request, kind, configuration),
        "state": effective_state(configuration),
        "breadcrumbs": configuration_trail(configuration, str(kind.label)),
        "lines": lines(configuration),
        "words": words,
    }
    return render(request, template, context)


def tab_context(request: SignedInRequest, kind: MappingKind, configuration: Configuration) -> dict[str, object]:
    """What every page of the tab needs: the tabs, and the acts that the person may do."""
    return {
        "kind": kind,
        "configuration": configuration,
        "tabs": configuration_tabs(configuration=configuration, user=request.user, current=kind.list_url),
        "may_create": request.user.has_perms(kind.create_permissions),
        "may_edit": request.user.has_perms(kind.edit_permissions),
        "may_delete": request.user.has_perms(kind.delete_permissions),
    }


def answer_delete(
    request: SignedInRequest,
    mappings: Mappings,
    pk: UUID,
    mapping_id: int,
    *,
    text: str,
    consequences: Sequence[str],
) -> HttpResponse:
    """Ask first; `text` and `consequences` say what it means."""
    kind = mappings.kind
    mapping = mapping_or_404(mappings.model, configuration_or_404(pk), mapping_id)
    back_url = reverse(kind.list_url, args=[mapping.configuration_id])
    if request.method == "POST":
        with gone_is_not_found():
            mappings.delete(mapping=mapping, actor=request.user)
        messages.success(request, _("The mapping “%(name)s” was deleted.") % {"name": mapping.name})
        return redirect(back_url)
    context = {
        "title": _("Delete the mapping “%(name)s”?") % {"name": mapping.name},
        "text": text,
        "consequences": consequences,
        "confirm_label": _("Delete mapping"),
        "is_dangerous": True,
        "back_url": back_url,
        "breadcrumbs": mapping_trail(kind, mapping.configuration, mapping.name),
    }
    return render(request, "confirm.html", context)


def answer_switch(request: SignedInRequest, mappings: Mappings, pk: UUID, mapping_id: int) -> HttpResponse:
    """Activate (`active=1`) or deactivate; refused with the names of mappings that stand against it."""
    mapping = mapping_or_404(mappings.model, configuration_or_404(pk), mapping_id)
    is_active = request.POST.get("active") == "1"
    try:
        with gone_is_not_found():
            mappings.set_active(mapping=mapping, is_active=is_active, actor=request.user)
    except MappingRefused as refused:
        for sentence in dict.fromkeys(problem.message for problem in refused.problems):
            messages.error(request, sentence)
    else:
        sentence = _("The mapping “%(name)s” is active.") if is_active else _("The mapping “%(name)s” is inactive.")
        messages.success(request, sentence % {"name": mapping.name})
    return redirect(mappings.kind.list_url, mapping.configuration_id)


def answer_duplicate(request: SignedInRequest, mappings: Mappings, pk: UUID, mapping_id: int) -> HttpResponse:
    """An inactive copy, opened in the editor when the person may edit it."""
    kind = mappings.kind
    mapping = mapping_or_404(mappings.model, configuration_or_404(pk), mapping_id)
    with gone_is_not_found():
        copy = mappings.duplicate(mapping=mapping, actor=request.user)
    messages.success(request, _("“%(name)s” was created. It is inactive until you switch it on.") % {"name": copy.name})
    if request.user.has_perms(kind.edit_permissions):
        return redirect(kind.edit_url, copy.configuration_id, copy.pk)
    return redirect(kind.list_url, copy.configuration_id)


@contextmanager
def gone_is_not_found() -> Iterator[None]:
    """404 when the mapping or its configuration was deleted since the page was opened."""
    try:
        yield
    except MappingGone as error:
        raise Http404 from error


def mapping_trail(kind: MappingKind, configuration: Configuration, name: str | Promise) -> list[Crumb]:
    """Agent Integrations › the configuration › the tab › the page."""
    tab = Crumb(kind.label, reverse(kind.list_url, args=[configuration.pk]))
    *above, _page = configuration_trail(configuration, str(name))
    return [*above, tab, Crumb(name)]
