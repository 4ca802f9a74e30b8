"""The charts of an account's page: the last hour of calls, and of deliveries beside the calls that they took."""

from datetime import datetime

from django.utils.translation import gettext as _

from crm_integrations.models import CallBudget, CRMAccount
from crm_integrations.services.call_budgets import WHOLE_ACCOUNT
from crm_integrations.templatetags.minute_charts import MinuteChart, Series
from crm_integrations.templatetags.moments import number
from memorialization.selectors.account_activity import (
    HourOfCalls,
    HourOfDeliveries,
    last_minutes,
    read_calls,
    read_deliveries,
)

MINUTE_S = 60


def build_charts(*, account: CRMAccount, now: datetime) -> list[MinuteChart]:
    """Calls, then deliveries."""
    calls, hour = read_calls(account=account, now=now), read_deliveries(account=account, now=now)
    minutes = last_minutes(now)
    allowed = _allowed_per_minute(account)
    return [
        MinuteChart(
            key="calls",
            title=_("Calls per minute"),
            summary=_summarise_calls(calls),
            minutes=minutes,
            bars=[
                Series(_("Answered"), "answered", calls.answered),
                Series(_("Refused (429)"), "limited", calls.limited),
                Series(_("Failed"), "failed", calls.failed),
            ],
            bound=allowed,
            bound_label=_("Allowed: %(count)s per minute") % {"count": number(allowed)},
        ),
        MinuteChart(
            key="deliveries",
            title=_("Deliveries sent per minute"),
            summary=_summarise_deliveries(hour),
            minutes=minutes,
            bars=[Series(_("Deliveries"), "answered", hour.deliveries)],
            line=Series(_("Calls for them"), "calls", hour.calls),
        ),
    ]


def _allowed_per_minute(account: CRMAccount) -> int | None:
    budget = CallBudget.objects.filter(account=account, limit_class=WHOLE_ACCOUNT).first()
    if budget is None or not budget.calls or not budget.window_s:
        return None
    return round(budget.calls * MINUTE_S / budget.window_s)


def _summarise_calls(calls: HourOfCalls) -> str:
    words = _(
        "Calls per minute in the last hour: %(answered)s answered, %(limited)s refused for a limit, %(failed)s failed;"
        " at most %(peak)s in a minute."
    )
    peak = max(sum(values) for values in zip(calls.answered, calls.limited, calls.failed, strict=True))
    return words % {
        "answered": number(sum(calls.answered)),
        "limited": number(calls.refusals),
        "failed": number(sum(calls.failed)),
        "peak": number(peak),
    }


def _summarise_deliveries(hour: HourOfDeliveries) -> str:
    words = _(
        "Deliveries per minute in the last hour: %(total)s, with %(calls)s calls; at most %(peak)s deliveries in"
        " a minute."
    )
    return words % {
        "total": number(hour.total),
        "calls": number(hour.total_calls),
        "peak": number(max(hour.deliveries)),
    }
