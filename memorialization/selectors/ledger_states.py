"""States as the ledger shows them: the stored ones; *held*, which an authentication makes of waiting; *matching*."""

from collections.abc import Mapping

from django.db.models import BooleanField, Case, F, Q, QuerySet, Value, When
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from crm_integrations.models import Authentication, Configuration
from crm_integrations.selectors.configurations import effective_state
from memorialization.models import Delivery, Interaction
from memorialization.reasons import ReasonText, explain_reason

State = Delivery.State
HELD = "held"
DELIVERY_STATES: Mapping[str, str | Promise] = {
    State.WAITING.value: State.WAITING.label,
    HELD: _("Held"),
    State.SENDING.value: State.SENDING.label,
    State.DELIVERED.value: State.DELIVERED.label,
    State.PARTIAL.value: State.PARTIAL.label,
    State.FAILED.value: State.FAILED.label,
    State.SKIPPED.value: State.SKIPPED.label,
}
MATCHING = "matching"
INTERACTION_STATES: Mapping[str, str | Promise] = {
    **{state.value: state.label for state in Interaction.State},
    MATCHING: _("Records are being looked for"),  # whatever its stored state: another type may be planned already
}
UNFINISHED = frozenset({State.WAITING.value, State.SENDING.value, HELD})
OTHER_ACCOUNT = _(
    "The configuration is connected to another account now; the delivery waits for the account it was planned for."
)

FREE_TO_GO = Q(
    configuration__state=Configuration.State.ACTIVE,
    configuration__authentication__state=Authentication.State.ACTIVE,
    configuration__authentication__account=F("lane__account"),
)
"""What the claim asks of a delivery's configuration (deliveries.claim_sql)."""


def deliveries_in_state(deliveries: QuerySet[Delivery], state: str) -> QuerySet[Delivery]:
    """Those that a page shows in `state`; an unknown state finds nothing."""
    if state not in {HELD, State.WAITING.value}:
        return deliveries.filter(state=state)
    is_held = Case(When(FREE_TO_GO, then=Value(False)), default=Value(True), output_field=BooleanField())
    return deliveries.filter(state=State.WAITING).annotate(is_held=is_held).filter(is_held=state == HELD)


def interactions_in_state(interactions: QuerySet[Interaction], state: str) -> QuerySet[Interaction]:
    """Those that a page lists under `state`; an unknown state finds nothing."""
    if state == MATCHING:
        return interactions.filter(match_due_at__isnull=False)
    return interactions.filter(state=state) if state in INTERACTION_STATES else interactions.none()


def shown_state(delivery: Delivery) -> str:
    """The state's key; the delivery comes with its lane and its configuration's authentication."""
    return HELD if delivery.state == State.WAITING and is_held(delivery) else str(delivery.state)


def is_held(delivery: Delivery) -> bool:
    """Whether a waiting delivery waits for a person rather than for its turn."""
    configuration = delivery.configuration
    authentication = configuration.authentication
    if configuration.state != Configuration.State.ACTIVE or authentication is None or authentication.is_held:
        return True
    return delivery.lane is not None and delivery.lane.account_id != authentication.account_id


def shown_reason(delivery: Delivery) -> ReasonText:
    """Why the delivery is in the state that is shown, and what to do; empty when there is nothing to say."""
    if shown_state(delivery) == HELD:
        return _reason_of_hold(delivery)
    if not delivery.reason:
        return ReasonText("")
    return explain_reason(delivery.reason, delivery.reason_params)


def _reason_of_hold(delivery: Delivery) -> ReasonText:
    configuration = delivery.configuration
    state = effective_state(configuration)
    if state.key == Authentication.State.REAUTHENTICATE:
        return explain_reason(HELD)
    if state.reason:
        return ReasonText(str(state.reason))
    return ReasonText(str(OTHER_ACCOUNT))
