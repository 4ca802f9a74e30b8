"""Replay runs as pages show them: what a filter would send again, how far a run is, what became of what it queued."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from django.db.models import Count, QuerySet

from memorialization.models import Delivery, ReplayRun, ReplayStep
from memorialization.selectors.ledger_deliveries import DeliveryRow, delivery_rows, readable_deliveries
from memorialization.selectors.ledger_states import DELIVERY_STATES
from memorialization.services.replay_choices import ReplayChoice, chosen_deliveries, has_replay

COUNTED_MOST = 20_000  # beyond it a confirmation says "over"; the run itself counts exactly
EXAMPLES = 3
PAGE_STEPS = 50
LOOKS: Mapping[str, str] = {  # the state of a delivery that a run's state looks like
    ReplayRun.State.RUNNING: Delivery.State.SENDING,
    ReplayRun.State.CANCELLING: Delivery.State.SENDING,
    ReplayRun.State.CANCELLED: Delivery.State.SKIPPED,
    ReplayRun.State.FINISHED: Delivery.State.DELIVERED,
    ReplayRun.State.FAILED: Delivery.State.FAILED,
}
OPEN = (ReplayRun.State.RUNNING, ReplayRun.State.CANCELLING)
UNSENT = (Delivery.State.WAITING, Delivery.State.SENDING)


@dataclass(frozen=True, slots=True)
class ReplayPreview:
    """What a run would find: how many by state, how many it would leave out at once, and the first of them."""

    by_state: Mapping[str, int]
    replayed: int
    examples: list[DeliveryRow]

    @property
    def count(self) -> int:
        """How many, up to one more than COUNTED_MOST."""
        return sum(self.by_state.values())

    @property
    def fresh(self) -> int:
        """How many of them were not replayed before."""
        return self.count - self.replayed

    @property
    def is_over(self) -> bool:
        """Whether there are more than were counted."""
        return self.count > COUNTED_MOST


@dataclass(frozen=True, slots=True)
class RunProgress:
    """A run with what became of the deliveries it queued: (state, label, how many)."""

    run: ReplayRun
    outcomes: list[tuple[str, str, int]] = field(default_factory=list)

    @property
    def look(self) -> str:
        """The state whose colour and picture it has."""
        return LOOKS[self.run.state]

    @property
    def is_open(self) -> bool:
        """Whether it still queues or takes back."""
        return self.run.state in OPEN

    @property
    def is_queueing(self) -> bool:
        """Whether it can be stopped."""
        return self.run.state == ReplayRun.State.RUNNING

    @property
    def waiting(self) -> int:
        """How many of its deliveries are not sent yet."""
        return sum(count for state, _label, count in self.outcomes if state in UNSENT)

    @property
    def can_be_taken_back(self) -> bool:
        """Whether cancelling would change anything."""
        return self.is_queueing or (not self.is_open and self.waiting > 0)

    @property
    def is_live(self) -> bool:
        """Whether the page will change by itself."""
        return self.is_open or self.waiting > 0


def preview_choice(choice: ReplayChoice, *, last_id: int) -> ReplayPreview:
    """What a run over the choice would find, bounded so that the page comes at once however much there is."""
    rows = chosen_deliveries(choice, last_id=last_id).order_by("pk")
    counted = Delivery.objects.filter(pk__in=rows.values("pk")[: COUNTED_MOST + 1]).order_by()
    by_state = dict(counted.values_list("state").annotate(count=Count("pk")))
    settled = counted.exclude(state=Delivery.State.WAITING)
    examples = delivery_rows(readable_deliveries(counted.exclude(has_replay())).order_by("pk")[:EXAMPLES])
    return ReplayPreview(by_state, settled.filter(has_replay()).count(), examples)


def progress_of(run: ReplayRun) -> RunProgress:
    """The run with its outcomes, in the order of the states."""
    queued = run.steps.filter(replay__isnull=False).order_by()
    counts = dict(queued.values_list("replay__state").annotate(count=Count("pk")))
    outcomes = [(state, str(label), counts[state]) for state, label in DELIVERY_STATES.items() if state in counts]
    return RunProgress(run, outcomes)


def runs_before(before: int | None) -> QuerySet[ReplayRun]:
    """Newest first."""
    return ReplayRun.objects.filter(pk__lt=before) if before is not None else ReplayRun.objects.all()


def steps_of(run: ReplayRun, *, state: str = "", refused: str = "") -> QuerySet[ReplayStep]:
    """Its steps, newest first: those that queued a delivery which is in `state` now, or that were left out so."""
    steps = run.steps.order_by("-pk")
    if refused:
        return steps.filter(refused=refused)
    queued = steps.filter(replay__isnull=False)
    return queued.filter(replay__state=state) if state else queued


def step_rows(steps: list[ReplayStep]) -> list[DeliveryRow]:
    """The deliveries of these steps as lines: what was queued, or what was left out."""
    wanted = [step.replay_id or step.delivery_id for step in steps]
    found = readable_deliveries(Delivery.objects.filter(pk__in=wanted)).order_by("-pk")
    return delivery_rows(found)
