"""The Next step tab: what to put into the contact centre's scripts, and a test event to see that it works."""

from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from crm_integrations.database_clock import read_database_clock
from crm_integrations.models import Configuration
from crm_integrations.permissions import EDIT_CONFIGURATIONS, VIEW_CONFIGURATIONS
from crm_integrations.selectors.configurations import configuration_or_404, effective_state, find_provider
from crm_integrations.tabs import configuration_tabs
from crm_integrations.views.access import check_permissions, requires
from crm_integrations.views.breadcrumbs import configuration_trail
from memorialization.forms.sample_events import SampleEventForm
from memorialization.selectors.sample_outcomes import SampleOutcome, sample_outcome
from memorialization.selectors.script_variables import script_variables_of, variable_targets
from memorialization.selectors.target_types import mapped_types, record_type_titles
from memorialization.services.event_folding import fold_contact_events
from memorialization.services.sample_events import SampleRefused, send_sample
from memorialization.studio.sample_events import is_sample
from memorialization.studio.snippets import StudioSettings, digital_snippets, voice_snippets
from memorialization.views.ledger_pages import person_of

TAB = "configuration_next_step"
TAKES_EVENTS = frozenset({Configuration.State.ACTIVE, Configuration.State.SYSTEM_USER_REMOVED})


@require_http_methods(["GET", "HEAD", "POST"])
@requires(VIEW_CONFIGURATIONS)
def show_next_step(request: HttpRequest, pk: UUID) -> HttpResponse:
    """The snippets; a POST sends a test event, whose outcome `?test=<contactId>` shows."""
    configuration = configuration_or_404(pk)
    form = SampleEventForm(request.POST or None, types=mapped_types(configuration))
    if request.method == "POST":
        check_permissions(request, EDIT_CONFIGURATIONS)
        if form.is_valid() and _takes_events(configuration):
            return _send(request, configuration, form)
    context = _page(request, configuration) | {"form": form, "outcome": _outcome(request, configuration)}
    return render(request, "memorialization/next_step/page.html", context, status=422 if form.errors else 200)


@require_safe
@requires(VIEW_CONFIGURATIONS)
def show_outcome(request: HttpRequest, pk: UUID) -> HttpResponse:
    """The part of the page that says what became of the test event, for as long as it changes."""
    configuration = configuration_or_404(pk)
    outcome = _outcome(request, configuration)
    if outcome is None:
        raise Http404
    context = {"outcome": outcome, "configuration": configuration, "now": timezone.now()}
    return render(request, "memorialization/next_step/outcome.html", context)


def _send(request: HttpRequest, configuration: Configuration, form: SampleEventForm) -> HttpResponse:
    variables = variable_targets(configuration)
    address = reverse(TAB, args=[configuration.pk])
    try:
        contact_id = send_sample(
            configuration=configuration, wish=form.wish(variables), actor=person_of(request), now=read_database_clock()
        )
    except SampleRefused as refusal:
        messages.error(request, _("The test event was refused: %(reason)s") % {"reason": refusal})
        return redirect(address)
    return redirect(f"{address}?test={contact_id}#test-event")


def _outcome(request: HttpRequest, configuration: Configuration) -> SampleOutcome | None:
    contact_id = request.GET.get("test", "")
    if not is_sample(contact_id):
        return None
    fold_contact_events(configuration=configuration, contact_id=contact_id, now=read_database_clock())
    return sample_outcome(configuration, contact_id)


def _page(request: HttpRequest, configuration: Configuration) -> dict[str, Any]:
    provider, variables = find_provider(configuration), script_variables_of(configuration)
    title_of = record_type_titles(configuration)
    studio = StudioSettings(
        api_url=f"{settings.SITE_URL}/api/v1/configurations/{configuration.pk}",
        variables=variables.all,
        case_type=provider.case_type if provider else "",
    )
    return {
        "configuration": configuration,
        "state": effective_state(configuration),
        "tabs": configuration_tabs(configuration=configuration, user=request.user, current=TAB),
        "breadcrumbs": configuration_trail(configuration, _("Next step")),
        "may_edit": request.user.has_perm(EDIT_CONFIGURATIONS),
        "takes_events": _takes_events(configuration),
        "variables": variables,
        "record_types": {name: title_of(entity_type) for name, entity_type in variables.record_types.items()},
        "channels": [
            ("voice", _("Voice"), voice_snippets(studio)),
            ("digital", _("Digital"), digital_snippets(studio)),
        ],
        "now": timezone.now(),
    }


def _takes_events(configuration: Configuration) -> bool:
    return configuration.state in TAKES_EVENTS
