"""The list of configurations and the overview of one."""

from typing import Any
from uuid import UUID

from django.conf import settings
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_safe

from crm_integrations.administration import account_page_url
from crm_integrations.configuration_sections import registered_sections
from crm_integrations.models import Configuration
from crm_integrations.overview import configuration_facts
from crm_integrations.permissions import (
    CREATE_CONFIGURATIONS,
    DELETE_CONFIGURATIONS,
    EDIT_CONFIGURATIONS,
    VIEW_CONFIGURATIONS,
)
from crm_integrations.selectors.audit import recent_audit
from crm_integrations.selectors.authentications import configurations_beside, limit_lines, right_lines
from crm_integrations.selectors.budgets import budget_states, find_limit_labels, find_pause
from crm_integrations.selectors.configurations import (
    FILTERED_ABOVE,
    STATES,
    configuration_or_404,
    configuration_rows,
    effective_state,
    find_provider,
    present_configurations,
    type_label,
)
from crm_integrations.selectors.deleted_configurations import restorable_configurations
from crm_integrations.selectors.health import Signs, configuration_health
from crm_integrations.selectors.intake_keys import key_rows
from crm_integrations.tabs import configuration_tabs, tab_url
from crm_integrations.views.access import requires
from crm_integrations.views.breadcrumbs import configuration_trail, list_trail
from crm_integrations.views.set_up_access import may_set_up
from crm_integrations.views.signed_in import SignedInRequest


@require_safe
@requires(VIEW_CONFIGURATIONS)
def list_configurations(request: SignedInRequest) -> HttpResponse:
    """Agent Integrations: one line per configuration."""
    search = request.GET.get("q", "").replace("\x00", "").strip()  # PostgreSQL refuses the character
    state = request.GET.get("state", "")
    total = present_configurations().count()
    may_delete = request.user.has_perm(DELETE_CONFIGURATIONS)
    context = {
        "rows": configuration_rows(search=search, state=state) if total else [],
        "total": total,
        "is_filterable": total > FILTERED_ABOVE or search or state,
        "is_filtered": bool(search or state),
        "search": search,
        "state": state,
        "states": STATES.values(),
        "may_create": request.user.has_perm(CREATE_CONFIGURATIONS),
        "has_deleted": may_delete and restorable_configurations(now=timezone.now()).exists(),
        "breadcrumbs": list_trail()[:0],
    }
    return render(request, "crm_integrations/configuration_list.html", context)


@require_safe
@requires(VIEW_CONFIGURATIONS)
def show_configuration(request: SignedInRequest, pk: UUID) -> HttpResponse:
    """The Overview tab."""
    configuration = configuration_or_404(pk)
    now = timezone.now()
    keys = key_rows(configuration, now=now)
    facts = configuration_facts([configuration.pk])[configuration.pk]
    has_key = any(row.is_usable for row in keys)
    context = {
        **page_context(request, configuration, "configuration_detail"),
        "connection": _connection(request, configuration),
        "facts": facts,
        "health": configuration_health(Signs(configuration, facts, has_key, now)),
        "keys": keys,
        "events_url": f"{settings.SITE_URL}/api/v1/configurations/{configuration.pk}/events",
        "next_step_url": tab_url("configuration_next_step", configuration),
        "audit": recent_audit(configuration),
        "may_delete": request.user.has_perm(DELETE_CONFIGURATIONS),
        "may_export": all(request.user.has_perm(section.view_permission) for _key, section in registered_sections()),
        "now": now,
    }
    return render(request, "crm_integrations/configuration_detail.html", context)


def page_context(request: SignedInRequest, configuration: Configuration, tab: str, *names: str) -> dict[str, Any]:
    """What every page of a configuration shows around its content."""
    return {
        "configuration": configuration,
        "state": effective_state(configuration),
        "type_label": type_label(configuration),
        "tabs": configuration_tabs(configuration=configuration, user=request.user, current=tab),
        "breadcrumbs": configuration_trail(configuration, *names),
        "is_draft": configuration.state == Configuration.State.DRAFT,
        "may_edit": request.user.has_perm(EDIT_CONFIGURATIONS),
        "may_set_up": may_set_up(request, configuration),
        "back_url": reverse("configuration_detail", args=[configuration.pk]),
    }


def _connection(request: SignedInRequest, configuration: Configuration) -> dict[str, Any]:
    """The connection card: account, system user, token, rights and limits; empty without an account."""
    authentication = configuration.authentication
    if authentication is None:
        return {}
    provider, now = find_provider(configuration), timezone.now()
    account = authentication.account
    budgets = budget_states(account_id=account.pk, now=now)
    labels, pause = find_limit_labels(account), find_pause(budgets)
    return {
        "authentication": authentication,
        "account_url": provider.account_url(account.address) if provider else account.address,
        "rights": right_lines(authentication.rights, provider),
        "limits": limit_lines(budgets, labels),
        "load_url": account_page_url(user=request.user, account_id=account.pk),
        "pause": pause,
        "pause_label": labels.get(pause.limit_class, pause.limit_class) if pause else "",
        "beside": configurations_beside(configuration),
    }
