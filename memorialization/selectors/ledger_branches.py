"""The rows of a filter as branches, each of which one index answers in the order of a page (ledger_slices).

The indexes by configuration, state and channel hold ids in order only for one value of each; so what is not asked for
is gone through value by value, and the page is merged. Above MOST_BRANCHES there is one branch, which reads past what
does not fit. Rows of deleted configurations are never among them.
"""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from functools import partial
from itertools import product
from typing import Any, TypeVar

from django.db.models import Exists, Model, OuterRef, Q, QuerySet

from crm_integrations.models import Configuration, CRMAccount
from memorialization.models import Delivery, Interaction, RecordLane
from memorialization.selectors.account_backlogs import count_looked_for
from memorialization.selectors.ledger_filters import (
    LedgerFilters,
    between_days,
    filtered_deliveries,
    filtered_interactions,
)
from memorialization.selectors.ledger_search import Criterion, delivery_criteria, interaction_criteria
from memorialization.selectors.ledger_slices import Branch, find_ids
from memorialization.selectors.ledger_states import DELIVERY_STATES, HELD, INTERACTION_STATES, MATCHING

Row = TypeVar("Row", bound=Model)
MOST_BRANCHES = 960  # by state of 480 configurations, by channel of 160
CHANNELS = tuple(str(key) for key, _label in Interaction._meta.get_field("channel").choices or [])
LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)  # a range, so that SQLite reads the partial index
WAITING = Delivery.State.WAITING.value


def delivery_branches(filters: LedgerFilters, *, within: Q | None = None) -> list[Branch[Delivery]]:
    """The deliveries that `filtered_deliveries` finds; with `within` those of them that meet it, too."""
    bounds = within or Q()
    plain = [Branch(branch.rows.filter(bounds), branch.is_small) for branch in _plain_deliveries(filters)]
    if not filters.q:
        return plain
    criteria = delivery_criteria(filters.q, newest=partial(_newest_id, plain))
    return _narrowed(plain, filtered_deliveries(filters, has_text=False).filter(bounds), criteria)


def interaction_branches(filters: LedgerFilters) -> list[Branch[Interaction]]:
    """The interactions that `filtered_interactions` finds."""
    plain = _plain_interactions(filters)
    if not filters.q:
        return plain
    criteria = interaction_criteria(filters.q, newest=partial(_newest_id, plain))
    return _narrowed(plain, filtered_interactions(filters, has_text=False), criteria)


def _plain_deliveries(filters: LedgerFilters) -> list[Branch[Delivery]]:
    """Everything but the text."""
    if filters.state and filters.state not in DELIVERY_STATES:
        return []
    if filters.reason:
        return [Branch(filtered_deliveries(filters, has_text=False))]
    rows = between_days(Delivery.objects.all(), Delivery.objects.all(), filters)
    configurations = _configurations(filters)
    if filters.state in {WAITING, HELD}:
        branches = _waiting_branches(rows, configurations, filters)
    else:
        branches = [Branch(rows.filter(**each)) for each in _criteria(configurations, filters, Delivery.State.values)]
    return branches if len(branches) <= MOST_BRANCHES else [Branch(filtered_deliveries(filters, has_text=False))]


def _plain_interactions(filters: LedgerFilters) -> list[Branch[Interaction]]:
    """Everything but the text."""
    if filters.state and filters.state not in INTERACTION_STATES:
        return []
    rows = between_days(Interaction.objects.all(), Interaction.objects.all(), filters)
    configurations = _configurations(filters)
    if filters.state == MATCHING:
        branches = _matching_branches(rows, configurations, filters)
    else:
        branches = [
            Branch(rows.filter(**each)) for each in _criteria(configurations, filters, Interaction.State.values)
        ]
    return branches if len(branches) <= MOST_BRANCHES else [Branch(filtered_interactions(filters, has_text=False))]


def _newest_id(branches: Sequence[Branch[Any]]) -> int:
    return max(find_ids(branches, limit=1), default=0)


def _narrowed(plain: Sequence[Branch[Row]], found: QuerySet[Row], criteria: Sequence[Criterion]) -> list[Branch[Row]]:
    """What is named has an index of its own; what is looked for among the newest goes through every branch."""
    branches = [Branch(found.filter(each.condition), each.is_small) for each in criteria if not each.is_recent]
    recent = [each for each in criteria if each.is_recent]
    return branches + [Branch(branch.rows.filter(each.condition)) for each in recent for branch in plain]


def _configurations(filters: LedgerFilters) -> list[Configuration]:
    """Those whose rows are looked for, with what decides whether their deliveries are held."""
    rows = Configuration.objects.exclude(state=Configuration.State.DELETED).select_related("authentication")
    rows = rows.filter(pk=filters.configuration) if filters.configuration else rows
    columns = ("state", "authentication__state", "authentication__account_id")
    return list(rows.only(*columns).order_by("pk"))


def _criteria(
    configurations: Sequence[Configuration], filters: LedgerFilters, states: Iterable[str]
) -> list[dict[str, Any]]:
    """Values of configuration, state and channel of each branch; an index by configuration alone spares the others."""
    owners = [configuration.pk for configuration in configurations]
    if not filters.state and not filters.channel:
        return [{"configuration": owner} for owner in owners]
    wanted_states = [filters.state] if filters.state else list(states)
    channels = [filters.channel] if filters.channel else CHANNELS
    return [
        {"configuration": owner, "state": state, "channel": channel}
        for owner, state, channel in product(owners, wanted_states, channels)
    ]


def _waiting_branches(
    rows: QuerySet[Delivery], configurations: Sequence[Configuration], filters: LedgerFilters
) -> list[Branch[Delivery]]:
    """Waiting or held: that is a question of the configuration, and of the account only where it was changed."""
    channels = [filters.channel] if filters.channel else CHANNELS
    strayed = _accounts_with_waiting_lanes() if filters.state == HELD else set()
    branches = []
    for configuration in configurations:
        condition = _hold_condition(configuration, filters.state, strayed)
        if condition is None:
            continue
        for channel in channels:
            own = rows.filter(condition, configuration=configuration.pk, state=WAITING, channel=channel)
            branches.append(Branch(own))
    return branches


def _matching_branches(
    rows: QuerySet[Interaction], configurations: Sequence[Configuration], filters: LedgerFilters
) -> list[Branch[Interaction]]:
    """Interactions whose records are looked for: few of a configuration are gathered from an index of just those."""
    counts = {each.configuration_id: each.count for each in count_looked_for()}
    of_channel = {"channel": filters.channel} if filters.channel else {}
    return [
        Branch(
            rows.filter(configuration=each.pk, match_due_at__isnull=False, **of_channel), not counts[each.pk].is_more
        )
        for each in configurations
        if each.pk in counts
    ]


def _hold_condition(configuration: Configuration, state: str, accounts: set[int]) -> Q | None:
    """Which of a configuration's waiting deliveries are in the state asked for; None when none can be."""
    authentication = configuration.authentication
    is_held = configuration.state != Configuration.State.ACTIVE or authentication is None or authentication.is_held
    if is_held or authentication is None:
        return Q() if state == HELD else None
    own = Q(lane__account=authentication.account_id)
    if state != HELD:
        return own
    return ~own if accounts - {authentication.account_id} else None


def _accounts_with_waiting_lanes() -> set[int]:
    """Accounts with lanes on which something waits: a look-up per account, and the lanes that are leased now."""
    due = RecordLane.objects.filter(
        account=OuterRef("pk"), next_due_at__isnull=False, next_due_at__gt=LONG_AGO, lease__isnull=True
    )
    leased = RecordLane.objects.filter(
        lease__isnull=False, bulk_write__isnull=True, lease_until__gt=LONG_AGO
    ).order_by()
    in_bulk = RecordLane.objects.filter(bulk_write__isnull=False, bulk_write__gt=0).order_by()
    return {
        *CRMAccount.objects.filter(Exists(due)).values_list("pk", flat=True),
        *leased.values_list("account_id", flat=True),
        *in_bulk.values_list("account_id", flat=True),
    }
