"""A configuration's health in one sentence: what is wrong first, why, and what to do about it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from crm_integrations.models import Configuration
from crm_integrations.overview import Facts
from crm_integrations.providers.base import RightOutcome
from crm_integrations.selectors.configurations import effective_state
from crm_integrations.services.call_budgets import blocked_until


@dataclass(frozen=True, slots=True)
class Health:
    """`level` is a notice level or a state; `cure` the address and words of what helps, when a page can do it."""

    level: str
    cause: str
    cure: str = ""
    url_name: str = ""
    action: str = ""


@dataclass(frozen=True, slots=True)
class Signs:
    """What the health is judged by."""

    configuration: Configuration
    facts: Facts
    has_key: bool
    now: datetime


def configuration_health(signs: Signs) -> Health:
    """The first thing that is wrong, or that all is well."""
    found = (check(signs) for check in CHECKS)
    return next((health for health in found if health), Health("success", _("Connected; everything is in order.")))


def failing_rights(configuration: Configuration) -> list[str]:
    """Keys of the rights that the system user lacks, as last checked."""
    authentication = configuration.authentication
    stored = authentication.rights if authentication else []
    return [line["right"] for line in stored if line["outcome"] == RightOutcome.FAIL]


def _state(signs: Signs) -> Health | None:
    state = effective_state(signs.configuration)
    cures = {
        "draft": (_("Finish the set-up."), "configuration_setup", _("Continue set-up")),
        "inactive": (_("Reactivate it when it should work again."), "configuration_reactivate", _("Reactivate")),
        "reauthenticate": (
            _("Re-authenticate; what was held is then delivered in order."),
            "configuration_reauthenticate",
            _("Re-authenticate"),
        ),
    }
    cures["system_user_removed"] = cures["reauthenticate"]
    return Health(state.key, str(state.reason), *cures[state.key]) if state.key in cures else None


def _pause(signs: Signs) -> Health | None:
    authentication = signs.configuration.authentication
    if authentication is None:
        return None
    until = blocked_until(account_id=authentication.account_id, now=signs.now)
    if until is None:
        return None
    at = date_format(timezone.localtime(until), "TIME_FORMAT")
    cause = _("The CRM asked to slow down: deliveries of this account wait until %(time)s.") % {"time": at}
    return Health("waiting", cause, _("They go on by themselves; nothing is lost."))


def _rights(signs: Signs) -> Health | None:
    if not failing_rights(signs.configuration):
        return None
    cause = _("The system user lacks rights, so some deliveries may be refused.")
    cure = _("Give that user the rights marked below in the CRM, then check the rights again.")
    return Health("warning", cause, cure)


def _keys(signs: Signs) -> Health | None:
    if signs.has_key:
        return None
    cause = _("No intake key is usable, so no event can arrive.")
    return Health("warning", cause, _("Create one for the contact centre."), "intake_key_create", _("Create key"))


def _mappings(signs: Signs) -> Health | None:
    if any(count.active for count in signs.facts.mappings) or not signs.facts.mappings:
        return None
    return Health(
        "info", _("No mapping is active, so nothing is written yet."), _("Add a data mapping in the mapping tabs.")
    )


CHECKS: Sequence[Callable[[Signs], Health | None]] = (_state, _pause, _rights, _keys, _mappings)
