"""Replaying everything that a filter of the deliveries list finds: asking first, watching, cancelling."""

from urllib.parse import urlencode

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext, pgettext
from django.views.decorators.http import require_http_methods, require_safe

from crm_integrations.database_clock import read_database_clock
from crm_integrations.navigation import Crumb
from crm_integrations.permissions import EDIT_CONFIGURATIONS, VIEW_CONFIGURATIONS
from crm_integrations.views.access import requires
from memorialization.forms.ledger_filters import LedgerFilterForm
from memorialization.forms.replay_runs import CancelRunForm, ReplayRunForm
from memorialization.models import ReplayRun
from memorialization.selectors.ledger_states import DELIVERY_STATES
from memorialization.selectors.replay_runs import (
    COUNTED_MOST,
    PAGE_STEPS,
    ReplayPreview,
    RunProgress,
    preview_choice,
    progress_of,
    runs_before,
    step_rows,
    steps_of,
)
from memorialization.services.replay_choices import ReplayChoice, newest_delivery_id
from memorialization.services.replay_runs import cancel_replay_run, hint_on_commit, start_replay_run
from memorialization.views.ledger_pages import person_of
from memorialization.views.ledger_replays import ASKS, ID, REFUSALS, what_happens_to

WORDS = {
    "q": gettext_lazy("“%(value)s”"),
    "since": gettext_lazy("From %(value)s"),
    "until": gettext_lazy("To %(value)s"),
    "moment_since": gettext_lazy("From %(value)s"),
    "moment_before": gettext_lazy("Before %(value)s"),
}


@require_http_methods(ASKS)
@requires(EDIT_CONFIGURATIONS)
def start_run(request: HttpRequest) -> HttpResponse:
    """Send everything again that the filters in the address find; what will happen is said first."""
    criteria = LedgerFilterForm(request.GET, states=DELIVERY_STATES, has_reason=True)
    filters = criteria.filters()
    address = f"{reverse('delivery_list')}?{request.GET.urlencode()}"
    if criteria.errors:  # the list leaves such a criterion out, and the replay would be of more than was meant
        messages.error(request, _("A filter cannot be read, so nothing was replayed. Correct it first."))
        return redirect(address)
    if filters.is_empty:
        messages.info(request, _("Filter the deliveries to replay first, for example by state."))
        return redirect("delivery_list")
    choice, newest = ReplayChoice(filters), newest_delivery_id()
    form = ReplayRunForm(request.POST if request.method == "POST" else None, newest=newest)
    if form.is_valid():
        given = form.cleaned_data
        actor, now = person_of(request), read_database_clock()
        run = start_replay_run(choice=choice, key=given["key"], actor=actor, now=now, up_to=given["up_to"])
        hint_on_commit(run_id=run.pk)
        return redirect("replay_run_detail", run.pk)
    preview = preview_choice(choice, last_id=newest)
    context = {
        "form": form,
        "title": _preview_title(preview),
        "criteria": _criteria_words(choice.as_json()),
        "consequences": _consequences(preview),
        "examples": [(row, what_happens_to(row)) for row in preview.examples],
        "may_start": preview.fresh > 0 or preview.is_over,
        "back_url": address,
        "breadcrumbs": _trail(_("Replay")),
    }
    return render(request, "memorialization/replays/run_form.html", context, status=422 if form.is_bound else 200)


@require_safe
@requires(VIEW_CONFIGURATIONS)
def list_runs(request: HttpRequest) -> HttpResponse:
    """Past and present runs, newest first."""
    found = list(runs_before(_read_before(request))[: PAGE_STEPS + 1])
    offered = _offered()
    runs = [(RunProgress(run), _criteria_words(run.choice, offered)) for run in found[:PAGE_STEPS]]
    context = {
        "runs": runs,
        "older_url": f"?before={found[PAGE_STEPS - 1].pk}" if len(found) > PAGE_STEPS else "",
        "breadcrumbs": [Crumb(_("Deliveries"), reverse("delivery_list")), Crumb(_("Replay runs"))],
    }
    return render(request, "memorialization/replays/run_list.html", context)


@require_safe
@requires(VIEW_CONFIGURATIONS)
def show_run(request: HttpRequest, pk: int) -> HttpResponse:
    """One run: how far it is, and what became of what it queued."""
    return _render_run(request, pk, "memorialization/replays/run_detail.html")


@require_safe
@requires(VIEW_CONFIGURATIONS)
def show_run_progress(request: HttpRequest, pk: int) -> HttpResponse:
    """The part of the page that changes while it runs."""
    return _render_run(request, pk, "memorialization/replays/run_progress.html")


@require_safe
@requires(VIEW_CONFIGURATIONS)
def show_run_deliveries(request: HttpRequest, pk: int) -> HttpResponse:
    """What a run queued that is in one state now, or what it left out for one reason."""
    run = get_object_or_404(ReplayRun, pk=pk)
    state, refused = request.GET.get("state", ""), request.GET.get("left_out", "")
    before = _read_before(request)
    steps = steps_of(run, state=state, refused=refused)
    found = list((steps.filter(pk__lt=before) if before is not None else steps)[: PAGE_STEPS + 1])
    query = {"state": state, "left_out": refused, "before": str(found[PAGE_STEPS - 1].pk)} if found[PAGE_STEPS:] else {}
    title = pgettext("deliveries", "Left out") if refused else str(DELIVERY_STATES.get(state, _("Replayed")))
    context = {
        "title": title,
        "lead": REFUSALS.get(refused, ""),
        "rows": step_rows(found[:PAGE_STEPS]),
        "older_url": "?" + urlencode({name: value for name, value in query.items() if value}) if query else "",
        "back_url": reverse("replay_run_detail", args=[pk]),
        "breadcrumbs": [*_trail(_run_name(run), url=reverse("replay_run_detail", args=[pk])), Crumb(title)],
    }
    return render(request, "memorialization/replays/run_deliveries.html", context)


@require_http_methods(ASKS)
@requires(EDIT_CONFIGURATIONS)
def cancel_run(request: HttpRequest, pk: int) -> HttpResponse:
    """Queue nothing more; on request take back what still waits."""
    run = get_object_or_404(ReplayRun, pk=pk)
    progress = progress_of(run)
    form = CancelRunForm(
        request.POST if request.method == "POST" else None, initial={"takes_back": not progress.is_queueing}
    )
    if request.method == "POST" and form.is_valid():
        return _cancel(request, run, is_taking_back=form.cleaned_data["takes_back"])
    context = {
        "form": form,
        "title": _("Cancel this replay?"),
        "progress": progress,
        "back_url": reverse("replay_run_detail", args=[pk]),
        "breadcrumbs": _trail(_run_name(run)),
    }
    return render(request, "memorialization/replays/run_cancel.html", context)


def _cancel(request: HttpRequest, run: ReplayRun, *, is_taking_back: bool) -> HttpResponse:
    actor, now = person_of(request), read_database_clock()
    if cancel_replay_run(run=run, actor=actor, is_taking_back=is_taking_back, now=now):
        if is_taking_back:
            hint_on_commit(run_id=run.pk)
        messages.success(request, _("The replay is cancelled; nothing more is queued."))
    else:
        messages.info(request, _("The replay had ended already; nothing was changed."))
    return redirect("replay_run_detail", run.pk)


def _render_run(request: HttpRequest, pk: int, template: str) -> HttpResponse:
    run = get_object_or_404(ReplayRun, pk=pk)
    progress = progress_of(run)
    address = reverse("replay_run_deliveries", args=[pk])
    context = {
        "progress": progress,
        "run": run,
        "name": _run_name(run),
        "criteria": _criteria_words(run.choice),
        "outcomes": [(*outcome, f"{address}?state={outcome[0]}") for outcome in progress.outcomes],
        "refused": [
            (REFUSALS.get(reason, reason), count, f"{address}?left_out={reason}")
            for reason, count in sorted(run.refused.items())
        ],
        "may_edit": request.user.has_perm(EDIT_CONFIGURATIONS),
        "breadcrumbs": _trail(_run_name(run)),
    }
    return render(request, template, context)


def _run_name(run: ReplayRun) -> str:
    return _("Replay %(number)d") % {"number": run.pk}


def _trail(name: str, *, url: str = "") -> list[Crumb]:
    """Deliveries › Replay runs › name."""
    lists = [Crumb(_("Deliveries"), reverse("delivery_list")), Crumb(_("Replay runs"), reverse("replay_run_list"))]
    return [*lists, Crumb(name, url)]


def _read_before(request: HttpRequest) -> int | None:
    text = request.GET.get("before", "")
    return int(text) if ID.fullmatch(text) else None


def _criteria_words(stored: dict[str, str], form: LedgerFilterForm | None = None) -> list[str]:
    """A stored choice as people read it; what was deleted since is shown as it is stored."""
    offered = (form or _offered()).fields
    return [
        str(WORDS.get(name, "%(value)s")) % {"value": dict(getattr(offered.get(name), "choices", ())).get(text, text)}
        for name, text in stored.items()
    ]


def _offered() -> LedgerFilterForm:
    """The filters with their choices, read once per page."""
    return LedgerFilterForm(QueryDict(), states=DELIVERY_STATES, has_reason=True)


def _preview_title(preview: ReplayPreview) -> str:
    if preview.is_over:
        return _("Replay over %(count)d deliveries?") % {"count": COUNTED_MOST}
    words = ngettext("Replay %(count)d delivery?", "Replay %(count)d deliveries?", preview.fresh)
    return words % {"count": preview.fresh}


def _consequences(preview: ReplayPreview) -> list[str]:
    """What the run does, by what the deliveries are now."""
    waiting, again = preview.by_state.get("waiting", 0), preview.by_state.get("delivered", 0)
    counted = (
        (preview.replayed, ngettext("%(count)d was replayed before and is left out.",
                                    "%(count)d were replayed before and are left out.", preview.replayed)),
        (waiting, ngettext("%(count)d still waits and is tried earlier.",
                           "%(count)d still wait and are tried earlier.", waiting)),
        (again, ngettext("%(count)d was delivered before; the same values are written once more.",
                         "%(count)d were delivered before; the same values are written once more.", again)),
    )  # fmt: skip
    return [
        *(words % {"count": count} for count, words in counted if count),
        _("The same values are sent again, each as a new revision in the order of its record."),
        _("A newer value on the record is never overwritten; such a field says “superseded”."),
        _("An internal note that is on the record already is not posted a second time."),
        _("The CRM's limits hold for a replay too, so a large one takes its time; new deliveries go on meanwhile."),
        _("It runs in the background and can be cancelled at any time."),
    ]
