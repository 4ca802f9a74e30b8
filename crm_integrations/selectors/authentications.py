"""Authentications as pages show them: who can be selected, and what a system user may do, in words."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from crm_integrations.models import Authentication, AuthorizationRequest, Configuration, CRMAccount, User
from crm_integrations.providers.base import CRMProvider
from crm_integrations.selectors.budgets import BudgetState
from crm_integrations.selectors.configurations import present_configurations

OUTCOME_LABELS: Mapping[str, str | Promise] = {"pass": _("Pass"), "fail": _("Fail"), "unknown": _("Unknown")}


@dataclass(frozen=True, slots=True)
class RightLine:
    """One line of the rights list."""

    outcome: str
    outcome_label: str | Promise
    label: str | Promise
    detail: str


@dataclass(frozen=True, slots=True)
class LimitLine:
    """One limit of the account as last reported; `share` is what is used of it, in whole percent."""

    name: str
    label: str | Promise
    limit: int
    used: int
    share: int


@dataclass(frozen=True, slots=True)
class AuthenticationUse:
    """An authentication and the configurations that work with it."""

    authentication: Authentication
    configurations: list[Configuration]


def authentication_uses(account: CRMAccount) -> list[AuthenticationUse]:
    """Every authentication of an account, by name and without tokens, in two queries."""
    rows = Authentication.objects.filter(account=account).defer("access_token", "refresh_token").order_by("name")
    used = defaultdict(list)
    for configuration in present_configurations().filter(authentication__account=account):
        used[configuration.authentication_id].append(configuration)
    return [AuthenticationUse(authentication, used[authentication.pk]) for authentication in rows]


def selectable_authentications(configuration: Configuration) -> QuerySet[Authentication]:
    """Every authentication of the configuration's kind of CRM, by name, without tokens."""
    rows = Authentication.objects.filter(account__provider=configuration.integration_type)
    return rows.select_related("account").defer("access_token", "refresh_token").order_by("name")


def configurations_beside(configuration: Configuration) -> list[Configuration]:
    """Other configurations that work with the same authentication."""
    rows = present_configurations().filter(authentication=configuration.authentication)
    return list(rows.exclude(pk=configuration.pk)) if configuration.authentication_id else []


def latest_request(configuration: Configuration, *, actor: User) -> AuthorizationRequest | None:
    """The person's last trip to a consent page for this configuration: what they typed then is offered again."""
    rows = AuthorizationRequest.objects.filter(
        configuration=configuration, authentication=None, created_by=actor, provider=configuration.integration_type
    )
    return rows.defer("verifier").order_by("-id").first()


def right_lines(rights: list[dict[str, Any]], provider: CRMProvider | None) -> list[RightLine]:
    """Stored rights in the provider's words."""
    labels = provider.right_labels if provider else {}
    return [
        RightLine(
            line["outcome"],
            OUTCOME_LABELS[line["outcome"]],
            labels.get(line["right"], line["right"].replace("_", " ")),
            line["detail"],
        )
        for line in rights
    ]


def limit_lines(states: Iterable[BudgetState], labels: Mapping[str, str | Promise]) -> list[LimitLine]:
    """What is used of the account's limits, of those whose size is known; `labels`: what people call them."""
    return [
        LimitLine(
            name=state.limit_class,
            label=labels.get(state.limit_class, state.limit_class),
            limit=state.limit,
            used=state.used,
            share=round(100 * state.used / state.limit),
        )
        for state in states
        if state.limit
    ]
