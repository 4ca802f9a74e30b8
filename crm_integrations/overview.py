"""What the floors above know of a configuration: they register here, so that the core never imports upwards.

A facts source answers for many configurations at once (a constant number of queries, whatever their number); an
impact source counts what a deletion of one configuration would take along.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.utils.functional import Promise

from crm_integrations.models import Configuration


@dataclass(frozen=True, slots=True)
class MappingCount:
    """How many active mappings of one kind a configuration has; `label` names the kind."""

    label: str | Promise
    active: int


@dataclass(frozen=True, slots=True)
class LastDelivery:
    """The newest delivery: when it was planned, its state (key and word) and its page."""

    at: datetime
    state: str
    state_label: str | Promise
    url: str = ""


@dataclass(frozen=True, slots=True)
class Facts:
    """What one source knows of one configuration; what it does not know stays empty.

    `hourly_deliveries`: 24 counts, oldest first; `success_share`: of those that ended in the last 24 hours, 0 to 1.
    """

    mappings: tuple[MappingCount, ...] = ()
    last_delivery: LastDelivery | None = None
    hourly_deliveries: tuple[int, ...] = ()
    success_share: float | None = None


@dataclass(frozen=True, slots=True)
class ImpactLine:
    """One line of what a deletion takes along, such as “mappings: 3”."""

    label: str | Promise
    count: int


FactsSource = Callable[[Sequence[UUID]], Mapping[UUID, Facts]]
ImpactSource = Callable[[Configuration], Sequence[ImpactLine]]

_facts_sources: dict[str, FactsSource] = {}
_impact_sources: dict[str, ImpactSource] = {}


def register_facts(name: str, source: FactsSource) -> None:
    """Add a facts source in `AppConfig.ready`; the same name again replaces it."""
    _facts_sources[name] = source


def register_impact(name: str, source: ImpactSource) -> None:
    """Add an impact source in `AppConfig.ready`; the same name again replaces it."""
    _impact_sources[name] = source


def configuration_facts(configuration_ids: Sequence[UUID]) -> dict[UUID, Facts]:
    """What all sources know together, for each of the configurations."""
    answers = [source(configuration_ids) for source in _facts_sources.values()]
    return {
        configuration_id: _merged([answer.get(configuration_id, Facts()) for answer in answers])
        for configuration_id in configuration_ids
    }


def deletion_impact(configuration: Configuration) -> list[ImpactLine]:
    """What a deletion of the configuration takes along, as far as the floors above count it."""
    return [line for source in _impact_sources.values() for line in source(configuration)]


def _merged(answers: Sequence[Facts]) -> Facts:
    """One answer out of several: mapping counts add up, of anything else the first that is known stands."""
    return Facts(
        mappings=tuple(count for facts in answers for count in facts.mappings),
        last_delivery=next((facts.last_delivery for facts in answers if facts.last_delivery), None),
        hourly_deliveries=next((facts.hourly_deliveries for facts in answers if facts.hourly_deliveries), ()),
        success_share=next((facts.success_share for facts in answers if facts.success_share is not None), None),
    )
