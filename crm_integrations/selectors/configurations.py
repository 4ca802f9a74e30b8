"""Configurations as pages show them: those that are there, their state in words, the rows of the list."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from uuid import UUID

from django.db.models import Q, QuerySet
from django.http import Http404
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from crm_integrations.models import Authentication, Configuration
from crm_integrations.overview import Facts, configuration_facts
from crm_integrations.providers.base import CRMProvider
from crm_integrations.providers.registry import UnknownProvider, get_provider

State = Configuration.State
TOKEN_COLUMNS = ("authentication__access_token", "authentication__refresh_token")  # pages never read them
FILTERED_ABOVE = 10  # rows from which the list offers search and a filter


@dataclass(frozen=True, slots=True)
class EffectiveState:
    """A configuration's state as people see it: what its authentication holds back included."""

    key: str
    label: str | Promise
    reason: str | Promise = ""


@dataclass(frozen=True, slots=True)
class ConfigurationRow:
    """One line of the list."""

    configuration: Configuration
    type_label: str
    state: EffectiveState
    facts: Facts


STATES: Mapping[str, EffectiveState] = {
    "draft": EffectiveState("draft", State.DRAFT.label, _("Set-up is not finished; nothing is accepted yet.")),
    "active": EffectiveState("active", State.ACTIVE.label),
    "reauthenticate": EffectiveState(
        "reauthenticate",
        Authentication.State.REAUTHENTICATE.label,
        _("The CRM no longer accepts the access. Events are accepted and deliveries are held."),
    ),
    "system_user_removed": EffectiveState(
        "system_user_removed",
        State.SYSTEM_USER_REMOVED.label,
        _("The system user was deleted or suspended in the CRM. Events are accepted and deliveries are held."),
    ),
    "inactive": EffectiveState(
        "inactive",
        State.INACTIVE.label,
        _("Deactivated by an administrator. Events are refused and deliveries are held."),
    ),
}
STATE_FILTERS: Mapping[str, Q] = {
    "draft": Q(state=State.DRAFT),
    "active": Q(state=State.ACTIVE, authentication__state=Authentication.State.ACTIVE),
    "reauthenticate": Q(state=State.ACTIVE, authentication__state=Authentication.State.REAUTHENTICATE),
    "system_user_removed": Q(state=State.SYSTEM_USER_REMOVED)
    | Q(state=State.ACTIVE, authentication__state=Authentication.State.SYSTEM_USER_REMOVED),
    "inactive": Q(state=State.INACTIVE),
}


def present_configurations() -> QuerySet[Configuration]:
    """Every configuration that is not deleted, with authentication and account, without tokens."""
    rows = Configuration.objects.exclude(state=State.DELETED)
    return rows.select_related("authentication__account").defer(*TOKEN_COLUMNS)


def configuration_or_404(pk: UUID) -> Configuration:
    """The configuration, unless it is deleted or unknown."""
    configuration = present_configurations().filter(pk=pk).first()
    if configuration is None:
        raise Http404
    return configuration


def effective_state(configuration: Configuration) -> EffectiveState:
    """The stored state, or what its authentication makes of an active one."""
    authentication = configuration.authentication
    if configuration.state == State.ACTIVE and authentication is not None and authentication.is_held:
        return STATES[authentication.state]
    return STATES[configuration.state]


def find_provider(configuration: Configuration) -> CRMProvider | None:
    """Its integration type; None when the operator took that type out of the settings."""
    try:
        return get_provider(configuration.integration_type)
    except UnknownProvider:
        return None


def configuration_rows(
    *, search: str = "", state: str = "", facts: Callable[..., dict[UUID, Facts]] = configuration_facts
) -> list[ConfigurationRow]:
    """The list's lines by name, in a constant number of queries."""
    rows = present_configurations().filter(STATE_FILTERS.get(state, Q()))
    if search:
        rows = rows.filter(
            Q(name__icontains=search)
            | Q(authentication__account__address__icontains=search)
            | Q(authentication__system_user_name__icontains=search)
        )
    configurations = list(rows)
    known = facts([configuration.pk for configuration in configurations])
    return [
        ConfigurationRow(
            configuration, type_label(configuration), effective_state(configuration), known[configuration.pk]
        )
        for configuration in configurations
    ]


def type_label(configuration: Configuration) -> str:
    """The name of its kind of CRM."""
    provider = find_provider(configuration)
    return str(provider.label) if provider else configuration.integration_type
