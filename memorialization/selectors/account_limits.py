"""The limits of an account as a page shows them: who uses what, what is left, and the words for it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from crm_integrations.models import CRMAccount
from crm_integrations.providers.limits import LimitScope
from crm_integrations.selectors.budgets import BudgetState, find_limit_labels
from crm_integrations.services.call_budgets import WHOLE_ACCOUNT
from memorialization.selectors.account_activity import ClassCalls

WINDOWS: Mapping[float, str | Promise] = {
    1.0: gettext_lazy("per second"),
    60.0: gettext_lazy("per minute"),
    3600.0: gettext_lazy("per hour"),
}
NO_CALLS = ClassCalls()


@dataclass(frozen=True, slots=True)
class LimitRow:
    """One limit. `ours` + `others` + `reserved` + `left` = `limit`, as far as that is known.

    `reserved`: head-room that nobody uses yet; `left`: what deliveries may still use.
    """

    name: str
    label: str | Promise
    window: str
    limit: int | None
    ours: int
    others: int
    reserved: int
    left: int | None
    resets_in: timedelta | None
    blocked_until: datetime | None
    block_reason: str
    hour: ClassCalls
    is_in_flight: bool = False
    is_of_records: bool = False

    @property
    def used(self) -> int:
        """What everybody used of it."""
        return self.ours + self.others

    @property
    def used_share(self) -> float | None:
        """The same as a share, 0 to 1."""
        return min(self.used / self.limit, 1.0) if self.limit else None

    @property
    def is_named(self) -> bool:
        """Whether there are words for it."""
        return self.label != self.name


def build_limit_rows(
    account: CRMAccount, states: Sequence[BudgetState], hour: Mapping[str, ClassCalls], now: datetime
) -> list[LimitRow]:
    """One row per limit, the account's own first; limits of single records only when they refused something."""
    labels = find_limit_labels(account)
    rows = [_build_row(state, labels, hour.get(state.limit_class, NO_CALLS), now) for state in states]
    known = {state.limit_class for state in states}
    rows += [
        _build_record_row(name, labels, calls)
        for name, calls in sorted(hour.items())
        if name not in known and (calls.limited or calls.calls)
    ]
    return sorted(rows, key=lambda row: (row.is_of_records, row.name != WHOLE_ACCOUNT, row.is_in_flight, row.name))


def describe_window(state: BudgetState) -> str:
    """What the limit counts."""
    if state.scope is LimitScope.IN_FLIGHT:
        return _("at the same time")
    if state.window_s in WINDOWS:
        return str(WINDOWS[state.window_s])
    seconds = round(state.window_s)
    return ngettext("every %(count)d second", "every %(count)d seconds", seconds) % {"count": seconds}


def _build_row(state: BudgetState, labels: Mapping[str, str | Promise], hour: ClassCalls, now: datetime) -> LimitRow:
    others = min(state.foreign, state.used)
    is_blocked = state.blocked_until is not None
    reserved = min(state.reserved, state.left) if state.left is not None else state.reserved
    return LimitRow(
        name=state.limit_class,
        label=labels.get(state.limit_class, state.limit_class),
        window=describe_window(state),
        limit=state.limit,
        ours=state.used - others,
        others=others,
        reserved=0 if state.limit is None else reserved,
        left=None if state.left is None else state.left - reserved,
        resets_in=state.window_ends_at - now if state.window_ends_at and not is_blocked else None,
        blocked_until=state.blocked_until,
        block_reason=state.block_reason,
        hour=hour,
        is_in_flight=state.scope is LimitScope.IN_FLIGHT,
    )


def _build_record_row(name: str, labels: Mapping[str, str | Promise], hour: ClassCalls) -> LimitRow:
    label = labels.get(name, name)
    return LimitRow(name, label, _("of each record"), None, 0, 0, 0, None, None, None, "", hour, is_of_records=True)
