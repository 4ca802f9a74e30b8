"""The state of an account in one sentence, and what a due delivery waits for."""

from collections.abc import Callable
from dataclasses import dataclass

from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext

from crm_integrations.models import Configuration
from crm_integrations.selectors.budgets import find_limit_labels
from crm_integrations.services.call_budgets import WHOLE_ACCOUNT
from memorialization.selectors.account_backlogs import Backlog
from memorialization.selectors.account_standings import Standing
from memorialization.waits import wait_words


@dataclass(frozen=True, slots=True)
class Condition:
    """The state of an account: `look` is a state that the badge knows."""

    key: str
    look: str
    label: str
    words: str


def find_condition(standing: Standing, backlog: Backlog) -> Condition:
    """What is wrong first, or that nothing is."""
    found = (rule(standing, backlog) for rule in CONDITIONS)
    return next(condition for condition in found if condition)


def explain_wait(standing: Standing) -> str:
    """What the oldest due delivery waits for, in one sentence; nothing without one."""
    if standing.oldest is None:
        return ""
    if standing.is_held:
        return _explain_hold(standing.oldest.configuration)
    if not standing.is_circuit_closed:
        return _("Waits until the CRM answers again.")
    if standing.is_settling and standing.oldest.lane and standing.oldest.lane.closed_until:
        if standing.oldest.must_look_first:
            words = _("Rests after a call without an answer; it is looked at in %(wait)s.")
        else:
            words = _("Its record takes no more changes for now; it goes on in %(wait)s.")
        return words % {"wait": wait_words(standing.oldest.lane.closed_until - standing.at)}
    return _explain_limit(standing) or _explain_work(standing)


def _explain_hold(configuration: Configuration) -> str:
    if configuration.state == Configuration.State.INACTIVE:
        return _("Held: the configuration “%(name)s” is deactivated.") % {"name": configuration.name}
    return _("Held: the configuration “%(name)s” needs a new authentication.") % {"name": configuration.name}


def _explain_limit(standing: Standing) -> str:
    shut = standing.find_shut_limit()
    if shut is None:
        return ""
    name, until = shut
    words = _("Waits for the limit “%(limit)s”, which opens in %(wait)s.")
    label = find_limit_labels(standing.account).get(name, name)
    return words % {"limit": label, "wait": wait_words(until - standing.at)}


def _explain_work(standing: Standing) -> str:
    return _("No worker has taken it up.") if standing.is_stuck else _("A worker takes it up next.")


def _unreachable(standing: Standing, _backlog: Backlog) -> Condition | None:
    if standing.is_circuit_closed:
        return None
    words = _(
        "The CRM gives no usable answers. Deliveries wait and none of them fails; one call at a time tries again."
    )
    return Condition("unreachable", "error", _("Not reachable"), words)


def _stuck(standing: Standing, _backlog: Backlog) -> Condition | None:
    if not standing.is_stuck:
        return None
    words = _("Deliveries are due and none was tried for a minute. Check that a worker is running.")
    return Condition("stuck", "error", _("Stuck"), words)


def _blocked(standing: Standing, _backlog: Backlog) -> Condition | None:
    until = standing.shut.get(WHOLE_ACCOUNT)
    if until is None:
        return None
    words = _("The calls that the CRM allows are used up. Deliveries go on by themselves in %(wait)s.")
    return Condition("blocked", "warning", _("At the limit"), words % {"wait": wait_words(until - standing.at)})


def _held(standing: Standing, _backlog: Backlog) -> Condition | None:
    if not standing.held:
        return None
    words = ngettext(
        "%(count)d authentication needs a person; deliveries that would use it wait until then.",
        "%(count)d authentications need a person; deliveries that would use them wait until then.",
        standing.held,
    )
    return Condition("held", "held", pgettext("account", "Held"), words % {"count": standing.held})


def _working(standing: Standing, backlog: Backlog) -> Condition | None:
    if standing.bulk_writes or standing.oldest:
        return Condition("working", "sending", _("Sending"), _("Deliveries are being worked off."))
    if backlog.records:
        return Condition("later", "waiting", _("Waiting"), _("What waits is not due yet."))
    if any(each.is_active for each in backlog.looked_for):
        return Condition("matching", "waiting", _("Waiting"), _("Records are being looked for."))
    if backlog.looked_for:
        words = _("Interactions of a deactivated configuration wait; their records are looked for once it is active.")
        return Condition("deactivated", "held", pgettext("account", "Held"), words)
    return None


def _idle(_standing: Standing, _backlog: Backlog) -> Condition | None:
    return Condition("idle", "success", _("Up to date"), _("Nothing waits."))


CONDITIONS: tuple[Callable[[Standing, Backlog], Condition | None], ...] = (
    _unreachable,
    _stuck,
    _blocked,
    _held,
    _working,
    _idle,
)
